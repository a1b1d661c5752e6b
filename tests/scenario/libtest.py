"""What every scenario needs: its results as TAP lines, a wait with an end, a free port, the API's Unix socket."""
import glob
import http.client
import os
import re
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


def family(pid):
    """A daemon's processes: the launcher and what it started."""
    parents = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, encoding="utf-8", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            parents[int(stat.split("/")[2])] = int(fields[1])
        except OSError:
            pass
    found = [pid]
    for one in found:
        found += [p for p, parent in parents.items() if parent == one]
    return found


def holds(daemon):
    """Descriptors of all its processes, as what they lead to, and bytes of memory. daemon: the launcher's pid."""
    descriptors, pages = [], 0
    for pid in family(daemon):
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                descriptors.append(re.sub("[0-9]+", "N", os.readlink("/proc/%d/fd/%s" % (pid, fd))))
            except OSError:         # closed meanwhile
                pass
        with open("/proc/%d/statm" % pid, encoding="ascii") as f:
            pages += int(f.read().split()[1])
    return descriptors, pages * os.sysconf("SC_PAGE_SIZE")


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
