"""A small client of Socket.IO, by nothing but the standard library: polling, and a WebSocket that is only spoken to."""
import base64
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import time

BASE = "/socket.io/?EIO=4&transport="


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    def __init__(self, plugins, http="", extra=""):
        self.port = free_port()
        here = os.getcwd()
        self.state = here + "/state"
        dirs = [os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"]]
        with open("c.yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  plugin_dirs: [%s]\n  plugins: [%s]\n  state_dir: %s/state\n  control_socket: %s/control.sock\n"
                      "http:\n  listen: 127.0.0.1:%d\n  socket: %s/api.sock\n%s%s"
                      % (", ".join(dirs), ", ".join(plugins), here, here, self.port, here, http, extra))
        self.log = open("log", "ab")
        self.run = subprocess.Popen([os.environ["ECYBERD"], "-c", "c.yaml"], stdout=self.log, stderr=self.log)
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)

    def stop(self):
        self.run.terminate()
        try:
            return self.run.wait(30)
        except subprocess.TimeoutExpired:
            self.run.kill()
            return -9

    def ask(self, method, path, body=None, headers=()):
        """Status, bytes, headers."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request(method, path, body, dict(headers))
            got = link.getresponse()
            return got.status, got.read(), got.headers
        finally:
            link.close()

    def json(self, method, path, token=None, body=None):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        status, text, _ = self.ask(method, path, json.dumps(body) if body is not None else None, headers)
        return status, json.loads(text) if text else None

    def metric(self, name):
        text = self.ask("GET", "/metrics")[1].decode()
        found = re.search(r"^ecyber_\w*%s\S* (\S+)$" % name, text, re.M)
        return float(found.group(1)) if found else None


class Client:
    """Engine.IO by polling. packets: what came and was not taken yet."""
    def __init__(self, daemon, headers=()):
        self.d = daemon
        self.headers = headers
        status, text, _ = daemon.ask("GET", BASE + "polling", headers=headers)
        assert status == 200, (status, text)
        self.hello = json.loads(text[1:])
        self.at = BASE + "polling&sid=" + self.hello["sid"]
        self.packets = []
        self.most = 0               # packets in one reply
        self.acks = 0

    def send(self, *packets):
        return self.d.ask("POST", self.at, "\x1e".join(packets).encode(), self.headers)

    def poll(self):
        """One reply; false where the session has ended."""
        status, text, _ = self.d.ask("GET", self.at, headers=self.headers)
        if status != 200:
            return False
        got = text.decode().split("\x1e")
        self.most = max(self.most, len(got))
        for p in got:
            if p == "2":
                self.send("3")
            elif p == "1":
                return False
            elif p != "6":
                self.packets.append(p)
        return True

    def take(self, what, seconds=15):
        """The next packet that matches; None where none comes."""
        end = time.time() + seconds
        while True:
            for i, p in enumerate(self.packets):
                if re.match(what, p, re.S):
                    return self.packets.pop(i)
            if time.time() > end or not self.poll():
                return None

    def connect(self, space="/", auth=None):
        at = "" if space == "/" else space + ","
        self.send("40" + at + (json.dumps(auth) if auth is not None else ""))
        got = self.take("4[04]" + re.escape(at))
        return got[1] == "0" if got else None, json.loads(got[2 + len(at):]) if got else None

    def call(self, name, *args, space="/", seconds=15):
        """What the acknowledgement says."""
        at = "" if space == "/" else space + ","
        self.acks += 1
        self.send("42%s%d%s" % (at, self.acks, json.dumps([name, *args])))
        head = "43%s%d[" % (at, self.acks)
        got = self.take(re.escape(head), seconds)
        return json.loads(got[len(head) - 1:]) if got else None

    def quiet(self, name, seconds=1.5):
        """Does no such event come? Before an answer that is asked for then it would; a poll waits for the ping."""
        time.sleep(seconds)
        got = self.call("unsubscribe", {"topics": ["audit"]})
        return got and got[0]["ok"] and not any(p.startswith('42["%s"' % name) for p in self.packets)

    def emit(self, name, *args):
        self.send("42" + json.dumps([name, *args]))

    def event(self, name, seconds=15):
        got = self.take(r'42\["%s"' % name, seconds)
        return json.loads(got[2:])[1] if got else None

    def events(self, name, count, seconds=15):
        got = []
        while len(got) < count:
            one = self.event(name, seconds)
            if one is None:
                break
            got.append(one)
        return got


class WebSocket:
    """Frames to the server; what it sends is read only when asked for."""
    def __init__(self, daemon, query="", headers=""):
        self.s = socket.create_connection(("127.0.0.1", daemon.port), 10)
        self.s.sendall(("GET %swebsocket%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n%s"
                        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n"
                        % (BASE, query, headers, base64.b64encode(os.urandom(16)).decode())).encode())
        self.data = b""
        self.head = b""
        while b"\r\n\r\n" not in self.data:
            more = self.s.recv(4096)
            if not more:
                break
            self.data += more
        self.head, _, self.data = self.data.partition(b"\r\n\r\n")

    def frame(self, opcode, payload):
        mask = os.urandom(4)
        n = len(payload)
        head = bytes([0x80 | opcode, 0x80 | n]) if n < 126 else bytes([0x80 | opcode, 0xfe]) + struct.pack(">H", n) \
            if n < 65536 else bytes([0x80 | opcode, 0xff]) + struct.pack(">Q", n)
        self.s.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def send(self, text):
        self.frame(1, text.encode())

    def need(self, n):
        while len(self.data) < n:
            more = self.s.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.data += more
        got, self.data = self.data[:n], self.data[n:]
        return got

    def read(self):
        """Opcode and payload; (8, …) is its end."""
        try:
            a, n = self.need(2)
            if n == 126:
                n = struct.unpack(">H", self.need(2))[0]
            elif n == 127:
                n = struct.unpack(">Q", self.need(8))[0]
            return a & 15, self.need(n)
        except (ConnectionError, TimeoutError, socket.timeout):
            return 8, b""

    def close(self):
        self.s.close()
