#!/usr/bin/env python3
"""Writes the MaxMind DB files of this folder: MADE-UP places for the networks of our captures and for those that are set
aside for documentation (RFC 5737, RFC 3849; numbers of autonomous systems: RFC 5398). Nothing in them is true of anybody.

usage: make.py [FOLDER]      FOLDER: where to, this one by default. The same bytes each time.

    places.mmdb   country.iso_code, continent.code and the network: what script/run shows
    flat.mmdb     country_code, as other makers of such files write it
    asn.mmdb      the network alone
    moved.mmdb    as places.mmdb, with every country another one: for tests that swap the file
The format: https://maxmind.github.io/MaxMind-DB/ (version 2.0)."""
import ipaddress
import os
import struct
import sys

PLACES = [
    # network             country  continent  AS     organisation
    ("10.66.0.0/16",      "DE",    "EU",      64500, "Example Campus"),
    ("10.66.0.0/24",      "AT",    "EU",      64496, "Example Home Network"),
    ("10.66.1.0/24",      "SE",    "EU",      64497, "Example Hosting"),
    ("192.0.2.0/24",      "CA",    "NA",      64499, "Example Net One"),
    ("198.51.100.0/24",   "BR",    "SA",      64498, "Example Net Two"),
    ("203.0.113.0/24",    "JP",    "AS",      64501, "Example Net Three – 例"),
    ("2001:db8::/32",     "FR",    "EU",      64502, "Example Net Six"),
    ("fd66::/16",         "AT",    "EU",      64496, "Example Home Network"),
]
MOVED = {"DE": "NZ", "AT": "ZA", "SE": "KR", "CA": "PE", "BR": "IS", "JP": "KE", "FR": "FJ"}
BUILT = 1763769600                      # 2025-11-22


class Uint(int):
    """(bits, value) of an unsigned number."""
    def __new__(cls, bits, value):
        self = super().__new__(cls, value)
        self.bits = bits
        return self


def control(kind, size):
    """Type and size of a value (the part 'Data field format')."""
    first, extended = (kind << 5, b"") if kind < 8 else (0, bytes([kind - 7]))
    if size < 29:
        return bytes([first | size]) + extended
    assert size < 29 + 256
    return bytes([first | 29]) + extended + bytes([size - 29])


def encode(value):
    if isinstance(value, str):
        raw = value.encode("utf-8")
        return control(2, len(raw)) + raw
    if isinstance(value, Uint):
        raw = int(value).to_bytes(16, "big").lstrip(b"\0")
        return control({16: 5, 32: 6, 64: 9}[value.bits], len(raw)) + raw
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def tree(entries):
    """Nodes [left, right] of a trie over 128 bits; a leaf is a text's bytes. IPv4 stands below ::/96, and ::ffff:0:0/96
    leads there too. Longer networks come after the shorter ones that hold them."""
    nodes = [[None, None]]
    for network, leaf in entries:
        net = ipaddress.ip_network(network)
        bits, length = int(net.network_address), net.prefixlen + (96 if net.version == 4 else 0)
        at = 0
        for i in range(length - 1):
            side = bits >> (127 - i) & 1
            if not isinstance(nodes[at][side], int):
                nodes.append([nodes[at][side]] * 2)
                nodes[at][side] = len(nodes) - 1
            at = nodes[at][side]
        nodes[at][bits >> (128 - length) & 1] = leaf
    v4 = 0
    for _ in range(96):
        v4 = nodes[v4][0]
    at = 0
    for i in range(95):
        side = int(i >= 80)
        if nodes[at][side] is None:
            nodes.append([None, None])
            nodes[at][side] = len(nodes) - 1
        at = nodes[at][side]
    nodes[at][1] = v4
    return nodes


def database(kind, records):
    nodes = tree([(network, encode(record)) for network, record in records])
    data, where = b"", {}
    for leaf in (side for node in nodes for side in node if isinstance(side, bytes)):
        if leaf not in where:
            where[leaf] = len(data)
            data += leaf

    def number(side):
        if side is None:
            return len(nodes)
        return side if isinstance(side, int) else len(nodes) + 16 + where[side]

    out = b"".join(struct.pack(">I", number(side))[1:] for node in nodes for side in node)
    meta = {"node_count": Uint(32, len(nodes)), "record_size": Uint(16, 24), "ip_version": Uint(16, 6),
            "database_type": kind, "languages": ["en"], "binary_format_major_version": Uint(16, 2),
            "binary_format_minor_version": Uint(16, 0), "build_epoch": Uint(64, BUILT),
            "description": {"en": "made-up places for tests"}}
    return out + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(meta)


def nested(moved):
    return [(net, {"country": {"iso_code": MOVED[country] if moved else country}, "continent": {"code": continent},
                   "autonomous_system_number": Uint(32, asn), "autonomous_system_organization": org})
            for net, country, continent, asn, org in PLACES]


def main(folder):
    files = {
        "places.mmdb": database("eCyber-Test-Places", nested(False)),
        "moved.mmdb": database("eCyber-Test-Places", nested(True)),
        "flat.mmdb": database("eCyber-Test-Flat", [(p[0], {"country_code": p[1]}) for p in PLACES]),
        "asn.mmdb": database("eCyber-Test-ASN", [
            (p[0], {"autonomous_system_number": Uint(32, p[3]), "autonomous_system_organization": p[4]}) for p in PLACES]),
    }
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)


main(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))
