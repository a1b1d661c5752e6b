#!/usr/bin/env python3
"""HTTPS: a certificate that ecyberctl makes, requests large and small, streams, a new certificate while connections are
open, and what is no TLS; pages of other origins."""
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time

count = 0


def check(good, what, detail=""):
    global count
    count += 1
    print("%sok %d - %s" % ("" if good else "not ", count, what), flush=True)
    if not good and detail:
        print("# %s" % str(detail)[:600])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


PORT, PLAIN = free_port(), free_port()


def trust(*names):
    context = ssl.create_default_context()
    for name in names:
        context.load_verify_locations(name)
    return context


def connect(context):
    s = context.wrap_socket(socket.create_connection(("127.0.0.1", PORT), 5), server_hostname="127.0.0.1")
    s.settimeout(10)
    return s


def answer(s):
    """Status, headers, body of the next reply."""
    f = s.makefile("rb")
    status = int(f.readline().split()[1])
    headers = {}
    while (line := f.readline()) not in (b"\r\n", b""):
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    return status, headers, f.read(int(headers.get("content-length", 0)))


def ask(s, method="GET", path="/healthz", headers="", body=b""):
    head = "%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n" % (method, path, headers, len(body))
    s.sendall(head.encode() + body)
    return answer(s)


def make(*names):
    return subprocess.run([os.environ["ECYBERCTL"], "tls", "self-signed", *names], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def certificates():
    made = make("127.0.0.1", "desk.example")
    check(made.returncode == 0 and b"SHA-256" in made.stdout, "a certificate is made", made.stdout)
    check(os.stat("key.pem").st_mode & 0o777 == 0o600, "its key is for its owner alone")
    made = make()
    check(made.returncode == 1 and b"exists" in made.stdout, "what is there is not overwritten", made.stdout)
    check(make("a,DNS:b").returncode == 2, "a name is a name")
    os.rename("cert.pem", "first.pem")
    os.rename("key.pem", "first.key")
    check(make("127.0.0.1").returncode == 0, "another one")
    os.rename("cert.pem", "second.pem")
    os.rename("key.pem", "second.key")
    put("first")


def put(which):
    for kind, suffix in (("cert.pem", ".pem"), ("key.pem", ".key")):
        with open(which + suffix, "rb") as source, open("new", "wb") as to:
            to.write(source.read())
        os.rename("new", kind)


def requests():
    with connect(trust("first.pem")) as s:
        check(s.version() in ("TLSv1.2", "TLSv1.3"), "TLS is spoken", s.version())
        status, headers, body = ask(s)
        check((status, body) == (200, b'{"status":"ok"}'), "a request is answered", body)
        check(headers.get("strict-transport-security") == "max-age=3600", "and says how long HTTPS is for", headers)
        whole = ask(s, path="/api/openapi.json")
        check(whole[0] == 200 and json.loads(whole[2])["openapi"], "a long reply arrives, on the same connection")
        check(ask(s, "POST", body=b"x" * 16000)[0] == 405, "so does a body")
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        check(answer(s)[0] == 200, "pipelined requests are answered")
    with connect(trust("first.pem")) as s:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
            s.sendall(bytes([byte]))
        check(answer(s)[0] == 200, "a request byte by byte too")
    with connect(trust("first.pem")) as s:
        s.sendall(b"GET /healthz HTTP/1.1\nHost: x\n\n")
        check(answer(s)[0] == 400, "what is malformed is refused in TLS as without")
    with connect(trust("first.pem")) as s:
        s.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        check(s.recv(100).startswith(b"HTTP/1.1 100 "), "100-continue is answered")
        s.sendall(b"abc")
        check(answer(s)[0] == 405, "then the request")
    context = trust("first.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with connect(context) as s:
        check(ask(s)[0] == 200 and s.version() == "TLSv1.2", "TLS 1.2 is spoken too")


def no_tls():
    for what in (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(500), b"\x16\x03\x01\xff\xff" + b"a" * 300):
        with socket.create_connection(("127.0.0.1", PORT), 5) as s:
            s.sendall(what)
            try:
                s.settimeout(5)
                while s.recv(1000):
                    pass
                closed = True
            except ConnectionError:
                closed = True
            except socket.timeout:
                closed = False
            check(closed, "what is no TLS is closed")
    silent = socket.create_connection(("127.0.0.1", PORT), 5)
    silent.settimeout(6)
    begin = time.monotonic()
    check(silent.recv(1) == b"" and time.monotonic() - begin < 5, "who says nothing has request_timeout")
    with connect(trust("first.pem")) as s:
        check(b"ecyber_http_tls_failed_total 3" in ask(s, path="/metrics")[2], "they are counted")


def redirected():
    """Plain HTTP has nothing but the place of HTTPS."""
    def plain(request):
        with socket.create_connection(("127.0.0.1", PLAIN), 5) as s:
            s.settimeout(5)
            s.sendall(request)
            return answer(s)
    for host in ("127.0.0.1", "desk.example", "[::1]"):
        status, headers, _ = plain(b"GET /api/docs?a=%%20b HTTP/1.1\r\nHost: %s:80\r\n\r\n" % host.encode())
        check(status == 308 and headers["location"] == "https://%s:%d/api/docs?a=%%20b" % (host, PORT) and
              "strict-transport-security" not in headers and headers["cache-control"] == "no-store",
              "plain HTTP at %s leads to HTTPS" % host, headers)
    status, headers, body = plain(b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b")
    check(status == 308 and b"access_token" not in body, "nobody logs in there", body)
    for host in (b"", b"a b", b"evil.example/x", b"user@evil.example", b"[::1", b"x?y"):
        status, headers, _ = plain(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
        check(status == 400 and "location" not in headers, "%r is no host" % host, headers)
    status, headers, _ = plain(b"OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: https://desk.example\r\n"
                               b"Access-Control-Request-Method: POST\r\n\r\n")
    check(status == 308, "a preflight is nothing else", status)


def renewal(log):
    old = connect(trust("first.pem"))
    check(ask(old)[0] == 200, "a connection is open")
    put("second")
    fresh = False
    for _ in range(60):
        try:
            with connect(trust("second.pem")) as s:
                fresh = ask(s)[0] == 200
            break
        except ssl.SSLError:
            time.sleep(0.5)
    check(fresh, "a new certificate is taken without a restart")
    check(ask(old)[0] == 200, "connections of before go on")
    old.close()
    with open("new", "w", encoding="utf-8") as out:
        out.write("nonsense\n")
    os.rename("new", "cert.pem")
    for _ in range(40):
        if b"stays the one that was read before" in open(log, "rb").read():
            break
        time.sleep(0.5)
    check(b"cert.pem: it is no certificate chain" in open(log, "rb").read(), "a broken one is a warning")
    with connect(trust("second.pem")) as s:
        check(ask(s)[0] == 200, "and the one before stays")


def origins():
    with connect(trust("first.pem")) as s:
        status, headers, _ = ask(s, "OPTIONS", "/api/ids/alerts", "Origin: https://desk.example\r\n"
                                 "Access-Control-Request-Method: POST\r\n"
                                 "Access-Control-Request-Headers: authorization\r\n")
        check(status == 204 and headers["access-control-allow-origin"] == "https://desk.example" and
              "POST" in headers["access-control-allow-methods"] and
              "Authorization" in headers["access-control-allow-headers"] and
              "access-control-allow-credentials" not in headers, "a preflight of a known origin is answered", headers)
        status, headers, _ = ask(s, headers="Origin: https://desk.example\r\n")
        check(status == 200 and headers["access-control-allow-origin"] == "https://desk.example" and
              headers["vary"] == "Origin", "its page may read replies", headers)
        status, headers, _ = ask(s, path="/nobody", headers="Origin: https://desk.example\r\n")
        check(status == 404 and "access-control-allow-origin" in headers, "errors too", headers)
        for origin in ("https://desk.example.evil", "http://desk.example", "null", "https://desk.example:444"):
            status, headers, _ = ask(s, headers="Origin: %s\r\n" % origin)
            check(status == 200 and "access-control-allow-origin" not in headers, "%s may not" % origin, headers)
        status, headers, _ = ask(s, "OPTIONS", "/healthz", "Origin: https://evil.example\r\n"
                                 "Access-Control-Request-Method: POST\r\n")
        check(status == 403 and "access-control-allow-origin" not in headers, "nor may its preflight", status)
        status, headers, _ = ask(s)
        check(all(headers.get(name) == value for name, value in (
            ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"), ("cache-control", "no-store"))) and
            "default-src 'none'" in headers["content-security-policy"], "each reply has its security headers", headers)


def sign(name, by=None):
    """A certificate of a client; without `by` it is an authority."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    openssl("req", "-x509" if not by else "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", name + ".key", "-out", name + (".csr" if by else ".pem"), "-subj", "/O=eCyber/CN=" + name)
    if by:
        openssl("x509", "-req", "-in", name + ".csr", "-CA", by + ".pem", "-CAkey", by + ".key", "-CAcreateserial",
                "-out", name + ".pem", "-days", "2")


def with_client(name=None):
    context = trust("second.pem")
    if name:
        context.load_cert_chain(name + ".pem", name + ".key")
    return context


def log_in(context):
    """Status of a failed log-in, 0: it was not answered."""
    try:
        with connect(context) as s:
            return ask(s, "POST", "/api/auth/login", "Content-Type: application/x-www-form-urlencoded\r\n",
                       b"username=nobody&password=wrong")[0]
    except OSError:
        return 0


def named():
    """The names of certificates in the audit log, the newest first."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect("named/a.sock")
        items = json.loads(ask(s, path="/api/system/audit?limit=50")[2])["items"]
    return [i["audit"].get("certificate") for i in items if i["audit"]["action"] == "login"]


def clients():
    """Clients with a certificate of their own."""
    sign("authority")
    sign("desk.example", "authority")
    sign("stranger")
    sign("thief", "stranger")
    refused("a file without authorities is refused", "  tls_cert: second.pem\n  tls_key: second.key\n"
            "  client_ca: second.key\n", "no certificates that can be read (http.client_ca)")
    refused("to insist on certificates needs authorities", "  client_cert: required\n", "needs http.client_ca")
    want = []                       # both daemons share a state folder
    for must in ("optional", "required"):
        os.makedirs("named", exist_ok=True)
        daemon = serve("named", "[http, auth, store]", "  tls_cert: second.pem\n  tls_key: second.key\n"
                       "  client_ca: authority.pem\n  client_cert: %s\n" % must)
        check(log_in(with_client("desk.example")) == 401, "%s: who shows a certificate has to log in as well" % must)
        check(log_in(with_client()) == (401 if must == "optional" else 0), "%s: one who shows none" % must)
        check(log_in(with_client("thief")) == 0, "%s: one of another authority is turned away" % must)
        want = (["desk.example"] if must == "required" else [None, "desk.example"]) + want
        for _ in range(100):
            if len(got := named()) >= len(want):
                break
            time.sleep(0.1)
        check(got == want, "%s: the audit log has the name" % must, got)
        daemon.send_signal(signal.SIGTERM)
        check(daemon.wait(20) == 0, "the daemon ends well")


def serve(folder, plugins, text):
    with open(folder + "/ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: %s\n  state_dir: state\n  control_socket: %s/%s/c.sock\n"
                  "http:\n  listen: 127.0.0.1:%d\n  socket: %s/%s/a.sock\n%s"
                  % (os.environ["EC_PLUGINDIR"], plugins, os.getcwd(), folder, PORT, os.getcwd(), folder,
                     text.replace(": second", ": ../second").replace(": auth", ": ../auth")))
    with open(folder + "/log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", folder + "/ecyber.yaml"], stdout=log, stderr=log)
    for _ in range(400):
        if os.path.exists(folder + "/a.sock"):
            break
        time.sleep(0.05)
    return daemon


def refused(name, text, want):
    with open("bad.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [http]\n  state_dir: bad\n  control_socket: %s/b.sock\n"
                  "http:\n%s" % (os.environ["EC_PLUGINDIR"], os.getcwd(), text))
    done = subprocess.run([os.environ["ECYBERD"], "--alone", "-c", "bad.yaml"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=20, check=False)
    check(done.returncode != 0 and want in done.stdout.decode(), name, done.stdout.decode()[-500:])


def main():
    certificates()
    refused("a certificate without a key is refused", "  tls_cert: first.pem\n", "http.tls_key is missing")
    refused("a key of another certificate too", "  listen: 127.0.0.1:%d\n  socket: %s/b2.sock\n  tls_cert: first.pem\n"
            "  tls_key: second.key\n" % (PORT, os.getcwd()), "second.key")
    refused("a redirection needs HTTPS", "  redirect: 127.0.0.1:%d\n" % PLAIN, "leads to HTTPS")
    refused("an origin is no page", "  cors_origins: [https://desk.example/page]\n", "is no origin")
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [http]\n  state_dir: state\n  control_socket: %s/c.sock\n"
                  "http:\n  listen: 127.0.0.1:%d\n  socket: %s/a.sock\n  tls_cert: cert.pem\n  tls_key: key.pem\n"
                  "  hsts: 1h\n  redirect: 127.0.0.1:%d\n  cors_origins: [https://desk.example]\n  request_timeout: 3s\n"
                  % (os.environ["EC_PLUGINDIR"], os.getcwd(), PORT, os.getcwd(), PLAIN))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "ecyber.yaml"], stdout=log, stderr=log)
    for _ in range(400):
        if os.path.exists("a.sock"):
            break
        time.sleep(0.05)
    requests()
    no_tls()
    origins()
    redirected()
    renewal("log")
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(20) == 0, "the daemon ends well")
    clients()
    print("1..%d" % count)


sys.exit(main())
