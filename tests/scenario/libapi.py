"""A client of the API over the Unix socket, where whoever runs the test is known by his credentials."""
import http.client
import json
import socket
import time


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("local", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def get(sock, path):
    """Status and body, decoded where it is JSON; (0, why) where nobody answers."""
    c = Local(sock)
    try:
        c.request("GET", path)
        r = c.getresponse()
        raw = r.read().decode("utf-8")
        return r.status, json.loads(raw) if r.getheader("Content-Type", "").startswith("application/json") else raw
    except OSError as error:
        return 0, str(error)
    finally:
        c.close()


def wait(sock, seconds=20):
    """Until the server answers."""
    end = time.time() + seconds
    while time.time() < end:
        if get(sock, "/healthz")[0] == 200:
            return True
        time.sleep(0.1)
    return False
