"""Makes a large capture out of small ones: each repeat has addresses and a time of its own, checksums stay right."""
import glob
import os
import struct


def packets_of(path):
    """(ts_us, original length, bytes) of an Ethernet capture in the classic format with microseconds; else nothing."""
    with open(path, "rb") as file:
        head = file.read(24)
        if len(head) < 24 or head[:4] != b"\xd4\xc3\xb2\xa1" or struct.unpack("<I", head[20:24])[0] != 1:
            return
        while True:
            record = file.read(16)
            if len(record) < 16:
                return
            sec, usec, caplen, wire = struct.unpack("<IIII", record)
            data = file.read(caplen)
            if len(data) < caplen:
                return
            yield sec * 1000000 + usec, wire, data


def move_word_pair(frame, at, step):
    """Adds step to the low byte of the word at `at` and takes the same from the word behind it (one's complement), so
    that no checksum changes."""
    high, low = frame[at], frame[at + 1]
    moved = (low + step) & 0xFF
    second = (frame[at + 2] << 8 | frame[at + 3]) - (moved - low)
    second = (second - 1 if second < 0 else second + 1 if second > 0xFFFF else second) & 0xFFFF
    frame[at:at + 4] = bytes((high, moved, second >> 8, second & 0xFF))


def readdress(data, step):
    frame = bytearray(data)
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    kind, ip = bytes(frame[at:at + 2]), at + 2
    if kind == b"\x08\x00" and len(frame) >= ip + 20:
        move_word_pair(frame, ip + 12, step)
        move_word_pair(frame, ip + 16, step)
    elif kind == b"\x86\xdd" and len(frame) >= ip + 40:
        move_word_pair(frame, ip + 16, step)
        move_word_pair(frame, ip + 32, step)
    return bytes(frame)


def write_large(folder, path, least):
    """Repeats the captures of folder (at most 256 times) until there are `least` packets; returns their number."""
    base = []
    start = 0
    for name in sorted(glob.glob(os.path.join(folder, "*.pcap"))):
        part = list(packets_of(name))
        first = min((p[0] for p in part), default=0)
        base += [(start + p[0] - first, p[1], p[2]) for p in part]
        start = max((p[0] for p in base), default=0) + 1000
    base.sort(key=lambda p: p[0])
    count = 0
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for step in range(256):
            for ts, wire, data in base:
                ts += 1600000000000000 + step * start
                out.write(struct.pack("<IIII", ts // 1000000, ts % 1000000, len(data), wire) + readdress(data, step))
            count += len(base)
            if count >= least or not base:
                break
    return count
