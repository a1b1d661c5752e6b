#!/usr/bin/env python3
"""Log-in, tokens, users and roles with the real daemon: its HTTP server, its store, and ecyberctl over the Unix socket."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse

from libtest import check, free_port

SECRET = "q8Zr4LmXv1Ty7Ui0Op3AsDf6GhJk9ZxCv2Bn5Mw"
# of P-256, made for this test alone
KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/IrHO+5QBEzv8o6s
QEkfOPmdwvPqw2kgDR8aoy9FavmhRANCAATwYe4RzMx1c1nudV50ZTv1swVRllBA
vJvo8RU3jSNEbM2D6eqxBI0oB1uWL8YCE3DbOGq1J80i9VLYR/SBbQ/8
-----END PRIVATE KEY-----
"""
IMPORTED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
HERE = os.getcwd()
CHOSEN = "a lake of one's own"
ONE_TIME = HERE + "/state/auth/first-password"


PORT = free_port()


def configure(extra=""):
    with open("c.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  plugins: [store, http, auth, eve]\n  state_dir: %s/state\n"
                  "  control_socket: %s/control.sock\nhttp:\n  listen: 127.0.0.1:%d\n  socket: %s/api.sock\n%s"
                  % (os.environ["EC_PLUGINDIR"], HERE, HERE, PORT, HERE, extra))


def daemon(**env):
    with open("log", "a", encoding="utf-8") as log:
        run = subprocess.Popen([os.environ["ECYBERD"], "-c", "c.yaml"], stdout=log, stderr=log, env={**os.environ, **env})
    for _ in range(200):
        if run.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", PORT), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    return run


def end(run):
    run.send_signal(signal.SIGTERM)
    return run.wait(30)


def ask(method, path, token=None, body=None, form=None, headers=(), source="127.0.0.1"):
    """Status, the JSON of the answer, its headers."""
    given = dict(headers)
    data = None
    if token is not None:
        given["Authorization"] = "Bearer " + token
    if body is not None:
        data, given["Content-Type"] = json.dumps(body), "application/json"
    if form is not None:
        data, given["Content-Type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
    link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20, source_address=(source, 0))
    try:
        link.request(method, path, data, given)
        got = link.getresponse()
        text = got.read()
    except (ConnectionError, http.client.HTTPException) as e:
        return 0, str(e), {}
    finally:
        link.close()
    try:
        return got.status, json.loads(text) if text else None, got.headers
    except ValueError:
        return got.status, text, got.headers


def login(name, password, source="127.0.0.1"):
    return ask("POST", "/api/auth/login", form={"username": name, "password": password}, source=source)


def token_of(name, password):
    code, got, _ = login(name, password)
    return got["access_token"] if code == 200 else "(no token: %d)" % code


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(payload, head=None, key=SECRET.encode(), method=hashlib.sha256):
    """A token by nothing but the standard library."""
    text = b64(json.dumps(head or {"alg": "HS256", "typ": "JWT"}).encode()) + "."
    text += b64(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    return text + "." + b64(hmac.new(key, text.encode(), method).digest())


def first_log_in():
    mode = os.stat(ONE_TIME).st_mode & 0o7777
    check(mode == 0o600, "the one-time password stands in a file of mode 0600", oct(mode))
    with open("log", encoding="utf-8") as log:
        check(ONE_TIME in log.read(), "the log names the file")
    with open(ONE_TIME, encoding="utf-8") as file:
        password = file.read().strip()
    code, got, _ = ask("GET", "/api/auth/me")
    check(code == 401 and got == {"detail": "Not authenticated"}, "without a token: 401", got)
    code, got, headers = ask("POST", "/api/auth/login", form={"username": "admin", "password": "wrong"})
    check(code == 401 and got == {"detail": "Incorrect username or password"} and headers["WWW-Authenticate"] == "Bearer",
          "a wrong password: 401 as FastAPI has it", got)
    # what Swagger's button sends
    code, got, headers = ask("POST", "/api/auth/login", form={"grant_type": "password", "username": "admin",
                                                              "password": password, "scope": "", "client_id": "",
                                                              "client_secret": ""},
                             headers={"Authorization": "Basic Og=="})
    check(code == 200 and got["token_type"] == "bearer" and got["must_change"] is True, "the one-time password logs in", got)
    check(not os.path.exists(ONE_TIME), "its file is gone")
    code, me, _ = ask("GET", "/api/auth/me", got["access_token"])
    check(code == 200 and me["username"] == "admin" and me["roles"] == ["admin"] and me["is_superuser"] is True and
          "password" not in me, "me", me)
    code, again, _ = ask("POST", "/api/auth/login", body={"username": "admin", "password": password})
    check(code == 401 and again == {"detail": "Incorrect username or password"}, "it logs in once", again)
    return choose_first(got["access_token"], password), password


def choose_first(token, password):
    """With a password that somebody else knows nothing is open but to choose another."""
    user = {"username": "backdoor", "password": "tree house 7", "roles": ["admin"]}
    for method, path, body in (("POST", "/api/users", user), ("GET", "/api/users", None), ("GET", "/api/system/info", None),
                               ("GET", "/api/events", None), ("GET", "/api/network/events/stream", None),
                               ("POST", "/api/auth/logout-all", None)):
        code, got, _ = ask(method, path, token, body)
        check(code == 403 and "password has to be changed first" in str(got), "with the one-time password 403: %s %s"
              % (method, path), "%s %s" % (code, got))
    code, got, _ = ask("GET", "/healthz", token)
    check(code == 200, "what is public stays so", got)
    code, got, _ = ask("POST", "/api/auth/change-password", token, {"current_password": password, "new_password": CHOSEN})
    check(code == 200 and got["must_change"] is False, "another one is chosen", got)
    check(ask("GET", "/api/users", token)[0] == 401, "the token of the one-time password ends")
    code, users, _ = ask("GET", "/api/users", got["access_token"])
    check(code == 200 and [u["username"] for u in users["items"]] == ["admin"], "the new one is taken, no user was made", users)
    return got["access_token"]


def verify_by_others(token):
    head, payload, signature = token.split(".")
    want = hmac.new(SECRET.encode(), (head + "." + payload).encode(), hashlib.sha256).digest()
    check(hmac.compare_digest(want, unb64(signature)), "the signature is HMAC-SHA256 of the configured secret")
    claims = json.loads(unb64(payload))
    check(json.loads(unb64(head)) == {"alg": "HS256", "typ": "JWT"} and claims["sub"] == "admin" and
          claims["exp"] - claims["iat"] == 1800 and abs(claims["iat"] - time.time()) < 60, "its claims", claims)
    code, got, _ = ask("GET", "/api/auth/me", signed(claims))
    check(code == 200, "a token that the standard library signed with the secret is taken", got)
    return claims


def tampered(token, claims):
    head, payload, signature = token.split(".")
    none = b64(b'{"alg":"none","typ":"JWT"}')
    now = int(time.time())
    cases = {
        "none": none + "." + payload + ".",
        "none with a signature": none + "." + payload + "." + signature,
        "None": b64(b'{"alg":"None","typ":"JWT"}') + "." + payload + ".",
        "nOnE": b64(b'{"alg":"nOnE"}') + "." + payload + "." + signature,
        "HS512 with the right key": signed(claims, {"alg": "HS512", "typ": "JWT"}, method=hashlib.sha512),
        "RS256 in the header, HMAC inside": signed(claims, {"alg": "RS256", "typ": "JWT"}),
        "a public key's text as the key": signed(claims, key=b"-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0B\n"),
        "another key": signed(claims, key=b"another key that has more than 32 bytes"),
        "an empty key": signed(claims, key=b""),
        "no exp": signed({k: v for k, v in claims.items() if k != "exp"}),
        "exp as a string": signed({**claims, "exp": str(claims["exp"])}),
        "exp as a float": signed({**claims, "exp": claims["exp"] + 0.5}),
        "exp in the past": signed({**claims, "exp": now - 1}),
        "exp negative": signed({**claims, "exp": -1}),
        "exp huge": signed({**claims, "exp": 2 ** 62}),
        "exp beyond every integer": signed({**claims, "exp": 2 ** 80}),
        "nbf in the future": signed({**claims, "nbf": now + 3600}),
        "another user's name": signed({**claims, "sub": "root"}),
        "another user's number": signed({**claims, "uid": claims["uid"] + 1}),
        "another stamp": signed({**claims, "ver": claims["ver"] ^ 1}),
        "crit": signed(claims, {"alg": "HS256", "typ": "JWT", "crit": ["x"]}),
        "cut by one": token[:-1],
        "cut in half": token[:len(token) // 2],
        "no signature": head + "." + payload + ".",
        "two parts": head + "." + payload,
        "four parts": token + ".e30",
        "doubled dots": head + ".." + payload + "." + signature,
        "padding": token + "=",
        "something behind it": token + "x",
        "a payload that was changed": head + "." + b64(json.dumps({**claims, "sub": "eve"}).encode()) + "." + signature,
        "a NUL in a claim": signed(json.dumps({**claims, "sub": "admin\0"}).encode()),
        "no JSON": signed(b"\xff\xfe"),
        "9 KiB": token + "A" * 9000,
        "empty": "",
    }
    for what, forged in cases.items():
        code, got, headers = ask("GET", "/api/auth/me", forged)
        check(code == 401 and headers["WWW-Authenticate"] == "Bearer", "%s: 401" % what, "%s %s" % (code, got))
    code, got, _ = ask("GET", "/api/auth/me", token + "A" * (2 << 20))
    check(code in (0, 400, 401, 413, 431), "2 MB: refused", "%s %s" % (code, got))
    code, got, _ = ask("GET", "/api/auth/me", token)
    check(code == 200, "and the true one is still good", got)


# Written by hand, not taken from the document: who may call what. 0: nobody needs to be logged in.
TABLE = {
    ("GET", "/api/auth/me"): "admin operator analyst viewer sensor",
    ("GET", "/api/auth/sessions"): "admin operator analyst viewer sensor",
    ("DELETE", "/api/auth/sessions/1"): "admin operator analyst viewer sensor",
    ("GET", "/api/users/1/sessions"): "admin",
    ("DELETE", "/api/users/999999/sessions"): "admin",
    ("GET", "/api/users"): "admin",
    ("POST", "/api/users"): "admin",
    ("GET", "/api/users/1"): "admin",
    ("PATCH", "/api/users/1"): "admin",
    ("DELETE", "/api/users/999999"): "admin",
    ("GET", "/api/users/summary"): "admin",
    ("PUT", "/api/users/999999"): "admin",
    ("PUT", "/api/users/999999/roles"): "admin",
    ("POST", "/api/users/999999/disable"): "admin",
    ("POST", "/api/users/999999/reset-password"): "admin", ("GET", "/api/users/999999/apikeys"): "admin",
    ("GET", "/api/system/audit"): "admin",
}


def roles(admin):
    tokens = {}
    for role in ("admin", "operator", "analyst", "viewer", "sensor"):
        code, got, _ = ask("POST", "/api/users", admin, {"username": "the." + role, "password": "tree house 7", "roles": [role],
                                                         "must_change": False})
        check(code == 201 and got["roles"] == [role], "a user with the role " + role, got)
        tokens[role] = token_of("the." + role, "tree house 7")
    bad = []
    for (method, path), may in TABLE.items():
        body = {"password": "river boat 9"} if "reset" in path else {"full_name": "A"} if method in ("PATCH", "PUT") and "roles" not in path else \
            {"roles": ["viewer"]} if "roles" in path else None if "disable" in path else {"username": "x"} if method == "POST" else None
        code, _, _ = ask(method, path, None, body)
        if code != 401:
            bad.append("%s %s without a token: %d" % (method, path, code))
        for role, token in tokens.items():
            code, _, _ = ask(method, path, token, body)
            if (code == 403) != (role not in may.split()) or code == 401 or code >= 500 and "audit" not in path:
                bad.append("%s %s as %s: %d" % (method, path, role, code))
    check(not bad, "%d routes as 5 roles and nobody: as the table says" % len(TABLE), "\n".join(bad))
    return tokens


def changing(viewer, admin):
    """PUT, roles, disable, with versions."""
    code, got, headers = ask("GET", viewer, admin)
    etag = headers["ETag"]
    check(code == 200 and etag and ask("GET", viewer, admin, headers={"If-None-Match": etag})[0] == 304, "a user has a version", got)
    code, got, headers = ask("PUT", viewer, admin, {"email": "v.i@example.org", "password": "river boat 9"},
                             headers={"If-Match": etag})
    check(code == 200 and got["email"] == "v.i@example.org" and got["full_name"] == "V. Iewer" and headers["ETag"] != etag,
          "PUT changes what it says", got)
    for method, path, body in (("PUT", viewer, {"full_name": "X"}), ("PUT", viewer + "/roles", {"roles": ["admin"]}),
                               ("POST", viewer + "/disable", None), ("DELETE", viewer, None)):
        code, got, _ = ask(method, path, admin, body, headers={"If-Match": etag})
        check(code == 412, "of an older version 412: %s %s" % (method, path), got)
    code, got, _ = ask("PATCH", viewer, admin, {"is_active": True})
    check(code == 200 and login("the.viewer", "river boat 9")[0] == 200, "let in again, with the new password", got)
    code, got, _ = ask("PUT", viewer + "/roles", admin, {"roles": ["sensor", "viewer"]})
    check(code == 200 and got["roles"] == ["viewer", "sensor"], "other roles", got)
    for body, want in (({}, 422), ({"roles": ["root"]}, 422), ({"roles": "admin"}, 422), ({"roles": ["viewer"], "x": 1}, 422)):
        check(ask("PUT", viewer + "/roles", admin, body)[0] == want, "%d for %s" % (want, body))
    for email in ("x", "a@b\r\nRCPT TO:<c@d>", "<a@b.org>", "a@b@c", "\u00e4@b.org"):
        code, got, _ = ask("PUT", viewer, admin, {"email": email})
        check(code == 422 and got["detail"][0]["loc"] == ["body", "email"], "no e-mail address: %r" % email, got)
    fresh = token_of("the.viewer", "river boat 9")
    code, got, _ = ask("POST", viewer + "/disable", admin)
    check(code == 200 and got["is_active"] is False and ask("GET", "/api/auth/me", fresh)[0] == 401 and
          login("the.viewer", "river boat 9")[0] == 401, "disabled", got)
    code, got, _ = ask("GET", "/api/users/summary", admin)
    check(code == 200 and got["total_users"] == got["admin_users"] + got["standard_users"] == got["active_users"] + 1 and
          got["disabled_users"] == 1 and got["roles"]["sensor"] == 2, "how many there are", got)


def users(admin, tokens):
    code, got, _ = ask("GET", "/api/users?limit=2", admin)
    check(code == 200 and len(got["items"]) == 2 and got["total"] == 6 and got["next_cursor"], "a page of users", got)
    ids = {u["username"]: u["id"] for u in ask("GET", "/api/users", admin)[1]["items"]}
    for body, want, where in (({"username": "the.viewer", "password": "tree house 7"}, 409, None),
                              ({"username": "no spaces here", "password": "tree house 7"}, 422, "username"),
                              ({"username": "x", "password": "short"}, 422, "password"),
                              ({"username": "x"}, 422, "password"),
                              ({"username": "x", "password": "tree house 7", "roles": ["root"]}, 422, "roles"),
                              ({"username": "x", "password": "tree house 7", "is_superuser": True}, 422, "is_superuser"),
                              ({"username": "x" * 64, "password": "tree house 7"}, 422, "username")):
        code, got, _ = ask("POST", "/api/users", admin, body)
        check(code == want and (not where or where in got["detail"][0]["loc"]), "%d for %s" % (want, json.dumps(body)[:50]), got)
    viewer = "/api/users/%d" % ids["the.viewer"]
    code, got, _ = ask("PATCH", viewer, admin, {"full_name": "V. Iewer", "email": "v@example.org"})
    check(code == 200 and got["full_name"] == "V. Iewer" and got["roles"] == ["viewer"], "a change of the name", got)
    check(ask("GET", "/api/auth/me", tokens["viewer"])[0] == 200, "leaves the tokens")
    ask("PATCH", viewer, admin, {"roles": ["analyst"]})
    check(ask("GET", "/api/auth/me", tokens["viewer"])[0] == 401, "another role ends them")
    fresh = token_of("the.viewer", "tree house 7")
    ask("PATCH", viewer, admin, {"is_active": False})
    check(ask("GET", "/api/auth/me", fresh)[0] == 401 and login("the.viewer", "tree house 7")[0] == 401,
          "a disabled user's tokens and password are of no use")
    code, got, _ = ask("POST", "/api/users", admin, {"username": "the.viewer2", "password": "tree house 7", "must_change": False})
    check(code == 201 and got["roles"] == ["viewer"], "a viewer where nothing is said", got)
    changing(viewer, admin)
    check(ask("DELETE", viewer, admin)[0] == 204 and ask("GET", viewer, admin)[0] == 404, "a removed user is gone")
    sensor = tokens["sensor"]
    code, got, _ = ask("POST", "/api/auth/change-password", sensor, {"current_password": "tree house 7",
                                                                     "new_password": "river boat 9"})
    check(code == 200 and ask("GET", "/api/auth/me", got["access_token"])[0] == 200 and
          ask("GET", "/api/auth/me", sensor)[0] == 401, "another password ends older tokens and gives a new one", got)
    john = "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"
    code, got, _ = ask("POST", "/api/users", admin, {"username": "john", "password_hash": john})
    check(code == 201 and login("john", "U*U*U")[0] == 200 and login("john", "U*U*U")[0] == 200,
          "a bcrypt hash that was brought along is verified, and after it was made anew as well", got)


def last_administrator(admin, tokens):
    ids = {u["username"]: u["id"] for u in ask("GET", "/api/users", admin)[1]["items"]}
    check(ask("DELETE", "/api/users/%d" % ids["the.admin"], admin)[0] == 204, "one of two administrators may go")
    for method, body, more in (("DELETE", None, ""), ("PATCH", {"roles": ["viewer"]}, ""), ("PATCH", {"is_active": False}, ""),
                               ("PUT", {"is_active": False}, ""), ("PUT", {"roles": []}, "/roles"), ("POST", None, "/disable")):
        code, got, _ = ask(method, "/api/users/%d%s" % (ids["admin"], more), admin, body)
        check(code == 409, "the last one stays: %s %s" % (method, body or ""), got)
    check(ask("GET", "/api/auth/me", tokens["admin"])[0] == 401, "and the other's token is of no use")


def refresh(text, **more):
    return ask("POST", "/api/auth/refresh", form={"refresh_token": text, **more})


def sessions(admin):
    _, first, _ = login("the.viewer2", "tree house 7")
    check(first["refresh_token"].startswith("ecr_") and first["refresh_expires_in"] == 30 * 86400, "a log-in gives a refresh token", first)
    code, second, _ = refresh(first["refresh_token"], grant_type="refresh_token")
    check(code == 200 and second["refresh_token"] != first["refresh_token"] and second["expires_in"] == 1800,
          "another pair for it", second)
    code, got, _ = ask("POST", "/api/auth/refresh", body={"refresh_token": second["refresh_token"]})
    third = got
    check(code == 200 and ask("GET", "/api/auth/me", third["access_token"])[0] == 200, "and another, by JSON", got)
    code, got, _ = ask("GET", "/api/auth/sessions", third["access_token"], headers={"User-Agent": "x"})
    check(code == 200 and got["total"] == 1 and got["items"][0]["is_current"] and got["items"][0]["address"] == "127.0.0.1",
          "one session all the while", got)
    code, got, headers = refresh(second["refresh_token"])
    check(code == 401 and got == {"detail": "Could not validate credentials"} and headers["WWW-Authenticate"] == "Bearer",
          "an old refresh token: 401", got)
    check(refresh(third["refresh_token"])[0] == 401 and ask("GET", "/api/auth/me", third["access_token"])[0] == 401 and
          ask("GET", "/api/auth/me", first["access_token"])[0] == 401, "and the whole session has ended with it")
    _, one, _ = login("the.viewer2", "tree house 7")
    _, two, _ = login("the.viewer2", "tree house 7", source="127.0.0.9")
    code, got, _ = ask("GET", "/api/auth/sessions", one["access_token"])
    there = {s["address"]: s["id"] for s in got["items"]}
    check(code == 200 and set(there) == {"127.0.0.1", "127.0.0.9"}, "two sessions are listed, with their addresses", got)
    check(ask("DELETE", "/api/auth/sessions/%d" % there["127.0.0.9"], one["access_token"])[0] == 204 and
          ask("GET", "/api/auth/me", two["access_token"])[0] == 401 and refresh(two["refresh_token"])[0] == 401 and
          ask("GET", "/api/auth/me", one["access_token"])[0] == 200, "one of them is ended by its user")
    check(ask("POST", "/api/auth/logout", one["access_token"])[0] == 204 and
          ask("GET", "/api/auth/me", one["access_token"])[0] == 401 and refresh(one["refresh_token"])[0] == 401,
          "logging out ends the other")
    _, kept, _ = login("the.viewer2", "tree house 7")
    ident = {u["username"]: u["id"] for u in ask("GET", "/api/users", admin)[1]["items"]}["the.viewer2"]
    code, got, _ = ask("GET", "/api/users/%d/sessions" % ident, admin)
    check(code == 200 and got["total"] == 1, "an administrator sees those of a user", got)
    code, got, _ = ask("PATCH", "/api/auth/me", kept["access_token"], {"email": "v2@example.org"})
    check(code == 200 and got["email"] == "v2@example.org" and got["roles"] == ["viewer"], "a user changes his address", got)
    code, got, _ = ask("PATCH", "/api/auth/me", kept["access_token"], {"roles": ["admin"]})
    check(code == 422 and ask("GET", "/api/auth/me", kept["access_token"])[1]["roles"] == ["viewer"], "and not his roles", got)
    race, threads = [], []
    for _ in range(8):
        threads.append(threading.Thread(target=lambda: race.append(refresh(kept["refresh_token"])[0])))
        threads[-1].start()
    for thread in threads:
        thread.join()
    check(sorted(race) == [200] + [401] * 7, "of eight that show one refresh token at once, one gets another", race)
    _, last, _ = login("the.viewer2", "tree house 7")
    check(ask("DELETE", "/api/users/%d/sessions" % ident, admin)[0] == 204 and refresh(last["refresh_token"])[0] == 401,
          "and an administrator ends them all")
    for what in ("", "x", "ecr_1_2_3", "ecr_" + "9" * 100, "\u2028" * 20, "a" * 1024):
        code, got, _ = ask("POST", "/api/auth/refresh", body={"refresh_token": what})
        check(code == 401, "no refresh token: 401 for %r" % what[:20], got)
    return login("the.viewer2", "tree house 7")[1]


def taken_back(admin):
    """Whoever had another's account keeps no key of it."""
    _, user, _ = ask("POST", "/api/users", admin, {"username": "stolen", "email": "stolen@example.org",
                                                   "password": "tree house 7", "must_change": False})
    _, made, _ = ask("POST", "/api/auth/apikeys", token_of("stolen", "tree house 7"), {"name": "thief's"})
    key, path = {"X-API-Key": made["key"]}, "/api/users/%d" % user["id"]
    check(ask("GET", "/api/auth/me", headers=key)[0] == 200, "a key of an account that is to be taken back")
    code, got, _ = ask("GET", path + "/apikeys", admin)
    check(code == 200 and got["total"] == 1 and got["items"][0]["name"] == "thief's" and "key" not in got["items"][0],
          "administrators see it", got)
    check(ask("GET", "/api/users/999999/apikeys", admin)[0] == 404, "nobody's keys: 404")
    check(ask("POST", path + "/reset-password", admin, {"password": "river boat 9"})[0] == 204 and
          ask("GET", "/api/auth/me", headers=key)[0] == 401 and ask("GET", path + "/apikeys", admin)[1]["total"] == 0,
          "another password by an administrator ends it")


def api_keys(admin, kept):
    """A program with a key: its user, with no more than the key's roles."""
    token = token_of("the.operator", "tree house 7")
    code, got, _ = ask("POST", "/api/auth/apikeys", token, {"name": "probe", "roles": ["admin"]})
    check(code == 422 and got["detail"][0]["loc"] == ["body", "roles"], "a key has no role that its user has not", got)
    longest = "\U0001f511" * 64
    code, made, _ = ask("POST", "/api/auth/apikeys", token, {"name": longest})
    check(code == 201 and made["name"] == longest and
          ask("POST", "/api/auth/apikeys", token, {"name": longest + "x"})[0] == 422, "the longest name is kept whole", made)
    ask("DELETE", "/api/auth/apikeys/%d" % made["id"], token)
    code, me, _ = ask("PATCH", "/api/auth/me", token, {"full_name": "\U0001f511" * 128})
    check(code == 200 and me["full_name"] == "\U0001f511" * 128, "so is the longest full name", me)
    code, made, headers = ask("POST", "/api/auth/apikeys", token, {"name": "probe \u00e4", "expires_in_days": 1})
    check(code == 201 and made["roles"] == ["operator"] and made["key"].startswith("eck_") and
          headers["Cache-Control"] == "no-store", "a key is made, and shown", made)
    key = {"X-API-Key": made["key"]}
    code, me, _ = ask("GET", "/api/auth/me", headers=key)
    check(code == 200 and me["username"] == "the.operator", "it says who asks", me)
    check(ask("GET", "/api/users", headers=key)[0] == 403, "and may no more than its roles")
    code, got, _ = ask("GET", "/api/auth/me", headers={"X-API-Key": made["key"][:-1] + "x"})
    check(code == 401 and got == {"detail": "Could not validate credentials"}, "a wrong one: 401", got)
    check(ask("GET", "/api/auth/me", "wrong", headers=key)[0] == 401, "a wrong token is not made good by it")
    for bad in ("", "eck_", "eck_1_", "x" * 2000, "eck_%d_%s" % (2 ** 62, "0" * 64)):
        check(ask("GET", "/api/auth/me", headers={"X-API-Key": bad})[0] == 401, "401 for %r" % bad[:20])
    for method, path, body in (("POST", "/api/auth/apikeys", {"name": "x"}), ("POST", "/api/auth/logout-all", None),
                               ("POST", "/api/auth/change-password", {"current_password": "tree house 7",
                                                                      "new_password": "river boat 9"})):
        code, got, _ = ask(method, path, body=body, headers=key)
        check(code == 409, "not by a key: %s" % path, got)
    code, got, _ = ask("GET", "/api/auth/apikeys", token)
    check(code == 200 and got["total"] == 1 and got["items"][0]["name"] == "probe \u00e4" and "key" not in got["items"][0],
          "it is listed, without itself", got)
    check(got["items"][0]["used_from"] == "127.0.0.1" and got["items"][0]["used_at"][:2] == "20", "and with its last use", got)
    check(ask("DELETE", "/api/auth/apikeys/%d" % made["id"], kept["access_token"])[0] == 404, "nobody else's to delete")
    check(ask("DELETE", "/api/auth/apikeys/%d" % made["id"], admin)[0] == 204 and
          ask("GET", "/api/auth/me", headers=key)[0] == 401, "but an administrator's, and then it is of no use")
    code, made, _ = ask("POST", "/api/auth/apikeys", token, {"name": "stays", "expires_in_days": 0})
    check(code == 201, "one without an end", made)
    taken_back(admin)
    document = ask("GET", "/api/openapi.json")[1]
    check(document["components"]["securitySchemes"]["ApiKey"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"} and
          {"ApiKey": []} in document["paths"]["/api/auth/me"]["get"]["security"], "the document has it")
    return made["key"]


def code_of(secret, steps=0):
    """TOTP (RFC 6238) by nothing but the standard library."""
    mac = hmac.new(base64.b32decode(secret), (int(time.time()) // 30 + steps).to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[19] & 15
    return "%06d" % ((int.from_bytes(mac[at:at + 4], "big") & 0x7fffffff) % 1000000)


def second_factor(kept):
    token = kept["access_token"]
    password = {"password": "tree house 7"}
    code, got, _ = ask("POST", "/api/auth/2fa/generate-secret", token, password)
    check(code == 200 and got["otpauth_uri"].startswith("otpauth://totp/eCyber:the.viewer2?secret=" + got["secret"]),
          "a secret for an app", got)
    secret = got["secret"]
    check(login("the.viewer2", "tree house 7")[1].get("access_token"), "which changes nothing yet")
    code, got, _ = ask("POST", "/api/auth/2fa/enable", token, {"code": code_of(secret, -1)})
    spare = got["recovery_codes"]
    check(code == 200 and len(set(spare)) == 10, "a code of the app turns it on, with ten recovery codes", got)
    code, got, _ = login("the.viewer2", "tree house 7")
    check(code == 200 and "access_token" not in got and "refresh_token" not in got and got["two_factor_required"] is True,
          "the password alone gives no token", got)
    half = got["two_factor_token"]
    check(ask("GET", "/api/auth/me", half)[0] == 401, "and what it gives opens nothing")
    code, got, _ = ask("POST", "/api/auth/login/verify-2fa", body={"two_factor_token": half, "code": "000000"})
    check(code == 401 and got == {"detail": "Incorrect username or password"}, "a wrong code: 401", got)
    now = code_of(secret)
    code, got, _ = ask("POST", "/api/auth/login/verify-2fa", body={"two_factor_token": half, "code": now})
    check(code == 200 and ask("GET", "/api/auth/me", got["access_token"])[1]["is_two_factor_enabled"] is True, "the right one", got)
    check(ask("POST", "/api/auth/login/verify-2fa", body={"two_factor_token": half, "code": now})[0] == 401, "is good for once")
    form = {"username": "the.viewer2", "password": "tree house 7", "code": spare[3]}
    check(ask("POST", "/api/auth/login", form=form)[0] == 200 and ask("POST", "/api/auth/login", form=form)[0] == 401,
          "a recovery code logs in, once, in one step")
    code, got, _ = ask("POST", "/api/auth/2fa/disable", token, {**password, "code": spare[4]})
    check(code == 204 and login("the.viewer2", "tree house 7")[1].get("access_token"), "it is turned off again", got)
    return secret, spare[5]


def guessing():
    codes = []
    while len(codes) < 12 and 429 not in codes: # a slow machine may be a step of the wait behind
        codes.append(login("the.operator", "guess%d" % len(codes))[0])
    check(codes[:5] == [401] * 5 and codes[-1] == 429, "after five guesses, 429", codes)
    code, got, headers = login("the.operator", "tree house 7")
    check(code == 429 and 1 <= int(headers["Retry-After"]) <= 64, "with Retry-After, for the right password too", got)
    time.sleep(int(headers["Retry-After"]) + 0.1 if code == 429 else 0)
    check(login("the.operator", "tree house 7")[0] == 200, "afterwards it is taken")
    took = []
    code, got, _ = ask("POST", "/api/auth/login", body={"username": "the.operator", "password": "tree house 7"})
    check(code == 200, "JSON logs in as well", got)
    for name in ("the.analyst", "nobody.of.that.name"):
        begin = time.monotonic()
        login(name, "wrong password")
        took.append(time.monotonic() - begin)
    check(max(took) < 10 * min(took), "an unknown user takes as long as a known one", took)


def guessing_elsewhere():
    """Somebody guesses without a pause; the owner comes from another address."""
    stop, guesses, owner = threading.Event(), [], []

    def guess():
        while not stop.is_set():
            guesses.append(login("the.analyst", "guess%d" % len(guesses), "127.0.0.3")[0])
            time.sleep(0.01)

    thread = threading.Thread(target=guess)
    thread.start()
    while guesses.count(429) < 3 and len(guesses) < 1000:
        time.sleep(0.05)
    while len(owner) < 20:
        owner.append(login("the.analyst", "tree house 7", "127.0.0.4")[0])
    stop.set()
    thread.join()
    check(set(owner) == {200} and 429 in guesses and set(guesses) <= {401, 429},
          "whom somebody guesses at logs in from another address meanwhile, each time", [owner, guesses[-20:]])


def ctl(*words, stdin=""):
    done = subprocess.run([os.environ["ECYBERCTL"], "-a", HERE + "/api.sock", *words], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


def local_socket():
    code, text, error = ctl("users", "list")
    check(code == 0 and "\tadmin\tadmin\ttrue\t" in text, "ecyberctl users list", text + error)
    code, text, error = ctl("users", "add", "anna", "--roles", "analyst", "--keep-password", stdin="river boat 9\n")
    check(code == 0 and login("anna", "river boat 9")[0] == 200, "ecyberctl users add", text + error)
    code, text, error = ctl("users", "passwd", "admin", stdin="a new one for all\n")
    check(code == 0 and login("admin", "a new one for all")[0] == 200, "ecyberctl users passwd admin", text + error)
    code, text, error = ctl("users", "passwd", "admin", stdin="short\n")
    check(code == 2 and "body.password: The password is too short" in error, "a weak one is refused", error)
    code, text, error = ctl("bans")
    check(code == 4, "a plugin that is not there: exit code 4", text + error)


def imported():
    """The table of the system before this one, as it was; its hashes by others (Openwall's test vectors)."""
    secret = IMPORTED
    john = "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"
    rows = [("old.admin", "o@example.org", john, "Old A.", 1, 1, None, 0), ("Plain", "p@example.org", john, None, 1, 0, None, 0),
            ("coded", "c@example.org", john, "C.", 1, 0, secret, 1), ("gone", "g@example.org", john, "G.", 0, 0, secret, 0),
            ("not a name", "n@example.org", john, "N.", 1, 0, None, 0), ("weak", "w@example.org", "plain text", "W.", 1, 0, None, 0),
            ("admin", "a@example.org", john, "Another", 1, 1, None, 0)]
    with sqlite3.connect("old.db") as db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR, email VARCHAR, hashed_password VARCHAR, full_name "
                   "VARCHAR, is_active BOOLEAN, is_superuser BOOLEAN, two_factor_secret VARCHAR, is_two_factor_enabled BOOLEAN)")
        db.executemany("INSERT INTO users (username, email, hashed_password, full_name, is_active, is_superuser, two_factor_secret,"
                       " is_two_factor_enabled) VALUES (?,?,?,?,?,?,?,?)", rows)
    db.close()
    code, text, error = ctl("users", "import", "old.db", "--roles", "analyst,sensor")
    check(code and text == "4 users taken over, 1 were there, 2 failed\n" and "not a name was not taken over" in error and
          "weak was not taken over" in error, "the old table is taken over, as far as it goes", text + error)
    code, got, _ = login("old.admin", "U*U*U")
    check(code == 200 and ask("GET", "/api/auth/me", got["access_token"])[1]["roles"] == ["admin"] and got["must_change"] is False,
          "a superuser is an administrator, with the old password", got)
    code, got, _ = login("plain", "U*U*U")
    check(code == 200 and ask("GET", "/api/auth/me", got["access_token"])[1]["roles"] == ["analyst", "sensor"],
          "another has the roles that were said", got)
    check(login("plain", "U*U*U")[0] == 200, "whose hash was made anew")
    code, got, _ = login("coded", "U*U*U")
    check(code == 200 and got["two_factor_required"], "who had a second factor has it still", got)
    code, got, _ = ask("POST", "/api/auth/login/verify-2fa", body={"two_factor_token": got["two_factor_token"],
                                                                   "code": code_of(secret)})
    check(code == 200, "with the codes of the same app", got)
    check(login("gone", "U*U*U")[0] == 401, "who was disabled is")
    code, text, error = ctl("users", "import", "old.db")
    check(code and text == "0 users taken over, 5 were there, 2 failed\n", "a second time changes nothing", text + error)
    code, text, error = ctl("users", "import", "c.yaml")
    check(code == 2 and "c.yaml: file is not a database" in error, "what is no database is named", text + error)
    code, text, error = ctl("users", "reset", "coded")
    password = text.strip()
    code2, got, _ = login("coded", password)
    check(code == 0 and len(password) == 23 and code2 == 200 and got["must_change"] is True and "access_token" in got,
          "ecyberctl users reset: a password for once, and no second factor", text + error + str(got))
    check(login("coded", password)[0] == 401, "which does not log in again")
    code, text, error = ctl("users", "reset", "nobody.there")
    check(code == 4 and "there is no user nobody.there" in error, "of nobody: exit code 4", error)


def restarted(token, kept, key):
    check(ask("GET", "/api/auth/me", headers={"X-API-Key": key})[0] == 200, "a key outlives a restart")
    code, got, _ = refresh(kept["refresh_token"])
    check(code == 200 and ask("GET", "/api/auth/me", got["access_token"])[0] == 200 and
          refresh(kept["refresh_token"])[0] == 401, "a refresh token outlives a restart, and is spent by it", got)
    check(ask("GET", "/api/auth/me", token)[0] == 200, "users and tokens outlive a restart")
    check(not os.path.exists(ONE_TIME), "no other one-time password is made")


def nothing_leaked(secrets):
    with open("state/eve/eve.json", encoding="utf-8") as file:
        lines = file.read()
    audit = [json.loads(line)["audit"] for line in lines.splitlines() if json.loads(line)["event_type"] == "audit"]
    done = {(a["action"], a["outcome"]) for a in audit}
    check({("login", "success"), ("login", "failure"), ("user.create", "success"), ("user.change", "success"),
           ("user.delete", "success"), ("session.refresh", "success"), ("session.refresh", "denied"), ("session.end", "success"),
           ("logout", "success"), ("apikey.create", "success"), ("apikey.delete", "success"), ("2fa.enable", "success"),
           ("2fa.disable", "success"), ("password.reset", "success")} <= done, "the audit log has it all", done)
    check(any(a["actor"] == "local:%d" % os.getuid() and a["address"] == "local" for a in audit) and
          any(a["actor"] == "admin" and a["address"] == "127.0.0.1" for a in audit), "with who and from where", audit[-3:])
    with open("log", encoding="utf-8") as log:
        lines += log.read()
    check(not [s for s in secrets if s in lines], "no password and no token stands in the log or in an event")
    stored = b"".join(open(os.path.join(folder, name), "rb").read() for folder, _, names in os.walk("state") for name in names)
    check(b"totp_sealed" in stored and not [s for s in (IMPORTED, *secrets) if s.encode() in stored],
          "nor in the store, the secret of a second factor neither")


def refused():
    for env, sentence in (({"SECRET_KEY": "changeme"}, "SECRET_KEY: the secret is refused"),
                          ({"ALGORITHM": "none"}, "ALGORITHM: tokens are not signed with 'none'"),
                          ({"ECYBER_AUTH__SECRET": "your-secret-key-that-is-long-enough-to-pass"}, "placeholder")):
        done = subprocess.run([os.environ["ECYBERD"], "-T", "-c", "c.yaml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=30, check=False, env={**os.environ, **env})
        check(done.returncode == 6 and sentence in done.stdout, "refused: %s" % env, done.stdout)


def key_file():
    """The mode that the help asks for is the mode that is asked for."""
    with open("key.pem", "w", encoding="utf-8") as out:
        out.write(KEY)
    for mode, sentence in ((0o644, "read or written by everybody (mode 644)"), (0o602, "read or written by everybody"),
                           (0o660, "written by its group (mode 660)"), (0o640, None), (0o600, None)):
        os.chmod("key.pem", mode)
        done = subprocess.run([os.environ["ECYBERD"], "-T", "-c", "c.yaml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=30, check=False,
                              env={**os.environ, "ALGORITHM": "ES256", "ECYBER_AUTH__KEY_FILE": HERE + "/key.pem"})
        check(done.returncode == (6 if sentence else 0) and (sentence or "") in done.stdout,
              "a key file of mode %o: %s" % (mode, "refused" if sentence else "taken"), done.stdout)


configure()
env = {"SECRET_KEY": SECRET, "ACCESS_TOKEN_EXPIRE_MINUTES": "30"}
run = daemon(**env)
admin, password = first_log_in()
claims = verify_by_others(admin)
tampered(admin, claims)
tokens = roles(admin)
users(admin, tokens)
last_administrator(admin, tokens)
kept = sessions(admin)
key = api_keys(admin, kept)
hidden = second_factor(kept)
guessing()
guessing_elsewhere()
local_socket()
imported()
token = token_of("admin", "a new one for all")
check(end(run) == 0, "the daemon ends in order")
run = daemon(**env)
restarted(token, kept, key)
check(end(run) == 0, "and again")
nothing_leaked([password, CHOSEN, "tree house 7", "river boat 9", "a new one for all", SECRET, *hidden, key.split("_")[2], kept["refresh_token"].split("_")[3], token.split(".")[2]])
refused()
key_file()
