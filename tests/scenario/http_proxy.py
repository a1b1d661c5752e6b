#!/usr/bin/env python3
"""Who asks? Behind a real nginx each client is known by its own address and can claim no other; and no address holds
all connections. In a network namespace of its own, for its clients have addresses of their own."""
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse

from libhttp import Daemon, read_all, status
from libtest import check, free_port, plan, wait_for

CLIENTS = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")


def own_network():
    if os.geteuid() != 0:
        print("SKIP: only root makes a network namespace")
        sys.exit(77)
    if not shutil.which("nginx"):
        print("SKIP: nginx is not there")
        sys.exit(77)
    if "EC_OWN_NETWORK" not in os.environ:
        os.environ["EC_OWN_NETWORK"] = "yes"
        add = "".join("ip address add %s dev lo nodad; " % a for a in CLIENTS)
        os.execvp("unshare", ["unshare", "--net", "sh", "-c", "ip link set lo up; %sexec \"$0\"" % add, __file__])


def nginx(name, port, to, line):
    """The configuration that its own documentation shows for a proxy."""
    folder = os.path.abspath(name)
    os.mkdir(folder)
    with open(folder + "/conf", "w", encoding="utf-8") as out:
        out.write("daemon off; worker_processes 1; pid %(f)s/pid; error_log %(f)s/log; user root;\n"
                  "events { worker_connections 256; }\nhttp { access_log off; client_body_temp_path %(f)s/a; "
                  "proxy_temp_path %(f)s/b; fastcgi_temp_path %(f)s/c; uwsgi_temp_path %(f)s/d; scgi_temp_path %(f)s/e;\n"
                  "server { listen 0.0.0.0:%(p)d; listen [::]:%(p)d; location / { proxy_pass http://127.0.0.1:%(t)d; "
                  "proxy_set_header Host $host; %(line)s } } }\n"
                  % {"f": folder, "p": port, "t": to, "line": line})
    run = subprocess.Popen([shutil.which("nginx"), "-c", folder + "/conf", "-e", folder + "/log"], stderr=subprocess.DEVNULL)
    wait_for(lambda: answers(port))
    return run


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def known_as(d, port, host, source, headers=""):
    """Where the audit log says that a failed log-in came from."""
    name = "n%d" % time.monotonic_ns()
    body = urllib.parse.urlencode({"username": name, "password": "wrong"})
    with socket.create_connection((host, port), 10, source_address=(source, 0)) as s:
        s.sendall(("POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                   "%sContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (headers, len(body), body)).encode())
        reply = read_all(s, 10)
    if status(reply) != 401:
        return reply[:200]

    def found():
        items = json.loads(d.get("/api/system/audit?limit=20", local=True)[2]).get("items", [])
        return [i["audit"]["address"] for i in items if name in json.dumps(i)]
    return (wait_for(found, 10) or ["nothing in the audit log"])[0]


def proxies():
    port, other = free_port(), free_port()
    d = Daemon("behind", plugins=("store", "auth", "http"), trusted_proxies="[127.0.0.1, \"2001:db8:0:1::/64\"]",
               listen="0.0.0.0:%d" % other, plain="true")
    d.port = other
    d.start()
    wait_for(lambda: os.path.exists(d.folder + "/api.sock"))
    proxy = nginx("proxy", port, other, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")
    for source, host in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")):
        check((got := known_as(d, port, host, source)) == source, "through nginx %s is known" % source, got)
    lie = "X-Forwarded-For: 203.0.113.9\r\n"
    check((got := known_as(d, port, "192.0.2.2", "192.0.2.1", lie)) == "192.0.2.1", "who lies to nginx too", got)
    check((got := known_as(d, other, "192.0.2.2", "192.0.2.1", lie)) == "192.0.2.1", "and who lies to the daemon", got)
    lie = "Forwarded: for=203.0.113.9\r\n"
    check((got := known_as(d, port, "192.0.2.2", "192.0.2.1", lie)) == "192.0.2.1", "or by the other header", got)
    for line, want in (("X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"),
                       ("X-Forwarded-For: 203.0.113.9, 192.0.2.7:4711\r\n", "192.0.2.7"),
                       ("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.8\r\n", "192.0.2.8"),
                       ("X-Forwarded-For: 192.0.2.9, [2001:db8:0:1::7]:80, 127.0.0.1\r\n", "192.0.2.9"),
                       ("X-Forwarded-For: 192.0.2.9, unknown\r\n", "127.0.0.1"),
                       ("X-Forwarded-For: 203.0.113.9,\r\n", "127.0.0.1"),
                       ("X-Forwarded-For: %s\r\n" % ("1" * 5000), "127.0.0.1"),
                       ("X-Forwarded-For: 127.0.0.1\r\n", "127.0.0.1"), ("", "127.0.0.1")):
        check((got := known_as(d, other, "127.0.0.1", "127.0.0.1", line)) == want,
              "a proxy's %r is %s" % (line[:60], want), got)
    proxy.terminate()
    proxy.wait()
    check(d.stop() == 0, "it ends well", d.output()[-600:])


def by_rfc_7239():
    d = Daemon("forwarded", plugins=("store", "auth", "http"), trusted_proxies="[127.0.0.0/8]", proxy_header="forwarded")
    d.start()
    wait_for(lambda: os.path.exists(d.folder + "/api.sock"))
    for line, want in (("Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43\r\n", "192.0.2.60"),
                       ("Forwarded: proto=http;For=\"[2001:db8:cafe::17]:4711\"\r\n", "2001:db8:cafe::17"),
                       ("Forwarded: for=203.0.113.9, for=192.0.2.43\r\n", "192.0.2.43"),
                       ("Forwarded: for=192.0.2.43, for=_hidden\r\n", "127.0.0.1"),
                       ("Forwarded: by=203.0.113.43\r\n", "127.0.0.1"),
                       ("X-Forwarded-For: 203.0.113.9\r\n", "127.0.0.1")):
        check((got := known_as(d, d.port, "127.0.0.1", "127.0.0.1", line)) == want, "%r is %s" % (line, want), got)
    check(d.stop() == 0, "it ends well", d.output()[-600:])


def hold(d, host, source, n):
    """That many connections; those that are still open after a moment."""
    held = [socket.create_connection((host, d.port), 5, source_address=(source, 0)) for _ in range(n)]
    for s in held:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: ")
    time.sleep(0.5)
    for s in held:
        s.setblocking(False)
    left = []
    for s in held:
        try:
            if s.recv(1):
                left.append(s)
        except BlockingIOError:
            left.append(s)
        except OSError:
            pass
    return held, left


def crowds():
    port = free_port()
    d = Daemon("crowd", listen="\"[::]:%d\"" % port, plain="true", connections_per_client=8, request_timeout="60s",
               trusted_proxies="[192.0.2.2]")
    d.port = port
    d.start()
    held, left = hold(d, "192.0.2.2", "192.0.2.1", 20)
    check(len(left) == 8, "an address has so many connections as it may", len(left))
    check(d.metric("closed_crowded_total") == 12, "those beyond are counted", d.metric("closed_crowded_total"))
    more, kept = hold(d, "2001:db8::2", "2001:db8::1", 5)
    other, also = hold(d, "2001:db8::2", "2001:db8::2", 5)
    check(len(kept) + len(also) == 8, "of IPv6 that is a network of 64 bits", (len(kept), len(also)))
    proxy, passed = hold(d, "192.0.2.1", "192.0.2.2", 20)
    near, served = hold(d, "127.0.0.1", "127.0.0.1", 20)
    check(len(passed) == 20 and len(served) == 20, "a trusted proxy, and this machine, may have more",
          (len(passed), len(served)))
    for s in held + more + other + proxy + near:
        s.close()
    check(wait_for(lambda: len(hold(d, "192.0.2.2", "192.0.2.1", 4)[1]) == 4, 10), "those that end make room")
    time.sleep(1.2)
    with socket.create_connection(("192.0.2.2", port), 5, source_address=("192.0.2.1", 0)) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        check(status(read_all(s)) == 200, "its good request is answered")
    check(d.stop() == 0, "it ends well", d.output()[-600:])


def refused():
    for text, want in (("[nobody]", "is no address and no network"), ("[10.0.0.0/33]", "is no address and no network")):
        d = Daemon("bad%d" % time.monotonic_ns(), trusted_proxies=text)
        d.start(wait=False)
        check(d.process.wait(20) == 6 and want in d.output(), "%s is no proxy" % text, d.output()[-400:])


own_network()
proxies()
by_rfc_7239()
crowds()
refused()
plan()
