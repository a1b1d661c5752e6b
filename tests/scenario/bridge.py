#!/usr/bin/env python3
"""The inline bridge between two interfaces: what crosses it is what was sent, in both directions, whatever the card or
the kernel has put together; a rule's drop holds a packet back, its reject answers too; interfaces may go and come back;
loops are refused."""
import json
import os
import subprocess
import time

import libbridge
from libbridge import CLIENT, MIDDLE, RULES, SERVER, Daemon, fetch, held, inside, ping, sh
from libtest import check, wait_for



REJECTS = """reject http any any -> any any (msg:"not this"; http.uri; content:"forbidden"; sid:11;)
rejectboth http any any -> any any (msg:"nor this"; http.uri; content:"small"; sid:12;)
reject tcp any any -> any 8001 (msg:"no way in"; sid:13;)
reject udp any any -> any any (msg:"no word of it"; content:"forbidden"; sid:14;)
"""

# Prints how asking for this address, port and path (udp: saying it) ends, and whether at once.
ASKS = r"""
import errno, socket, sys, time
host, port, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
kind = socket.SOCK_DGRAM if len(sys.argv) > 4 else socket.SOCK_STREAM
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
s.settimeout(5)
begin = time.monotonic()
try:
    s.connect((host, port))
    s.send(what.encode() if kind == socket.SOCK_DGRAM else b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % what.encode())
    end = "%d bytes" % len(s.recv(100))
except TimeoutError:
    end = "silence"
except OSError as error:
    end = errno.errorcode[error.errno]
print(end, "at once" if time.monotonic() - begin < 3 else "late")
"""

# Listens, and never answers.
QUIET = r"""
import socket, time
held = [socket.create_server(("::", 8001), family=socket.AF_INET6, dualstack_ipv6=True),
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)]
held[1].bind(("::", 9999))
print(flush=True)
time.sleep(100)
"""

TAGS = r"""
import ctypes, os, socket, struct, sys
def there(ns):
    fd = os.open(ns, os.O_RDONLY)
    ctypes.CDLL(None).setns(fd, 0x40000000)
there(sys.argv[2])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("s0", 3))
s.setsockopt(263, 8, 1)
s.settimeout(3)
there(sys.argv[1])
c = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
c.bind(("c0", 0))
macs, rest = b"\2\0\0\0\0\1\2\0\0\0\0\2", b"\x45\0\0\x1c" + bytes(8) + b"\x0a\1\1\1\x0a\1\1\2" + bytes(40)
for tags in (b"\x81\0\0\5", b"\x88\xa8\0\6\x81\0\0\7", b""):
    c.send(macs + tags + b"\x08\0" + rest)
    while True:
        data, aux = s.recvmsg(2000, 256)[:2]
        if data[:12] == macs:
            break
    status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", aux[0][2][:20])
    print("0x%04x %d" % (tpid, tci) if status & 16 else "none", data[14:16].hex(), flush=True)
"""



def whole(counted):
    """Every frame that was seen is in one place; answers to rejected ones are sent beside them."""
    lost = sum(counted[name] for name in ("dropped.down", "dropped.full", "dropped.long", "dropped.refused"))
    before = sum(counted[name] for name in ("lost_kernel", "lost_nic", "filtered", "bad"))
    return counted["seen"] - before == counted["delivered"] \
        == counted["sent"] - counted["reject_answers"] + counted["held"] + lost


def crosses(wanted, workers, *words):
    d = Daemon(*words, rules=RULES, workers=workers)
    how = "%d workers%s" % (workers, " with " + " ".join(words) if words else "")
    check(d.ready(), "it starts, " + how, d.text())
    got = fetch("small", "large") + fetch("large", host="[fd09::2]")
    check(got == [wanted["small"], wanted["large"], wanted["large"]], "files arrive whole over IPv4 and IPv6, " + how,
          (got, d.sums(), d.text()))
    check(ping(3) == 3, "a ping is answered, " + how)
    check(held("forbidden"), "a rule's drop takes effect on HTTP, " + how, d.text())
    lost = sh(*inside(CLIENT), "ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", "-s", "1000", "10.9.0.2").stdout
    check(" 0 received" in lost and ping(2, host="fd09::2") == 2, "and on a ping, on those flows only, " + how, lost)
    c = d.steady()
    check(c["held"] >= 3 and c["held"] == c["dropped_by_verdict"], "they are counted as held, " + how, c)
    check(whole(c) and c["sent"] > 100 and not c["dropped.full"] + c["dropped.refused"] + c["dropped.long"],
          "every frame is accounted for, none is lost, " + how, c)
    check(d.end() == 0, "SIGTERM ends it well, " + how, d.text())
    with open("eve.json", encoding="utf-8") as eve:
        text = eve.read()
    check('"action":"blocked"' in text and '"signature_id":1' in text and '"signature_id":2' in text,
          "the alerts say blocked, " + how, text[-3000:])
    os.unlink("eve.json")


def shared(_):
    """Sixteen hosts: each worker has its part of them, and all that a pair of hosts says, behind a tag too."""
    hosts = ["10.9.0.%d" % i for i in range(11, 27)] + ["fd09::%x" % i for i in range(0x11, 0x21)]
    for host in hosts:
        sh(*inside(CLIENT), "ip", "addr", "add", host + ("/64" if ":" in host else "/24"), "dev", "c0", "nodad")
    d = Daemon(workers=2)
    d.ready()
    good = [sh(*inside(CLIENT), "ping", "-n", "-c", "2", "-i", "0.05", "-W", "1", "-I", host,
               "fd09::2" if ":" in host else "10.9.0.2").returncode for host in hosts]
    check(not any(good), "pings of 32 hosts are answered", good)
    share = [w["source"]["delivered"] for w in d.steady() and d.ask("status")["packets"]]
    check(min(share) > 16, "each worker has its share", share)
    d.end()
    with open("eve.json", encoding="utf-8") as eve:
        flows = [e for e in map(json.loads, eve) if e["event_type"] == "flow" and e["src_ip"] in hosts
                 and e["icmp_type"] in (8, 128)]
    halves = [e["flow"] for e in flows if e["flow"]["pkts_toserver"] != 2 or e["flow"]["pkts_toclient"] != 2]
    check(len(flows) == len(hosts) and not halves, "both directions of each flow meet on one worker",
          (len(flows), halves))
    os.unlink("eve.json")
    for host in hosts:
        sh(*inside(CLIENT), "ip", "addr", "del", host + ("/64" if ":" in host else "/24"), "dev", "c0")






def rejects(_):
    """Who sent what is rejected hears of it at once, and with rejectboth the other end, too."""
    def ask(*words):
        return sh(*inside(CLIENT), "python3", "-c", ASKS, *words).stdout.strip()

    def open_at_server():
        return [line for line in sh(*inside(SERVER), "ss", "-Htn", "state", "established").stdout.splitlines()
                if ":8000" in line]

    quiet = subprocess.Popen([*inside(SERVER), "python3", "-c", QUIET], stdout=subprocess.PIPE)
    quiet.stdout.readline()
    d = Daemon(rules=REJECTS)
    d.ready()
    check(ask("10.9.0.2", "9999", "hello", "udp") == "silence late", "where nothing is rejected there is no answer")
    before = len(open_at_server())                  # whom the rules of before have left waiting
    for host in ("10.9.0.2", "fd09::2"):
        check(ask(host, "8000", "forbidden") == "ECONNRESET at once", "a rejected request is reset, " + host, d.text())
        check(ask(host, "8001", "") == "ECONNREFUSED at once", "a rejected SYN is refused, " + host)
        check(ask(host, "9999", "forbidden", "udp") == "ECONNREFUSED at once", "of a rejected datagram ICMP tells, " + host)
    check(len(open_at_server()) == before + 2, "reject leaves the receiver alone", open_at_server())
    check(ask("10.9.0.2", "8000", "small") == "ECONNRESET at once" and wait_for(lambda: len(open_at_server()) == before + 2, 5),
          "rejectboth resets it, too", open_at_server())
    wait_for(lambda: d.sums()["reject_answers"] == 8, 5)
    c = d.steady()
    check(c["reject_answers"] == 8 and c["reject_limited"] == 0 and whole(c), "answers are counted", c)
    d.end()
    quiet.kill()



def tagged(_):
    """A VLAN tag, and two, arrive as they were sent: the kernel of the server takes the outermost out again."""
    d = Daemon(plugins="bridge")
    d.ready()
    out = sh(*inside(SERVER), "python3", "-c", TAGS, *("/run/netns/" + ns for ns in (CLIENT, SERVER)))
    check(out.stdout.splitlines() == ["0x8100 5 4500", "0x88a8 6 0007", "none 4500"], "VLAN tags cross", out.stdout)
    c = d.steady()
    check(c["tags"] >= 2 and whole(c), "and are counted", c)
    d.end()


def down_and_up(wanted):
    d = Daemon(rules=RULES, workers=2)
    d.ready()
    sh(*inside(MIDDLE), "ip", "link", "set", "eth2", "down")
    check(d.logged(r"ERROR bridge: eth2 is down: .*nothing crosses") and d.status("down"),
          "an interface that is set down", d.text())
    check(ping() == 0, "nothing crosses then")
    c = d.steady()
    check(c["dropped.down"] > 0 and whole(c), "what was to cross is counted as lost", c)
    sh(*inside(MIDDLE), "ip", "link", "set", "eth2", "up")
    check(d.logged(r"INFO bridge: eth2 is up again"), "it comes back", d.text())
    check(wait_for(ping, 5) and fetch("large") == [wanted["large"]], "and all crosses again", d.text())
    sh(*inside(MIDDLE), "ip", "link", "del", "eth2")
    check(d.logged(r"(?s)up again\n.*eth2 is down: the interface does not exist"), "an interface that is deleted",
          d.text())
    libbridge.wire(SERVER, "s0", "10.9.0.2/24", "eth2")
    check(d.logged(r"(?s)up again\n.*eth2 is up again"), "and made anew", d.text())
    sh(*inside(CLIENT), "ip", "neigh", "flush", "dev", "c0")        # the server has another address now
    check(wait_for(ping, 5) and fetch("large") == [wanted["large"]], "is bridged again", d.text())
    c = d.steady()
    check(whole(c), "and every frame is accounted for", c)
    check(d.end() == 0, "it ends well", d.text())


def refused(_):
    sh(*inside(MIDDLE), "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    sh(*inside(MIDDLE), "ip", "link", "property", "add", "dev", "v0", "altname", "other0")
    for uri, sentence in (("bridge:eth1", "names no two interfaces: write bridge:eth1,eth2"),
                          ("bridge:eth1,eth2,v0", "names no two interfaces"),
                          ("bridge:eth1,", "names no two interfaces"),
                          ("bridge:eth1,aninterfacewithalongname", "more than 15 characters"),
                          ("bridge:eth1,nope0", "there is no such interface; there are: .*eth1"),
                          ("bridge:eth1,lo", "cannot bridge lo: it is no Ethernet interface"),
                          ("bridge:eth1,eth1", "are one interface: each frame would go round for ever"),
                          ("bridge:v0,other0", "are one interface"),
                          ("bridge:v0,v1", "two ends of one")):
        d = Daemon(plugins="bridge", uri=uri)
        code = d.run.wait(timeout=20)
        check(code == 1 and d.logged("ERROR .*" + sentence), "%s is refused: %s" % (uri, sentence), (code, d.text()))
    sh(*inside(MIDDLE), "ip", "link", "del", "v0")


libbridge.run(lambda wanted: crosses(wanted, 1), lambda wanted: crosses(wanted, 2), shared, rejects, tagged, down_and_up,
              refused)
