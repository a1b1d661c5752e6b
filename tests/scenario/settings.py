#!/usr/bin/env python3
"""Settings: defaults, changes that are checked, versions, the audit log, a restart; and who may do nothing without a store."""
import json
import os
import signal
import subprocess
import time

import libapi

from libtest import check, plan

HERE = os.getcwd()
SOCK = HERE + "/api.sock"
running = None


def ask(method, path, value=None, match=None):
    link = libapi.Local(SOCK)
    headers = {"Content-Type": "application/json"} if method == "PUT" else {}
    if match:
        headers["If-Match"] = match
    try:
        link.request(method, "/api/settings" + path, json.dumps({"value": value}) if method == "PUT" else None, headers)
        got = link.getresponse()
        return got.status, json.loads(got.read()), got.getheader("ETag")
    finally:
        link.close()


def daemon(plugins):
    global running
    log = open("log", "ab")
    running = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", "--set", "core.plugins=[%s]" % plugins],
                               stdout=log, stderr=log)
    check(libapi.wait(SOCK), "the daemon serves with " + plugins)


def stop():
    running.send_signal(signal.SIGTERM)
    check(running.wait(20) == 0, "and ends well", open("log", encoding="utf-8", errors="replace").read()[-900:])


def changes():
    status, got, tag = ask("GET", "")
    check(status == 200 and got == {"system_name": {"value": "eCyber", "version": 0},
                                    "notification_emails": {"value": [], "version": 0},
                                    "session_timeout": {"value": 480, "version": 0}}, "the defaults", got)
    status, got, tag = ask("PUT", "/system_name", "B\u00fcro <3>", '"v0"')
    check(status == 200 and got["value"] == "B\u00fcro <3>" and got["version"] == 1 and got["changed_by"] and
          got["changed_at"] and tag == '"v1"', "a name is set", (status, got, tag))
    check(ask("PUT", "/system_name", "other", '"v0"')[0] == 412 and ask("GET", "/system_name") == (200, got, '"v1"'),
          "who has an older version is told so with 412, and nothing changes")
    check(ask("PUT", "/system_name", "other", tag)[1]["version"] == 2 and ask("PUT", "/system_name", "again", "*")[0] == 200,
          "who has the newest, or asks for none, changes it")
    mails = ["soc@example.org", "night@example.org"]
    check(ask("PUT", "/notification_emails", mails)[1]["value"] == mails, "addresses are set")
    check(ask("PUT", "/session_timeout", 15)[1]["value"] == 15, "a time is set")
    for name, bad in (("system_name", ""), ("system_name", "x" * 65), ("system_name", "a\nb"), ("system_name", 5),
                      ("system_name", "\u202eabc"), ("notification_emails", "a@b"), ("notification_emails", ["nobody"]),
                      ("notification_emails", ["a@b"] * 21), ("notification_emails", ["a@b\r\nBcc: c@d"]),
                      ("session_timeout", 0), ("session_timeout", 10081), ("session_timeout", "often"),
                      ("session_timeout", None)):
        status, got, _ = ask("PUT", "/" + name, bad)
        check(status == 422 and got["detail"][0]["loc"][:2] == ["body", "value"], "%s %s is refused" % (name, str(bad)[:30]),
              (status, got))
    check(ask("GET", "/colour")[0] == 404, "an unknown setting is 404")


def audited():
    end, items = time.time() + 10, []
    while len(items) < 5 and time.time() < end:
        items = libapi.get(SOCK, "/api/system/audit?audit.action=settings.change")[1]["items"]
        time.sleep(0.1)
    check([(i["audit"]["object"], i["audit"]["detail"]) for i in reversed(items)] == [
        ("settings/system_name", "eCyber -> B\u00fcro <3>"), ("settings/system_name", "B\u00fcro <3> -> other"),
        ("settings/system_name", "other -> again"), ("settings/notification_emails", "0 addresses -> 2 addresses"),
        ("settings/session_timeout", "480 -> 15")], "each change stands in the audit log", items)


with open("ecyber.yaml", "w", encoding="utf-8") as out:
    out.write("core:\n  plugin_dirs: [%s]\n  state_dir: %s/state\n  control_socket: %s/s\n"
              "http:\n  listen: none\n  socket: %s\n" % (os.environ["EC_PLUGINDIR"], HERE, HERE, SOCK))
try:
    daemon("store, auth, http, settings")
    changes()
    audited()
    kept = ask("GET", "")[1]
    stop()
    daemon("store, auth, http, settings")
    check(ask("GET", "")[1] == kept and kept["system_name"]["value"] == "again", "settings survive a restart", kept)
    stop()
    daemon("http, settings")
    check(ask("GET", "")[1]["system_name"] == {"value": "eCyber", "version": 0} and ask("PUT", "/system_name", "x")[0] == 503,
          "without a store the defaults are shown, and a change is 503")
    stop()
finally:
    if running and running.poll() is None:
        running.kill()
plan()
