#!/usr/bin/env python3
"""Judge the evidence of alerts with nothing but the capture: libevidence.py CAPTURE EVE.JSON
Each match with a wire range must find its bytes there. Reads pcap with Ethernet, IPv4 or IPv6 and no tunnels."""
import ipaddress, json, struct, sys

def frames(path):
    raw = open(path, "rb").read()
    order = "<" if raw[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at + 16 <= len(raw):
        n = struct.unpack(order + "I", raw[at + 8:at + 12])[0]
        yield raw[at + 16:at + 16 + n]
        at += 16 + n

def layers(f):
    """Protocol, source, destination, offset of the transport header, end of the packet."""
    kind, at = struct.unpack("!H", f[12:14])[0], 14
    while kind in (0x8100, 0x88a8):
        kind, at = struct.unpack("!H", f[at + 2:at + 4])[0], at + 4
    if kind == 0x0800 and not struct.unpack("!H", f[at + 6:at + 8])[0] & 0x1fff:
        end = at + struct.unpack("!H", f[at + 2:at + 4])[0]
        return f[at + 9], f[at + 12:at + 16], f[at + 16:at + 20], at + (f[at] & 15) * 4, end
    if kind == 0x86dd:
        return f[at + 6], f[at + 8:at + 24], f[at + 24:at + 40], at + 40, at + 40 + struct.unpack("!H", f[at + 4:at + 6])[0]
    return None

packets, streams, first = list(frames(sys.argv[1])), {}, {}
for f in packets:
    if not (found := layers(f)) or found[0] != 6:
        continue
    (_, src, dst, at, end), key = found, found[1:3] + (f[found[3]:found[3] + 4],)
    seq, flags = struct.unpack("!I", f[at + 4:at + 8])[0], f[at + 13]
    if flags & 2:       # takes a number itself, before the data that it may bring
        seq += 1
        first[key] = seq
    for i, byte in enumerate(f[at + (f[at + 12] >> 4) * 4:end]):
        streams.setdefault(key, {}).setdefault((seq + i - first.get(key, seq)) & 0xffffffff, byte)

good, wrong, bare = 0, 0, 0
for line in open(sys.argv[2], encoding="utf-8"):
    event = json.loads(line)
    for m in event.get("ecyber", {}).get("why", {}).get("matches", []) if event["event_type"] == "alert" else []:
        wire, want = m.get("wire"), bytes.fromhex(m["bytes"])
        if not wire or m.get("masked"):
            bare += 1
            continue
        n = len(want)
        if wire["kind"] == "stream":
            ends = [(ipaddress.ip_address(event[k + "_ip"]).packed, event[k + "_port"]) for k in ("src", "dest")]
            (a, ap), (b, bp) = ends if wire["direction"] == event["direction"] else ends[::-1]
            data = streams.get((a, b, struct.pack("!HH", ap, bp)), {})
            got = bytes(data.get(wire["offset"] + i, 0) for i in range(n)) if n else b""
        else:
            f = packets[wire["pcap_cnt"] - 1]
            start = wire["offset"] + (layers(f)[3] + 8 if wire["kind"] == "datagram" else 0)
            got = f[start:start + n]
        good += got == want
        wrong += got != want
        if got != want:
            print("sid %d, %s: %r stands where %r is said to" % (event["alert"]["signature_id"], m["buffer"], got, want))
print("%d right, %d wrong, %d without a wire range" % (good, wrong, bare))
sys.exit(1 if wrong else 0)
