"""What every scenario needs: its results as TAP lines, a wait with an end, a free port, the API's Unix socket."""
import http.client
import socket
import time

passed_and_failed = [0, 0]


def check(good, what, detail=""):
    """One result; the detail is shown where it is bad: how it begins and how it ends. Returns whether it is good."""
    passed_and_failed[0 if good else 1] += 1
    print("%sok %d - %s" % ("" if good else "not ", sum(passed_and_failed), what), flush=True)
    if not good and detail != "":
        text = str(detail)
        text = text if len(text) < 4000 else text[:1000] + "\n[...]\n" + text[-3000:]
        print("# " + text.replace("\n", "\n# "), flush=True)
    return bool(good)


def skip(what, why):
    """One result that cannot be had here; tests/skips.list has to allow it."""
    passed_and_failed[0] += 1
    print("ok %d - %s # SKIP %s" % (sum(passed_and_failed), what, why), flush=True)


def plan():
    """At the end: how many results there were."""
    print("1..%d" % sum(passed_and_failed), flush=True)


def wait_for(what, seconds=30):
    """What that function returns once it is true; None when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Local(http.client.HTTPConnection):
    """A connection to the API over its Unix socket, where whoever runs the test is known by his credentials."""
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
