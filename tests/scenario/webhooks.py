#!/usr/bin/env python3
"""Webhooks: made and changed by the API, called with a signature that a receiver verifies, called again when it fails, with
a log of what was tried; and never to what is not public, unless the configuration says so."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import signal
import subprocess
import threading
import time

import libapi

from libtest import check, plan

HERE = os.getcwd()
SOCK = HERE + "/api.sock"
running = None
got = []                            # (path, headers, body)
answers = {}                        # path -> list of statuses still to give; then 204


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        got.append((self.path, dict(self.headers), body))
        status = answers.get(self.path, [])
        status = status.pop(0) if status else 204
        if status == 0:             # no answer in time
            time.sleep(1.2)
        self.send_response(status or 204)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:%d/elsewhere" % PORT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
PORT = server.server_port
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = "http://127.0.0.1:%d" % PORT


def ask(method, path, body=None, match=None):
    link = libapi.Local(SOCK)
    headers = {} if body is None else {"Content-Type": "application/json"}
    if match:
        headers["If-Match"] = match
    try:
        link.request(method, "/api/webhooks" + path, None if body is None else json.dumps(body), headers)
        reply = link.getresponse()
        raw = reply.read()
        return reply.status, json.loads(raw) if raw else None, reply.getheader("ETag")
    finally:
        link.close()


def until(what, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def calls(path):
    return [g for g in got if g[0] == path]


def signed(call, secret):
    key = base64.b64decode(secret[len("whsec_"):])
    head = {k.lower(): v for k, v in call[1].items()}
    text = ("%s.%s." % (head["webhook-id"], head["webhook-timestamp"])).encode() + call[2]
    return head["webhook-signature"] == "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode() and \
        abs(int(head["webhook-timestamp"]) - time.time()) < 30


def deliveries(ident, n):
    items = []

    def there():
        items[:] = [i["webhook_delivery"] for i in ask("GET", "/%d/deliveries" % ident)[1]["items"]]
        return len(items) >= n
    until(there)
    return items[::-1]


def make(path, **more):
    return ask("POST", "", {"url": BASE + path, "events": ["audit"], **more})


def daemon(*words):
    global running
    log = open("log", "ab")
    running = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", *words], stdout=log, stderr=log)
    check(libapi.wait(SOCK), "the daemon serves")


def stop():
    running.send_signal(signal.SIGTERM)
    check(running.wait(20) == 0, "and ends well", open("log", encoding="utf-8", errors="replace").read()[-900:])


def audited():
    one = make("/audited", name="SOC", severity=2, active=False)[1]
    path = "/%d" % one["id"]
    ask("PATCH", path, {"name": "NOC", "events": ["alert", "audit"]})
    ask("PATCH", path, {"secret": "whsec_" + base64.b64encode(b"k" * 32).decode(), "severity": 3, "active": True})
    ask("DELETE", path)
    whole = "name NOC; url %s/audited; events alert,audit; severity 3; active" % BASE

    def said():
        found = libapi.get(SOCK, "/api/system/audit?audit.object=webhooks" + path)[1]
        return [(i["audit"]["action"], i["audit"]["detail"]) for i in reversed(found["items"])]
    check(until(lambda: said()[1:] == [
        ("webhook.change", "name SOC -> NOC; events audit -> alert,audit"),
        ("webhook.change", "severity 2 -> 3; active; another secret"), ("webhook.delete", whole)]),
        "the audit log says what was and what is, and no secret", said())


def kept():
    status, one, tag = make("/first", name="SOC", severity=2)
    check(status == 201 and one["secret"].startswith("whsec_") and one["active"] and one["events"] == ["audit"] and
          tag == '"v%d"' % one["version"], "a webhook is made, and its secret is told once", (status, one, tag))
    status, shown, _ = ask("GET", "/%d" % one["id"])
    check(status == 200 and shown == {k: v for k, v in one.items() if k != "secret"}, "and never again", shown)
    check(ask("GET", "")[1] == {"items": [shown]}, "it is listed")
    check(ask("PATCH", "/%d" % one["id"], {"name": "x"}, '"99"')[0] == 412, "who has another version is told so with 412")
    check(ask("DELETE", "/%d" % one["id"], None, '"99"')[0] == 412 and ask("GET", "/%d" % one["id"])[0] == 200,
          "also who would remove it")
    status, changed, _ = ask("PATCH", "/%d" % one["id"], {"name": "NOC", "events": ["alert", "audit"]}, tag)
    check(status == 200 and changed["name"] == "NOC" and changed["events"] == ["alert", "audit"] and
          changed["url"] == one["url"] and changed["severity"] == 2, "it is changed, and keeps what was not named", changed)
    for bad, where in (({"url": "ftp://example.org/"}, "url"), ({"url": "https://u:p@example.org/"}, "url"),
                       ({"url": "file:///etc/passwd"}, "url"), ({"events": []}, "events"), ({"events": ["nothing"]}, "events"),
                       ({"events": ["webhook_delivery"]}, "events"), ({"events": ["audit"] * 17}, "events"),
                       ({"secret": "whsec_abc"}, "secret"), ({"severity": 256}, "severity"), ({"colour": 1}, "colour")):
        status, why, _ = ask("POST", "", {"url": BASE + "/x", "events": ["audit"], **bad})
        check(status == 422 and why["detail"][0]["loc"][1] == where, "%s is refused" % str(bad)[:50], (status, why))
    check([d["loc"] for d in ask("POST", "", {"events": ["audit"]})[1]["detail"]] == [["body", "url"]], "a url is required")
    check(ask("GET", "/99")[0] == ask("DELETE", "/99")[0] == ask("POST", "/99/test")[0] == 404, "an unknown one is 404")
    return one


def called(one):
    # changing a webhook is an audit event, and this one asks for those
    check(until(lambda: len(calls("/first")) >= 1), "an event is told")
    call = calls("/first")[0]
    body = json.loads(call[2])
    check(signed(call, one["secret"]) and call[1]["Content-Type"] == "application/json", "with a signature that fits", call)
    check(not signed(call, "whsec_" + base64.b64encode(bytes(32)).decode()), "and that another key does not make")
    check(body["type"] == "audit" and body["data"]["event_type"] == "audit" and body["data"]["id"].isdigit() and
          body["data"]["audit"]["action"].startswith("webhook."), "the body is the event", body)
    log = deliveries(one["id"], 1)
    check(log and log[0]["outcome"] == "delivered" and log[0]["status"] == 204 and log[0]["attempt"] == 1 and
          log[0]["event_id"] == body["data"]["id"], "and stands in the log", log)


def again():
    answers["/flaky"] = [503, 429, 204]
    answers["/gone"] = [410]
    answers["/moved"] = [302]
    answers["/slow"] = [0]
    answers["/never"] = [500] * 9
    made = {p: make("/" + p, active=False)[1] for p in ("flaky", "gone", "moved", "slow", "never")}
    before = len(got)
    for one in made.values():
        status, tested, _ = ask("POST", "/%d/test" % one["id"])
        check(status == 202 and tested["delivery_id"].startswith("%d-" % one["id"]), "a test is sent", (status, tested))
    flaky = deliveries(made["flaky"]["id"], 3)
    check([(d["attempt"], d.get("status"), d["outcome"]) for d in flaky] ==
          [(1, 503, "retry"), (2, 429, "retry"), (3, 204, "delivered")], "it is tried again until it is taken", flaky)
    ids = {c[1]["webhook-id"] for c in calls("/flaky")}
    check(len(calls("/flaky")) == 3 and len(ids) == 1 and all(signed(c, made["flaky"]["secret"]) for c in calls("/flaky")),
          "with the same id, signed anew", ids)
    gone = deliveries(made["gone"]["id"], 1)
    check([(d["status"], d["outcome"]) for d in gone] == [(410, "failed")] and "410" in gone[0]["detail"], "4xx is final", gone)
    moved = deliveries(made["moved"]["id"], 1)
    check([(d["status"], d["outcome"]) for d in moved] == [(302, "failed")] and not calls("/elsewhere"),
          "a redirection is not followed", moved)
    slow = deliveries(made["slow"]["id"], 2)
    check([d["outcome"] for d in slow] == ["retry", "delivered"] and "status" not in slow[0], "no answer in time is no answer",
          slow)
    never = deliveries(made["never"]["id"], 4)
    check([(d["attempt"], d["outcome"]) for d in never] == [(1, "retry"), (2, "retry"), (3, "retry"), (4, "failed")],
          "after webhooks.attempts it is given up", never)
    check(len(got) - before >= 11, "all of it arrived", len(got) - before)
    check(ask("GET", "/%d/deliveries?outcome=failed" % made["never"]["id"])[1]["items"][0]["webhook_delivery"]["attempt"] == 4,
          "the log has filters")


def kept_over_a_stop():
    """What was under way, and what waits for its next attempt."""
    answers["/hangs"] = [0]
    answers["/down"] = [503] * 3    # the fourth attempt follows after 1.6 s
    made = {p: make("/" + p, active=False)[1] for p in ("hangs", "down")}
    ask("POST", "/%d/test" % made["down"]["id"])
    check(until(lambda: len(calls("/down")) == 3), "one waits")
    ask("POST", "/%d/test" % made["hangs"]["id"])
    check(until(lambda: calls("/hangs")), "one is under way")
    stop()
    before = {p: len(calls("/" + p)) for p in made}
    daemon("--set", "webhooks.allow=[127.0.0.1]")
    for path, one in made.items():
        check(until(lambda: len(calls("/" + path)) > before[path]) and signed(calls("/" + path)[-1], one["secret"]) and
              len({c[1]["webhook-id"] for c in calls("/" + path)}) == 1, "/%s is called again after a restart" % path,
              [c[1] for c in calls("/" + path)])
    check(not os.path.exists(HERE + "/state/webhooks/pending"), "and nothing is kept twice")


def removed(one):
    check(ask("DELETE", "/%d" % one["id"])[0] == 204 and ask("GET", "/%d" % one["id"])[0] == 404, "a webhook is removed")
    n = len(calls("/first"))
    make("/other", active=False)
    time.sleep(0.7)
    check(len(calls("/first")) == n, "and is told of nothing more")


def guarded():
    """Without webhooks.allow: not this host, by whatever name."""
    before = len(got)
    for address in "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "169.254.169.254":
        status, one, _ = ask("POST", "", {"url": "http://%s:%d/inside" % (address, PORT), "events": ["alert"]})
        ask("POST", "/%d/test" % one["id"])
        log = deliveries(one["id"], 1)
        check(status == 201 and len(log) == 1 and log[0]["outcome"] == "failed" and "not public" in log[0]["detail"],
              "%s is refused" % address, log)
    check(len(got) == before, "nothing arrived", got[before:])


with open("ecyber.yaml", "w", encoding="utf-8") as out:
    out.write("core:\n  plugin_dirs: [%s]\n  plugins: [ids, traffic, store, auth, http, webhooks]\n  state_dir: %s/state\n"
              "  control_socket: %s/s\nhttp:\n  listen: none\n  socket: %s\n"
              "ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n"
              "webhooks:\n  plain: true\n  attempts: 4\n  retry: 100ms\n  timeout: 1s\n"
              % (os.environ["EC_PLUGINDIR"], HERE, HERE, SOCK, os.environ["EC_SRC"]))
try:
    daemon("--set", "webhooks.allow=[127.0.0.1]")
    first = kept()
    called(first)
    audited()
    again()
    names = [i["url"] for i in ask("GET", "")[1]["items"]]
    stop()
    daemon("--set", "webhooks.allow=[127.0.0.1]")
    check([i["url"] for i in ask("GET", "")[1]["items"]] == names, "webhooks survive a restart")
    check(b"whsec_" not in open("log", "rb").read(), "no secret stands in the log")
    kept_over_a_stop()
    removed(first)
    stop()
    daemon()
    guarded()
    stop()
finally:
    if running and running.poll() is None:
        running.kill()
plan()
