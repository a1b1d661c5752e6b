#!/usr/bin/env python3
"""Another password by mail, and registration, with real SMTP servers: STARTTLS, TLS from the first byte, without TLS, one
that asks who sends, one with a certificate of nobody, one that refuses, one that hangs, and none."""
import http.client
import json
import logging
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

from libtest import check, free_port, wait_for

PYTHON = "/usr/bin/python3"         # Debian's, which has Debian's packages
try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword
except ImportError:
    if sys.executable != PYTHON and os.path.exists(PYTHON):
        os.execv(PYTHON, [PYTHON, *sys.argv])
    print("SKIP: there is no python3-aiosmtpd")
    sys.exit(77)

HERE = os.getcwd()
PORT = free_port()
PAGE = "https://ecyber.example.org/"
SAID = {"message": "If an account has this e-mail address, a letter with the next step is on its way."}
BAD_TOKEN = {"detail": "Invalid or expired password reset token."}
ENVIRONMENT = dict(os.environ)


class Post:
    """What an SMTP server got; answers as told."""
    def __init__(self):
        self.letters, self.answers, self.tls = [], [], []

    async def handle_DATA(self, _server, session, envelope):
        if self.answers:
            return self.answers.pop(0)
        self.letters.append((envelope.mail_from, envelope.rcpt_tos, envelope.content.decode()))
        self.tls.append(session.ssl is not None)
        return "250 OK"


def certificate(name, file):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", file + ".key", "-out", file + ".pem"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file + ".pem", file + ".key")
    return context


def serve(post, **options):
    server = Controller(post, hostname="127.0.0.1", port=free_port(), **options)
    server.start()
    return server


def daemon(port=None, registration="closed", **smtp):
    lines = "auth:\n  hash_cost: 3\n  registration: %s\n  page_url: %s\n" % (registration, PAGE)
    if port:
        given = {"server": "127.0.0.1:%d" % port, "from": "ecyber@example.org", "ca_file": HERE + "/good.pem",
                 "timeout": "2s", "retry": "1s", **smtp}
        lines += "  smtp:\n" + "".join("    %s: %s\n" % pair for pair in given.items())
    with open("c.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [store, http, auth, eve]\n  state_dir: %s/state\n"
                  "  control_socket: %s/control.sock\nhttp:\n  listen: 127.0.0.1:%d\n  socket: %s/api.sock\n%s"
                  % (os.environ["EC_PLUGINDIR"], HERE, HERE, PORT, HERE, lines))
    with open("log", "a", encoding="utf-8") as log:
        run = subprocess.Popen([os.environ["ECYBERD"], "-c", "c.yaml"], stdout=log, stderr=log, env=ENVIRONMENT)

    def listens():
        with socket.socket() as probe:
            return run.poll() is not None or probe.connect_ex(("127.0.0.1", PORT)) == 0
    wait_for(listens)
    return run


def end(run):
    began = time.monotonic()
    run.send_signal(signal.SIGTERM)
    check(run.wait(30) == 0 and time.monotonic() - began < 8, "the daemon ends in order, and soon", time.monotonic() - began)


def ask(method, path, body=None, token=None, form=None, source="127.0.0.1"):
    headers = {"Authorization": "Bearer " + token} if token else {}
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body), "application/json"
    if form is not None:
        data, headers["Content-Type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
    link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20, source_address=(source, 0))
    link.request(method, path, data, headers)
    got = link.getresponse()
    text = got.read()
    link.close()
    return got.status, json.loads(text) if text else None


def me_by(key):
    link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    link.request("GET", "/api/auth/me", headers={"X-API-Key": key})
    got = link.getresponse().status
    link.close()
    return got


def login(name, password):
    return ask("POST", "/api/auth/login", form={"username": name, "password": password})


def request(email):
    return ask("POST", "/api/auth/password-recovery/request-token", {"email": email})


def reset(token, password):
    return ask("POST", "/api/auth/password-recovery/reset-password", {"token": token, "new_password": password})


def letter(post, n=0):
    wait_for(lambda: len(post.letters) > n)
    return post.letters[n] if len(post.letters) > n else ("", [], "")


def token_of(text):
    found = re.search(re.escape(PAGE) + r"#reset=(ecp_\d+_[0-9a-f]{64})\r\n", text)
    return found[1] if found else "none"


def logged(sentence):
    with open("log", encoding="utf-8") as log:
        return sentence in log.read()


def metric(name, token):
    return (ask("GET", "/api/system/stats", token=token)[1] or {}).get("metrics", {}).get("auth", {}).get(name)


def first_admin():
    with open("state/auth/first-password", encoding="utf-8") as file:
        password = file.read().strip()
    token = login("admin", password)[1]["access_token"]
    return ask("POST", "/api/auth/change-password", {"current_password": password, "new_password": "a lake of one's own"},
               token)[1]["access_token"]


def administrator():
    return login("admin", "a lake of one's own")[1]["access_token"]


def without_a_server():
    run = daemon()
    admin = first_admin()
    for name in ("anna", "berta", "coco", "dora", "emma"):
        code, got = ask("POST", "/api/users", {"username": name, "email": name + "@example.org", "password": "tree house 7",
                                               "must_change": False}, admin)
        check(code == 201, "a user " + name, got)
    check(ask("GET", "/api/auth/methods") == (200, {"registration": "closed", "recovery_by_mail": False}), "what is offered")
    check(request("anna@example.org") == (200, SAID) == request("nobody@example.org"), "without a mail server: the same answer")
    check(wait_for(lambda: logged("'ecyberctl users reset anna'")), "and the log says what an administrator does")
    code, got = ask("POST", "/api/auth/register", {"username": "x", "email": "x@example.org", "password": "tree house 7"})
    check(code == 403 and got["detail"].startswith("Registration is closed"), "registration is closed: 403", got)
    end(run)


def by_starttls(context):
    post = Post()
    server = serve(post, tls_context=context, require_starttls=True)
    run = daemon(server.port)
    check(ask("GET", "/api/auth/methods")[1]["recovery_by_mail"] is True, "recovery by mail is offered")
    old = login("anna", "tree house 7")[1]
    key = ask("POST", "/api/auth/apikeys", {"name": "probe"}, old["access_token"])[1]["key"]
    check(me_by(key) == 200, "with an API key")
    took = {}
    for email in ("nobody@example.org", "anna@example.org"):
        began = time.monotonic()
        check(request(email) == (200, SAID), "200 for %s" % email)
        took[email] = time.monotonic() - began
    check(max(took.values()) < 1, "neither waits for the letter", took)
    sender, to, text = letter(post)
    check(sender == "ecyber@example.org" and to == ["anna@example.org"] and post.tls == [True] and "\r\nSubject: " in text,
          "the letter comes by STARTTLS", text)
    token = token_of(text)
    check(token != "none", "with the address of the page and a token", text)
    for bad in ("", "x", token[:-1] + ("0" if token[-1] != "0" else "1"), token + "0", "ecp_9_" + "0" * 64, "\u2028" * 80):
        code, got = reset(bad, "river boat 9")
        check((code, got) == (400, BAD_TOKEN) or code == 422 and not bad, "no token: %r" % bad[:20], got)
    code, got = reset(token, "short")
    check(code == 422 and got["detail"][0]["loc"] == ["body", "new_password"], "a weak password: 422, and the token stays", got)
    code, got = reset(token, "river boat 9")
    check(code == 200 and got["message"], "another password by the token", got)
    check(login("anna", "river boat 9")[0] == 200 and login("anna", "tree house 7")[0] == 401, "it is taken, the old one is not")
    check(ask("GET", "/api/auth/me", token=old["access_token"])[0] == 401 and
          ask("POST", "/api/auth/refresh", {"refresh_token": old["refresh_token"]})[0] == 401, "all sessions have ended")
    check(me_by(key) == 401, "and the API key")
    check(reset(token, "river boat 10") == (400, BAD_TOKEN), "the token is good for one time")
    for _ in range(5):
        request("berta@example.org")
    check(wait_for(lambda: len(post.letters) == 4), "of five requests for one account three letters come", len(post.letters))
    kept = token_of(post.letters[3][2])
    code = [request("nobody%d@example.org" % i)[0] for i in range(3)]
    check(code == [200] * 3 and len(post.letters) == 4, "and none to who has no account")
    for bad in ({}, {"email": ""}, {"email": 1}, {"email": "x" * 255}, {"email": "a@b.org", "x": 1}):
        check(ask("POST", "/api/auth/password-recovery/request-token", bad)[0] == 422, "422 for %s" % str(bad)[:30])
    for email in ("anna@example.org\r\nRCPT TO:<eve@example.org>", "' OR 1=1 --", "anna@example.org\0", "%00", "*"):
        check(request(email)[0] in (200, 422), "nobody's: %r" % email)
    codes = [ask("POST", "/api/auth/password-recovery/request-token", {"email": "x@example.org"}, source="127.0.0.1")[0]
             for _ in range(3)]
    check(codes == [200] * 3 and len(post.letters) == 4, "none of them got a letter")
    end(run)
    run = daemon(server.port)
    check(reset(kept, "river boat 11")[0] == 200, "a token outlives a restart")
    end(run)
    server.stop()
    return token, kept


def other_servers(good):
    post = Post()
    server = serve(post, ssl_context=good)
    run = daemon(server.port, tls="tls")
    request("coco@example.org")
    check(token_of(letter(post)[2]) != "none", "TLS from the first byte")
    end(run)
    server.stop()
    post, asked = Post(), []

    def authenticate(_server, _session, _envelope, _mechanism, data):
        asked.append((data.login, data.password))
        return AuthResult(success=isinstance(data, LoginPassword) and data.password == b"mail secret")
    server = serve(post, tls_context=good, require_starttls=True, authenticator=authenticate, auth_required=True)
    with open("mail.password", "w", encoding="utf-8") as out:
        out.write("mail secret\n")
    os.chmod("mail.password", 0o600)
    run = daemon(server.port, user="ecyber", password_file=HERE + "/mail.password")
    request("coco@example.org")
    check(token_of(letter(post)[2]) != "none" and asked[-1:] == [(b"ecyber", b"mail secret")], "one that asks who sends", asked)
    end(run)
    server.stop()
    post = Post()
    server = serve(post)
    run = daemon(server.port, tls="none")
    request("coco@example.org")
    check(token_of(letter(post)[2]) != "none" and post.tls == [False], "one without TLS, where that is said")
    end(run)
    run = daemon(server.port)
    request("dora@example.org")
    check(wait_for(lambda: logged("a letter could not be sent and is tried again (attempt 1)")) and len(post.letters) == 1,
          "else no letter goes out without TLS")
    end(run)
    server.stop()


def broken_servers(evil):
    post = Post()
    server = serve(post, tls_context=evil, require_starttls=True)
    run = daemon(server.port)
    request("emma@example.org")
    check(wait_for(lambda: logged("SSL certificate problem")) and not post.letters, "no letter to a certificate of nobody")
    end(run)
    server.stop()
    post = Post()
    post.answers = ["451 try again later", "550 no such user"]
    server = serve(post)
    run = daemon(server.port, tls="none")
    admin = administrator()
    check(request("emma@example.org") == (200, SAID), "a server that refuses: the same answer")
    check(wait_for(lambda: logged("was given up after 2 attempts: the mail server answered 550")), "451 is tried again, 550 not")
    check(wait_for(lambda: metric("mails_again", admin) == 1 and metric("mails_failed", admin) == 1), "and both are counted",
          [metric("mails_again", admin), metric("mails_failed", admin)])
    request("emma@example.org")
    check(token_of(letter(post)[2]) != "none" and wait_for(lambda: metric("mails", admin) == 1), "the next one is sent")
    end(run)
    server.stop()
    hung = socket.create_server(("127.0.0.1", 0))
    run = daemon(hung.getsockname()[1], tls="none", timeout="60s")
    began = time.monotonic()
    check(request("emma@example.org") == (200, SAID) and time.monotonic() - began < 1, "a server that hangs keeps nobody waiting")
    time.sleep(0.5)
    end(run)
    hung.close()
    check(logged("1 letters were not sent any more"), "what was under way is over, and counted")
    run = daemon(free_port(), tls="none")
    check(request("emma@example.org") == (200, SAID) and
          wait_for(lambda: logged("Connection refused") or logged("connect to")), "nobody listens: the log says so")
    end(run)


def registration():
    body = {"username": "fritz", "email": "fritz@example.org", "password": "tree house 7", "full_name": "Fritz F."}
    run = daemon(registration="approval")
    code, got = ask("POST", "/api/auth/register", body)
    check(code == 201 and got["is_active"] is False and got["roles"] == ["viewer"] and got["is_superuser"] is False and
          got["is_two_factor_enabled"] is False and "password" not in str(got).replace("must_change", ""), "one registers", got)
    check(login("fritz", "tree house 7")[0] == 401, "and waits for an administrator")
    for change, want in (({"email": "f2@example.org"}, (400, "Username already taken")),
                         ({"username": "fritz2", "email": "FRITZ@example.org"}, (400, "Email already registered"))):
        code, got = ask("POST", "/api/auth/register", {**body, **change})
        check((code, got["detail"]) == want, want[1], got)
    for change, where in (({"username": "a b"}, "username"), ({"email": "x"}, "email"), ({"password": "short"}, "password"),
                          ({"email": "a@b.org\r\nX: y"}, "email"), ({"roles": ["admin"]}, "roles"), ({"is_active": True},
                          "is_active"), ({"username": None}, "username"), ({"full_name": "x" * 200}, "full_name")):
        code, got = ask("POST", "/api/auth/register", {**body, "username": "gustav", "email": "g@example.org", **change})
        check(code == 422 and got["detail"][0]["loc"][1] == where, "422 for %s" % change, got)
    admin = administrator()
    ident = [u["id"] for u in ask("GET", "/api/users", token=admin)[1]["items"] if u["username"] == "fritz"][0]
    check(ask("PATCH", "/api/users/%d" % ident, {"is_active": True}, admin)[0] == 200 and
          login("fritz", "tree house 7")[0] == 200, "who lets him in")
    end(run)
    run = daemon(registration="open")
    code, got = ask("POST", "/api/auth/register", {**body, "username": "gustav", "email": "g@example.org"})
    check(code == 201 and got["is_active"] and login("gustav", "tree house 7")[0] == 200, "open: at once", got)
    codes = [ask("POST", "/api/auth/register", {**body, "username": "h%d" % i, "email": "nothing"})[0] for i in range(3)]
    check(codes == [422] * 3, "none of whom no address is known", codes)
    end(run)


def refused():
    for lines, sentence in (("smtp: {server: 'a b', from: a@b.org}", "is no HOST or HOST:PORT"),
                            ("smtp: {server: mail.example.org}", "auth.smtp.from has to be"),
                            ("smtp: {server: h, from: 'a@b.org>'}", "auth.smtp.from has to be"),
                            ("smtp: {server: h, from: a@b.org, tls: none, user: x}", "a password is not sent without TLS"),
                            ("smtp: {server: h, from: a@b.org, user: x, password_file: /nowhere}", "/nowhere: No such file"),
                            ("page_url: 'javascript:alert(1)'", "is no address of a page"),
                            ("registration: yes", "registration")):
        with open("bad.yaml", "w", encoding="utf-8") as out:
            out.write("core:\n  plugin_dirs: [%s]\n  plugins: [store, http, auth]\n  state_dir: %s/bad\nauth:\n  %s\n"
                      % (os.environ["EC_PLUGINDIR"], HERE, lines))
        done = subprocess.run([os.environ["ECYBERD"], "-T", "-c", "bad.yaml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=30, check=False)
        check(done.returncode == 6 and sentence in done.stdout, "refused: " + lines, done.stdout)


def nothing_leaked(tokens):
    with open("log", encoding="utf-8") as log, open("state/eve/eve.json", encoding="utf-8") as events:
        text, lines = log.read(), events.read().splitlines()
    audit = {(a["action"], a["outcome"], a["actor"]) for a in (json.loads(line)["audit"] for line in lines
                                                               if json.loads(line)["event_type"] == "audit")}
    check({("password.recover", "success", "anna"), ("password.recover", "denied", ""), ("password.recover", "denied", "berta"),
           ("password.recover", "failure", "anna"), ("user.register", "success", "fritz")} <= audit, "the audit log has it all",
          sorted(audit))
    text += "\n".join(lines)
    check(not [s for s in (*tokens, "#reset", "tree house 7", "river boat", "mail secret") if s in text],
          "no token and no password stands in the log or in an event")
    stored = b"".join(open(os.path.join(folder, name), "rb").read() for folder, _, names in os.walk("state") for name in names)
    check(not [t for t in tokens if t.split("_")[2].encode() in stored], "nor in the store")


logging.disable(logging.CRITICAL)      # what the servers say of a handshake that is to fail
good, evil = certificate("good", "good"), certificate("evil", "evil")
without_a_server()
tokens = by_starttls(good)
other_servers(good)
broken_servers(evil)
registration()
refused()
nothing_leaked(tokens)
