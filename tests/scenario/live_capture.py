#!/usr/bin/env python3
# alone: counts packets against time
"""Live capture over a veth pair: every frame that was sent is in a counter, with one worker and with two, also while the
daemon stands still; the ring is TPACKET_V3; the filter may change; an interface may go down, or away, and come back; what
is missing is said in one sentence."""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

from libtest import check, plan

ECYBERD, ECYBERCTL = os.environ["ECYBERD"], os.environ["ECYBERCTL"]
NS = ("ecl%da" % os.getpid(), "ecl%db" % os.getpid())


def sh(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def inside(ns):
    """Before a command: in that namespace, also where `ip netns exec` cannot have a mount namespace."""
    return "nsenter", "--net=/run/netns/" + ns


def wire():
    """v0 in the first namespace, v1 in the second, without a word of the kernel's own."""
    out = sh(*inside(NS[0]), "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", NS[1])
    for ns, dev in zip(NS, ("v0", "v1")):
        sh(*inside(ns), "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/%s/disable_ipv6" % dev)
        sh(*inside(ns), "ip", "link", "set", dev, "arp", "off", "up")
    return out


def frame(i, size):
    src, dst = 0x0a000001 + i % 97, 0x0a010001 + i % 89
    udp = struct.pack("!HHHH", 1024 + i % 500, 9, size + 8, 0)
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 28 + size, i & 0xffff, 0, 64, 17, 0, src, dst)
    total = sum(struct.unpack("!10H", ip))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", 0xffff - total) + ip[12:]
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + udp + struct.pack("!I", i) * (size // 4)


def send(count, size=100, wait=True):
    """From the first namespace: a child, so that this process stays where it is."""
    pid = os.fork()
    if not pid:
        with open("/var/run/netns/" + NS[0], "rb") as ns:
            import ctypes
            if ctypes.CDLL(None).setns(ns.fileno(), 0x40000000):
                os._exit(1)
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        out.bind(("v0", 0))
        for i in range(count):
            out.send(frame(i, size))
            if i % 50 == 49:
                time.sleep(0.001)
        os._exit(0)
    if not wait:
        return pid
    return os.waitpid(pid, 0)[1] == 0


class Daemon:
    def __init__(self, *words):
        self.log = open("log", "w+", encoding="utf-8")
        with open("live.yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  state_dir: %s/state\n  control_socket: %s/s\n  plugins: [capture]\n"
                      % (os.getcwd(), os.getcwd()))
        self.run = subprocess.Popen([*inside(NS[1]), ECYBERD, "--alone", "-c", "live.yaml", *words],
                                    stdout=self.log, stderr=self.log)
        for _ in range(100):
            if self.packets():
                break
            time.sleep(0.05)
        time.sleep(0.3)             # the workers open the interface after the socket is there

    def text(self):
        with open("log", encoding="utf-8") as log:
            return log.read()

    def packets(self):
        reply = sh(ECYBERCTL, "-s", "s", "-o", "json", "status")
        return json.loads(reply.stdout)["packets"] if reply.returncode == 0 else None

    def sums(self, at_least):
        """The counters when they stand still, over all workers; the daemon notes them twice a second."""
        for _ in range(60):
            workers = self.packets() or []
            total = {}
            for w in workers:
                for key, value in w["source"].items():
                    total[key] = total.get(key, 0) + value
            total["fetched"] = sum(w["fetched"] for w in workers)
            gone = total["lost_kernel"] + total["lost_nic"] + total["delivered"]
            if total["seen"] >= at_least and gone == total["seen"] and total["fetched"] == total["delivered"]:
                break
            time.sleep(0.1)
        total["status"] = workers[0]["status"] if workers else ""
        return total

    def status(self, wanted):
        for _ in range(60):
            if all(w["status"] in wanted for w in self.packets() or [{"status": "?"}]):
                return True
            time.sleep(0.1)
        return False

    def logged(self, pattern):
        for _ in range(60):
            if re.search(pattern, self.text()):
                return True
            time.sleep(0.1)
        return False

    def end(self):
        self.run.send_signal(signal.SIGTERM)
        return self.run.wait(timeout=30)


def ring_of(daemon):
    return sh(*inside(NS[1]), "ss", "-0", "-a", "-e", "-n").stdout


def counted(workers):
    d = Daemon("--workers", str(workers), "-i", "v1")
    ring = ring_of(d)
    check("ver:2" in ring.replace(" ", ""), "the ring is TPACKET_V3, %d workers" % workers, ring)
    if workers > 1:
        check(ring.count("fanout") == workers, "the workers share the interface by PACKET_FANOUT", ring)
    sent = send(20000)
    t = d.sums(20000)
    check(sent and t["seen"] == 20000 and t["delivered"] + t["lost_kernel"] + t["lost_nic"] == 20000,
          "20,000 frames sent = delivered + lost, %d workers" % workers, t)
    check(t["delivered"] == t["fetched"], "every delivered frame was fetched, %d workers" % workers, t)
    if workers > 1:
        share = [w["source"]["delivered"] for w in d.packets()]
        check(min(share) > 2000, "each worker has its share", share)
    check(d.end() == 0, "SIGTERM ends it well, %d workers" % workers, d.text())


def fenced():
    """At a fence, under load, every frame of a worker is in exactly one place."""
    d = Daemon("--workers", "2", "-i", "v1")
    sender = send(20000, wait=False)
    wrong, seen, left = [], set(), (0, 0)
    while not left[0]:              # as long as it sends
        left = os.waitpid(sender, os.WNOHANG)
        reply = json.loads(sh(ECYBERCTL, "-s", "s", "-o", "json", "drops").stdout)
        for w in reply["packets"]:
            c = w["source"]
            waiting = c["seen"] - c["delivered"] - c["lost_kernel"] - c["lost_nic"] - c["filtered"] - c["bad"]
            if not reply["exact"] or c["delivered"] != w["fetched"] or not 0 <= w["fetched"] - w["finished"] <= 64 \
                    or waiting < 0:
                wrong.append(w)
        seen.add(sum(w["source"]["seen"] for w in reply["packets"]))
    check(left[1] == 0 and len(seen) > 3 and not wrong,
          "fences under load: delivered = fetched = finished + at work", (left, wrong[:3], sorted(seen)))
    d.end()


def overrun():
    d = Daemon("--workers", "1", "-i", "v1", "--set", "capture.buffer=1MiB")
    send(1000)
    d.sums(1000)
    pid = int(sh(ECYBERCTL, "-s", "s", "status").stdout.split("pid\t")[1].split()[0])
    os.kill(pid, signal.SIGSTOP)
    sent = send(10000, 1000)
    os.kill(pid, signal.SIGCONT)
    t = d.sums(11000)
    check(sent and t["lost_kernel"] > 0, "a daemon that stands still loses frames, and says so", t)
    check(t["delivered"] + t["lost_kernel"] + t["lost_nic"] == 11000, "sent = delivered + lost all the same", t)
    advice = json.loads(sh(ECYBERCTL, "-s", "s", "-o", "json", "drops").stdout).get("advice")
    check(advice and re.match("%d packets were lost by the kernel, because .*use more workers" % t["lost_kernel"],
                              advice[-1]), "drops says what to do about it", advice)
    check("\n" + advice[-1] + ".\n" in sh(ECYBERCTL, "-s", "s", "-o", "table", "drops").stdout,
          "so does ecyberctl, to people", advice)
    d.end()


def filtered():
    d = Daemon("--workers", "1", "-i", "v1", "--set", "capture.filter=udp and src port 1030")
    send(2000)
    t = d.sums(4)
    check(t["delivered"] == 4, "the filter runs in the kernel", t)
    advice = json.loads(sh(ECYBERCTL, "-s", "s", "-o", "json", "drops").stdout).get("advice")
    check(advice == [], "where nothing is lost there is no advice", advice)
    d.end()


def another(d, expression):
    """Written to the file, and reloaded: what the daemon says to that."""
    with open("live.yaml", encoding="utf-8") as conf:
        text = conf.read().split("capture:\n", maxsplit=1)[0]
    with open("live.yaml", "w", encoding="utf-8") as conf:
        conf.write(text + "capture:\n  filter: \"%s\"\n" % expression)
    reply = sh(ECYBERCTL, "-s", "s", "reload")
    time.sleep(0.5)                 # each worker, at its next look
    return reply.stdout


def filtered_anew():
    """The filter changes at a reload, from one packet to the next, and every packet that it wants is there."""
    d = Daemon("--workers", "2", "-i", "v1")
    got, asked = [], (("udp and src port 1030", 4), ("udp and src port 1031", 4), ("", 2000), ("not udp", 0),
                      ("udp and src portrange 1030-1039", 40))
    wanted = 0
    for expression, count in asked:
        said = another(d, expression)
        wanted += count
        send(2000)
        got.append((expression, said, wanted, d.sums(wanted)))
    check(all(t["delivered"] == t["fetched"] == t["seen"] == want for _, _, want, t in got),
          "a reload changes the filter: all that it wants comes in, and nothing else", got)
    said = another(d, "udp prt 3")
    failed = d.logged("ERROR core: reload: .*capture.filter: the filter 'udp prt 3' cannot be used")
    send(2000)
    t = d.sums(wanted + 40)
    check(failed and t["delivered"] == wanted + 40, "one that is wrong is refused, and the old one stays",
          (said, t, d.text()))
    check(d.end() == 0 and "restart" not in d.text() and "next start" not in d.text(), "it ends well", d.text())


def loopback(name):
    """Each packet passes there twice, and one copy is kept back; no account is open, also while it is never quiet."""
    sh(*inside(NS[1]), "ip", "link", "set", "lo", "up")
    d = Daemon("--workers", "2", "-i", name)
    sender = subprocess.Popen([*inside(NS[1]), "python3", "-c", "import socket, time\n"
                               "s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(50)]\n"
                               "for i in range(50): s[i].bind(('127.0.0.%d' % (i + 1), 9000))\n"
                               "for i in range(3000):\n"
                               "    s[i % 50].sendto(b'x' * 1000, ('127.0.1.%d' % (i % 50 + 1), 9999))\n"
                               "    time.sleep(0.001)"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wrong = []
    while sender.poll() is None:
        reply = json.loads(sh(ECYBERCTL, "-s", "s", "-o", "json", "drops").stdout)
        wrong += [w for w in reply["packets"] if w["source"]["filtered"] or w["source"]["seen"] >
                  w["source"]["delivered"] + 300]
        time.sleep(0.2)
    t = d.sums(3000)
    check(not wrong, "on %s no copy is counted, nor waited for, under load" % name, wrong[:2])
    check(not sender.returncode and t["seen"] >= 3000 and t["seen"] == t["delivered"],
          "packets on %s are seen once" % name, t)
    said = another(d, "udp and src host 127.0.0.7 and src port 9000")
    before = d.sums(3000)
    sh(*inside(NS[1]), "python3", "-c", "import socket\nfor i in range(50):\n"
       "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    s.bind(('127.0.0.%d' % (i + 1), 9000))\n"
       "    s.sendto(b'y', ('127.0.1.9', 9999))")
    t = d.sums(before["seen"] + 1)
    check(t["delivered"] == before["delivered"] + 1 == t["seen"], "and filtered there on %s" % name, (said, before, t))
    d.end()


def down_and_up():
    d = Daemon("--workers", "1", "-i", "v1")
    sh(*inside(NS[1]), "ip", "link", "set", "v1", "down")
    check(d.logged(r"ERROR capture: v1 is down: .*; waiting for it to come back\n"), "an interface that is set down",
          d.text())
    check(d.status(["down"]), "is 'down' in the status", d.packets())
    sh(*inside(NS[1]), "ip", "link", "set", "v1", "up")
    check(d.logged(r"INFO capture: v1 is up again\n"), "and comes back", d.text())
    send(500)
    t = d.sums(500)
    check(t["delivered"] == 500, "and is captured on", t)
    sh(*inside(NS[0]), "ip", "link", "del", "v0")
    check(d.logged(r"(?s)up again\n.*v1 is down: "), "an interface that is deleted", d.text())
    wire()
    check(d.logged(r"(?s)up again\n.*v1 is up again\n"), "and made anew", d.text())
    send(500)
    t = d.sums(1000)
    check(t["delivered"] == 1000, "is captured on, and nothing is counted twice", t)
    check(d.end() == 0, "it ends well", d.text())


def refused():
    with open("/dev/null", "rb") as null:
        def start(*words):
            run = subprocess.run([*inside(NS[1]), *words], stdin=null, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
            return run.returncode, run.stdout

        args = [ECYBERD, "--set", "core.plugins=[capture]", "--set", "core.state_dir=%s/state2" % os.getcwd(),
                "--set", "core.control_socket=%s/s2" % os.getcwd()]
        code, text = start(*args, "-i", "nope0")
        check(code == 1 and re.search("cannot capture on nope0: there is no such interface; there are: .*v1", text),
              "an interface that does not exist", text)
        code, text = start(*args, "-i", "v1", "--set", "capture.filter=udp prt 3")
        check(code == 6 and "capture.filter: the filter 'udp prt 3' cannot be used" in text, "a filter that is wrong",
              text)
        if subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-x", ECYBERD],
                          check=False).returncode:
            return              # the build stands where nobody else may go
        os.chmod(".", 0o777)
        os.makedirs("state2", exist_ok=True)
        with open("state2/changes.yaml", "w", encoding="utf-8") as out:
            out.write("{\n  \"core.log.level\": \"debug\"\n}\n")
        os.chmod("state2", 0o700)
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *args)
        code, text = start(*nobody, "-i", "v1")
        check(code == 1 and "cannot capture on v1: CAP_NET_RAW is missing" in text, "a user without the capability", text)
        code, text = start(*nobody, "-T")
        check(code == 0 and "state2 cannot be written" in text and "state2/changes.yaml: cannot be read" in text,
              "who may not see the state folder checks without what is in it", text)


def main():
    if os.geteuid() or sh("ip", "netns", "add", NS[0]).returncode:
        print("SKIP: live capture needs root and network namespaces")
        sys.exit(77)
    try:
        sh("ip", "netns", "add", NS[1])
        out = wire()
        if out.returncode:
            print("SKIP: there is no veth: " + out.stdout)
            sys.exit(77)
        counted(1)
        counted(2)
        fenced()
        overrun()
        filtered()
        filtered_anew()
        loopback("lo")
        loopback("any")
        down_and_up()
        refused()
    finally:
        for ns in NS:
            sh("ip", "netns", "del", ns)
    plan()


main()
