"""Three network namespaces in a row: client (c0), the bridge (eth1, eth2), server (s0); a daemon in the middle one."""
import hashlib
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time

from libtest import plan, wait_for

RULES = """drop http any any -> any any (msg:"not this"; http.uri; content:"forbidden"; sid:1;)
drop icmp any any -> any any (msg:"no long ping"; dsize:>900; sid:2;)
"""

ECYBERD, ECYBERCTL = os.environ["ECYBERD"], os.environ["ECYBERCTL"]
CLIENT, MIDDLE, SERVER = ("ecb%d%s" % (os.getpid(), which) for which in "cms")

FETCH = r"""
import hashlib, sys, urllib.request
for path in sys.argv[3:]:
    try:
        with urllib.request.urlopen("http://%s:8000/%s" % (sys.argv[1], path), timeout=float(sys.argv[2])) as answer:
            print(hashlib.sha256(answer.read()).hexdigest(), flush=True)
    except OSError as error:
        print("no answer: %s" % error, flush=True)
"""


def sh(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def inside(ns):
    """Before a command: in that namespace, also where `ip netns exec` cannot have a mount namespace."""
    return "nsenter", "--net=/run/netns/" + ns


def wire(ns, dev, address, port):
    """One side: dev of ns, and port of the middle."""
    out = sh(*inside(MIDDLE), "ip", "link", "add", port, "type", "veth", "peer", "name", dev, "netns", ns)
    sh(*inside(ns), "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/%s/accept_dad" % dev)
    sh(*inside(MIDDLE), "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/%s/disable_ipv6" % port)
    sh(*inside(ns), "ip", "addr", "add", address, "dev", dev)
    sh(*inside(ns), "ip", "addr", "add", address.replace("10.9.0.", "fd09::").replace("/24", "/64"), "dev", dev)
    sh(*inside(ns), "ip", "link", "set", dev, "up")
    sh(*inside(MIDDLE), "ip", "link", "set", port, "up")
    return out


def make():
    """What went wrong, or an empty text."""
    for ns in (CLIENT, MIDDLE, SERVER):
        out = sh("ip", "netns", "add", ns)
        if out.returncode:
            return "network namespaces need root: " + out.stdout
    for ns, dev, address, port in ((CLIENT, "c0", "10.9.0.1/24", "eth1"), (SERVER, "s0", "10.9.0.2/24", "eth2")):
        out = wire(ns, dev, address, port)
        if out.returncode:
            return "there is no veth: " + out.stdout
    return ""


def unmake():
    for ns in (CLIENT, MIDDLE, SERVER):
        sh("ip", "netns", "del", ns)


def fetch(*paths, host="10.9.0.2", seconds=5):
    """What the client gets of the server, a digest or a sentence for each path."""
    return sh(*inside(CLIENT), "python3", "-c", FETCH, host, str(seconds), *paths).stdout.splitlines()


def held(path):
    """Is that file kept from the client?"""
    return fetch(path, seconds=1)[0].startswith("no answer")


def ping(count=1, host="10.9.0.2"):
    """How many of them came back."""
    out = sh(*inside(CLIENT), "ping", "-n", "-c", str(count), "-i", "0.2", "-W", "1", host).stdout
    found = re.search(r"(\d+) received", out)
    return int(found[1]) if found else 0


OFFLOADS = r"""
import fcntl, socket, struct, sys
s = socket.socket()
def ask(command, value=0):
    data = bytearray(struct.pack("=II", command, value))
    import ctypes
    buffer = (ctypes.c_char * 8).from_buffer(data)
    fcntl.ioctl(s, 0x8946, struct.pack("16sP", sys.argv[1].encode(), ctypes.addressof(buffer)))
    return struct.unpack("=II", data)[1]
GRO, GSO, TSO = 0x2b, 0x23, 0x1e
if len(sys.argv) > 2:
    for command in (GRO, GSO, TSO):
        ask(command + 1, int(sys.argv[2]))
print(ask(GRO), ask(GSO), ask(TSO))
"""


def offloads(dev, *value):
    """GRO, GSO and TSO of an interface in the middle, as "1 1 1"; with a value all are set to it first."""
    return sh(*inside(MIDDLE), "python3", "-c", OFFLOADS, dev, *value).stdout.strip()


class Daemon:
    def __init__(self, *words, plugins="bridge, traffic, ids, eve", rules="", workers=1, uri="bridge:eth1,eth2",
                 before=(), alone=True):
        """Not alone: by the launcher, its engine as nobody."""
        here = os.getcwd()
        if not alone:
            nobody = pwd.getpwnam("nobody")
            os.chmod(here, 0o755)
            os.makedirs("state", exist_ok=True)
            for folder, _, files in os.walk("state"):
                for path in [folder] + [os.path.join(folder, name) for name in files]:
                    os.chown(path, nobody.pw_uid, nobody.pw_gid)
        with open("bridge.rules", "w", encoding="utf-8") as out:
            out.write(rules)
        with open("bridge.yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  state_dir: %s/state\n  control_socket: %s/s\n  plugins: [%s]\n  workers: %d\n"
                      "  sources: ['%s']\n" % (here, here + ("" if alone else "/state"), plugins, workers, uri))
            if "ids" in plugins:
                out.write("ids:\n  rule_files: [%s/bridge.rules]\neve:\n  file: %s/eve.json\n" % (here, here))
        self.socket = "s" if alone else "state/s"
        self.log = open("log", "w", encoding="utf-8")
        self.run = subprocess.Popen([*inside(MIDDLE), *before, ECYBERD, *(["--alone"] if alone else ["--user", "nobody"]),
                                     "-c", "bridge.yaml", *words],
                                    stdout=self.log, stderr=self.log)

    def text(self):
        with open("log", encoding="utf-8") as log:
            return log.read()

    def ask(self, what):
        reply = sh(ECYBERCTL, "-s", self.socket, "-o", "json", what)
        return json.loads(reply.stdout) if reply.returncode == 0 else None

    def status(self, *wanted):
        return wait_for(lambda: all(w["status"] in wanted for w in (self.ask("status") or {}).get("packets", [])
                                    or [{"status": "?"}]), 10)

    def ready(self):
        return self.status("idle", "busy", "interrupted")

    def logged(self, pattern):
        return wait_for(lambda: re.search(pattern, self.text()), 8)

    def sums(self):
        """Counters of packets over all workers, and the bridge's own."""
        status = self.ask("status")
        total = {"dropped_by_verdict": 0}
        for w in status["packets"]:
            total["dropped_by_verdict"] += w["dropped_by_verdict"]
            for key, value in w["source"].items():
                total[key] = total.get(key, 0) + value
        total.update(status["metrics"]["bridge"])
        return total

    def steady(self):
        """The same, once they stand still: the daemon notes them twice a second."""
        last = None
        for _ in range(20):
            now = self.sums()
            if now == last:
                break
            last = now
            time.sleep(0.7)
        return last

    def kill(self):
        """As the kernel does it: no handler runs."""
        self.run.send_signal(signal.SIGKILL)
        self.run.wait(timeout=30)

    def end(self):
        if self.run.poll() is None:
            self.run.send_signal(signal.SIGTERM)
        return self.run.wait(timeout=30)

def serve():
    """A folder with a small and a large file, served over IPv4 and IPv6."""
    os.mkdir("www")
    wanted = {}
    for name, size in (("small", 1000), ("large", 3000000), ("forbidden", 1000)):
        data = os.urandom(size)
        wanted[name] = hashlib.sha256(data).hexdigest()
        with open("www/" + name, "wb") as out:
            out.write(data)
    server = subprocess.Popen([*inside(SERVER), "python3", "-m", "http.server", "-b", "::", "-d", "www", "8000"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return server, wanted


def run(*parts):
    """Each of them with the digests of what the server has, on a bridge of its own; the plan at the end."""
    if os.geteuid():
        print("SKIP: the bridge needs root and network namespaces")
        sys.exit(77)
    server = None
    try:
        why = make()
        if why:
            print("SKIP: " + why)
            sys.exit(77)
        server, wanted = serve()
        time.sleep(0.5)
        for part in parts:
            part(wanted)
    finally:
        if server:
            server.kill()
        unmake()
    plan()
