#!/usr/bin/env python3
"""Recent packets: a replay that stays shows each packet of the capture with its bytes and layers."""
import ctypes
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import time

from libtest import check, wait_for

ECYBERD = os.environ["ECYBERD"]
TMP = os.getcwd()


class Api(http.client.HTTPConnection):
    """The daemon's Unix socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(TMP + "/api.sock")

    def raw(self, method, path, body=None):
        head = {"Content-Type": "application/json"} if body is not None else {}
        self.request(method, "/api" + path, None if body is None else json.dumps(body), head)
        answer = self.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()

    def ask(self, method, path, body=None):
        status, _, text = self.raw(method, path, body)
        return status, json.loads(text) if text else None


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def frame(n):
    """UDP 198.51.100.1:1000+n -> 203.0.113.2:53, over VLAN 7 where n is odd."""
    body = b"packet %d" % n
    udp = struct.pack(">HHHH", 1000 + n, 53, 8 + len(body), 0) + body
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), n, 0, 64, 17, 0, bytes([198, 51, 100, 1]),
                     bytes([203, 0, 113, 2]))
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    vlan = struct.pack(">HH", 0x8100, 7) if n % 2 else b""
    return bytes(range(12)) + vlan + b"\x08\x00" + ip + udp


def capture(name, count):
    with open(name, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for n in range(1, count + 1):
            data = frame(n)
            out.write(struct.pack("<IIII", 1700000000 + n, n, len(data), len(data)) + data)


def daemon(*more):
    log = open("log", "w+", encoding="utf-8")
    run = subprocess.Popen(
        (ECYBERD, "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"],
         "--set", "core.plugins=[capture, traffic, ids, store, packets, auth, http]",
         "--set", "core.state_dir=" + TMP + "/state",
         "--set", "core.control_socket=" + TMP + "/control.sock", "--set", "http.listen=none",
         "--set", "http.socket=" + TMP + "/api.sock", *more), stdout=log, stderr=log)
    wait_for(lambda: os.path.exists("api.sock"), 20)
    return run, log


def recent(a):
    status, answer = wait_for(lambda: (lambda s, d: (s, d) if s == 200 and d["packets"] == 300 else None)(
        *a.ask("GET", "/packets/stats")), 15) or (0, None)
    check(status == 200 and answer["missed"] == 0, "every packet of the capture is kept", (status, answer))
    found, cursor = [], ""
    while True:
        status, page = a.ask("GET", "/packets?limit=70" + cursor)
        found += page["items"]
        if "next_cursor" not in page:
            break
        cursor = "&cursor=" + page["next_cursor"]
    check([p["pcap_cnt"] for p in found] == list(range(300, 0, -1)), "pages list each once, the newest first",
          [p["pcap_cnt"] for p in found])
    status, page = a.ask("GET", "/packets?port=1123&ip=198.51.100.0/24&proto=udp")
    check(len(page["items"]) == 1 and page["items"][0]["src_port"] == 1123, "filters by port, network and protocol",
          page)
    one = page["items"][0]
    status, shown = a.ask("GET", "/packets/%d" % one["id"])
    check([y["layer"] for y in shown["layers"]] == ["ethernet", "vlan", "ipv4", "udp", "payload"] and
          shown["layers"][1]["fields"]["id"] == "7", "one packet, layer by layer", shown)
    status, hexed = a.ask("GET", "/packets/%d/hex" % one["id"])
    check(bytes.fromhex(hexed["hex"]) == frame(123), "its bytes are those of the file", hexed)
    check(a.ask("GET", "/packets/1")[0] == 404 and a.ask("GET", "/packets/nonsense")[0] == 422 and
          a.ask("GET", "/packets?cursor=x")[0] == 422, "404 and 422 for what is not there")


def blocks(data):
    """Of a pcapng file: (type, body) of each block; lengths have to agree."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        assert size % 4 == 0 and size >= 12 and struct.unpack_from("<I", data, at + size - 4)[0] == size
        yield kind, data[at + 8:at + size - 4]
        at += size


def packets_of(data):
    found = []
    for kind, body in blocks(data):
        if kind == 6:
            _, high, low, kept, length = struct.unpack_from("<IIIII", body)
            found.append(((high << 32) + low, length, body[20:20 + kept]))
    return found


SAY = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(int(sys.argv[2])):
    s.sendto(b"live %d" % n, ("127.0.0.1", int(sys.argv[1])))
    time.sleep(0.001)
"""


def live(a):
    """On the loopback of a network of its own: what is sent while a capture runs is in its file."""
    for body, part in (({"filter": "tcp prt 80"}, "filter"), ({"bytes": "1TiB"}, "bytes"),
                       ({"duration": "0s"}, "duration"), ({"packets": 0}, "packets")):
        status, answer = a.ask("POST", "/packets/captures", body)
        check(status == 422 and answer["detail"][0]["loc"] == ["body", part], "422: %s" % body, (status, answer))
    status, answer = a.ask("POST", "/packets/captures?dry_run=true", {"filter": "udp port 7007"})
    check(status == 200 and answer["state"] == "none" and a.ask("GET", "/packets/captures")[1]["items"] == [],
          "a dry run begins nothing", (status, answer))
    status, one = a.ask("POST", "/packets/captures", {"filter": "udp port 7007", "packets": 200})
    check(status == 201 and one["state"] == "running", "a capture begins", (status, one))
    path = "/packets/captures/%d" % one["id"]
    check(a.ask("GET", path + "/pcap")[0] == 409, "its file waits for its end")
    for port, count in ((7008, 50), (7007, 230)):
        subprocess.run((sys.executable, "-c", SAY, str(port), str(count)), check=True)
    done = wait_for(lambda: (lambda d: d if d["state"] == "done" else None)(a.ask("GET", path)[1]), 20)
    check(done and done["packets"] == 200 and done["lost"] == 0 and "as many packets" in done["reason"],
          "it ends with as many packets as were asked for", a.ask("GET", path))
    status, kind, data = a.raw("GET", path + "/pcap")
    found = packets_of(data)
    check(status == 200 and kind == "application/x-pcapng" and len(data) == done["bytes"] and
          [p[2][-len(b"live %d" % n):] for n, p in enumerate(found)] == [b"live %d" % n for n in range(200)],
          "the file holds each of them once, in order, whole", (status, kind, len(data), len(found)))
    check(all(b[0] <= c[0] for b, c in zip(found, found[1:])) and abs(found[0][0] / 1e9 - time.time()) < 60,
          "with its time")
    status, one = a.ask("POST", "/packets/captures", {})
    path = "/packets/captures/%d" % one["id"]
    status, answer = a.ask("POST", path + "/stop")
    check(status == 200 and answer["state"] == "done" and "stopped" in answer["reason"], "another is stopped", answer)
    check(a.ask("DELETE", path)[0] == 204 and a.ask("GET", path)[0] == 404, "and deleted")
    done = {"capture.start", "capture.stop", "capture.delete"}
    check(wait_for(lambda: done <= {i["audit"]["action"] for i in a.ask("GET", "/system/audit")[1]["items"]}),
          "all of it is in the audit log", a.ask("GET", "/system/audit"))


def alert(a):
    """Of an alert that the shipped rules raise in a capture of an attack."""
    one = wait_for(lambda: (a.ask("GET", "/ids/alerts?limit=1")[1].get("items") or [None])[0], 20)
    check(one, "the capture raises an alert")
    ends = {socket.inet_aton(one["src_ip"]), socket.inet_aton(one["dest_ip"])}
    status, kind, data = a.raw("GET", "/ids/alerts/%s/pcap" % one["id"])
    found = packets_of(data) if status == 200 else []
    with open(os.environ["EC_DATA"] + "/attack-sql.pcap", "rb") as file:
        whole = file.read()
    check(status == 200 and kind == "application/x-pcapng" and found and
          all({p[2][26:30], p[2][30:34]} == ends and p[2] in whole for p in found) and
          all(b[0] <= c[0] for b, c in zip(found, found[1:])),
          "the packets of an alert are those of its two ends, in order, as they were", (status, len(found), data[:200]))
    check(a.ask("GET", "/ids/alerts/1/pcap")[0] == 404, "404 for what is no alert")


def with_daemon(fn, *more):
    run, log = daemon(*more)
    try:
        fn(Api("localhost"))
    finally:
        run.terminate()
        code = run.wait(20)
        log.seek(0)
        check(code == 0, "it stops", (code, log.read()))
        if os.path.exists("api.sock"):
            os.unlink("api.sock")


def main():
    capture("sample.pcap", 300)
    with_daemon(recent, "-r", TMP + "/sample.pcap", "--stay")
    with_daemon(alert, "-r", os.environ["EC_DATA"] + "/attack-sql.pcap", "--stay")
    if os.geteuid():
        print("# live captures need root", flush=True)
        return
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000):      # CLONE_NEWNET
        print("# live captures need a network namespace", flush=True)
        return
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    with_daemon(live, "-i", "lo")


main()
