#!/usr/bin/env python3
"""Hostile strings in every text parameter of every route that the daemon's own OpenAPI document names: no answer is a
5xx, none takes longer than it should, no filter lets more through, nothing comes back as markup, and afterwards the
daemon answers as before. Before that, each body and each filter is shown to work with a harmless value, so that the
hostile ones reach more than the validation."""
import collections
import glob
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse

from libhttp import promtool
from libschema import Contract, jsonschema
from libtest import Local, check, free_port, plan, skip, wait_for

ECYBERD, SRC, DATA = os.environ["ECYBERD"], os.environ["EC_SRC"], os.environ["EC_DATA"]
HERE = os.getcwd()
API = HERE + "/api.sock"
OWN = ["'", "\"", "' or '1'='1", "' OR 1=1 --", "1 OR 1=1", "1; drop table events;--", "' union select 1,2,3--", "%",
       "_", "*", "\\", "\x00", "\x01\x1b[31m", "../../../../etc/passwd", "{{7*7}}", "<script>alert(1)</script>",
       "\"><img src=x onerror=alert(1)>", "a" * 5000, "\u202egnp.exe", "\ud83d\udca9", "-1", "99999999999999999999",
       "NaN", "1e309", "null", "[]", "{\"$ne\":1}", "::ffff:0:0/999", "0.0.0.0/-1", "\r\nX-Evil: 1", "%00", "%0d%0a",
       "';SELECT pg_sleep(5)--", "1' AND randomblob(1000000000)--"]
SHARED = 50         # of the shared payloads
# With EC_HOSTILE=all every payload goes to so many parameters, which stand for the others.
ALL, REPRESENTATIVES = os.environ.get("EC_HOSTILE") == "all", 20
# What the schema does not say of a value that is accepted.
NAMED = {"ip": "192.0.2.77", "email": "anna@example.org", "full_name": "Anna", "password": "a lake of one's own",
         "new_password": "a lake of one's own", "current_password": "not this one", "username": "anna",
         "notification_emails": ["anna@example.org"], "url": "https://192.0.2.77/hook", "events": ["alert"],
         "text": 'alert udp any any -> any 9 (msg:"one"; content:"one"; sid:9999999; rev:1;)', "rule": "1:1000001",
         "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
         "password_hash": "$2b$10$abcdefghijklmnopqrstuuVtDv6cSrXVEmDQSVOh3hUYsMXRTDqnm"}
HEAVY = re.compile(r"password|/auth/login|/config body|/rules/(suppressions|thresholds|test)\b.* body")
PLAIN = re.compile(r" *[\w.+:-]* *")    # a value like any other: what it brings is not the point
ORDER = ("since", "until", "cursor", "by", "limit", "sort", "fields")     # parameters that are no filters
serial = itertools.count(1)


class Client:
    """One connection for many requests; when the server has closed it, the request goes over a new one."""
    def __init__(self):
        self.c = self.contract = None

    def once(self, method, path, body, headers):
        self.c.request(method, path, body, headers)
        r = self.c.getresponse()
        answer = r.status, r.headers, r.read()
        if r.will_close:
            self.close()
        return answer

    def ask(self, method, path, body=None, form=False):
        """Status, headers and body; with a contract, whether they fit it is noted."""
        answer = self.again(method, path, body, form)
        if self.contract:
            self.contract.check(method, path, answer)
        return answer

    def again(self, method, path, body, form):
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        headers = {"Content-Type": kind} if body is not None else {}
        if self.c:
            try:
                return self.once(method, path, body, headers)
            except (OSError, http.client.HTTPException):
                self.close()
        self.c = Local(API, timeout=20)
        try:
            return self.once(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        if self.c:
            self.c.close()
        self.c = None


client = Client()
ask = client.ask


def strings(most):
    """That many of the shared payloads, spread evenly."""
    folder = os.path.join(os.environ.get("EC_SHARED_DATA", SRC + "/../shared/data"), "payloads")
    found = []
    if not os.path.isdir(folder):
        skip("payloads", "the shared payloads are not here: strings of our own only")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name not in ("SOURCE.txt", "blns.base64.txt"):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as lines:
                found += [line.rstrip("\n") for line in lines if line.strip() and line[0] != "#"]
    found = list(dict.fromkeys(found))
    return [text for text in found[::max(1, len(found) // most)][:most] if text not in OWN]


def resolve(document, schema):
    while "$ref" in schema:
        node = document
        for step in schema["$ref"].lstrip("#/").split("/"):
            node = node[step]
        schema = node
    return schema


def is_text(document, schema):
    schema = resolve(document, schema)
    kinds = [schema] + [resolve(document, s) for s in schema.get("anyOf", []) + schema.get("oneOf", [])]
    return any(k.get("type") in ("string", None) or k.get("type") == ["string", "null"] for k in kinds)


def filler(document, name, schema):
    """A harmless value that the schema accepts."""
    schema = resolve(document, schema)
    if name in NAMED:
        return NAMED[name]
    for key in ("example", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    if kind == "array":
        return [filler(document, name, schema["items"])]
    if kind == "object":
        return {}
    return "1" * max(1, schema.get("minLength", 1))


class Route:
    def __init__(self, document, method, path, op):
        self.document, self.method, self.path = document, method.upper(), path
        self.parameters = [resolve(document, p) for p in op.get("parameters", [])]
        self.fill = {p["name"]: str(filler(document, p["name"], p["schema"]))
                     for p in self.parameters if p["in"] == "path"}
        if "id" in self.fill and "allowlist" not in path:
            self.fill["id"] = known_id(path.split("/{id}")[0])
        self.bodies = []
        for kind, content in op.get("requestBody", {}).get("content", {}).items():
            schema = resolve(document, content["schema"])
            self.bodies.append((kind, schema.get("properties", {}), list(schema.get("required", []))))

    def name(self):
        return "%s %s" % (self.method, self.path)

    def target(self, **other):
        path = self.path
        for name, value in {**self.fill, **other}.items():
            path = path.replace("{%s}" % name, urllib.parse.quote(value, safe="", errors="surrogatepass"))
        return path

    def with_parameter(self, name, place, text):
        """Deletion and the like are only tried out, where the route has that."""
        query = {}
        if place == "query":
            query[name] = text
        if any(p["name"] == "dry_run" for p in self.parameters):
            query.setdefault("dry_run", "true")
        query = "?" + urllib.parse.urlencode(query, errors="surrogatepass") if query else ""
        return self.method, self.target(**({name: text} if place == "path" else {})) + query, None, False

    def with_body(self, kind, fields, required, **given):
        names = set(required) | ({"dry_run"} & set(fields))
        thing = self.path.rsplit("/", 1)[-1]        # whose "value" it is
        values = {name: filler(self.document, thing if name == "value" else name, fields[name]) for name in names}
        if self.path.endswith("/users"):
            values["username"] += str(next(serial))     # a new one each time
        values.update(given)
        form = "form" in kind
        body = urllib.parse.urlencode(values, errors="surrogatepass") if form else json.dumps(values)
        return self.method, self.target(), body, form


def known_id(path):
    """That of the newest thing that a collection has."""
    status, _, answer = ask("GET", path + "?limit=1")
    try:
        return str(json.loads(answer)["items"][0]["id"]) if status == 200 else "1"
    except (ValueError, KeyError, IndexError, TypeError):
        return "1"


def routes(document):
    for path, methods in document["paths"].items():
        for method, op in methods.items():
            if method != "parameters" and "stream" not in path and not path.endswith("/logout-all"):
                yield Route(document, method, path, op)


def kind_of(place, schema):
    return place + json.dumps({key: value for key, value in schema.items() if key not in ("description", "default")})


def representatives(every):
    """One of each kind, then others, evenly; none that costs the hash of a password each time."""
    every = [t for t in every if "password" not in t[0] and "/login" not in t[0]]
    first = list({t[3]: t for t in every}.values())[:REPRESENTATIVES]
    others = [t for t in every if t not in first]
    missing = REPRESENTATIVES - len(first)
    return first + (others[::len(others) // missing][:missing] if missing else [])


def targets(route):
    """Each text parameter and field: name, is it a filter?, what makes method, path, body and form of a string, its
    kind."""
    for p in route.parameters:
        if p["in"] in ("query", "path"):
            # This test itself bans with hostile reasons.
            filters = p["in"] == "query" and route.method == "GET" and p["name"] not in ORDER + ("ban.why",)
            yield ("%s ?%s" % (route.name(), p["name"]), filters,
                   lambda text, p=p: route.with_parameter(p["name"], p["in"], text), kind_of(p["in"], p["schema"]))
    for body in route.bodies:
        for field, sub in body[1].items():
            sub = resolve(route.document, sub)
            array = sub.get("type") == "array"
            if is_text(route.document, sub["items"] if array else sub):
                yield ("%s body.%s" % (route.name(), field), False,
                       lambda text, f=field, b=body, a=array: route.with_body(*b, **{f: [text] if a else text}),
                       kind_of(body[0], sub))


def harmless(found):
    """Each body gets past the validation: with what it requires, with one field more, or with all; which is what the
    hostile ones then have as well."""
    refused = []
    for route in found:
        for kind, fields, required in route.bodies:
            tried = []
            others = sorted(set(fields) - set(required), key=lambda name: (name == "password", name))    # that is slow
            for extra in [[]] + [[name] for name in others] + [others]:
                given = {name: filler(route.document, name, fields[name]) for name in extra}
                status, _, answer = ask(*route.with_body(kind, fields, required, **given))
                tried.append((extra, status, answer[:200]))
            good = [extra for extra, status, _ in tried
                    if status < 422 or 422 < status < 500 or without_helper(status, route.name())]
            required += good[0] if good else []
            if not good:
                refused.append((route.name(), kind, tried))
    check(sum(len(r.bodies) for r in found) > 5 and not refused, "each route with a body takes a harmless one", refused)


def value_of(item, name):
    for step in name.split("."):
        item = item.get(step) if isinstance(item, dict) else None
    return item if isinstance(item, (str, int)) and not isinstance(item, bool) else None


def rows(answer):
    try:
        items = json.loads(answer)["items"]
        return sum(item.get("count", 1) > 0 for item in items)
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0


def controls(found):
    """Each list that has rows has filters that bring some and, with a value that nothing has, bring none."""
    blind, checked = [], 0
    for route in found:
        if route.method != "GET" or "{" in route.path:
            continue
        status, _, answer = ask("GET", route.path)
        if status != 200 or not rows(answer) or not any(p["name"] == "src_ip" for p in route.parameters):
            continue
        first, brought = json.loads(answer)["items"][0], 0
        for p in route.parameters:
            value = value_of(first, p["name"])
            if value is not None and p["name"] not in ORDER:
                status, _, answer = ask(*route.with_parameter(p["name"], "query", str(value)))
                brought += status == 200 and rows(answer) > 0
        checked += 1
        none = rows(ask("GET", route.path + "?src_ip=203.0.113.254")[2])
        if (not brought and not route.path.endswith(("/top", "/groups", "/histogram"))) or none:
            blind.append((route.name(), brought, none))
    check(checked > 5 and not blind, "harmless filters bring rows, or none, in %d lists" % checked, blind)


def without_helper(status, name):
    """An ordinary user has no helper that could ban: 503 says so."""
    return status == 503 and "/firewall/" in name and os.geteuid() != 0


class Verdict:
    def __init__(self):
        self.bad, self.slow, self.evil, self.wide, self.markup, self.sent = [], [], [], [], [], 0

    def judge(self, name, filters, text, answer, seconds):
        status, headers, body = answer
        where = (name, text[:40], status, body[:200])
        self.sent += 1
        if status >= 500 and not without_helper(status, name):
            self.bad.append(where)
        if seconds > 5:
            self.slow.append(where)
        if headers.get("X-Evil") or b"root:x:0" in body:
            self.evil.append(where)
        plain = any(PLAIN.fullmatch(value) for value in text.split(","))
        if name.endswith("?q") and status == 200:
            words = re.findall(r"[a-z0-9]{2,}", text.lower())
            events = [item for item in json.loads(body)["items"] if "timestamp" in item]
            if not all(word in json.dumps(item).lower() for item in events for word in words):
                self.wide.append(where)
        elif filters and not plain and status != 422 and rows(body):
            self.wide.append(where)
        if not headers.get("Content-Type", "application/json").startswith(("application/json", "text/plain")):
            self.markup.append(where)


def longest(kind):
    """As many characters as may be, of four bytes each: bounds count characters, and rooms have bytes."""
    most = re.search(r'"maxLength": (\d+)', kind)
    return ["\U0001f6a8" * int(most[1])] if most and int(most[1]) <= 4096 else []


def in_turns(all_targets, shared):
    """The strings for each target, for time: those of one name and kind share them, where many lists have that filter,
    and together get each. Of the shared ones few where each means a hash, a reload or a child process."""
    alike = [(name.rsplit(" ", 1)[1], kind) for name, _, _, kind in all_targets]
    groups, slow = collections.Counter(alike), os.environ.get("EC_SANITIZER", "none") != "none"
    nth = collections.Counter()
    for group, (name, _, _, _) in zip(alike, all_targets):
        step = 1 if ALL else (1 if groups[group] == 1 else 2 if groups[group] <= 8 else 8) * (2 if slow else 1)
        few = 1 if ALL or not HEAVY.search(name) else 4
        yield OWN[nth[group] % step::step] + shared[nth[group] % step::step * few] + longest(group[1])
        nth[group] += 1


def attack(found):
    v = Verdict()
    all_targets = [target for route in found for target in targets(route)]
    count = len(all_targets)
    if ALL:
        all_targets = representatives(all_targets)
    shared = strings(10000 if ALL else SHARED)
    for (name, filters, make, _), texts in zip(all_targets, in_turns(all_targets, shared)):
        for text in texts:
            method, path, body, form = make(text)
            if len(path) > 7000:
                continue
            start = time.monotonic()
            try:
                answer = ask(method, path, body, form)
            except (OSError, http.client.HTTPException) as e:
                v.bad.append((name, text[:40], repr(e)))
                continue
            v.judge(name, filters, text, answer, time.monotonic() - start)
    check(count > 100, "the document has parameters to attack (%d of %d, %d strings)"
          % (len(all_targets), count, len(OWN) + len(shared)))
    check(not v.bad, "%d requests, none with 5xx or without an answer" % v.sent, v.bad[:8])
    check(not v.slow, "none takes five seconds", v.slow[:8])
    check(not v.evil, "none injects a header or reads a file", v.evil[:8])
    check(not v.wide, "no filter with a hostile value brings a row", v.wide[:8])
    check(not v.markup, "no answer is HTML or anything else that a browser would run", v.markup[:8])


def methods_of(port, path):
    """What the router itself has for a path; None: no such path. Nobody asks, so that nothing is done."""
    for method in ("PUT", "DELETE", "PATCH", "POST", "GET"):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            c.request(method, re.sub(r"{\w+}", "1", path))
            r = c.getresponse()
            if r.status == 404:
                return None
            if r.status == 405:
                return set(r.getheader("Allow").replace(" ", "").split(",")) - {"HEAD", "OPTIONS"}
        finally:
            c.close()
    return {"PUT", "DELETE", "PATCH", "POST", "GET"}


def both_directions(port, document):
    """Routes and document say the same: each path of the document, and each that stands in a plugin, is asked for."""
    text = re.compile(rb"\0(/(?:api|healthz|readyz|metrics|openapi)[\w/{}.-]*)(?=\0)")
    paths = set(document["paths"])
    for plugin in glob.glob(os.environ["EC_PLUGINDIR"] + "/*.so"):
        with open(plugin, "rb") as f:
            paths |= {path.decode() for path in text.findall(f.read())}
    wrong = []
    for path in sorted(paths):
        if path.endswith((".js", ".css")):      # what the page of /api/docs loads
            continue
        said = {method.upper() for template, methods in document["paths"].items() for method in methods
                if template == path or re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)} or None
        has = methods_of(port, path)
        if said != has:
            wrong.append((path, said, has))
    check(len(paths) >= len(document["paths"]) > 40 and not wrong,
          "every route is in the document, with its methods, and the reverse (%d paths)" % len(paths), wrong)


def twice(document):
    """Operations that name a parameter twice, in the path and in the query: the server would take only one."""
    found = []
    for path, methods in document["paths"].items():
        for method, op in methods.items():
            names = [p["name"] for p in op.get("parameters", [])]
            found += [(method, path, name) for name in set(names) if names.count(name) > 1]
    return found


def own_network():
    """As root in a network namespace of its own, for the firewall that it may change belongs to one daemon only."""
    if os.geteuid() == 0 and "EC_OWN_NETWORK" not in os.environ:
        os.environ["EC_OWN_NETWORK"] = "yes"
        os.execvp("unshare", ["unshare", "--net", "sh", "-c", "ip link set lo up; exec \"$0\"", __file__])


def keep_capture():
    """A capture that rules can be tested on."""
    c = Local(API, timeout=20)
    with open(DATA + "/icmp-ping.pcap", "rb") as file:
        c.request("POST", "/api/packets/replay?run=false", file.read(), {"Content-Type": "application/octet-stream"})
    NAMED["replay"] = json.loads(c.getresponse().read())["id"]
    NAMED["rules"] = 'alert icmp any any -> any any (msg:"harmless"; sid:4711;)'
    c.close()


def main():
    own_network()
    port = free_port()
    with open("ecyber.yaml", "w", encoding="utf-8") as conf:
        conf.write("core:\n  state_dir: %s/state\n  control_socket: %s/control.sock\n" % (HERE, HERE))
        conf.write("http:\n  listen: 127.0.0.1:%d\n  socket: %s\n" % (port, API))
    with open("daemon.log", "w", encoding="utf-8") as log:
        daemon = subprocess.Popen([ECYBERD, "-c", "ecyber.yaml", "-r", DATA + "/sample.pcap", "--stay"], stdout=log,
                                  stderr=log)

    def alerts():
        try:
            return len(json.loads(ask("GET", "/api/ids/alerts?limit=1000")[2])["items"])
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return 0
    wait_for(lambda: alerts() >= 28)
    before = alerts()
    check(before, "the daemon has alerts", open("daemon.log", encoding="utf-8").read())
    keep_capture()
    document = json.loads(ask("GET", "/api/openapi.json")[2])
    client.contract = Contract(document, often=8) if jsonschema else None
    both_directions(port, document)
    check(not twice(document), "no parameter has the name of another", twice(document))
    found = list(routes(document))
    harmless(found)
    controls(found)
    attack(found)
    if jsonschema:
        check(client.contract.looked > 300 and not client.contract.wrong, "each answer is as the document says (%d bodies)"
              % client.contract.looked, "\n".join(map(str, client.contract.wrong[:20])))
    else:
        skip("answers", "python3-jsonschema is not here: they are not compared with the document")
    promtool(ask("GET", "/metrics")[2])
    check(alerts() == before, "afterwards it answers as before", (before, alerts()))
    check(daemon.poll() is None, "the same daemon", open("daemon.log", encoding="utf-8").read())
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(30) == 0, "and ends well", open("daemon.log", encoding="utf-8").read())
    plan()


main()
