#!/usr/bin/env python3
# alone: the whole product, live
"""The whole product in a network of three hosts: nmap scans one, a rule and the model raise alerts with country and
reason, ecyberctl bans the attacker, whose next packet is stopped; an allow-listed host cannot be banned; unban lets the
attacker through; what nftables held before, it holds after."""
import json
import os
import shutil
import signal
import subprocess

from libtest import check, plan, wait_for

ECYBERD, ECYBERCTL, SRC = os.environ["ECYBERD"], os.environ["ECYBERCTL"], os.environ["EC_SRC"]
HERE = os.getcwd()
HOST, ATTACKER, FRIEND = ("ecw%d%s" % (os.getpid(), x) for x in "haf")
HOST_IP, ATTACKER_IP, FRIEND_IP = "10.66.1.1", "198.51.100.9", "203.0.113.7"      # SE, BR, JP in the test database
API = HERE + "/api.sock"


def sh(ns, *words, seconds=60):
    return subprocess.run(["nsenter", "--net=/run/netns/" + ns, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False)


def wire():
    """The host in the middle: the attacker on one side, the friend on the other."""
    for ns in (HOST, ATTACKER, FRIEND):
        subprocess.run(["ip", "netns", "add", ns], check=True)
        sh(ns, "ip", "link", "set", "lo", "up")
    for dev, ns, ip in (("wa", ATTACKER, ATTACKER_IP), ("wf", FRIEND, FRIEND_IP)):
        sh(HOST, "ip", "link", "add", dev, "type", "veth", "peer", "name", "e0", "netns", ns)
        sh(HOST, "ip", "link", "set", dev, "up")
        sh(HOST, "ip", "route", "add", ip, "dev", dev)
        sh(ns, "ip", "address", "add", ip + "/32", "dev", "e0")
        sh(ns, "ip", "link", "set", "e0", "up")
        sh(ns, "ip", "route", "add", HOST_IP, "dev", "e0")
    sh(HOST, "ip", "address", "add", HOST_IP + "/32", "dev", "lo")


def ctl(*words, seconds=30):
    return subprocess.run([ECYBERCTL, "-a", API, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=seconds, check=False)


def items(*words):
    done = ctl("-o", "jsonl", *words)
    try:
        return [json.loads(line) for line in done.stdout.splitlines()]
    except ValueError:
        return []


def passes(ns):
    return sh(ns, "ping", "-n", "-c", "1", "-W", "1", HOST_IP).returncode == 0


def serve():
    os.mkdir("www")
    with open("www/index.html", "w", encoding="ascii") as page:
        page.write("<title>hello</title>\n")
    return subprocess.Popen(["nsenter", "--net=/run/netns/" + HOST, "python3", "-m", "http.server", "-d", "www", "80"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start(log):
    with open("ecyber.yaml", "w", encoding="utf-8") as conf:
        conf.write("core:\n  state_dir: %s/state\n  control_socket: %s/control.sock\n" % (HERE, HERE))
        conf.write("http:\n  listen: 127.0.0.1:8000\n  socket: %s\n" % API)
        conf.write("geoip:\n  databases: [%s/tests/data/geoip/places.mmdb]\n" % SRC)
        conf.write("firewall:\n  allow: [%s]\n  at_exit: clear\n" % FRIEND_IP)
    daemon = subprocess.Popen(["nsenter", "--net=/run/netns/" + HOST, ECYBERD, "-c", "ecyber.yaml", "-i", "wa"], stdout=log,
                              stderr=log)
    check(wait_for(lambda: ctl("bans").returncode == 0), "the daemon answers", open("daemon.log", encoding="utf-8").read())
    return daemon


def scan():
    """Every port once, then the scripts for HTTP."""
    check(passes(ATTACKER) and passes(FRIEND), "before it, both reach the host")
    sh(ATTACKER, "nmap", "-n", "-Pn", "-sS", "-p1-1000", "-T4", HOST_IP, seconds=120)
    sh(ATTACKER, "nmap", "-n", "-Pn", "-p80", "--script", "http-title,http-headers", HOST_IP, seconds=120)


def explained():
    rule = wait_for(lambda: [a for a in items("alerts", "list") if a["src_ip"] == ATTACKER_IP and a["alert"]["gid"] == 1])
    check(rule, "the scan raises an alert of a rule", ctl("alerts", "list").stdout)
    if rule:
        check(rule[0]["ecyber"]["geoip"]["src"]["country"] == "BR", "with the attacker's country", rule[0])
        check(rule[0]["ecyber"]["why"]["rule"], "and why it fired", rule[0])
        why = ctl("alerts", "explain", str(rule[0]["id"]))
        check(why.returncode == 0 and str(rule[0]["alert"]["signature_id"]) in why.stdout, "ecyberctl explains it", why.stdout)
    score = wait_for(lambda: [a for a in items("alerts", "list") if a["src_ip"] == ATTACKER_IP and a["alert"]["gid"] != 1], 60)
    check(score, "and an alert of the model", ctl("alerts", "list").stdout)
    if score:
        parts = (score[0].get("score") or score[0]["ecyber"]["score"])["features"]
        check(parts and all("contribution" in p for p in parts), "with contributions", score[0])
        check(score[0]["ecyber"]["geoip"]["src"]["country"] == "BR", "and the country", score[0])
    return rule[0] if rule else None


def ban(cause):
    because = ["--cause", str(cause["id"])] if cause else []
    done = ctl("ban", ATTACKER_IP, "--reason", "it scans", "--for", "10m", *because)
    check(done.returncode == 0, "ecyberctl ban", done.stdout)
    check(wait_for(lambda: not passes(ATTACKER), 5), "the attacker's next packet is stopped")
    check(passes(FRIEND), "the friend passes")
    held = items("bans")
    texts = [json.dumps(b) for b in held if ATTACKER_IP in json.dumps(b)]
    check(texts and "it scans" in texts[0] and str(cause and cause["id"]) in texts[0],
          "the ban stands in the list, with its reason and its cause", held)
    done = ctl("ban", FRIEND_IP, "--reason", "by mistake", "--for", "10m")
    check(done.returncode == 5 and "allow" in done.stdout, "an allow-listed host cannot be banned", done.stdout)
    check(passes(FRIEND), "and passes")
    done = ctl("unban", ATTACKER_IP)
    check(done.returncode == 0 and wait_for(lambda: passes(ATTACKER), 5), "unban lets the attacker through", done.stdout)


def main():
    before = wire() or sh(HOST, "nft", "list", "ruleset").stdout
    web = serve()
    with open("daemon.log", "w", encoding="utf-8") as log:
        daemon = start(log)
        try:
            scan()
            ban(explained())
        finally:
            daemon.send_signal(signal.SIGTERM)
            code = daemon.wait(40)
            web.kill()
    check(code == 0, "the daemon ends well", open("daemon.log", encoding="utf-8").read())
    after = sh(HOST, "nft", "list", "ruleset").stdout
    check(after == before, "nftables holds what it held before", after)
    plan()


if os.geteuid() != 0:
    print("SKIP: needs root")
    raise SystemExit(77)
for program in ("nmap", "nft", "ping"):
    if not shutil.which(program):
        print("SKIP: %s is not installed" % program)
        raise SystemExit(77)
try:
    main()
finally:
    for ns in (HOST, ATTACKER, FRIEND):
        subprocess.run(["ip", "netns", "del", ns], stderr=subprocess.DEVNULL, check=False)
