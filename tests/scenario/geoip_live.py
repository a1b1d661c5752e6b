#!/usr/bin/env python3
"""Countries in eve.json of live traffic, while the database is replaced, damaged and removed under the daemon."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

from libtest import check, plan

ECYBERD, ECYBERCTL, DATA = os.environ["ECYBERD"], os.environ["ECYBERCTL"], os.environ["EC_DATA"] + "/geoip/"
PLACES = {"10.66.0.10": "AT", "10.66.1.100": "SE"}
MOVED = {"10.66.0.10": "ZA", "10.66.1.100": "KR"}

def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.endswith("\n")]


def country(event, side):
    return event.get("ecyber", {}).get("geoip", {}).get(side, {}).get("country")


def wrong(events, places):
    return [e for e in events if "src_ip" in e and
            (country(e, "src") != places.get(e["src_ip"]) or country(e, "dst") != places.get(e["dest_ip"]))]


NS = "egeo%d" % os.getpid()


def sh(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def put(name):
    shutil.copy(DATA + name, "live.new")
    os.rename("live.new", "live.mmdb")


class Daemon:
    def __init__(self):
        with open("live.yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  state_dir: %s/state\n  control_socket: %s/s\n  plugins: [capture, traffic, geoip, eve]\n"
                      "  plugin_dirs: [%s]\ngeoip:\n  databases: [live.mmdb]\n  check: 1s\n"
                      "traffic:\n  timeouts:\n    udp:\n      new: 0s\n"
                      % (os.getcwd(), os.getcwd(), os.environ["EC_PLUGINDIR"]))
        self.out = open("log", "w", encoding="utf-8")
        self.run = subprocess.Popen(["nsenter", "--net=/run/netns/" + NS, ECYBERD, "-c", "live.yaml", "-i", "v1"],
                                    stdout=self.out, stderr=self.out)
        self.seen, self.port = 0, 2000

    def log(self):
        with open("log", encoding="utf-8") as log:
            return log.read()

    def events(self):
        """What came since the last time."""
        try:
            new = read("state/eve/eve.json")[self.seen:]
        except OSError:
            new = []
        self.seen += len(new)
        return [e for e in new if e.get("dest_ip") == "10.66.1.100"]

    def until(self, want, what):
        """Send, until events say what is wanted and nothing else; no event ever lacks a country that was known."""
        got, start = [], time.time()
        while time.time() < start + 15 and not want(got[-1:]):
            self.port += 1
            send(self.port)
            time.sleep(0.2)
            got += self.events()
        check(want(got[-1:]), what, (got[-2:], self.log()))
        return got


def send(port):
    pid = os.fork()
    if not pid:
        import ctypes
        with open("/run/netns/" + NS, "rb") as ns:
            if ctypes.CDLL(None).setns(ns.fileno(), 0x40000000):
                os._exit(1)
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out.bind(("10.66.0.10", port))
        out.sendto(b"x" * 20, ("10.66.1.100", 9))
        os._exit(0)
    os.waitpid(pid, 0)


def of(places):
    return lambda events: bool(events) and not wrong(events, places)


if sh("ip", "netns", "add", NS).returncode:
    print("SKIP: needs root and network namespaces")
    sys.exit(77)
inside = ("nsenter", "--net=/run/netns/" + NS)
sh(*inside, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
for dev in "v0", "v1":
    sh(*inside, "ip", "link", "set", dev, "up", "arp", "off")
sh(*inside, "ip", "addr", "add", "10.66.0.10/16", "dev", "v0")
daemon = Daemon()
try:
    daemon.until(of({}), "the daemon runs without its file")
    put("places.mmdb")
    daemon.until(of(PLACES), "the file comes, and countries with it")
    put("moved.mmdb")
    got = daemon.until(of(MOVED), "the file is replaced, and its countries are the new ones")
    check(not [e for e in got if wrong([e], PLACES) and wrong([e], MOVED)],
          "each event has the old or the new country, none goes without", got)
    with open("live.mmdb", "r+b") as cut:
        cut.truncate(700)
    time.sleep(2.5)
    got = daemon.until(of(MOVED), "the file is cut in place: what was read stays")
    check(daemon.log().count("stays in use") == 1, "and it is said once", daemon.log())
    os.unlink("live.mmdb")
    time.sleep(2.5)
    daemon.until(of(MOVED), "the file is removed: what was read stays")
    put("places.mmdb")
    daemon.until(of(PLACES), "and it comes back")
    put("moved.mmdb")
    reply = sh(ECYBERCTL, "-s", "s", "reload")
    check(reply.returncode == 0, "a reload while it changes again", reply.stdout)
    daemon.until(of(MOVED), "and the new one is in use")
    check(daemon.run.poll() is None, "the daemon still runs", daemon.log())
finally:
    daemon.run.send_signal(signal.SIGTERM)
    check(daemon.run.wait(20) == 0, "it ends well", daemon.log())
    sh("ip", "netns", "del", NS)
plan()
