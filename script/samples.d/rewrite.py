"""Makes captures out of captures: other link types, other file forms, other orders of packets.

rewrite.py KIND[:ARGUMENT,...] IN OUT    (classic pcap of Ethernet, as tcpdump writes it)
rewrite.py linktype FILE                 the link type's name, for the manifest
"""
import gzip
import re
import struct
import sys

ETHERNET = 1
NAMES = {0: "NULL", 1: "EN10MB", 12: "RAW", 101: "RAW", 108: "LOOP", 113: "LINUX_SLL", 147: "USER0",
         228: "IPV4", 229: "IPV6", 239: "NFLOG", 276: "LINUX_SLL2"}
MAGICS = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<",
          b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}


class Packet:
    def __init__(self, sec, frac, data, length):
        self.sec, self.frac, self.data, self.length = sec, frac, data, length

    def with_data(self, data):
        return Packet(self.sec, self.frac, data, self.length + len(data) - len(self.data))


def read(path):
    raw = open(path, "rb").read()
    order = MAGICS[raw[:4]]
    link = struct.unpack(order + "I", raw[20:24])[0]
    packets, at = [], 24
    while at + 16 <= len(raw):
        sec, frac, kept, length = struct.unpack(order + "IIII", raw[at:at + 16])
        packets.append(Packet(sec, frac, raw[at + 16:at + 16 + kept], length))
        at += 16 + kept
    return raw[:4], link, packets


def write(path, magic, link, packets):
    order = MAGICS[magic]
    with open(path, "wb") as out:
        out.write(magic + struct.pack(order + "HHiIII", 2, 4, 0, 0, 262144, link))
        for p in packets:
            out.write(struct.pack(order + "IIII", p.sec, p.frac, len(p.data), p.length) + p.data)


def ethertype(packet):
    return struct.unpack(">H", packet.data[12:14])[0]


def is_ip(packet):
    return ethertype(packet) in (0x0800, 0x86dd)


def after_macs(packets, insert):
    """Puts tags between the addresses and the type."""
    return ETHERNET, [p.with_data(p.data[:12] + insert + p.data[12:]) for p in packets]


def vlan(packets, vid):
    return after_macs(packets, struct.pack(">HH", 0x8100, int(vid)))


def qinq(packets, outer, inner):
    return after_macs(packets, struct.pack(">HHHH", 0x88a8, int(outer), 0x8100, int(inner)))


def vlan3(packets):
    return after_macs(packets, struct.pack(">HHHHHH", 0x8100, 1, 0x8100, 2, 0x8100, 3))


def raw(packets):
    return 101, [p.with_data(p.data[14:]) for p in packets if is_ip(p)]


def null(packets):
    families = {0x0800: 2, 0x86dd: 10}
    return 0, [p.with_data(struct.pack("<I", families[ethertype(p)]) + p.data[14:])
               for p in packets if is_ip(p)]


def loop(packets):
    families = {0x0800: 2, 0x86dd: 24}
    return 108, [p.with_data(struct.pack(">I", families[ethertype(p)]) + p.data[14:])
                 for p in packets if is_ip(p)]


def ppp_session(packet):
    protocol = {0x0800: 0x0021, 0x86dd: 0x0057}[ethertype(packet)]
    size = packet.length - 14 + 2
    head = packet.data[:12] + struct.pack(">HBBHHH", 0x8864, 0x11, 0, 1, size, protocol)
    return packet.with_data(head + packet.data[14:])


def pppoe(packets):
    return ETHERNET, [ppp_session(p) for p in packets if is_ip(p)]


def mpls(packets):
    labels = struct.pack(">II", 100 << 12 | 64, 200 << 12 | 1 << 8 | 64)
    return ETHERNET, [p.with_data(p.data[:12] + b"\x88\x47" + labels + p.data[14:])
                      for p in packets if ethertype(p) == 0x0800]


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def outer_ipv4(protocol, size):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + size, 0, 0, 64, protocol, 0,
                       bytes([10, 66, 0, 1]), bytes([198, 51, 100, 1]))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:]


def gre(packets):
    """IP in GRE (RFC 2784) in IPv4."""
    made = []
    for p in filter(is_ip, packets):
        inner = struct.pack(">HH", 0, ethertype(p)) + p.data[14:]
        head = p.data[:12] + b"\x08\x00" + outer_ipv4(47, p.length - 14 + 4)
        made.append(p.with_data(head + inner))
    return ETHERNET, made


def ipip(packets):
    """IPv4 and IPv6 in IPv4 (protocols 4 and 41)."""
    made = []
    for p in filter(is_ip, packets):
        protocol = 4 if ethertype(p) == 0x0800 else 41
        head = p.data[:12] + b"\x08\x00" + outer_ipv4(protocol, p.length - 14)
        made.append(p.with_data(head + p.data[14:]))
    return ETHERNET, made


def tcp_payload(packet):
    """Offset and size of an IPv4 TCP segment's data, or None."""
    data = packet.data
    if ethertype(packet) != 0x0800 or data[23] != 6:
        return None
    tcp = 14 + (data[14] & 15) * 4
    start = tcp + (data[tcp + 12] >> 4) * 4
    end = 14 + struct.unpack(">H", data[16:18])[0]
    return (start, end - start) if end > start else None


def swapped(packets):
    """Each second data segment arrives before the one ahead of it."""
    made, held = [], None
    for p in packets:
        if held:
            stamp = (held.sec, held.frac)
            held.sec, held.frac, p.sec, p.frac = p.sec, p.frac, *stamp
            made += [p, held]
            held = None
        elif tcp_payload(p):
            held = p
        else:
            made.append(p)
    return ETHERNET, made + ([held] if held else [])


def doubled(packets):
    return ETHERNET, [p for p in packets for unused in range(2)]


def conflict(packets):
    """Every data segment comes again with the same sequence number and other bytes."""
    made = []
    for p in packets:
        made.append(p)
        if (where := tcp_payload(p)):
            start, size = where
            made.append(p.with_data(p.data[:start] + b"X" * size + p.data[start + size:]))
    return ETHERNET, made


def holes(packets, every):
    """Every n-th data segment was never seen."""
    made, count = [], 0
    for p in packets:
        if tcp_payload(p):
            count += 1
            if count % int(every) == 0:
                continue
        made.append(p)
    return ETHERNET, made


def later(packets, skip):
    return ETHERNET, packets[int(skip):]


def one_way(packets):
    """Only what the first packet's sender sent."""
    return ETHERNET, [p for p in packets if p.data[6:12] == packets[0].data[6:12]]


def back_in_time(packets):
    """The clock goes back an hour in the middle."""
    for p in packets[len(packets) // 2:]:
        p.sec -= 3600
    return ETHERNET, packets


def bad_checksums(packets):
    """Every TCP, UDP or ICMP checksum's bytes are inverted."""
    made = []
    for p in packets:
        data = bytearray(p.data)
        if ethertype(p) == 0x0800:
            head = 14 + (data[14] & 15) * 4
            at = head + {6: 16, 17: 6, 1: 2}.get(data[23], 0)
            if at > head and at + 2 <= len(data):
                data[at] ^= 0xff
                data[at + 1] ^= 0xff
        made.append(p.with_data(bytes(data)))
    return ETHERNET, made


def big_endian(source, target):
    magic, link, packets = read(source)
    write(target, magic[::-1] if MAGICS[magic] == "<" else magic, link, packets)


def cut_tail(source, target, count):
    data = open(source, "rb").read()
    open(target, "wb").write(data[:-int(count)])


def first_bytes(source, target, count):
    data = open(source, "rb").read()
    open(target, "wb").write(data[:int(count)])


def gzipped(source, target):
    with open(source, "rb") as src, open(target, "wb") as out:
        with gzip.GzipFile("", "wb", 9, out, 0) as packed:
            packed.write(src.read())


def block(kind, body, order):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def option(code, value, order):
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def mixed_pcapng(source, target):
    """Two sections, one big-endian; Ethernet and raw IP interfaces with microseconds and 2^-20 s;
    enhanced, simple and unknown blocks."""
    magic, unused, packets = read(source)
    half = len(packets) // 2
    with open(target, "wb") as out:
        for order, part in (("<", packets[:half]), (">", packets[half:])):
            out.write(block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1), order))
            for link, resolution in ((1, 6), (101, 0x80 | 20)):
                options = option(9, bytes([resolution]), order) + option(0, b"", order)
                out.write(block(1, struct.pack(order + "HHI", link, 0, 0) + options, order))
            out.write(block(0x0abc, b"a block that nobody knows", order))
            for i, p in enumerate(part):
                out.write(enhanced_block(i % 2 if is_ip(p) else 0, p, order))
            simple = part[0]
            out.write(block(3, struct.pack(order + "I", simple.length) + simple.data, order))


def enhanced_block(interface, packet, order):
    data, length, micro = packet.data, packet.length, packet.sec * 1000000 + packet.frac
    if interface == 1:
        data, length, micro = data[14:], length - 14, (micro << 20) // 1000000
    head = struct.pack(order + "IIIII", interface, micro >> 32, micro & 0xffffffff,
                       len(data), length)
    return block(6, head + data, order)


def bare_pcapng(source, target):
    """Without the options that name the recording machine; little-endian, one section."""
    data, at, out = open(source, "rb").read(), 0, b""
    while at < len(data):
        kind, size = struct.unpack("<II", data[at:at + 8])
        body = data[at + 8:at + size - 4]
        if kind == 0x0a0d0d0a:
            out += block(kind, body[:8] + struct.pack("<q", -1), "<")
        elif kind == 1:
            unit = re.search(b"\x09\x00\x01\x00(.)", body[8:], re.S)
            options = option(9, unit[1], "<") + option(0, b"", "<") if unit else b""
            out += block(kind, body[:8] + options, "<")
        elif kind == 6:
            out += data[at:at + size]
        at += size
    open(target, "wb").write(out)


def linktype(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as src:
        head = src.read(4096)
    if len(head) < 24:
        return "-"
    if head[:4] in MAGICS:
        return NAMES.get(struct.unpack(MAGICS[head[:4]] + "I", head[20:24])[0], "?")
    order = "<" if head[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    names, at = [], 0
    while at + 12 <= len(head):
        kind, size = struct.unpack(order + "II", head[at:at + 8])
        if kind == 1:
            names.append(NAMES.get(struct.unpack(order + "H", head[at + 8:at + 10])[0], "?"))
        elif kind == 6:
            break
        at += size
    return "+".join(names) or "?"


WHOLE_FILE = {f.__name__: f for f in (big_endian, cut_tail, first_bytes, gzipped, mixed_pcapng,
                                       bare_pcapng)}
PACKETS = {f.__name__: f for f in (
    vlan, qinq, vlan3, raw, null, loop, pppoe, mpls, gre, ipip, swapped, doubled, conflict, holes,
    later, one_way, back_in_time, bad_checksums)}


def main(args):
    if args[0] == "linktype":
        print(linktype(args[1]))
        return
    kind, unused, rest = args[0].partition(":")
    arguments = rest.split(",") if rest else []
    source, target = args[1:]
    if kind in WHOLE_FILE:
        WHOLE_FILE[kind](source, target, *arguments)
        return
    magic, unused, packets = read(source)
    link, packets = PACKETS[kind](packets, *arguments)
    write(target, magic, link, packets)


main(sys.argv[1:])
