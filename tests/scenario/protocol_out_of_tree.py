#!/usr/bin/env python3
# alone: waits for live packets
"""sdk/examples/jot: a protocol plugin, built outside the tree with the installed headers alone, beside a daemon that knows
nothing of it. Its conversations over TCP and UDP are detected by content, become events, and rules see its buffers at once,
also after a reload; without the plugin such rules are refused with a sentence."""
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from libtest import check, plan, wait_for

HERE, PREFIX, RULES = os.getcwd(), os.environ["EC_ROOT"], os.getcwd() + "/jot.rules"
NOTES = {}


def build():
    env = dict(os.environ, PKG_CONFIG_PATH=PREFIX + "/lib/pkgconfig")
    folder = subprocess.check_output(["pkg-config", "--variable=examplesdir", "ecyber-plugin"], env=env, text=True).strip()
    shutil.copytree(folder + "/jot", "jot")
    shutil.copy("jot/jot.rules", RULES)
    done = subprocess.run(["make", "-C", "jot", "CFLAGS=-O2 -g -Werror -pedantic"], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    check(done.returncode == 0, "it builds with the installed headers alone", done.stdout)


def configuration(plugins):
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s/jot]\n  plugins: [%s]\n  state_dir: %s/state\n  control_socket: %s/s\n"
                  "  workers: 1\neve:\n  file: %s/eve.json\nids:\n  rule_files: [%s]\n"
                  % (os.environ["EC_PLUGINDIR"], HERE, plugins, HERE, HERE, HERE, RULES))


def events(kind):
    try:
        with open("eve.json", encoding="utf-8") as lines:
            return [e for e in map(json.loads, lines) if e["event_type"] == kind]
    except (FileNotFoundError, ValueError):     # a line that is being written
        return []


def answer(line, body):
    words = line.split(" ")
    if words[1] == "PUT":
        NOTES[words[2]] = body
        return b"JOT/1 OK 0\n"
    note = NOTES.get(words[2])
    return b"JOT/1 NO there is no such note\n" if note is None else b"JOT/1 OK %d\n" % len(note) + note


def serve(stream):
    with stream, stream.makefile("rwb") as file:
        for line in file:
            words = line.decode().strip().split(" ")
            if len(words) < 3:
                return
            size = int(words[3]) if words[1] == "PUT" and words[3].isdigit() else 0
            file.write(answer(line.decode().strip(), file.read(size)))
            file.flush()


def serve_tcp(listener):
    while True:
        try:
            stream = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=serve, args=(stream,), daemon=True).start()


def serve_udp(sock):
    while True:
        data, peer = sock.recvfrom(65536)
        line, _, body = data.partition(b"\n")
        sock.sendto(answer(line.decode().strip(), body), peer)


def ask(port, *pieces, replies=1):
    """Sends the pieces one by one, and reads so many lines of replies, with what follows the last one."""
    with socket.create_connection(("127.0.0.1", port)) as c:
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            c.sendall(piece)
            time.sleep(0.05)
        got = b""
        while got.count(b"JOT/1 ") < replies:
            more = c.recv(65536)
            if not more:
                break
            got += more
        return got


def talk(port, udp):
    ask(port, b"JOT/1 PUT shopping 11\nmilk, bread")
    ask(port, b"JOT/1 PU", b"T my-Secret-plan 39\r\n-----BEGIN PRIV", b"ATE KEY----- and so on", b"..", b"JOT/1 GET shopping\n",
        replies=2)
    ask(port, b"JOT/1 GET nothing\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.connect(("127.0.0.1", udp))
        c.settimeout(5)
        c.send(b"JOT/1 PUT udp-secret 5\nhello")
        c.recv(1000)
    with socket.create_connection(("127.0.0.1", port)) as c:
        c.sendall(b"JOT/1 PUT bad length\n")
        c.recv(100)
        c.sendall(b"nonsense\n")
        time.sleep(0.2)


def known(daemon):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        threading.Thread(target=serve_tcp, args=(listener,), daemon=True).start()
        threading.Thread(target=serve_udp, args=(sock,), daemon=True).start()
        talk(listener.getsockname()[1], sock.getsockname()[1])
        check(wait_for(lambda: len(events("jot")) == 6, 20), "each request with its reply is an event",
              (events("jot"), daemon.poll()))
        reload_rules()
        ask(listener.getsockname()[1], b"JOT/1 PUT later 3\nabc")
        check(wait_for(lambda: any(a["alert"]["signature_id"] == 9000009 for a in events("alert")), 20),
              "a rule that came with a reload sees them, too", events("alert"))


def reload_rules():
    with open(RULES, "a", encoding="utf-8") as out:
        out.write('alert jot any any -> any any (msg:"later"; flow:to_server; jot.title; content:"later"; sid:9000009; rev:1;)\n')
    done = subprocess.run([os.environ["ECYBERCTL"], "-s", "s", "reload"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    check(done.returncode == 0, "rules are read anew", done.stdout)


def looked_at():
    jots = {e["jot"].get("title"): e for e in events("jot")}
    check(set(jots) >= {"shopping", "my-Secret-plan", "nothing", "udp-secret", "bad"}, "by their titles", jots)
    secret = jots.get("my-Secret-plan", {})
    check(secret.get("app_proto") == "jot" and secret.get("jot") == {
        "method": "PUT", "title": "my-Secret-plan", "reply": "OK 0", "bytes_toserver": 39, "bytes_toclient": 0},
          "with the fields of its record, put together from pieces", secret)
    check(jots.get("udp-secret", {}).get("proto") == "UDP", "over UDP, too", jots.get("udp-secret"))
    alerts = {a["alert"]["signature_id"]: a for a in events("alert")}
    titles = sorted(a["jot"]["title"] for a in events("alert") if a["alert"]["signature_id"] == 9000001)
    check(titles == ["my-Secret-plan", "udp-secret"], "rules name its protocol and its buffers", sorted(alerts))
    check(9000002 in alerts and 9000003 in alerts, "in both directions, also a note in pieces", sorted(alerts))
    why = alerts.get(9000001, {}).get("ecyber", {}).get("why", {})
    match = [m for m in why.get("matches", []) if m.get("buffer") == "jot.title"]
    check(match and match[0]["printable"] == "secret" and match[0]["wire"]["kind"] in ("stream", "datagram"),
          "an alert says what matched in which buffer, and where that stands on the wire", why)
    seen = {a["anomaly"]["event"] for a in events("anomaly") if a["anomaly"]["type"] == "applayer"}
    check({"invalid_length", "invalid_line"} <= seen, "its anomalies have its names", seen)


def main():
    build()
    configuration("capture, traffic, jot, ids, eve")
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml", "-i", "lo"], stdout=log, stderr=log)
    try:
        check(wait_for(lambda: os.path.exists("s") and subprocess.run(
            [os.environ["ECYBERCTL"], "-s", "s", "status"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=False).returncode == 0, 20), "the daemon runs with it", open("log", encoding="utf-8").read())
        time.sleep(1)
        known(daemon)
        looked_at()
    finally:
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(timeout=30)
    with open("log", encoding="utf-8") as log:
        check(code == 0, "it ends well", log.read())
    configuration("capture, traffic, ids, eve")
    done = subprocess.run([os.environ["ECYBERD"], "-T", "-c", "ecyber.yaml"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    check("jot.rules:1" in done.stdout and "jot" in done.stdout.split("jot.rules:1", 1)[-1],
          "without it the first line of its rules is named, with what is missing", done.stdout)
    plan()


main()
