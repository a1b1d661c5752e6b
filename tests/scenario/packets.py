#!/usr/bin/env python3
"""Recent packets: a replay that stays shows each packet of the capture with its bytes and layers."""
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import time

ECYBERD = os.environ["ECYBERD"]
TMP = os.getcwd()
number = 0


def check(good, what, detail=""):
    global number
    number += 1
    print("%sok %d - %s" % ("" if good else "not ", number, what), flush=True)
    if not good:
        print("# " + str(detail).replace("\n", "\n# ")[:4000], flush=True)
    return good


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    return None


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


def main():
    capture("sample.pcap", 300)
    run, log = daemon("-r", TMP + "/sample.pcap", "--stay")
    try:
        recent(Api("localhost"))
    finally:
        run.terminate()
        code = run.wait(20)
        log.seek(0)
        check(code == 0, "it stops", (code, log.read()))


main()
