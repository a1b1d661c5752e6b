#!/usr/bin/env python3
"""Specmatic writes requests from the OpenAPI document, good ones and, with its generative option, wrong ones. Each
answer is looked at on its way back: none is a 5xx other than 503, and each fits what the document says of its status.
What Specmatic itself expects is not looked at: it cannot know that a URL of random letters is refused.
It tries each set of optional parameters, so it gets those of one operation in groups, in several documents.
SPECMATIC_COMBINATIONS: bodies for each operation (6)."""
import copy
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.environ["EC_SRC"], "tests", "scenario"))
from libschema import Contract, jsonschema  # noqa: E402
from libtest import Local, check, plan, wait_for  # noqa: E402

HERE = os.getcwd()
SOCK = HERE + "/api.sock"
SPECMATIC = "specmatic@2.55.1"
GROUP = {"get": 4}                                  # optional parameters of an operation in one document; others: 1
ENDLESS = ("/api/network/events/stream",)           # Specmatic would wait for its end
# Not handed on: what a proxy must not, and a key that is none. Whoever runs the test is known by his credentials.
HOP = ("authorization", "x-api-key", "host", "connection", "accept-encoding", "content-length", "transfer-encoding")


def skip(why):
    print("SKIP: " + why)
    sys.exit(77)


class Between(http.server.BaseHTTPRequestHandler):
    """Hands requests on to the Unix socket and looks at the answers."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm, wbufsize = True, -1
    contract, lock, statuses, faults = None, threading.Lock(), {}, {}

    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        link = Local(SOCK, 60)
        try:
            link.request(self.command, self.path, body or None,
                         {k: v for k, v in self.headers.items() if k.lower() not in HOP})
            got = link.getresponse()
            answer = got.status, got.headers, got.read()
        finally:
            link.close()
        with self.lock:
            self.look(answer, body)
        self.send_response(got.status)
        for name, value in got.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer[2])))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer[2])

    def look(self, answer, body):
        self.statuses[answer[0]] = self.statuses.get(answer[0], 0) + 1
        why = self.contract.check(self.command, self.path, answer)
        if answer[0] >= 500 and answer[0] != 503:
            why = "an error of the server"
        if why:
            template = self.contract.responses(self.command, self.path)[0]
            self.faults.setdefault((self.command, template, answer[0], re.sub(r"\d+", "N", why)[:60]),
                                   "%s %s %d: %s\n  sent %r\n  got %r" % (self.command, self.path[:200], answer[0],
                                                                        why, body[:300], answer[2][:200]))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = relay

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass                    # Specmatic at its end

    def log_message(self, *_):
        pass


def ask(path):
    link = Local(SOCK, 30)
    try:
        link.request("GET", path)
        got = link.getresponse()
        return got.status, got.read()
    finally:
        link.close()


def known(path, name):
    """What stands in a collection for the last parameter of the path of one of its things; None: it is empty."""
    status, answer = ask(path.split("/{")[0] + "?limit=1") if path.count("{") == 1 else (0, b"")
    try:
        return json.loads(answer)["items"][0][name] if status == 200 else None
    except (ValueError, KeyError, IndexError, TypeError):
        return None


def split(document):
    """As many documents as the longest list of optional parameters makes necessary, each with one way to log in, or
    each request would be made three times. Parameters of paths take a value that is there, as well as others."""
    document = copy.deepcopy(document)
    for path in ENDLESS:
        document["paths"].pop(path, None)
    parts = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operation["security"] = [{"ApiKey": []}] if operation["security"] else []
            every = operation.get("parameters", [])
            for one in every:
                there = known(path, one["name"]) if one["in"] == "path" else None
                if there is not None:
                    one["schema"] = {"anyOf": [one["schema"], {"type": "string", "enum": [str(there)]}]}
            always = [p for p in every if p.get("required")]
            others = [p for p in every if not p.get("required")]
            size = GROUP.get(method, 1)
            for n in range(max(1, -(-len(others) // size))):
                if n == len(parts):
                    parts.append(dict(document, paths={}))
                part = dict(operation, parameters=always + others[n * size:(n + 1) * size])
                if n:
                    part["operationId"] += "_%d" % n
                parts[n]["paths"].setdefault(path, {})[method] = part
    return parts


def generate(port, documents):
    names = []
    for n, document in enumerate(documents):
        names.append("openapi-%d.json" % n)
        with open(names[-1], "w", encoding="utf-8") as out:
            json.dump(document, out)
    with open("specmatic.yaml", "w", encoding="utf-8") as out:
        json.dump({"version": 2, "contracts": [{"provides": names}],
                   "test": {"resiliencyTests": {"enable": "all"}, "timeoutInMilliseconds": 60000},
                   "security": {"OpenAPI": {"securitySchemes": {"ApiKey": {"type": "apiKey", "value": "none"}}}}}, out)
    most = os.environ.get("SPECMATIC_COMBINATIONS", "6")
    with open("specmatic.log", "wb") as log:
        subprocess.run(["java", "-Xmx2g", "-jar", "node_modules/specmatic/specmatic.jar", "test",
                        "--testBaseURL=http://127.0.0.1:%d" % port], stdout=log, stderr=log, timeout=1500, check=False,
                       env=dict(os.environ, MAX_TEST_REQUEST_COMBINATIONS=most))


def fetch():
    """Specmatic itself; its package's scripts are not run."""
    if not jsonschema:
        skip("python3-jsonschema is not there")
    if not shutil.which("java") or not shutil.which("npm"):
        skip("java or npm is not there")
    with open("package.json", "w", encoding="utf-8") as out:
        out.write('{"private": true}')
    if subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", SPECMATIC],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=False).returncode:
        skip("npm could not fetch Specmatic")


def own_network():
    """As root in a network namespace of its own, for the firewall is among what the requests change."""
    if "EC_OWN_NETWORK" in os.environ:
        return
    fetch()
    os.environ["EC_OWN_NETWORK"] = "yes"
    if os.geteuid() == 0:
        os.execvp("unshare", ["unshare", "--net", "sh", "-c", "ip link set lo up; exec \"$0\"", __file__])


def main():
    own_network()
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  state_dir: %s/state\n  control_socket: %s/c.sock\n"
                  "http:\n  listen: none\n  socket: %s\n" % (os.environ["EC_PLUGINDIR"], HERE, HERE, SOCK))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", "-r",
                                   os.environ["EC_DATA"] + "/sample.pcap", "--stay"], stdout=log, stderr=log)
    try:
        check(wait_for(lambda: os.path.exists(SOCK) and b'"id"' in ask("/api/ids/alerts")[1], 60), "the daemon serves")
        document = json.loads(ask("/api/openapi.json")[1])
        Between.contract = contract = Contract(document, often=1 << 30)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        generate(server.server_port, split(document))
        with open("specmatic.log", encoding="utf-8", errors="replace") as log:
            check(sum(Between.statuses.values()) > 5000, "requests were made", log.read()[-900:])
        print("# %d answers: %s; %d bodies looked at" % (sum(Between.statuses.values()), " ".join(
            "%d of %d" % (n, s) for s, n in sorted(Between.statuses.items())), contract.looked))
        asked = {(key[0].lower(), key[1]) for key in contract.seen}
        missed = [(m, p) for p, methods in document["paths"].items() for m in methods
                  if (m, p) not in asked and p not in ENDLESS]
        check(not missed, "each operation was asked", missed)
        fine = {key[1] for key in contract.seen if key[2] < 400}
        print("# no request to these was good: %s" % " ".join(sorted(set(document["paths"]) - fine)))
        for fault in Between.faults.values():
            print("# " + fault.replace("\n", "\n# "))
        check(not Between.faults, "each answer fits the document")
        check(daemon.poll() is None, "the daemon still serves")
    finally:
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(60)
    with open("log", encoding="utf-8", errors="replace") as log:
        check(code == 0, "and ends well", log.read()[-900:])
    plan()


main()
