#!/usr/bin/env python3
"""ecyberctl and the HTTP API: what it asks, how it shows the answers, what it makes of bad ones. The other end is a small
server of this test, so that it can answer what no daemon would; at the end a real daemon, with the events of a replay and
a firewall in a network namespace of its own."""
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

from libtest import check, free_port

CTL = os.environ["ECYBERCTL"]
asked = []                          # "METHOD path", body
answers = {}                        # "METHOD path" -> bytes


def reply(status, body=None, *headers):
    text = b"" if body is None else json.dumps(body).encode()
    lines = ["HTTP/1.1 %d X" % status, "Content-Length: %d" % len(text), *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


def handle(link):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = link.recv(65536)
        if not piece:
            return
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while length and len(body) < length[0]:
        body += link.recv(65536)
    what = head.split(b" HTTP/")[0].decode()
    asked.append((what, body.decode()))
    found = answers.get(what)
    try:
        link.sendall(found if found is not None else reply(404, {"detail": "Not Found"}))
    except OSError:
        pass
    link.close()


def server():
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("api.sock")
    listening.listen(16)
    while True:
        link, _ = listening.accept()
        threading.Thread(target=handle, args=(link,), daemon=True).start()


def ctl(*words, stdin=""):
    asked.clear()
    done = subprocess.run([CTL, "-s", os.getcwd() + "/control.sock", *words], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def on_terminal(columns, *words):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([CTL, "-a", "api.sock", *words], stdout=slave, env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"}) as run:
        os.close(slave)
        text = b""
        try:
            while piece := os.read(master, 65536):
                text += piece
        except OSError:             # the other end was closed
            pass
    os.close(master)
    return text.decode().replace("\r\n", "\n")


def alert(ident, signature="ET SCAN something", **more):
    return {"id": ident, "timestamp": "2026-11-22T18:00:00.000001+0000", "event_type": "alert", "src_ip": "192.0.2.7",
            "src_port": 4711, "dest_ip": "2001:db8::1", "dest_port": 80, "proto": "TCP",
            "alert": {"action": "allowed", "gid": 1, "signature_id": 2000001, "rev": 3, "signature": signature,
                      "category": "Attempted", "severity": 2}, **more}


def not_there():
    code, _, error = ctl("bans")
    check(code == 3 and "ecyberd is not running, or its plugin http is not" in error and "api.sock" in error,
          "no socket: exit code 3 and a sentence", error)


def lists():
    answers["GET /api/ids/alerts?limit=50"] = reply(200, {"items": [alert(7), alert(8)], "next_cursor": None})
    code, text, error = ctl("alerts", "list")
    check(code == 0 and text.split("\n")[0].startswith("TIME\tID\tSEV\tSID\tSIGNATURE\tSOURCE") and
          "\t7\t2\t2000001\tET SCAN something\t192.0.2.7:4711\t[2001:db8::1]:80\t\tallowed\n" in text,
          "alerts list in a pipe is TSV", text + error)
    code, text, _ = ctl("-o", "jsonl", "alerts", "list")
    check([json.loads(line)["id"] for line in text.splitlines()] == [7, 8], "as JSON lines", text)
    code, text, _ = ctl("alerts", "list", "-o", "json")
    check(len(json.loads(text)) == 2, "-o may stand behind the command as well", text)
    answers["GET /api/ids/alerts?since=24h&ip=10.0.0.0%2F8&q=a%20b%26c&severity=1&limit=3"] = reply(
        200, {"items": [alert(1), alert(2)], "next_cursor": "c/1"})
    answers["GET /api/ids/alerts?since=24h&ip=10.0.0.0%2F8&q=a%20b%26c&severity=1&limit=1&cursor=c%2F1"] = reply(
        200, {"items": [alert(3)], "next_cursor": "more"})
    code, text, error = ctl("alerts", "list", "--since", "24h", "--ip=10.0.0.0/8", "--text", "a b&c", "--limit", "3",
                            "severity=1")
    check(code == 0 and len(text.splitlines()) == 4, "filters are encoded, pages are put together", str(asked) + error)
    flow = {"timestamp": "T", "flow_id": 5, "proto": "UDP", "src_ip": "10.0.0.1", "dest_ip": "10.0.0.2",
            "flow": {"bytes_toserver": 10, "bytes_toclient": 20, "state": "new", "reason": "timeout"}}
    answers["GET /api/network/flows?limit=50"] = reply(200, {"items": [flow]})
    code, text, _ = ctl("flows")
    check(code == 0 and "T\t5\tUDP\t\t10.0.0.1\t10.0.0.2\t10\t20\tnew\ttimeout\n" in text, "flows", text)
    host = {"ip": "10.0.0.1", "bytes_sent": 10, "bytes_received": 20, "packets_sent": 1, "packets_received": 2, "flows": 3,
            "alerts": 4, "first_seen": "F", "last_seen": "L"}
    answers["GET /api/network/devices?sort=bytes&limit=20"] = reply(200, {"items": [host]})
    answers["GET /api/network/devices?sort=last_seen&limit=1000"] = reply(200, {"items": [host, host]})
    answers["GET /api/network/connections?limit=1000"] = reply(200, {"items": [{
        "flow_id": 5, "proto": "TCP", "src_ip": "fd00::1", "src_port": 7, "dest_ip": "fd00::2", "dest_port": 80,
        "bytes_toserver": 10, "bytes_toclient": 20, "state": "established", "last": "L\x1b"}]})
    line = "10.0.0.1\t10\t20\t1\t2\t3\t4\tF\tL\n"
    check(ctl("top")[1].count(line) == 1 and ctl("devices")[1].count(line) == 2, "hosts", (ctl("top"), ctl("devices")))
    code, text, _ = ctl("connections")
    check(code == 0 and "5\tTCP\t\t[fd00::1]:7\t[fd00::2]:80\t10\t20\testablished\tL\\x1b\n" in text, "connections", text)
    hostile = alert(9, "x\x1b]0;owned\x07\x9b31m\u202egnp")
    answers["GET /api/ids/alerts?limit=50"] = reply(200, {"items": [hostile]})
    for form in ("tsv", "table", "json", "jsonl"):
        code, text, _ = ctl("-o", form, "alerts", "list")
        check(code == 0 and not any(ch in text for ch in "\x1b\x07\x9b\u202e"), "%s: nothing drives the terminal" % form,
              repr(text))
    answers["GET /api/ids/alerts?limit=50"] = reply(200, {"items": [alert(9, "long words " * 30)]})
    text = on_terminal(100, "alerts", "list")
    check(max(len(line) for line in text.splitlines()) <= 100 and "\u2026" in text, "a table fits the terminal", text)


def one_alert():
    why = {"why": {"rule": "alert tcp any any", "matches": [{"keyword": "content", "buffer": "http.uri", "offset": 4,
                                                             "length": 3, "bytes": "616263", "printable": "abc"}]}}
    answers["GET /api/ids/alerts/7"] = reply(200, alert(7, ecyber=why))
    code, text, _ = ctl("alerts", "show", "7")
    check(code == 0 and "\nalert.signature_id\t2000001\n" in text, "alerts show", text)
    code, text, _ = ctl("alerts", "explain", "7")
    check(code == 0 and "because  content in http.uri at offset 4, length 3: \"abc\" = 61 62 63" in text,
          "alerts explain", text)
    answers["POST /api/ids/alerts/bulk"] = reply(200, {"changed": 2, "failed": []})
    code, text, _ = ctl("alerts", "ack", "7", "8", "-m", "seen")
    check(code == 0 and text == "2 acknowledged\n" and json.loads(asked[-1][1]) == {
        "ids": ["7", "8"], "state": "acknowledged", "note": "seen"}, "alerts ack", (text, asked[-1:]))
    answers["POST /api/ids/alerts/bulk"] = reply(200, {"changed": 1, "failed": [{"id": "9", "detail": "no\x1b[1m"}]})
    for command, state in ("close", "closed"), ("dismiss", "false_positive"), ("reopen", "open"):
        code, text, error = ctl("alerts", command, "7", "9")
        check(code == 4 and text == "1 %s\n" % state and error == "ecyberctl: 9: no\\x1b[1m\n" and
              json.loads(asked[-1][1]) == {"ids": ["7", "9"], "state": state}, "alerts " + command, (code, text, error))
    code, _, error = ctl("alerts", "show", "8")
    check(code == 4 and "Not Found" in error, "one that is not there: exit code 4", error)
    code, _, error = ctl("alerts", "show", "../../users")
    check(asked[0][0] == "GET /api/ids/alerts/..%2F..%2Fusers", "an id cannot leave its path", str(asked))


def stream():
    events = "".join("id: %d\nevent: alert\ndata: %s\n\n" % (i, json.dumps(alert(i))) for i in range(3))
    text = ": connected\n\n" + events + "event: gap\ndata: {\"dropped\":5}\n\n" + "event: flow\ndata: {}\n\n"
    chunks = "".join("%x\r\n%s\r\n" % (len(text[i:i + 100]), text[i:i + 100]) for i in range(0, len(text), 100))
    answers["GET /api/network/events/stream?types=alert"] = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n").encode()
    code, text, error = ctl("alerts", "tail", "--count", "2")
    check(code == 0 and len(text.splitlines()) == 3, "alerts tail ends after --count", text + error)
    code, text, error = ctl("-o", "jsonl", "alerts", "tail")
    check(code == 1 and len(text.splitlines()) == 3 and "5 alerts came faster" in error and "has ended" in error,
          "it says what was left out, and that the stream ended", text + error)


def bans():
    block = {"id": 3, "address": "192.0.2.7", "state": "active", "since": "S", "until": "U", "who": "local:0",
             "reason": "r", "note": ""}
    answers["POST /api/firewall/blocks"] = reply(201, block)
    code, text, error = ctl("ban", "192.0.2.7", "--reason", "scans", "--for", "2h")
    check(code == 0 and json.loads(asked[0][1]) == {"ip": "192.0.2.7", "reason": "scans", "duration": "2h"} and
          "address\t192.0.2.7" in text, "ban", str(asked) + text + error)
    ctl("ban", "192.0.2.0/24", "--dry-run")
    check(json.loads(asked[0][1])["dry_run"] is True, "ban --dry-run", str(asked))
    answers["POST /api/firewall/blocks"] = reply(409, {"detail": "192.0.2.7 stands on the allow-list"})
    code, _, error = ctl("ban", "192.0.2.7")
    check(code == 5 and "allow-list" in error, "a refused ban: exit code 5 and the daemon's sentence", error)
    answers["DELETE /api/firewall/blocks/192.0.2.0%2F24"] = reply(204)
    code, _, error = ctl("unban", "192.0.2.0/24")
    check(code == 0 and not error, "unban", str(asked) + error)
    answers["GET /api/firewall/blocks?limit=1000"] = reply(200, {"items": [block], "total": 1})
    code, text, _ = ctl("bans")
    check(text == "ID\tADDRESS\tSTATE\tSINCE\tUNTIL\tWHO\tREASON\tNOTE\n3\t192.0.2.7\tactive\tS\tU\tlocal:0\tr\t\n", "bans", text)


def users():
    anna = {"id": 2, "username": "anna", "roles": ["analyst", "viewer"], "is_active": True, "email": "", "full_name": "",
            "created_at": "C", "updated_at": "U"}
    answers["GET /api/users?limit=1000"] = reply(200, {"items": [anna], "total": 1})
    code, text, _ = ctl("users", "list")
    check(code == 0 and "2\tanna\tanalyst,viewer\ttrue\t\t\tC\tU\n" in text, "users list", text)
    answers["POST /api/users"] = reply(201, anna)
    code, _, error = ctl("users", "add", "anna", "--roles", "analyst,viewer", stdin="correct horse\n")
    check(code == 0 and json.loads(asked[0][1]) == {"username": "anna", "password": "correct horse", "must_change": True,
                                                    "roles": ["analyst", "viewer"]}, "users add", str(asked) + error)
    code, _, error = ctl("users", "add", "anna", stdin="")
    check(code == 2 and not asked, "without a password nothing is sent", error)
    answers["POST /api/users/2/reset-password"] = reply(204)
    code, _, error = ctl("users", "passwd", "Anna", stdin="river boat 9\n")
    check(code == 0 and json.loads(asked[1][1]) == {"password": "river boat 9"}, "users passwd", str(asked) + error)
    code, _, error = ctl("users", "passwd", "nobody", stdin="river boat 9\n")
    check(code == 4 and "there is no user nobody" in error, "of a user that is not there: exit code 4", error)
    answers["POST /api/users/2/reset-password"] = reply(
        422, {"detail": [{"type": "value_error", "loc": ["body", "password"], "msg": "The password is too short"}]})
    code, _, error = ctl("users", "passwd", "anna", stdin="x\n")
    check(code == 2 and error == "ecyberctl: body.password: The password is too short\n", "422 names the field", error)


def apikeys():
    answers["GET /api/users/2/apikeys"] = reply(200, {"items": [
        {"id": 5, "name": "probe", "roles": ["viewer"], "created_at": "C", "expires_at": "E", "used_at": "U",
         "used_from": "192.0.2.1"}], "total": 1})
    code, text, _ = ctl("apikeys", "list", "anna")
    check(code == 0 and text == "ID\tNAME\tROLES\tCREATED\tEXPIRES\tUSED\tFROM\n5\tprobe\tviewer\tC\tE\tU\t192.0.2.1\n",
          "apikeys list", text)
    check(ctl("apikeys", "list", "nobody")[0] == 4, "of a user that is not there: exit code 4")
    answers["DELETE /api/auth/apikeys/5"] = answers["DELETE /api/auth/apikeys/6"] = reply(204)
    code, _, error = ctl("apikeys", "delete", "5", "6")
    check(code == 0 and [a[0] for a in asked] == ["DELETE /api/auth/apikeys/5", "DELETE /api/auth/apikeys/6"],
          "apikeys delete", str(asked) + error)


def reload():
    answers["POST /api/system/plugins/eve/reload"] = reply(202, {"message": "asked for"})
    code, text, error = ctl("plugins", "reload", "eve")
    check(code == 0 and asked[0][0] == "POST /api/system/plugins/eve/reload" and "eve" in text, "plugins reload", text + error)
    answers["POST /api/system/plugins/nobody/reload"] = reply(404, {"detail": "Not Found"})
    check(ctl("plugins", "reload", "nobody")[0] == 4, "of a plugin that is not there: exit code 4")


def completion():
    """As bash would ask for it."""
    def completed(*words):
        script = ("source <('%s' completion bash) && COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) && _ecyberctl &&"
                  " echo ${COMPREPLY[@]}" % CTL)
        run = subprocess.run(["bash", "-c", script, "-", "ecyberctl", *words], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
        return run.stdout.decode().split()
    for words, want in ((("st",), ["status", "store", "stop"]), (("alerts", "s"), ["show"]),
                        (("-o", "json", "users", "re"), ["reset"]), (("ban", "--d"), ["--dry-run"]),
                        (("ban", "192.0.2.1", "--for"), ["--for"]), (("store", "backup", "--s"), ["--state"]),
                        (("nothing", ""), [])):
        check(completed(*words) == want, "completed: %s" % " ".join(words), completed(*words))
    check(ctl("completion", "fish")[0] == 2 and "bashcompinit" in ctl("completion", "zsh")[1], "for bash and zsh")


def prompt():
    """On a terminal the password is asked for twice and never shown."""
    for second, want in (("correct horse", 0), ("correct hors", 2)):
        asked.clear()
        master, slave = pty.openpty()
        with subprocess.Popen([CTL, "-a", "api.sock", "users", "add", "anna"], stdin=slave, stdout=slave, stderr=slave) as run:
            os.close(slave)
            text = b""
            for word in ("correct horse", second):
                while not text.endswith((b"New password: ", b"Again: ")):
                    text += os.read(master, 4096)
                os.write(master, word.encode() + b"\n")
                text += os.read(master, 4096)
            try:
                while piece := os.read(master, 65536):
                    text += piece
            except OSError:         # the other end was closed
                pass
            code = run.wait()
        os.close(master)
        sent = [json.loads(body)["password"] for what, body in asked]
        check(code == want and sent == ["correct horse"] * (not want) and b"hors" not in text,
              "asked for on a terminal, %s: exit code %d" % ("twice the same" if not want else "the two differ", want),
              "%d %s %r" % (code, sent, text))


def models():
    answers["GET /api/ml/models"] = reply(200, {"items": [{"id": "m1", "active": True, "threshold": 0.5, "trees": 9}]})
    code, text, _ = ctl("ml", "list")
    check(code == 0 and "m1\ttrue\t0.5\t9\t" in text, "ml list", text)
    feature = {"name": "syn_rate", "value": 90.0, "normal_low": 0.0, "normal_high": 2.0, "contribution": 3.5}
    answers["GET /api/ml/scores/9"] = reply(200, {"timestamp": "T", "score": {"score": 0.9, "features": [feature]}})
    code, text, _ = ctl("-o", "table", "ml", "explain", "9")
    check(code == 0 and "score      0.9\n" in text and "syn_rate   90.0" in text, "ml explain", text)


def bad_answers():
    cases = ((b"", 1, "no answer came"), (b"SSH-2.0-x\r\n\r\n", 1, "no answer of HTTP/1.1"),
             (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", 1, "cut, or no JSON"),
             (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{x}", 1, "no JSON"),
             (reply(401, {"detail": "Not authenticated"}), 5, "Not authenticated"),
             (reply(403, {"detail": "Forbidden"}), 5, "Forbidden"),
             (reply(429, {"detail": "Slow"}, "Retry-After: 7"), 1, "try again in 7 s"),
             (reply(503, {"detail": "The store is away"}), 1, "The store is away"),
             (reply(500, {"detail": "a\x1b[31m"}), 1, "a\\x1b[31m"), (reply(302), 1, "status 302"))
    for raw, want, sentence in cases:
        answers["GET /api/ml/models"] = raw
        code, _, error = ctl("ml", "list")
        check(code == want and sentence in error, "answer %r: exit code %d" % (raw[:40], want), "%d %s" % (code, error))


def usage():
    for words, want in ((("alerts", "list", "--limit", "0"), 2), (("alerts", "list", "--limit", "x"), 2),
                        (("alerts", "list", "word"), 2), (("alerts", "list", "--nonsense"), 2), (("ban",), 2),
                        (("ban", "a", "b"), 2), (("alerts", "tail", "--count", "0"), 2), (("alerts", "ack"), 2),
                        (("flows", "-m", "x"), 2), (("users", "add"), 2),
                        (("bans", "-o", "xml"), 2)):
        code, _, error = ctl(*words)
        check(code == want and error.startswith("ecyberctl: "), "%s: exit code %d" % (" ".join(words), want), error)
    _, text, _ = ctl("--help")
    commands = [line[2:26].strip() for line in text.splitlines() if line.startswith("  ") and line[2].islower()]
    check(len(commands) > 20, "--help lists the commands", text)
    for name in commands:
        words = [w for w in name.split() if w.islower()]
        code, text, error = ctl(*words, "--help")
        check(code == 0 and text.startswith("usage: ecyberctl " + " ".join(words)), " ".join(words) + " --help", text + error)


def real_config(plugins):
    here = os.getcwd()
    with open("real.yaml", "w", encoding="utf-8") as out:
        out.write("ids:\n  vars: {HOME_NET: any, EXTERNAL_NET: any}\ncore:\n  plugin_dirs: [%s]\n  plugins: [%s]\n  state_dir: %s/state\n  control_socket: %s/real.sock\n"
                  "http:\n  listen: 127.0.0.1:%d\n  socket: %s/real-api.sock\n"
                  % (os.environ["EC_PLUGINDIR"], plugins, here, here, free_port(), here))


def real(*words):
    done = subprocess.run([CTL, "-a", "real-api.sock", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def real_daemon():
    """Stored alerts and flows of a replay, then bans; in a network namespace that ends with the daemon."""
    lonely = ["unshare", "-n", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"] if os.getuid() == 0 else []
    real_config("capture, traffic, ids, store, http, auth")
    with open("log", "w", encoding="utf-8") as log:
        subprocess.run([*lonely, os.environ["ECYBERD"], "-c", "real.yaml", "-r", os.environ["EC_DATA"] + "/attack-sql.pcap"],
                       stdout=log, stderr=log, timeout=60, check=False)
        real_config("capture, traffic, ids, store, http, auth" + (", firewall" if lonely else ""))
        run = subprocess.Popen([*lonely, os.environ["ECYBERD"], "-c", "real.yaml", *(["-i", "lo"] if lonely else [])],
                               stdout=log, stderr=log)
    for _ in range(100):
        if os.path.exists("real-api.sock") and real("users", "list")[0] == 0:
            break
        time.sleep(0.1)
    code, text, error = real("-o", "jsonl", "alerts", "list", "sid=1000005")
    found = [json.loads(line) for line in text.splitlines()]
    check(code == 0 and found and all(a["alert"]["signature_id"] == 1000005 for a in found), "a real daemon's alerts",
          text + error)
    if found:
        code, text, error = real("alerts", "explain", str(found[0]["id"]))
        check(code == 0 and "because  content in http.uri at offset" in text, "one explained", text + error)
        code, text, error = real("-o", "json", "alerts", "show", str(found[0]["id"]))
        check(code == 0 and json.loads(text)["id"] == found[0]["id"], "one shown", text + error)
    code, text, error = real("flows", "--ip", "198.51.100.0/24", "--limit", "2")
    check(code == 0 and len(text.splitlines()) == 3, "its flows", text + error)
    code, _, error = real("alerts", "list", "no.such.field=1")
    check(code == 2 and "query.no.such.field" in error, "an unknown field: exit code 2 and its name", error)
    code, _, error = real("ml", "list")
    check(code == 4 and "/api/ml/models" in error, "a plugin that is not loaded: exit code 4 and the path", error)
    if lonely:
        real_tail(run)
        real_bans(found)
    run.send_signal(signal.SIGTERM)
    check(run.wait(30) == 0, "the daemon ends in order")
    check(real("bans")[0] == 3, "and then the exit code is 3")


ATTACK = """
import http.client, http.server, threading
class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 8080), Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
for _ in range(3):
    link = http.client.HTTPConnection("127.0.0.1", 8080)
    link.request("GET", "/item?id=1%20union%20select%20password")
    link.getresponse().read()
    link.close()
"""


def real_tail(run):
    """An attack inside of the daemon's network arrives while it is followed."""
    with subprocess.Popen([CTL, "-a", "real-api.sock", "-o", "jsonl", "alerts", "tail", "--count", "1"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        time.sleep(1)
        subprocess.run(["nsenter", "--net=/proc/%d/ns/net" % run.pid, "python3", "-c", ATTACK], timeout=30, check=False)
        try:
            text, error = tail.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            tail.kill()
            text, error = tail.communicate()
    alerts = [json.loads(line) for line in text.splitlines()]
    check(tail.returncode == 0 and len(alerts) == 1 and "union select" in alerts[0]["http"]["url"].replace("%20", " "),
          "an attack comes out of alerts tail as it happens", text + error)


def real_bans(found):
    code, text, error = real("-o", "json", "ban", "198.51.100.7", "--reason", "SQL injection", "--for", "10m", "--cause",
                             str(found[0]["id"]) if found else "1")
    check(code == 0 and json.loads(text)["address"] == "198.51.100.7", "ban", text + error)
    code, text, _ = real("bans")
    check("\t198.51.100.7\t" in text and "\tSQL injection\t" in text, "bans", text)
    code, _, error = real("ban", "127.0.0.1")
    check(code == 5 and "loopback" in error, "loopback cannot be banned: exit code 5", error)
    code, _, error = real("ban", "nonsense")
    check(code == 2 and "body.ip" in error, "what is no address: exit code 2", error)
    check(real("unban", "198.51.100.7")[0] == 0 and "198.51.100.7" not in real("bans")[1], "unban")
    check(real("unban", "198.51.100.7")[0] == 4, "a second time: exit code 4")


not_there()
threading.Thread(target=server, daemon=True).start()
while not os.path.exists("api.sock"):
    pass
for part in (lists, one_alert, stream, bans, users, apikeys, reload, completion, prompt, models, bad_answers, usage,
             real_daemon):
    part()
