"""A daemon that serves on a TCP port and a Unix socket, in a folder of its own; and raw replies."""
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from libtest import Local, check, free_port


class Daemon:
    def __init__(self, name, plugins=("http",), **options):
        self.port = free_port()
        self.folder = os.path.abspath(name)
        os.mkdir(self.folder)
        given = {"listen": "127.0.0.1:%d" % self.port, "socket": self.folder + "/api.sock"}
        given.update(options)
        with open(self.folder + "/ecyber.yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  plugin_dirs: [%s]\n  plugins: [%s]\n  state_dir: %s/state\n"
                      "  control_socket: %s/c.sock\nhttp:\n"
                      % (os.environ["EC_PLUGINDIR"], ", ".join(plugins), self.folder, self.folder))
            out.write("".join("  %s: %s\n" % item for item in given.items()))
        self.log = open(self.folder + "/log", "wb")
        self.process = None

    def start(self, wait=True, limit=None):
        command = [os.environ["ECYBERD"], "-c", self.folder + "/ecyber.yaml"]
        if limit:
            command = ["sh", "-c", "ulimit -n %d; exec \"$@\"" % limit, "sh"] + command
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        for _ in range(200 if wait else 0):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return -9

    def output(self):
        with open(self.folder + "/log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def connect(self, timeout=5):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def raw(self, data, timeout=5):
        """Everything that comes back until the server closes, or nothing comes for a second."""
        with self.connect(timeout) as s:
            try:
                s.sendall(data)
            except OSError:
                pass
            return read_all(s)

    def get(self, path, method="GET", body=None, headers=None, local=False):
        c = Local(self.folder + "/api.sock") if local else http.client.HTTPConnection("127.0.0.1", self.port,
                                                                                      timeout=10)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, dict((k.lower(), v) for k, v in r.getheaders()), r.read()
        finally:
            c.close()

    def metric(self, name):
        found = re.search(r"^ecyber_http_%s (\d+)$" % name, self.get("/metrics")[2].decode(), re.M)
        return int(found.group(1)) if found else -1


def read_all(s, quiet=1.0):
    s.settimeout(quiet)
    data = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                break
            data += more
    except OSError:
        pass
    return data


def status(reply):
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", reply)
    return int(found.group(1)) if found else 0


def promtool(metrics):
    """Prometheus' own tool reads what /metrics says."""
    tool = shutil.which("promtool")
    if not tool:
        print("# promtool is not installed, so it was not asked")
        return
    done = subprocess.run([tool, "check", "metrics"], input=metrics, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    check(done.returncode == 0 and not done.stdout.strip(), "promtool finds nothing to say", done.stdout.decode())
