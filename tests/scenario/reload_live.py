#!/usr/bin/env python3
# alone: counts packets against time
"""No packet is lost over 50 reloads: numbered requests cross a veth pair at a fixed rate while the daemon reloads, and the
alerts are exactly {1…N}, once each. Needs root, for network namespaces."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from libtest import check, plan

N = int(os.environ.get("REQUESTS", "10000"))
RATE = 500                          # requests per second
RELOADS = 50
SPACE = "ecrl%d" % os.getpid()


def sh(command):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def server():
    """Answers every request; runs in the far namespace."""
    listener = socket.create_server(("10.77.0.2", 8080))
    print("ready", flush=True)
    while True:
        peer = listener.accept()[0]
        threading.Thread(target=answer, args=(peer,), daemon=True).start()


def answer(peer):
    data = b""
    while True:
        piece = peer.recv(65536)
        if not piece:
            return
        data += piece
        while b"\r\n\r\n" in data:
            data = data.split(b"\r\n\r\n", 1)[1]
            peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def send_all():
    """N requests at the rate, a new connection for each hundred."""
    start, peer = time.monotonic(), None
    for i in range(1, N + 1):
        if i % 100 == 1:
            if peer:
                peer.close()
            peer = socket.create_connection(("10.77.0.2", 8080), timeout=10)
        peer.sendall(b"GET /item/%d/end HTTP/1.1\r\nHost: a.example\r\n\r\n" % i)
        peer.recv(65536)
        wait = start + i / RATE - time.monotonic()
        if wait > 0:
            time.sleep(wait)
    peer.close()


def status():
    done = subprocess.run([os.environ["ECYBERCTL"], "-s", "s", "-o", "json", "status"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def main():
    here = os.getcwd()
    with open("one.rules", "w", encoding="utf-8") as out:
        out.write('alert http any any -> any any (msg:"item"; flow:established,to_server; http.uri; '
                  'content:"/item/"; startswith; content:"/end"; endswith; sid:9000001; rev:1;)\n')
    with open("ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s]\n  state_dir: %s/state\n  control_socket: %s/s\n  workers: 2\n"
                  "eve:\n  file: %s/eve.json\n  types: [alert]\nids:\n  rule_files: [%s/one.rules]\n"
                  % (os.environ["EC_PLUGINDIR"], here, here, here, here))
        if os.environ["EC_SANITIZER"] == "thread":      # it does not know the locks of XGBoost's OpenMP, and is slow
            out.write("ml:\n  model: ''\n")
    far = subprocess.Popen(["nsenter", "--net=/run/netns/" + SPACE, sys.executable, os.path.abspath(__file__), "server"],
                           stdout=subprocess.PIPE)
    far.stdout.readline()
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml", "-i", SPACE + "a"], stdout=log,
                                  stderr=log)
    try:
        for _ in range(150):
            if status() or daemon.poll() is not None:
                break
            time.sleep(0.2)
        time.sleep(1)
        sender = threading.Thread(target=send_all)
        sender.start()
        done = 0
        while sender.is_alive():
            if done < RELOADS + 10:
                daemon.send_signal(signal.SIGHUP)
                done += 1
            time.sleep(N / RATE / (RELOADS + 12))
        sender.join()
        time.sleep(2)
        generation = int(re.search(r'"generation"\s*:\s*(\d+)', json.dumps(status()) or "0").group(1))
        check(generation > RELOADS, "at least %d generations were seen" % RELOADS, generation)
    finally:
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(timeout=60)
        far.kill()
        far.wait()
    with open("log", encoding="utf-8", errors="replace") as file:
        log = file.read()
    check(code == 0, "the daemon stops well", log[-800:])
    check("ThreadSanitizer" not in log and "AddressSanitizer" not in log, "no sanitizer has a finding", log[-800:])
    with open("eve.json", encoding="utf-8") as lines:
        numbers = [int(re.search(r"/item/(\d+)/end", e["http"]["url"]).group(1)) for e in map(json.loads, lines)]
    missing = sorted(set(range(1, N + 1)) - set(numbers))
    check(not missing, "no request is missing", (len(missing), missing[:10], log[-300:]))
    check(len(numbers) == len(set(numbers)), "none came twice", len(numbers) - len(set(numbers)))
    plan()


if len(sys.argv) > 1:
    server()
if os.geteuid():
    print("SKIP: needs root for network namespaces")
    sys.exit(77)
try:
    sh("ip netns add %s && ip link add %sa type veth peer name %sb netns %s" % (SPACE, SPACE, SPACE, SPACE))
    sh("ip addr add 10.77.0.1/24 dev %sa && ip link set %sa up" % (SPACE, SPACE))
    sh("nsenter --net=/run/netns/%s sh -c 'ip addr add 10.77.0.2/24 dev %sb && ip link set %sb up && ip link set lo up'"
       % (SPACE, SPACE, SPACE))
    main()
finally:
    subprocess.run("ip netns del %s; ip link del %sa" % (SPACE, SPACE), shell=True, check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
