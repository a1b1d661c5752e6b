#!/usr/bin/env python3
"""Rule sources: fetched from a real HTTPS server, unpacked, judged, in force; what is wrong with one changes nothing and is
said; a change by people and a restart keep what they should. Needs root, for a namespace."""
import bz2
import gzip
import hashlib
import http.server
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import zipfile

import libapi

from libtest import check, plan, skip, wait_for

HERE = os.getcwd()
SOCK = HERE + "/api.sock"
SPACE = "ecrs%d" % os.getpid()
RULE = 'alert udp any any -> any 9999 (msg:"%s"; content:"%s"; sid:%d; rev:%d;)\n'
FOLDER = HERE + "/state/ids/sources"
SHARED = os.environ.get("EC_SHARED_DATA", os.environ["EC_SRC"] + "/../shared/data")
running = None
files = {}                          # path -> (body, headers) or a status
asked = []                          # (path, headers)
held = threading.Event()            # is /held.sum asked for: its answer waits for go
go = threading.Event()


class Publisher(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append((self.path, dict(self.headers)))
        got = files.get(self.path, 404)
        if self.path == "/hang":
            time.sleep(8)
            return
        if self.path == "/held.sum":
            held.set()
            go.wait(30)
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "https://127.0.0.1:%d/plain.rules" % PORT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if isinstance(got, int):
            self.send_error(got)
            return
        tag = '"%s"' % hashlib.md5(got).hexdigest()
        same = self.headers.get("If-None-Match") == tag
        self.send_response(304 if same else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", "0" if same else str(len(got)))
        self.end_headers()
        if not same:
            self.wfile.write(got)

    def log_message(self, *words):
        pass


def publish():
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout",
                    "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert.pem", "key.pem")
    server.handle_error = lambda *words: None       # the daemon hangs up where it has seen enough
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def ask(method, path, body=None, **headers):
    link = libapi.Local(SOCK, 60)
    sent_headers = {k.replace("_", "-"): v for k, v in headers.items()}
    if body is not None:
        sent_headers["Content-Type"] = "application/json"
    try:
        link.request(method, path if path[:4] == "/api" else "/api/rules/sources" + path,
                     None if body is None else json.dumps(body), sent_headers)
        got = link.getresponse()
        raw = got.read()
        return got.status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw, got.getheader("ETag")
    finally:
        link.close()


def log_text():
    with open("log", encoding="utf-8", errors="replace") as file:
        return file.read()


def alerts():
    try:
        with open("eve.json", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]
    except FileNotFoundError:
        return []


def send(*words):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for word in words:
            out.sendto(word.encode(), ("10.78.0.2", 9999))


def captures():
    before = len(alerts())
    send("end-mark")
    return wait_for(lambda: len(alerts()) > before, 0.5)


def fired(*words):
    """Which sids alert on these? A last one, that has a rule of its own, ends the wait."""
    before = len(alerts())
    send(*words, "end-mark")
    wait_for(lambda: any(a["alert"]["signature_id"] == 2999999 for a in alerts()[before:]), 10)
    return [a["alert"]["signature_id"] for a in alerts()[before:] if a["alert"]["signature_id"] != 2999999]


def daemon():
    global running
    at = os.path.getsize("log") if os.path.exists("log") else 0
    with open("log", "ab") as log:
        running = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", "-i", SPACE + "a"], stdout=log,
                                   stderr=log)
    check(libapi.wait(SOCK, 40) and wait_for(lambda: " runs: " in log_text()[at:], 10) and wait_for(captures, 10),
          "the daemon serves", log_text()[-900:])


def stop(sig=signal.SIGTERM):
    running.send_signal(sig)
    return running.wait(30)


def url(path):
    return "https://127.0.0.1:%d%s" % (PORT, path)


def end_of(job, seconds=60):
    return wait_for(lambda: (lambda j: j if j["state"] not in ("queued", "running") else None)(
        ask("GET", "/api/system/jobs/%d" % job["id"])[1]), seconds)


def update(source, query=""):
    status, job, _ = ask("POST", "/%d/update%s" % (source, query))
    return end_of(job) if status == 202 else (status, job)


def tar(names, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, text in names.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode() if isinstance(text, str) else text))
    return out.getvalue()


def made_and_fetched():
    files["/one.tar.gz"] = tar({"rules/a.rules": RULE % ("alpha", "alpha", 1001, 1) + "# " + RULE % ("off", "off", 1002,
                                                                                                     1),
                                "rules/LICENSE": "words", "../../etc/evil.rules": RULE % ("beta", "beta", 1003, 1)})
    files["/one.tar.gz.md5"] = hashlib.md5(files["/one.tar.gz"]).hexdigest().encode() + b"  one.tar.gz\n"
    status, dry, _ = ask("POST", "?dry_run=true", {"name": "one", "url": url("/one.tar.gz")})
    check(status == 200 and ask("GET", "")[1]["total"] == 0, "a dry run makes nothing", (status, dry))
    status, one, tag = ask("POST", "", {"name": "one", "url": url("/one.tar.gz"),
                                        "checksum_url": url("/one.tar.gz.md5")})
    check(status == 201 and one["enabled"] is True and one["interval"] == 0 and one["rules"] == 0 and tag and not asked,
          "a source is made, and nothing fetched by that", (status, one))
    job = update(one["id"], "?dry_run=true")
    check(job["state"] == "done" and job["result"]["outcome"] == "dry_run" and job["result"]["rules"] == 2 and
          job["result"]["added"] == 3 and not os.listdir(FOLDER), "a dry update says what would come", job)
    job = update(one["id"])
    check(job["state"] == "done" and job["result"]["outcome"] == "updated" and job["result"]["disabled"] == 1 and
          job["progress"] == 100, "an update", job)
    check(os.listdir(FOLDER) == ["one.rules"], "writes its file alone, whatever names the archive has",
          os.listdir(FOLDER))
    check(sorted(fired("alpha", "off", "beta")) == [1001, 1003], "and its rules are in force when it ends",
          alerts()[-3:])
    seen = ask("GET", "/%d" % one["id"])[1]
    check(seen["rules"] == 2 and seen["sha256"] == hashlib.sha256(files["/one.tar.gz"]).hexdigest() and
          "updated_at" in seen and
          "error" not in seen, "the source shows what came of it", seen)
    job = update(one["id"])
    check(job["result"]["outcome"] == "unchanged" and asked[-1][1].get("If-None-Match"),
          "the same again is not fetched", job)
    shown = ask("GET", "/api/rules/1:1001")[1]
    check(shown["file"].endswith("/sources/one.rules") and "# rules/a.rules" in open(FOLDER + "/one.rules").read(),
          "a rule says where it stands", shown)
    files["/one.tar.gz"] = tar({"a.rules": RULE % ("alpha2", "alpha", 1001, 2) + RULE % ("gamma", "gamma", 1004, 1)})
    job = update(one["id"])
    check(job["state"] == "failed" and "MD5" in job["error"], "another file with the old checksum is refused", job)
    check(fired("beta") == [1003] and "MD5" in ask("GET", "/%d" % one["id"])[1]["error"], "and the old rules stay")
    files["/one.tar.gz.md5"] = hashlib.md5(files["/one.tar.gz"]).hexdigest().encode()
    job = update(one["id"])
    check([job["result"][k] for k in ("added", "changed", "removed")] == [1, 1, 2], "the next one counts what is new",
          job)
    check(sorted(fired("alpha", "beta", "gamma")) == [1001, 1004], "and is in force")
    return one


def forms():
    text = RULE % ("delta", "delta", 1101, 1)
    bag = io.BytesIO()
    with zipfile.ZipFile(bag, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/y.rules", text)
    files.update({"/plain.rules": text.encode(), "/a.rules.gz": gzip.compress(text.encode()),
                  "/a.rules.bz2": bz2.compress(text.encode()), "/a.zip": bag.getvalue(),
                  "/a.tar": tar({"q.rules": text}, "w"), "/a.tar.xz": tar({"q.rules": text}, "w:xz")})
    status, form, _ = ask("POST", "", {"name": "form", "url": url("/none")})
    path, results = "/%d" % form["id"], []
    for name in ("/plain.rules", "/a.rules.gz", "/a.rules.bz2", "/a.zip", "/a.tar", "/a.tar.xz", "/moved"):
        ask("PUT", path, {"url": url(name)})
        job = update(form["id"], "?dry_run=true")
        results.append((name, job["state"], (job.get("result") or {}).get("rules"), job.get("error")))
    check(all(r[1:3] == ("done", 1) for r in results), "a text, compressed texts, archives, a redirect", results)
    return form


def bad(form):
    path = "/%d" % form["id"]
    big = b"# " + b"x" * 300 + b"\n"
    files.update({"/page.rules": b"<!DOCTYPE html><html><body>not here</body></html>", "/empty": b"",
                  "/half.tar.gz": tar({"a.rules": RULE % ("h", "h", 1,
                                                          1) * 2000})[:400], "/zeros": b"alert udp\0" * 500,
                  "/bomb.gz": gzip.compress(b"\n" * (3 << 20)), "/big": big * 4000,
                  "/nothing.tar.gz": tar({"README": "x"}), "/sum": b"no checksum here",
                  "/many.tar.gz": tar({"f%d" % i: "" for i in range(4200)})})
    wanted = {"/none": "404", "/page.rules": "no rule in it", "/empty": "empty", "/half.tar.gz": "broken",
              "/zeros": "NUL",
              "/bomb.gz": "larger than", "/big": "larger than", "/nothing.tar.gz": "no *.rules", "/loop": "redirect",
              "/many.tar.gz": "4,096 entries", "/hang": ""}
    for name, words in wanted.items():
        ask("PUT", path, {"url": url(name)})
        job = update(form["id"])
        check(job["state"] == "failed" and words.lower() in job["error"].lower(), "refused: " + name, job)
    ask("PUT", path, {"url": url("/plain.rules"), "checksum_url": url("/sum")})
    check("no checksum" in update(form["id"])["error"], "refused: a checksum that is none")
    ask("PUT", path, {"url": "https://10.78.0.2/x.rules"})
    check("not public" in update(form["id"])["error"], "refused: an address that is not public")
    check(os.listdir(FOLDER) == ["one.rules"] and sorted(fired("alpha", "gamma")) == [1001, 1004],
          "nothing of it is in force",
          os.listdir(FOLDER))
    codes = [ask("POST", "", body)[0] for body in (
        {"name": "x", "url": "file:///etc/shadow"}, {"name": "x", "url": "http://example.org/a.rules"},
        {"name": "../x", "url": url("/a")}, {"name": "", "url": url("/a")}, {"name": "x"}, {"url": url("/a")},
        {"name": "x", "url": url("/a"), "interval": "5s"}, {"name": "x", "url": "https://u:p@example.org/"},
        {"name": "x", "url": url("/" + "a" * 3000)}, {"name": "x", "url": url("/a"), "checksum_url": "ftp://x.org/"})]
    check(codes == [422] * 10, "bodies that are wrong: 422", codes)
    check(ask("POST", "", {"name": "one", "url": url("/a")})[0] == 409, "a name that is taken: 409")
    check([ask("GET", "/77")[0], ask("POST", "/77/update")[0], ask("DELETE", "/77")[0],
           ask("PUT", "/77", {"url": url("/a")})[0]]
          == [404] * 4, "a number that is none: 404")


def rules_with_errors(form):
    files["/mixed.rules"] = (RULE % ("ok", "omega", 1201, 1) + "alert tcp any any -> any any (content:x; sid:1202;)\n").encode()
    ask("PUT", "/%d" % form["id"], {"url": url("/mixed.rules")})
    job = update(form["id"])
    check(job["state"] == "done" and job["result"]["rules"] == 1 and job["result"]["failed"] == 1 and
          job["result"]["problems"][0].startswith("2:"), "a broken rule is left out, and said with its line", job)
    check(fired("omega") == [1201], "the sound one is in force")
    ask("POST", "/api/rules/1:1201/disable")
    files["/mixed.rules"] = (RULE % ("ok2", "omega", 1201, 2)).encode()
    check(update(form["id"])["result"]["changed"] == 1 and fired("omega") == [],
          "who is switched off stays so over an update")


def any_bytes(form):
    """What is said of foreign bytes is text all the same: ask() reads it as UTF-8."""
    path, words = "/%d" % form["id"], "\u00e9" * 300
    pages = {"/latin.rules": b'alert tcp any any -> any any (msg:"x"; caf\xe9:1; sid:1205;)\n',
             "/latin.html": b"<html>caf\xe9 \xff\x01</html>\n", "/even.html": ("<p>" + words).encode(),
             "/odd.html": ("<p >" + words).encode(), "/name.tar.gz": tar({"caf\udce9.rules": "alert caf\u00e9 (sid:1)\n"})}
    files.update(pages)
    for page in pages:
        ask("PUT", path, {"url": url(page)})
        job = update(form["id"])
        seen = ask("GET", path)[1]
        check(job["state"] == "failed" and "no rule in it" in job["error"] and "no rule in it" in seen["error"] and
              ask("GET", "")[0] == ask("GET", "/api/system/jobs")[0] == 200, "foreign bytes: " + page, (job, seen))
    files["/latin.rules"] += (RULE % ("fine", "fine", 1206, 1)).encode()
    ask("PUT", path, {"url": url("/latin.rules")})
    job = update(form["id"])
    check(job["state"] == "done" and job["result"]["problems"], "and in a sound file", job)
    reload = ask("POST", "/api/ids/reload")[1]
    check(wait_for(lambda: ask("GET", "/api/ids/reloads/%d" % reload["id"])[1]["state"] != "running", 20) and
          ask("GET", "/api/rules/failed")[0] == 200, "a reload that finds them")


def cancelled(form):
    """Whoever cancels an update has the rules of before, also where a reload would refuse the new ones."""
    path, text = "/%d" % form["id"], "".join(RULE % ("many", "many%d" % i, 100000 + i, 1) for i in range(20000))
    files["/slow.rules.gz"] = gzip.compress(text.encode())
    files["/held.sum"] = hashlib.sha256(files["/slow.rules.gz"]).hexdigest().encode()
    with open(FOLDER + "/form.rules", "rb") as file:
        before = file.read()
    for _ in range(4):              # on a busy machine the cancellation may come when all is done
        held.clear()
        go.clear()
        ask("PUT", path, {"url": url("/slow.rules.gz"), "checksum_url": url("/held.sum")})
        job = ask("POST", path + "/update")[1]
        held.wait(20)
        go.set()                    # all is there now, and is unpacked and judged while it is cancelled
        code = ask("POST", "/api/system/jobs/%d/cancel" % job["id"])[0]
        ended = wait_for(lambda: not ask("GET", path)[1]["busy"], 30)
        with open(FOLDER + "/form.rules", "rb") as file:
            kept_as = file.read() == before
        if kept_as or not ended:
            break
        ask("PUT", path, {"url": url("/latin.rules")})
        update(form["id"])
    check(ended, "an update that is cancelled ends", ask("GET", path))
    check(code == 200 and kept_as and ask("GET", "/api/rules/1:100000")[0] == 404 and
          "stopped" in ask("GET", path)[1]["error"], "and changes nothing", (code, kept_as, ask("GET", path)))


def changed(one, form):
    status, off, _ = ask("PUT", "/%d" % one["id"], {"url": url("/one.tar.gz"), "enabled": False}, If_Match='"1"')
    check(status == 412, "a change of another version: 412", status)
    tag = ask("GET", "/%d" % one["id"])[2]
    status, off, _ = ask("PUT", "/%d" % one["id"], {"url": url("/one.tar.gz"), "enabled": False}, If_Match=tag)
    check(status == 200 and off["enabled"] is False and fired("alpha") == [],
          "switched off, its rules are gone at once", off)
    ask("PUT", "/%d" % one["id"], {"url": url("/one.tar.gz")})
    check(fired("alpha") == [1001], "and on again, they are back")
    check(ask("DELETE", "/%d?dry_run=true" % form["id"])[0] == 204 and ask("GET", "/%d" % form["id"])[0] == 200,
          "a dry delete changes nothing")
    check(ask("DELETE", "/%d" % form["id"])[0] == 204 and ask("GET", "")[1]["total"] == 1 and
          os.listdir(FOLDER) == ["one.rules"],
          "deleted", os.listdir(FOLDER))
    said = [(e["audit"]["action"], e["audit"]["outcome"]) for e in ask(
        "GET", "/api/system/audit?limit=100&audit.action=rules.source.delete")[1]["items"]]
    check(wait_for(lambda: ("rules.source.delete", "success") in [
        (e["audit"]["action"], e["audit"]["outcome"]) for e in ask("GET", "/api/system/audit?limit=100")[1]["items"]],
10),
          "the audit log has it", said)


def by_itself():
    files["/self.rules"] = (RULE % ("self", "itself", 1301, 1)).encode()
    status, own, _ = ask("POST", "", {"name": "own", "url": url("/self.rules"), "interval": "1h"})
    check(status == 201 and own["interval"] == 3600 * 10 ** 9 and
          wait_for(lambda: ask("GET", "/%d" % own["id"])[1]["rules"] == 1,
                   20) and wait_for(lambda: fired("itself"), 20),
          "one with an interval is fetched by itself", ask("GET", "/%d" % own["id"]))


def ctl(*words):
    got = subprocess.run([os.environ["ECYBERCTL"], "--api", SOCK] + list(words), capture_output=True, text=True,
                         timeout=60)
    return got.returncode, got.stdout + got.stderr


def by_hand():
    """ecyberctl."""
    files["/hand.rules"] = (RULE % ("hand", "hand", 1401, 1)).encode()
    code, said = ctl("rules", "add-source", "hand", url("/hand.rules"), "--checksum", url("/hand.sum"))
    check(code == 0 and "hand" in said, "rules add-source", said)
    code, said = ctl("rules", "update", "hand")
    check(code == 1 and "404" in said, "rules update: what fails is said, exit code 1", (code, said))
    files["/hand.sum"] = hashlib.sha256(files["/hand.rules"]).hexdigest().encode()
    code, said = ctl("rules", "update", "hand", "--dry-run")
    check(code == 0 and "dry_run" in said and fired("hand") == [], "rules update --dry-run", said)
    code, said = ctl("-o", "json", "rules", "update")
    check(code == 0 and fired("hand") == [1401], "rules update of all that are on", said)
    code, said = ctl("rules", "sources")
    check(code == 0 and all(name in said for name in ("one", "own", "hand")), "rules sources", said)
    check(ctl("rules", "update", "nobody")[0] == 4 and ctl("rules", "remove-source", "nobody")[0] == 4,
          "no such source: 4")
    check(ctl("rules", "add-source", "hand", url("/x"))[0] == 5 and
          ctl("rules", "add-source", "h/d", url("/x"))[0] != 0,
          "what is refused")
    check(ctl("rules", "remove-source", "hand")[0] == 0 and fired("hand") == [], "rules remove-source")


def kept():
    check(stop(signal.SIGKILL) < 0, "a kill")
    daemon()
    check(ask("GET", "")[1]["total"] == 2 and sorted(fired("alpha", "itself")) == [1001, 1301],
          "leaves sources and rules")
    check(stop() == 0, "a stop")
    with open("state/ids/sources.json", "w", encoding="utf-8") as out:
        out.write('{"format":2,"sources":{}}')
    daemon()
    check(ask("GET", "")[0] == ask("POST", "", {"name": "x", "url": url("/x")})[0] == 503 and
          "a newer eCyber wrote it" in log_text() and os.path.exists("state/ids/sources.json") and
          fired("alpha") == [1001], "the list of a newer eCyber is left alone", log_text()[-600:])
    check(stop() == 0, "a stop")
    with open("state/ids/sources.json", "w", encoding="utf-8") as out:
        out.write('{"format":1,"next_id":2,"version":')
    daemon()
    check(ask("GET", "")[1]["total"] == 0 and "sources.json.bad" in log_text() and fired("alpha") == [1001],
          "a damaged list is put aside with a sentence; what was fetched stays in force", log_text()[-600:])


def many():
    """A set as people use it."""
    path = SHARED + "/rules/et-open-2025-08.sample30.rules"
    if not os.path.exists(path):
        skip("a large set", "the shared rules are not here")
        return
    with open(path, "rb") as file:
        files["/et.tar.gz"] = tar({"rules/et.rules": file.read()})
    status, et, _ = ask("POST", "", {"name": "et", "url": url("/et.tar.gz")})
    start = time.monotonic()
    job = end_of(ask("POST", "/%d/update" % et["id"])[1], 120)
    check(job["state"] == "done" and job["result"]["rules"] > 3000, "a set of ET Open", job)
    print("# %d rules in %.1f s" % ((job["result"] or {}).get("rules", 0), time.monotonic() - start))


def main():
    with open("own.rules", "w", encoding="utf-8") as out:
        out.write(RULE % ("end", "end-mark", 2999999, 1))
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [capture, traffic, ids, store, auth, http, eve, jobs]\n"
                  "  state_dir: %s/state\n  control_socket: %s/s\nhttp:\n  listen: none\n  socket: %s\n"
                  "eve:\n  file: %s/eve.json\n  types: [alert]\nids:\n  rule_files: [%s/own.rules]\n"
                  "  sources:\n    allow: [127.0.0.1]\n    ca_file: %s/cert.pem\n    time: 3s\n    download: 1MiB\n    unpacked: 2MiB\n"
                  % (os.environ["EC_PLUGINDIR"], HERE, HERE, SOCK, HERE, HERE, HERE))
    daemon()
    one = made_and_fetched()
    form = forms()
    bad(form)
    rules_with_errors(form)
    any_bytes(form)
    cancelled(form)
    changed(one, form)
    by_itself()
    by_hand()
    kept()
    check(stop() == 0, "the daemon ends well", log_text()[-600:])
    with open("ecyber.yaml", "r+", encoding="utf-8") as file:
        text = file.read().replace("download: 1MiB", "download: 64MiB").replace("unpacked: 2MiB", "unpacked: 64MiB")
        file.seek(0)
        file.write(text)
    daemon()
    many()
    check(stop() == 0, "and again", log_text()[-600:])
    check("Sanitizer" not in log_text(), "no sanitizer has a finding", log_text()[-800:])
    plan()


if os.geteuid():
    print("SKIP: needs root for a network namespace")
    sys.exit(77)
try:
    PORT = publish()
    subprocess.run("ip netns add {0} && ip link add {0}a type veth peer name {0}b netns {0} &&"
                   " ip addr add 10.78.0.1/24 dev {0}a && ip link set {0}a up &&"
                   " nsenter --net=/run/netns/{0} sh -c 'ip addr add 10.78.0.2/24 dev {0}b &&"
                   " ip link set {0}b up'".format(SPACE), shell=True, check=True)
    main()
finally:
    if running and running.poll() is None:
        running.kill()
        running.wait()
    subprocess.run("ip netns del {0}; ip link del {0}a".format(SPACE), shell=True, check=False,
                   stderr=subprocess.DEVNULL)
