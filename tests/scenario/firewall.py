#!/usr/bin/env python3
"""Bans in the kernel: in network namespaces of its own an attacker is stopped, an allow-listed client never; a ban ends
by itself, by hand, and survives the death of the helper and of the daemon; at the end the rule set is what it was."""
import http.client
import ipaddress
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

from libtest import check, wait_for

ECYBERD, ROOT = os.environ["ECYBERD"], os.environ["EC_ROOT"]
PLUGINS = "[%s, %s]" % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"])
TAG = "ecf%d" % os.getpid()
ROUTER, ATTACKER, CLIENT, SERVER = (TAG + end for end in "racs")
NOBODY = pwd.getpwnam("nobody")
TMP = os.getcwd()
OK, EINVAL, EPERM, ENOENT = 0, -1, -6, -7
DRY_RUN, REPLAY, PERSON = 1, 2, 4
daemons = []


def sh(*words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)


def inside(ns, *words):
    return ("nsenter", "--net=/run/netns/" + ns, *words)


def must(*words):
    done = sh(*words)
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(words), done.stdout))
    return done.stdout


def network():
    """attacker 10.77.1.2, 2001:db8:1::2 -- router 10.77.N.1 -- client 10.77.2.2, server 10.77.3.2."""
    for ns in (ROUTER, ATTACKER, CLIENT, SERVER):
        must("ip", "netns", "add", ns)
        must(*inside(ns, "ip", "link", "set", "lo", "up"))
        must(*inside(ns, "sh", "-c", "for f in all default; do echo 0 >/proc/sys/net/ipv6/conf/$f/accept_dad; done"))
    must(*inside(ROUTER, "sh", "-c", "cd /proc/sys/net; echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding"))
    for n, ns in ((1, ATTACKER), (2, CLIENT), (3, SERVER)):
        must(*inside(ROUTER, "ip", "link", "add", "v%d" % n, "type", "veth", "peer", "name", "v0", "netns", ns))
        for where, dev, last in ((ROUTER, "v%d" % n, 1), (ns, "v0", 2)):
            must(*inside(where, "ip", "addr", "add", "10.77.%d.%d/24" % (n, last), "dev", dev))
            must(*inside(where, "ip", "addr", "add", "2001:db8:%d::%d/64" % (n, last), "dev", dev, "nodad"))
            must(*inside(where, "ip", "link", "set", dev, "up"))
        must(*inside(ns, "ip", "route", "add", "default", "via", "10.77.%d.1" % n))
        must(*inside(ns, "ip", "route", "add", "default", "via", "2001:db8:%d::1" % n))
    must(*inside(ROUTER, "nft", "add table inet operator;"
                 " add chain inet operator input { type filter hook input priority 0; };"
                 " add rule inet operator input ip saddr 192.0.2.99 counter drop"))


ECHO = """
import socket, threading
s = socket.create_server(("::", 7777), family=socket.AF_INET6, dualstack_ipv6=True)
def serve(c):
    try:
        while True:
            d = c.recv(100)
            if not d:
                return
            c.sendall(d)
    except OSError:
        pass
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""
TALK = """
import socket, sys
c = None
for line in sys.stdin:
    word, to = line.split()
    try:
        if word == "new":
            c = socket.create_connection((to, 7777), 0.7)
        c.settimeout(0.7)
        c.sendall(b"x")
        print("yes" if c.recv(1) else "no", flush=True)
    except OSError:
        print("no", flush=True)
"""


class Host:
    """Somebody in a namespace who opens connections."""

    def __init__(self, ns):
        self.run = subprocess.Popen(inside(ns, sys.executable, "-c", TALK), stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)

    def ask(self, word, to):
        self.run.stdin.write("%s %s\n" % (word, to))
        self.run.stdin.flush()
        return self.run.stdout.readline() == "yes\n"

    def reaches(self, to):
        return self.ask("new", to)

    def goes_on(self):
        """On the connection that stands."""
        return self.ask("same", "-")


def ruleset(ns=ROUTER):
    return sh(*inside(ns, "nft", "list", "ruleset")).stdout


SQUAT = """
import os, socket, subprocess, sys
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0ecyber/firewall")
table = ("nft", "add table inet ecyber_claim { flags owner; }")
print(subprocess.run(table, capture_output=True).returncode, flush=True)
sys.stdin.read()
"""


def squatter():
    """Whoever has an account on this machine tries to take what keeps two daemons apart."""
    who = subprocess.Popen(inside(ROUTER, sys.executable, "-c", SQUAT, str(NOBODY.pw_uid), str(NOBODY.pw_gid)),
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    check(who.stdout.readline() == "1\n", "an ordinary user cannot claim the firewall")
    return who


class Daemon:
    def __init__(self, name, *more, folder="d", plugins="firewall, tp_ask, store", user=None, ns=ROUTER):
        self.folder = os.path.join(TMP, folder)
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(TMP, 0o755)
        os.chown(self.folder, NOBODY.pw_uid, NOBODY.pw_gid)
        self.log = open(name + ".log", "w+", encoding="utf-8")
        how = (ECYBERD,) if user else inside(ns, ECYBERD, "--user", "nobody")
        self.run = subprocess.Popen(
            (*how, "--set", "core.plugin_dirs=" + PLUGINS,
                   "--set", "core.plugins=[%s]" % plugins, "--set", "core.state_dir=%s/state" % self.folder,
                   "--set", "core.control_socket=%s/control.sock" % self.folder,
                   "--set", "tp_ask.socket=%s/ask.sock" % self.folder,
                   "--set", "firewall.allow=[10.77.2.2, \"2001:db8:2::/64\"]", *more),
            stdout=self.log, stderr=self.log, user=user)
        daemons.append(self.run)
        self.up = wait_for(lambda: "runs:" in self.text(), 20)
        self.ask_socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ask_socket.bind("%s/%s.answer" % (TMP, name))
        os.chmod("%s/%s.answer" % (TMP, name), 0o666)
        self.ask_socket.settimeout(10)

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def ask(self, word, net, *more):
        n = ipaddress.ip_network(net)
        raw = b"\0" * 10 + b"\xff\xff" + n.network_address.packed if n.version == 4 else n.network_address.packed
        bits = n.prefixlen + (96 if n.version == 4 else 0)
        line = " ".join([word, raw.hex(), str(bits), *map(str, more)])
        self.ask_socket.sendto(line.encode(), self.folder + "/ask.sock")
        code, _, why = self.ask_socket.recv(1000).decode().partition(" ")
        return int(code), why

    def ban(self, net, seconds=60, flags=0):
        return self.ask("ban", net, seconds, flags)

    def unban(self, net):
        return self.ask("unban", net)[0]

    def child(self, helper):
        for pid in children(self.run.pid):
            try:
                if os.readlink("/proc/%d/exe" % pid).endswith("/ecyber-helper") == helper:
                    return pid
            except OSError:
                pass
        return None

    def stop(self):
        self.run.terminate()
        return self.run.wait(30)


def children(pid):
    """Of any of its threads."""
    found = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as text:
                found += [int(n) for n in text.read().split()]
    except OSError:
        pass
    return found


def stopped(host, to, seconds=5):
    return wait_for(lambda: not host.reaches(to), seconds)


def passes(host, to, seconds=5):
    return wait_for(lambda: host.reaches(to), seconds)


def ban_and_unban(d, attacker, client, before):
    check(attacker.reaches("10.77.3.2") and client.reaches("10.77.3.2") and attacker.reaches("10.77.1.1"),
          "everybody reaches the server and the router")
    check(ruleset() == before, "without a ban there is no table", ruleset())
    attacker.reaches("10.77.3.2")
    check(d.ban("10.77.1.2")[0] == OK and wait_for(lambda: not attacker.goes_on(), 3),
          "a ban stops the next packet of a connection that stands", ruleset())
    check(not attacker.reaches("10.77.3.2") and not attacker.reaches("10.77.1.1"),
          "and every new one, through the router and to it")
    check(attacker.reaches("2001:db8:3::2"), "another address of his is another ban")
    check(client.reaches("10.77.3.2"), "others pass")
    check(before in ruleset(), "what else is in the kernel is untouched", ruleset())
    check(d.unban("10.77.1.2") == OK and passes(attacker, "10.77.3.2"), "unban lets him through")
    check(d.unban("10.77.1.2") == ENOENT, "there is no second unban")


def networks(d, attacker, client):
    check(d.ban("10.77.0.0/16")[0] == EPERM, "a network with an address of this machine cannot be banned")
    check(d.ban("2001:db8:1::/64")[0] == EPERM and d.ban("2001:db8:1::2/127")[0] == OK and
          stopped(attacker, "2001:db8:3::2"), "an IPv6 network is banned", ruleset())
    check(d.ban("10.77.1.2/31")[0] == OK and d.ban("10.77.1.0/30")[0] == EPERM and
          stopped(attacker, "10.77.3.2"), "an IPv4 network is banned", ruleset())
    check(d.ban("10.77.1.2")[0] == OK and d.unban("10.77.1.2/31") == OK and not passes(attacker, "10.77.3.2", 1),
          "an address within it is a ban of its own: it stays when the network's goes", ruleset())
    check(d.unban("10.77.1.2") == OK and d.unban("2001:db8:1::2/127") == OK and passes(attacker, "10.77.3.2") and
          passes(attacker, "2001:db8:3::2"), "all are taken back", ruleset())
    check(d.ban("10.77.2.2/31")[0] == OK and not stopped(client, "10.77.3.2", 1.5),
          "a banned network does not stop who is on the allow-list", ruleset())
    d.unban("10.77.2.2/31")


def refusals(d, client):
    for net, part in (("10.77.2.2/32", "allow-list"), ("2001:db8:2::2/128", "allow-list"), ("127.0.0.1/32", "loopback"),
                      ("10.77.3.1/32", "address of this machine"), ("0.0.0.0/1", "is never banned"),
                      ("64.0.0.0/7", "wider than /8")):
        code, why = d.ban(net)
        check(code == EPERM and part in why, "refused: %s" % net, (code, why))
    check(d.ban("10.77.1.2", 60, REPLAY)[0] == EPERM, "refused: what a replayed event causes")
    check(d.ban("10.77.1.2", 60, DRY_RUN)[0] == OK and d.ask("banned", "10.77.1.2")[0] == 0, "a dry run bans nobody")
    check(client.reaches("10.77.3.2"), "the allow-listed client still passes")


def ends(d, attacker):
    began = time.monotonic()
    check(d.ban("10.77.1.2", 2)[0] == OK and stopped(attacker, "10.77.3.2", 1.9) and
          passes(attacker, "10.77.3.2", 5) and time.monotonic() - began >= 2, "a ban ends by itself", ruleset())


def deaths(d, attacker, client):
    d.ban("10.77.1.2")
    stopped(attacker, "10.77.3.2")
    helper = d.child(True)
    os.kill(helper, signal.SIGKILL)
    sh(*inside(ROUTER, "nft", "delete", "table", "inet", "ecyber"))
    check(wait_for(lambda: d.child(True) not in (None, helper)) and stopped(attacker, "10.77.3.2"),
          "kill -9 of the helper: another one puts the bans back", d.text())
    check(client.reaches("10.77.3.2"), "and the allow-list")
    sh(*inside(ROUTER, "nft", "delete", "table", "inet", "ecyber"))
    check(passes(attacker, "10.77.3.2", 1) and stopped(attacker, "10.77.3.2", 9),
          "a table that somebody deletes is put back", d.text())
    engine = d.child(False)
    os.kill(engine, signal.SIGKILL)
    check(not attacker.reaches("10.77.3.2"), "kill -9 of the engine: the ban stands meanwhile")
    check(wait_for(lambda: d.text().count("runs:") > 1, 20) and wait_for(lambda: d.ask("banned", "10.77.1.2")[0] == 1),
          "the engine comes back and knows of it", d.text())


def second(before):
    d = Daemon("second", folder="other", plugins="firewall, tp_ask")
    d.ban("192.0.2.1")
    check(wait_for(lambda: "another eCyber holds the firewall" in d.text()), "a second daemon says who is in the way",
          d.text())
    check("192.0.2.1" not in ruleset() and before in ruleset(), "and changes nothing", ruleset())
    d.stop()
    d = Daemon("elsewhere", folder="elsewhere", plugins="firewall, tp_ask", ns=CLIENT)
    d.ban("192.0.2.1")
    check(wait_for(lambda: "192.0.2.1" in ruleset(CLIENT)), "a daemon in another network namespace bans there",
          d.text() + ruleset(CLIENT))
    d.unban("192.0.2.1")
    check(d.stop() == 0 and ruleset(CLIENT) == "", "and leaves nothing behind", ruleset(CLIENT))


class Api(http.client.HTTPConnection):
    """The daemon's Unix socket, as root."""

    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        head = {"Content-Type": "application/json"} if body else {}
        self.request(method, "/api" + path, body and json.dumps(body), head)
        answer = self.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def api(before, attacker):
    socket_path = TMP + "/d/api.sock"
    d = Daemon("api", "--set", "http.listen=none", "--set", "http.socket=" + socket_path,
               plugins="firewall, store, http, auth, tp_ask")
    wait_for(lambda: os.path.exists(socket_path))
    a = Api(socket_path)
    status, answer = a.ask("GET", "/firewall/status")
    check(status == 200 and answer["enforcing"] and answer["bans"] == 0 and not answer["in_kernel"], "status", answer)
    check(a.ask("GET", "/firewall/ruleset") == (200, {"nftables": []}), "the rule set is empty before the first ban")
    status, ban = a.ask("POST", "/firewall/blocks",
                        {"ip": "10.77.1.2", "reason": "it scans", "duration": "5m", "cause": "4711"})
    check(status == 201 and ban["state"] == "active" and ban["cause"] == "4711" and ban["reason"] == "it scans",
          "POST answers 201 when the kernel has it", (status, ban))
    check(not attacker.reaches("10.77.3.2"), "and the attacker is stopped by then")
    status, answer = a.ask("GET", "/firewall/blocks")
    check(status == 200 and answer["total"] == 1 and answer["items"] == [ban], "it is listed", answer)
    found = [a.ask("GET", "/firewall/blocks/%s" % key) for key in ("10.77.1.2", ban["id"])]
    check(found == [(200, ban)] * 2, "and found by its address and its id", found)
    status, answer = a.ask("GET", "/firewall/blocks?ip=10.9.9.9")
    check(status == 200 and answer["items"] == [], "another address has no ban", answer)
    status, answer = a.ask("GET", "/firewall/ruleset")
    check(status == 200 and '"10.77.1.2"' in json.dumps(answer), "the kernel's truth names it", answer)
    drift = a.ask("GET", "/firewall/drift")
    check(drift[0] == 200 and drift[1]["in_sync"] and drift[1]["in_kernel"], "there is no drift", drift)
    sh(*inside(ROUTER, "nft", "add element inet ecyber block4 { 192.0.2.200 timeout 1m }"))
    drift = a.ask("GET", "/firewall/drift")[1]
    check(not drift["in_sync"] and drift["items"] == [{"address": "192.0.2.200", "list": "block", "what": "extra"}],
          "what somebody else adds is drift", drift)
    sh(*inside(ROUTER, "nft", "delete element inet ecyber block4 { 192.0.2.200 }"))
    check(a.ask("DELETE", "/firewall/blocks/%d" % ban["id"])[0] == 204 and attacker.reaches("10.77.3.2") and
          a.ask("DELETE", "/firewall/blocks/%d" % ban["id"])[0] == 404, "DELETE by id lets him through at once")
    status, ban = a.ask("POST", "/firewall/blocks", {"ip": "10.77.1.2/31", "reason": "and his friend"})
    check(status == 201 and not attacker.reaches("10.77.3.2") and
          a.ask("DELETE", "/firewall/blocks?ip=10.77.1.2/31")[0] == 204 and attacker.reaches("10.77.3.2"),
          "a network is banned, and unbanned by its address", (status, ban))
    status, answer = a.ask("POST", "/firewall/blocks", {"ip": "10.77.2.2", "reason": "x"})
    check(status == 409 and "allow-list" in answer["detail"], "the allow-list: 409 and why", (status, answer))
    for body in ({"reason": "x"}, {"ip": "10.77.1.2"}, {"ip": "nonsense", "reason": "x"},
                 {"ip": "10.77.1.2/8", "reason": "x"}, {"ip": "10.77.1.2", "reason": "x", "duration": "0s"},
                 {"ip": "10.77.1.2", "reason": "x", "cause": "-1"}, {"ip": "10.77.1.2", "reason": ""},
                 {"ip": "10.77.1.2", "reason": "x", "other": 1}):
        status, answer = a.ask("POST", "/firewall/blocks", body)
        check(status == 422 and answer["detail"][0]["loc"][0] == "body", "422: %s" % body, (status, answer))
    status, answer = a.ask("POST", "/firewall/blocks", {"ip": "10.77.1.2", "reason": "x", "dry_run": True})
    check(status == 200 and answer["dry_run"] and "id" not in answer and attacker.reaches("10.77.3.2"),
          "a dry run", answer)
    status, ban = a.ask("POST", "/firewall/blocks", {"ip": "192.0.2.7", "reason": "\u20ac" * 400})
    check(status == 201 and set(ban["reason"]) == {"\u20ac"}, "a long reason is cut between two characters",
          (status, ban))
    check(a.ask("DELETE", "/firewall/blocks/192.0.2.7")[0] == 204, "and taken back")
    status, answer = a.ask("GET", "/firewall/allowlist")
    listed = {kind: [i["address"] for i in answer["items"] if i["source"] == kind]
              for kind in ("configured", "own", "always")}
    check(listed["configured"] == ["10.77.2.2", "2001:db8:2::/64"] and "10.77.1.1" in listed["own"] and
          "2001:db8:1::1" in listed["own"] and "127.0.0.0/8" in listed["always"] and
          all(i["why"] for i in answer["items"]), "the allow-list", answer)
    status, answer = a.ask("GET", "/firewall/allowlist/check/2001:db8:2::9")
    check(answer["allowed"] and answer["entry"] == "2001:db8:2::/64" and not answer["bannable"],
          "check: allowed", answer)
    status, answer = a.ask("GET", "/firewall/allowlist/check/10.77.1.2")
    check(not answer["allowed"] and answer["bannable"] and not answer["banned"], "check: an attacker", answer)
    bans = wait_for(lambda: [i for i in a.ask("GET", "/events?type=ban&limit=50")[1]["items"]
                             if i["ban"]["action"] == "refused"])
    check(bans and bans[0]["ban"]["address"] == "10.77.2.2" and bans[0]["ban"]["who"].startswith("user:"),
          "the refusal is an event, with who asked", bans)
    audit = wait_for(lambda: [i["audit"] for i in a.ask("GET", "/system/audit")[1]["items"] if i["audit"]["action"] ==
                              "firewall.unban"])
    check(audit and "10.77.1.2/31" in [i["object"] for i in audit], "and what people change is in the audit log", audit)
    audit = [i["audit"] for i in a.ask("GET", "/system/audit?audit.action=firewall.ban")[1]["items"]]
    dry = [i["detail"] for i in audit if i["object"] == "10.77.1.2" and i["outcome"] == "success"]
    check("dry run: x" in dry and "x" not in dry, "and a dry run as such", audit)
    check(d.stop() == 0 and ruleset() == before, "nothing stays in the kernel", ruleset())


def alone(before, attacker):
    """Without a launcher the daemon starts the helper itself, when it is needed, and again when it dies."""
    d = Daemon("alone", "--alone", folder="alone", plugins="firewall, tp_ask")
    check(d.up and d.child(True) is None, "--alone: there is no helper before the first ban", d.text())
    d.ban("10.77.1.2")
    check(stopped(attacker, "10.77.3.2"), "the first ban starts it", d.text())
    helper = d.child(True)
    os.kill(helper, signal.SIGKILL)
    sh(*inside(ROUTER, "nft", "delete", "table", "inet", "ecyber"))
    check(wait_for(lambda: d.child(True) not in (None, helper)) and stopped(attacker, "10.77.3.2") and
          "ended by signal 9" in d.text(), "and its death, another one", d.text())
    d.unban("10.77.1.2")
    check(d.stop() == 0 and ruleset() == before, "nothing stays in the kernel", ruleset())


def replayed(before, attacker):
    """A replay that stays: a person's word is obeyed, an event's is not."""
    d = Daemon("replayed", "-r", os.environ["EC_DATA"] + "/sample.pcap", "--stay", folder="replayed",
               plugins="capture, traffic, firewall, tp_ask")
    code, why = d.ban("10.77.1.2", 60, REPLAY)
    check(code == EPERM and "no response acts on a replay" in why, "-r --stay: an event of the replay bans nobody",
          (code, why, d.text()))
    check(d.ban("10.77.1.2", 60, REPLAY | PERSON)[0] == OK and stopped(attacker, "10.77.3.2"), "a person does",
          d.text())
    d.unban("10.77.1.2")
    check(d.stop() == 0 and ruleset() == before, "nothing stays in the kernel", ruleset())


def locked(d, a, data):
    """Somebody else holds the documents: what cannot be written is said, and written later."""
    check(a.ask("POST", "/firewall/blocks", {"ip": "192.0.2.12", "reason": "kept"})[0] == 201, "one more is banned")
    holder = sqlite3.connect(data, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    status, ban = a.ask("POST", "/firewall/blocks", {"ip": "192.0.2.8", "reason": "new"})
    check(status == 201 and "could not be kept" in ban.get("note", ""), "a ban that cannot be kept is enforced",
          (status, ban, d.text()))
    audit = wait_for(lambda: [i["audit"] for i in a.ask("GET", "/system/audit")[1]["items"]
                              if i["audit"].get("object") == "192.0.2.8"])
    check(len(audit or []) == 1 and audit[0]["outcome"] == "partial" and "could not be kept" in audit[0]["detail"],
          "and so it stands in the audit log", audit)
    status, answer = a.ask("DELETE", "/firewall/blocks/192.0.2.12")
    check(status == 503 and "the store did not take it" in answer.get("detail", "") and
          a.ask("GET", "/firewall/blocks/192.0.2.12")[0] == 404, "an unban that cannot be kept is done, and has failed",
          (status, answer, d.text()))
    audit = wait_for(lambda: [i["audit"] for i in a.ask("GET", "/system/audit")[1]["items"]
                              if i["audit"].get("object") == "192.0.2.12" and i["audit"]["action"] == "firewall.unban"])
    check(len(audit or []) == 1 and audit[0]["outcome"] == "failure", "and so it stands in the audit log", audit)
    holder.execute("ROLLBACK")
    holder.close()
    check(wait_for(lambda: "bans are kept again" in d.text()) and d.text().count("bans cannot be kept") == 1,
          "each is said once", d.text())
    check(a.ask("DELETE", "/firewall/blocks/192.0.2.8")[0] == 204, "it is taken back")


def unreadable(before, attacker):
    """What an earlier run banned stays in the kernel where its documents cannot be read, and is known when they can."""
    path, data = TMP + "/u/api.sock", TMP + "/u/state/store/documents.db"

    def start(name, *more):
        if os.path.exists(path):
            os.unlink(path)
        d = Daemon(name, "--set", "http.listen=none", "--set", "http.socket=" + path, *more, folder="u",
                   plugins="capture, traffic, firewall, store, http, auth, tp_ask")
        wait_for(lambda: os.path.exists(path))
        return d, Api(path)

    d, a = start("kept")
    check(a.ask("POST", "/firewall/blocks", {"ip": "10.77.1.2", "reason": "it scans"})[0] == 201 and
          a.ask("POST", "/firewall/blocks", {"ip": "192.0.2.0/30", "reason": "it scans"})[0] == 201, "two are banned")
    check(d.stop() == 0 and not attacker.reaches("10.77.3.2"), "a stop keeps them in the kernel", ruleset())
    os.chmod(data, 0)
    d, a = start("unread")
    check("documents.db" in d.text() and "bans of earlier runs could not be read" in d.text(),
          "the log says which file cannot be read, and what that means", d.text())
    status, answer = a.ask("GET", "/firewall/status")
    check(status == 200 and "restart the daemon" in answer.get("problem", "") and answer["bans"] == 0,
          "the status says so, and what to do", (status, answer))
    check(wait_for(lambda: "192.0.2.0" in json.dumps(a.ask("GET", "/firewall/ruleset")[1])) and
          not attacker.reaches("10.77.3.2"), "the kernel's bans stand, and the API shows them", ruleset())
    status, ban = a.ask("POST", "/firewall/blocks", {"ip": "192.0.2.4/30", "reason": "new"})
    check(status == 201 and "could not be kept" in ban.get("note", ""), "another ban is enforced, and not kept",
          (status, ban, d.text()))
    check(all(net in ruleset() for net in ("10.77.1.2", "192.0.2.0", "192.0.2.4")), "beside those that stood",
          ruleset())
    check(d.stop() == 0 and "10.77.1.2" in ruleset(), "a stop leaves the kernel's bans", ruleset())
    os.chmod(data, 0o600)
    d, a = start("readable")
    status, answer = a.ask("GET", "/firewall/blocks")
    check(status == 200 and sorted(i["address"] for i in answer["items"]) == ["10.77.1.2", "192.0.2.0/30"],
          "readable again: the list is whole", (status, answer, d.text()))
    check("problem" not in a.ask("GET", "/firewall/status")[1], "and the status has no problem")
    locked(d, a, data)
    check(d.stop() == 0 and not attacker.reaches("10.77.3.2"), "the kernel has it as well", ruleset())
    shutil.copy(data, "copy.db")
    with open(data, "r+b") as file:
        file.write(os.urandom(8192))
    d, a = start("damaged")
    answer = a.ask("GET", "/firewall/status")[1]
    check("set aside" in d.text() and "bring back a copy" in answer.get("problem", "") and
          wait_for(lambda: a.ask("GET", "/firewall/ruleset")[1]["nftables"]) and not attacker.reaches("10.77.3.2"),
          "documents that began anew: the kernel's bans stand, and the status says so", (answer, d.text()))
    check(d.stop() == 0, "it stops")
    shutil.copy("copy.db", data)
    os.chown(data, NOBODY.pw_uid, NOBODY.pw_gid)
    d, a = start("copied")
    answer = a.ask("GET", "/firewall/blocks")[1]
    check(answer["total"] == 2 and "problem" not in a.ask("GET", "/firewall/status")[1],
          "with a copy the list is whole", (answer, d.text()))
    check(d.stop() == 0, "it stops")
    sh(*inside(ROUTER, "nft", "delete", "table", "inet", "ecyber"))
    d, a = start("again", "-r", os.environ["EC_DATA"] + "/sample.pcap", "--stay")
    status, answer = a.ask("GET", "/firewall/status")
    time.sleep(1.5)
    check(status == 200 and answer["replay"] and answer["bans"] == 0 and ruleset() == before,
          "a replay puts no ban back", (status, answer, ruleset()))
    check(d.stop() == 0, "and changes nothing")
    d, a = start("live")
    check(wait_for(lambda: not attacker.reaches("10.77.3.2")), "a live run does", d.text())
    for net in ("10.77.1.2", "192.0.2.0/30"):
        a.ask("DELETE", "/firewall/blocks?ip=" + net)
    check(d.stop() == 0 and ruleset() == before, "nothing stays in the kernel", ruleset())


def powerless(before):
    """As an ordinary user."""
    if subprocess.run(["setpriv", "--reuid=nobody", "--clear-groups", "test", "-x", ECYBERD], check=False).returncode:
        check(True, "an ordinary user: the build stands where nobody may look # SKIP")
        return
    d = Daemon("user", folder="user", plugins="firewall, tp_ask", user="nobody")
    code, why = d.ban("192.0.2.1")
    check(code == EPERM and "CAP_NET_ADMIN" in why, "an ordinary user's daemon says that it cannot ban",
          (code, why, d.text()))
    check(d.stop() == 0 and ruleset() == before, "and does nothing")


def main():
    before = ruleset()
    server = [subprocess.Popen(inside(ns, sys.executable, "-c", ECHO)) for ns in (SERVER, ROUTER)]
    attacker, client, user = Host(ATTACKER), Host(CLIENT), squatter()
    try:
        wait_for(lambda: attacker.reaches("10.77.3.2") and client.reaches("10.77.1.1") and
                 attacker.reaches("2001:db8:3::2"))
        d = Daemon("first")
        check(d.up, "the daemon runs", d.text())
        ban_and_unban(d, attacker, client, before)
        networks(d, attacker, client)
        refusals(d, client)
        ends(d, attacker)
        deaths(d, attacker, client)
        second(before)
        check(d.stop() == 0 and not attacker.reaches("10.77.3.2"), "a stop keeps what is banned", ruleset())
        d = Daemon("third")
        check(wait_for(lambda: d.ask("banned", "10.77.1.2")[0] == 1) and not attacker.reaches("10.77.3.2"),
              "after a restart the ban is known and stands", d.text())
        check(d.unban("10.77.1.2") == OK and passes(attacker, "10.77.3.2"), "and can be taken back", ruleset())
        check(d.stop() == 0 and ruleset() == before, "at the end the rule set is what it was", ruleset())
        d = Daemon("fourth", "--set", "firewall.at_exit=clear")
        d.ban("10.77.1.2")
        check(stopped(attacker, "10.77.3.2") and d.stop() == 0 and ruleset() == before and
              attacker.reaches("10.77.3.2"), "firewall.at_exit: clear leaves nothing behind", ruleset())
        shutil.rmtree(TMP + "/d")
        api(before, attacker)
        alone(before, attacker)
        replayed(before, attacker)
        unreadable(before, attacker)
        powerless(before)
    finally:
        for process in (*daemons, *server, attacker.run, client.run, user):
            process.kill()
            process.wait()


if os.geteuid():
    print("SKIP: network namespaces need root")
    sys.exit(77)
try:
    network()
    main()
finally:
    for name in (ROUTER, ATTACKER, CLIENT, SERVER):
        sh("ip", "netns", "del", name)
