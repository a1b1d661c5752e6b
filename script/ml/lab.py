"""Two hosts in network namespaces of their own, joined by a veth pair, with real services on one of them."""
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SERVERS = 12                # addresses of the server side that answer
SILENT = 12                 # addresses that have a neighbour entry and nobody behind them
CLIENTS = 8


def run(*args, **more):
    return subprocess.run(args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, **more)


class Lab:
    """A laboratory; its addresses, ports and page sizes come from the seed."""

    def __init__(self, name, seed, offload):
        self.random = random.Random(seed)
        self.seed = seed
        self.name = name
        self.client_ns, self.server_ns = name + "c", name + "s"
        self.folder = tempfile.mkdtemp(prefix="ml-lab-")
        self.processes = []
        self.offload = offload
        net = "10.%d" % self.random.randrange(20, 250)
        last = self.random.sample(range(10, 240), SERVERS + SILENT)
        self.servers = ["%s.1.%d" % (net, i) for i in last[:SERVERS]]
        self.silent = ["%s.1.%d" % (net, i) for i in last[SERVERS:]]
        self.network = "%s.1.0/24" % net
        self.clients = ["%s.2.%d" % (net, i) for i in self.random.sample(range(10, 240), CLIENTS)]
        self.attacker = "%s.3.%d" % (net, self.random.randrange(10, 240))
        self.users = self.random.sample(["anna", "ben", "carl", "dora", "emil", "admin", "test", "oracle"], 4)

    def __enter__(self):
        try:
            self._network()
            self._services()
        except subprocess.CalledProcessError as error:
            self.close()
            sys.exit("ml-record: %s: %s" % (" ".join(map(str, error.cmd)), error.stderr.decode().strip()))
        return self

    def __exit__(self, *_):
        self.close()

    def _network(self):
        for ns in (self.client_ns, self.server_ns):
            run("ip", "netns", "add", ns)
            run("ip", "-n", ns, "link", "set", "lo", "up")
        run("ip", "link", "add", "eth0", "netns", self.client_ns, "type", "veth", "peer", "name", "eth0", "netns",
            self.server_ns)
        for ns, addresses in ((self.client_ns, self.clients + [self.attacker]), (self.server_ns, self.servers)):
            batch = "".join("addr add %s/16 dev eth0\n" % a for a in addresses)
            run("ip", "-n", ns, "-batch", "-", input=batch.encode())
            if not self.offload:
                run("ip", "netns", "exec", ns, "ethtool", "-K", "eth0", "tso", "off", "gso", "off", "gro", "off")
            run("ip", "-n", ns, "link", "set", "eth0", "up")
        show = subprocess.run(["ip", "-n", self.server_ns, "-o", "link", "show", "eth0"], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        mac = show.split("link/ether ")[1].split()[0]
        run("ip", "-n", self.client_ns, "-batch", "-", input="".join(
            "neigh add %s lladdr %s dev eth0\n" % (a, mac) for a in self.silent).encode())

    def _page(self, name, size):
        with open("%s/www/%s" % (self.folder, name), "wb") as file:
            file.write(self.random.randbytes(size))

    def _services(self):
        os.chmod(self.folder, 0o755)
        os.makedirs(self.folder + "/www/private")
        links = []
        for i in range(60):
            self._page("asset%d.bin" % i, int(self.random.lognormvariate(8.5, 1.3)) + 40)
            links.append('<img src="asset%d.bin">' % i)
        for i in range(40):
            links.append('<a href="page%d.html">%d</a>' % (i, i))
            with open("%s/www/page%d.html" % (self.folder, i), "w", encoding="ascii") as file:
                file.write("<html>%s</html>" % ("text " * self.random.randrange(50, 2000)))
        with open(self.folder + "/www/index.html", "w", encoding="ascii") as file:
            file.write("<html>%s</html>" % "\n".join(links))
        self._page("large.bin", self.random.randrange(1, 5) << 20)
        self._page("private/index.html", self.random.randrange(200, 3000))
        hashed = subprocess.run(["openssl", "passwd", "-apr1", "right"], check=True, stdout=subprocess.PIPE).stdout
        with open(self.folder + "/users", "wb") as file:
            file.write(b"".join(u.encode() + b":" + hashed for u in self.users))
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab",
            "-keyout", self.folder + "/tls.key", "-out", self.folder + "/tls.crt")
        self._nginx()
        self._sshd()
        self.serve("dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--address=/lab/192.0.2.7",
                   "--local=/#/", "--cache-size=0", "--pid-file=", "--user=root", "--port=53", "--bind-dynamic")
        self.serve("iperf3", "-s", "-p", "5201")
        self.serve(sys.executable, os.path.join(os.path.dirname(__file__), "servers.py"), str(self.seed))
        time.sleep(1.5)

    def _nginx(self):
        with open(self.folder + "/nginx.conf", "w", encoding="ascii") as file:
            file.write("""daemon off; worker_processes 1; pid %(d)s/nginx.pid; error_log /dev/null;
events { worker_connections 4096; }
http { access_log off; client_body_temp_path %(d)s/body; proxy_temp_path %(d)s/p; fastcgi_temp_path %(d)s/f;
  uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s; keepalive_timeout 15; root %(d)s/www;
  server { listen 80; listen 443 ssl; ssl_certificate %(d)s/tls.crt; ssl_certificate_key %(d)s/tls.key;
    location /private { auth_basic lab; auth_basic_user_file %(d)s/users; }
    location = /login { return 401 'wrong user name or password'; }
    location = /api { return 200 '{"state":"fine"}'; } } }""" % {"d": self.folder})
        os.chmod(self.folder + "/www", 0o755)
        self.serve("nginx", "-c", self.folder + "/nginx.conf", "-p", self.folder)

    def _sshd(self):
        os.makedirs("/run/sshd", exist_ok=True)
        for key in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "%s/%s" % (self.folder, key))
        shutil.copy(self.folder + "/user.pub", self.folder + "/authorized")
        with open(self.folder + "/sshd_config", "w", encoding="ascii") as file:
            file.write("Port 22\nHostKey %(d)s/host\nAuthorizedKeysFile %(d)s/authorized\nPermitRootLogin yes\n"
                       "PasswordAuthentication yes\nUsePAM no\nStrictModes no\nMaxStartups 100\nPidFile none\n"
                       "Subsystem sftp internal-sftp\n" % {"d": self.folder})
        self.serve("/usr/sbin/sshd", "-D", "-f", self.folder + "/sshd_config")

    def spawn(self, ns, *args):
        process = subprocess.Popen(["ip", "netns", "exec", ns, *args], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                   cwd=self.folder)
        self.processes.append(process)
        return process

    def serve(self, *args):
        return self.spawn(self.server_ns, *args)

    def client(self, *args):
        return self.spawn(self.client_ns, *args)

    def capture(self, path):
        process = self.serve("tcpdump", "-i", "eth0", "-s", "0", "-U", "-B", "16384", "-w", path)
        for _ in range(50):
            if os.path.exists(path) and os.path.getsize(path) >= 24:
                break
            time.sleep(0.1)
        return process

    @staticmethod
    def stop(process):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self):
        for process in reversed(self.processes):
            self.stop(process)
        for ns in (self.client_ns, self.server_ns):
            subprocess.run(["ip", "netns", "del", ns], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
