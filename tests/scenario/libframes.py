"""Frames made by hand, and captures of them, for the scenarios of decoding."""
import struct
import socket

LINK_ETHERNET, LINK_RAW = 1, 101
MACS = bytes((2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ether(kind, data, tags=b""):
    return MACS + tags + struct.pack(">H", kind) + data


def ip4(src, dst, proto, data, ident=1, offset=0, more=False, options=b""):
    head = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(data), ident,
                       offset // 8 | (0x2000 if more else 0), 64, proto, 0, socket.inet_aton(src),
                       socket.inet_aton(dst)) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + data


def ip6(src, dst, proto, data, hops=64):
    return struct.pack(">IHBB", 0x60000000, len(data), proto, hops) + socket.inet_pton(socket.AF_INET6, src) \
        + socket.inet_pton(socket.AF_INET6, dst) + data


def udp(sport, dport, data):
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


def tcp(sport, dport, data=b"", flags=2, seq=1, ack=0, options=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, ack, (20 + len(options)) // 4 << 4, flags, 65535, 0, 0) \
        + options + data


def icmp(kind, code, data):
    head = struct.pack(">BBHI", kind, code, 0, 0)
    return head[:2] + struct.pack(">H", checksum(head + data)) + head[4:] + data


def fragments(src, dst, proto, data, ident, cuts):
    """The datagram in pieces that begin at 0 and at each of these offsets."""
    ends = list(cuts) + [len(data)]
    return [ip4(src, dst, proto, data[begin:end], ident, begin, end < len(data))
            for begin, end in zip([0] + list(cuts), ends)]


def write_pcap(path, link, frames, begin=1700000000, step=0.01):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link))
        for i, frame in enumerate(frames):
            us = int((begin + i * step) * 1000000)
            out.write(struct.pack("<IIII", us // 1000000, us % 1000000, len(frame), len(frame)) + frame)
