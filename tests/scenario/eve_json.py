#!/usr/bin/env python3
"""eve.json of a replay: strict JSON with Suricata's names in order, the same through every outlet, nothing torn, nothing
uncounted."""
import json
import os
import re
import resource
import socket
import subprocess
import threading

from libtest import check

HEAD = ["timestamp", "flow_id", "in_iface", "event_type", "vlan", "src_ip", "src_port", "dest_ip", "dest_port", "proto",
        "icmp_type", "icmp_code", "response_icmp_type", "response_icmp_code", "app_proto", "app_proto_ts",
        "app_proto_tc", "app_proto_orig", "app_proto_expected", "community_id", "pcap_cnt", "pkt_src",
        "tx_id", "direction"]
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000$")
COMMUNITY = re.compile(r"^1:[A-Za-z0-9+/]{27}=$")


def command(name, *args, capture="/sample.pcap"):
    return [os.environ["ECYBERD"], "-r", os.environ["EC_DATA"] + capture, "--workers", "0",
            "--set", "core.state_dir=" + os.path.abspath(name),
            "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"], *args]


def replay(name, *args, limit=None, capture="/sample.pcap"):
    def bound():
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    done = subprocess.run(command(name, *args, capture=capture), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=50, check=False,
                          preexec_fn=bound)
    check(done.returncode == 0, "%s: the replay ends well" % name, done.stderr.decode("utf-8", "replace"))
    return done


def read(path):
    with open(path, "rb") as file:
        return file.read()


def unique(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key stands twice: %s" % keys)
    return dict(pairs)


def strict(line):
    def refuse(word):
        raise ValueError(word)
    return json.loads(line.decode("utf-8", "strict"), object_pairs_hook=unique, parse_constant=refuse)


def head_fault(event):
    keys = list(event)
    head = [key for key in keys if key in HEAD]
    if head != [key for key in HEAD if key in event] or keys[:len(head)] != head:
        return "order: %s" % keys
    if not STAMP.match(event["timestamp"]):
        return "timestamp: %s" % event["timestamp"]
    if "community_id" in event and not COMMUNITY.match(event["community_id"]):
        return "community_id: %s" % event["community_id"]
    if event.get("proto") in ("TCP", "UDP") and "src_port" not in event:
        return "no port: %s" % keys
    if "icmp_type" in event and event.get("proto") not in ("ICMP", "IPv6-ICMP"):
        return "icmp_type: %s" % event.get("proto")
    return "no object of its own: %s" % keys if event["event_type"] not in event else None


def parse(text):
    """The events, and what is wrong with lines."""
    events, faults = [], []
    for line in text.splitlines(True):
        try:
            event = strict(line)
            events.append(event)
            fault = head_fault(event)
        except ValueError as error:
            fault = error
        if fault:
            faults.append((fault, line))
    return events, faults


replay("all", capture="")
events, faults = parse(read("all/eve/eve.json"))
check(len(events) > 10000 and not faults, "all our captures: strict JSON, EVE's common keys in order, no key twice", faults[:2])

replay("file")
whole = read("file/eve/eve.json")
lines = whole.splitlines(True)
events, faults = parse(whole)
check(len(lines) > 100 and whole.endswith(b"\n"), "there are whole lines", len(lines))
check(not faults and len(events) == len(lines), "each is one strict JSON object", faults[:2])
types = {event["event_type"] for event in events}
check({"dns", "http", "tls", "flow"} <= types, "with DNS, HTTP, TLS and flows", types)
check(all(event.get("ecyber", {}).get("replay") is True for event in events), "each says that it is of a replay")

done = replay("stdout", "--set", "eve.to=stdout")
check(done.stdout == whole, "standard output gets the same bytes", "%d, %d" % (len(done.stdout), len(whole)))

replay("types", "--set", "eve.types=dns,tls")
some = read("types/eve/eve.json")
check(some == b"".join(l for l, e in zip(lines, events) if e["event_type"] in ("dns", "tls")), "eve.types selects")

replay("rotated", "--set", "eve.rotate_size=32k", "--set", "eve.rotate_keep=1000")
files = sorted(os.listdir("rotated/eve"), key=lambda f: -int(f.rpartition(".")[2]) if f[-1].isdigit() else 0)
parts = [read("rotated/eve/" + f) for f in files]
check(len(files) > 3 and b"".join(parts) == whole, "rotated files add up to the whole", files)
check(all(len(p) <= 32768 and p.endswith(b"\n") for p in parts), "none is larger than it may be, none ends in half a line")

# A file that may not grow: whole lines up to the limit, then a sentence; the replay goes on.
# Only with what it needs: a plugin that cannot start for want of room makes a replay fail.
lone = ["--set", "core.plugins=[capture, traffic, ids, eve]"]
replay("lone", *lone)
done = replay("full", *lone, limit=50000)
full = read("full/eve/eve.json")
check(read("lone/eve/eve.json").startswith(full) and full.endswith(b"\n") and len(full) > 40000,
      "a full disk tears no line", len(full))
check(done.stderr.count(b"cannot be written") == 1, "and is said once", done.stderr)


def serve(kind, path):
    """A socket that takes everything until its peer is done; returns a function that gives what came."""
    server = socket.socket(socket.AF_UNIX, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    server.bind(path)
    got = []

    def take():
        if kind == socket.SOCK_STREAM:
            server.listen(1)
            peer = server.accept()[0]
        else:
            peer = server
            peer.settimeout(3)
        try:
            while True:
                data = peer.recv(1 << 20)
                if not data:
                    break
                got.append(data)
        except socket.timeout:
            pass
    thread = threading.Thread(target=take)
    thread.start()
    return lambda: (thread.join(), got)[1]


for name, kind in (("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM)):
    result = serve(kind, name + ".sock")
    replay(name, "--set", "eve.to=socket", "--set", "eve.socket=" + name + ".sock", "--set", "eve.socket_type=" + name)
    got = result()
    check(b"".join(got) == whole, "a %s socket gets the same bytes" % name, sum(map(len, got)))
check(got == lines, "one line a datagram", len(got))

# Half a line that a killed process left is taken away.
os.makedirs("torn/eve")
with open("torn/eve/eve.json", "wb") as file:
    file.write(b'{"whole":1}\n{"timestamp":"20')
replay("torn")
check(read("torn/eve/eve.json") == b'{"whole":1}\n' + whole, "half a line of an earlier run is taken away")
