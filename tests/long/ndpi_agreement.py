#!/usr/bin/env python3
"""The protocol of each flow, and its name of a server, JA3 and JA4, beside what nDPI's result files say of the same
captures. A flow counts where nDPI is sure of it (by content, not by port). Prints a table and each disagreement that is
not explained in ndpi_agreement.txt; at least 98 % of each column have to agree or be explained."""
import collections
import glob
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["EC_SRC"], "tests", "scenario"))
from libtest import check, plan  # noqa: E402

DATA = os.environ.get("EC_SHARED_DATA", os.environ["EC_SRC"] + "/../shared/data") + "/ndpi"
HERE = os.path.dirname(os.path.abspath(__file__))
LEAST = 98.0
# nDPI's name of a protocol that a parser is there for: ours
PARSED = {"HTTP": "http", "DNS": "dns", "MDNS": "mdns", "TLS": "tls", "QUIC": "quic", "SSH": "ssh", "WebSocket": "http",
          "HTTP_Proxy": "http", "POPS": "tls", "SMTPS": "tls", "IMAPS": "tls", "FTPS": "tls"}
# Those that are only named: ours. WebRTC begins with STUN, whatever comes on the same ports.
NAMED = {"AFP": "afp", "AMQP": "amqp", "BACnet": "bacnet", "BeckhoffADS": "ams", "BFCP": "bfcp", "BFD": "bfd",
         "Bitcoin": "bitcoin", "BitTorrent": "bittorrent bittorrent-dht bittorrent-lsd utp", "BJNP": "bjnp",
         "CAPWAP": "capwap", "CiscoSkinny": "skinny", "Citrix": "citrix", "COAP": "coap", "collectd": "collectd",
         "Corba": "giop", "DCERPC": "dcerpc", "DHCP": "dhcp", "Diameter": "diameter", "Discord": "discord rtp",
         "DLEP": "dlep", "DNP3": "dnp3", "DNScrypt": "dnscrypt", "DRDA": "drda", "DTLS": "dtls stun",
         "eDonkey": "edonkey", "Elasticsearch": "elasticsearch", "EthernetGlobalData": "egd", "EthernetIP": "enip",
         "FastCGI": "fastcgi", "FINS": "fins fins-udp", "FIX": "fix", "FTP_CONTROL": "ftp", "Gearman": "gearman",
         "Git": "git", "GTP": "gtp", "GTP_C": "gtp", "GTP_U": "gtp", "HART-IP": "hart-ip", "HiSLIP": "hislip",
         "HSRP": "hsrp", "HTTP2": "http2", "IAX": "iax", "IEC60870": "iec104", "IPSec": "ike", "IRC": "irc",
         "ISO9506-1-MMS": "cotp", "Kafka": "kafka", "Kerberos": "krb5", "LDP": "ldp", "Memcached": "memcached",
         "Monero": "levin", "MQTT": "mqtt", "MsSQL-TDS": "tds", "Nats": "nats",
         "NetBIOS": "smb netbios-ns netbios-dgm", "NetFlow": "netflow", "NFS": "nfs sunrpc", "NoMachine": "nomachine",
         "NTP": "ntp", "OPC-UA": "opc-ua", "OpenFlow": "openflow", "OpenVPN": "openvpn", "OpenWire": "openwire",
         "PostgreSQL": "pgsql", "PPTP": "pptp", "Radmin": "radmin", "RakNet": "raknet", "RDP": "rdp", "RESP": "redis",
         "RIP": "rip", "Roughtime": "roughtime", "RSH": "rsh", "RTCP": "rtcp", "RTMP": "rtmp", "RTP": "rtp",
         "RTSP": "rtsp", "RX": "rx", "S7Comm": "cotp", "Service_Location_Protocol": "slp", "sFlow": "sflow",
         "SIP": "sip", "SMPP": "smpp", "SNMP": "snmp", "SOCKS": "socks", "SOMEIP": "some-ip",
         "Source_Engine": "source-engine", "Spotify": "spotify", "SSDP": "ssdp", "Steam": "steam",
         "SteamDatagramRelay": "steam", "STOMP": "stomp", "STUN": "stun", "Syncthing": "syncthing",
         "Tailscale": "tailscale", "Telnet": "telnet", "Teredo": "teredo", "Thrift": "thrift", "Usenet": "nntp",
         "Whois-DAS": "whois", "WireGuard": "wireguard", "WSD": "ws-discovery", "XDMCP": "xdmcp",
         "Yojimbo": "netcode", "Zabbix": "zabbix", "Zoom": "zoom"}
FLOW = re.compile(r"^\s+\d+\s+(\w+) (\S+):(\d+) (?:<?->|<-) (\S+):(\d+) (.*)")
Flow = collections.namedtuple("Flow", "proto name sni ja3 ja3s ja4")


def value(rest, key):
    found = re.search(r"\[%s: ([^\]]*)\]" % re.escape(key), rest)
    return found.group(1) if found else None


def key_of(proto, a, ap, b, bp):
    return (proto.lower(),) + tuple(sorted(((a.strip("[]").lower(), int(ap)), (b.strip("[]").lower(), int(bp)))))


def theirs(file):
    """{key: Flow} of a result file; None where several flows have the same addresses."""
    flows = {}
    with open(file, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = FLOW.match(line)
            if not found:
                continue
            proto, a, ap, b, bp, rest = found.groups()
            name = re.search(r"\[proto: ([^\]]*)\]", rest)
            if not name or value(rest, "Confidence") != "DPI":
                continue
            ja3s = (value(rest, "JA3S") or "").split(" ")[0]        # "… (weak)" is its opinion
            whole = name.group(1)
            name = whole.split("/", 1)[1].split(".")[0] if "/" in whole else whole
            key = key_of(proto, a, ap, b, bp)
            flows[key] = None if key in flows else Flow(proto, name, value(rest, "Hostname/SNI"), value(rest, "JA3C"),
                                                        ja3s, value(rest, "JA4"))
    return flows


def ours(capture, where):
    """({key: app_proto}, {key: {"sni": set, "ja3": …}})"""
    os.makedirs(where, exist_ok=True)
    eve = where + "/eve.json"
    if os.path.exists(eve):
        os.unlink(eve)
    done = subprocess.run(
        [os.environ["ECYBERD"], "--alone", "--workers", "0", "-r", capture, "--set", "core.state_dir=" + where,
         "--set", "core.plugins=[capture, traffic, eve]", "--set", "core.plugin_dirs=[%s]" % os.environ["EC_PLUGINDIR"],
         "--set", "eve.file=" + eve, "--set", "traffic.stream.midstream=true"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    protos, seen = {}, {}
    if done.returncode or not os.path.exists(eve):
        return protos, seen
    with open(eve, encoding="utf-8") as lines:
        for line in lines:
            e = json.loads(line)
            if "src_port" not in e or "dest_port" not in e:
                continue
            key = key_of(e["proto"], e["src_ip"], e["src_port"], e["dest_ip"], e["dest_port"])
            details(e, seen.setdefault(key, collections.defaultdict(set)))
            if e["event_type"] == "flow":
                proto = e.get("app_proto", "failed")
                protos[key] = e.get("app_proto_orig") if proto == "failed" else proto
    return protos, seen


def details(e, to):
    for kind in "tls", "quic":
        part = e.get(kind, {})
        to["sni"].add(part.get("sni"))
        to["ja3"].add((part.get("ja3") or {}).get("hash") if isinstance(part.get("ja3"), dict) else part.get("ja3"))
        to["ja3s"].add((part.get("ja3s") or {}).get("hash") if isinstance(part.get("ja3s"), dict) else part.get("ja3s"))
        to["ja4"].add(part.get("ja4"))
    to["sni"].add(e.get("http", {}).get("hostname"))
    dns = e.get("dns", {})
    to["sni"].update(q.get("rrname") for q in dns.get("queries", []) + dns.get("query", []) if isinstance(q, dict))
    to["sni"].add(dns.get("rrname"))
    for section in "queries", "answers", "additionals":
        to["sni"].update(r.get("rrname") for r in e.get("mdns", {}).get(section, []))


def main():
    if not os.path.isdir(DATA):
        print("SKIP: %s is not here" % DATA)
        return 77
    with open(HERE + "/ndpi_agreement.txt", encoding="utf-8") as file:
        explained = {line.split("|")[0].strip() for line in file if "|" in line}
    table = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0, 0]))
    used, wrong = set(), []
    for result in sorted(glob.glob(DATA + "/*.out")):
        capture = result[:-4]
        if not os.path.exists(capture):
            continue
        name = os.path.basename(capture)
        protos, seen = ours(capture, os.getcwd() + "/out")
        for key, flow in theirs(result).items():
            if flow and flow.name not in PARSED:
                named(table[flow.name]["named"], wrong, name, flow.name, protos.get(key))
            if flow and flow.name not in PARSED and protos.get(key) in PARSED.values():
                compare(table["(others)"]["protocol"], name, key, flow.name, "none of these", {protos[key]}, explained, used)
            if not flow or flow.name not in PARSED:
                continue
            row = table[flow.name]
            mine = protos.get(key)
            compare(row["protocol"], name, key, flow.name, PARSED[flow.name], {mine}, explained, used)
            for what in "sni", "ja3", "ja3s", "ja4":
                wanted = getattr(flow, what)
                if wanted and (what, flow.name) != ("sni", "SSH") and mine == PARSED[flow.name]:
                    have = {str(v).lower() for v in seen.get(key, {}).get(what, ()) if v}
                    compare(row[what], name, key, flow.name + " " + what, wanted.lower(), have, explained, used)
    check(not wrong, "no flow has the name of another protocol", wrong)
    report(table)
    for line in sorted(explained - used):
        print("not needed: " + line)
    return 0


def named(cell, wrong, capture, theirs_is, mine):
    """A protocol without a parser: another name than nDPI's is wrong, none is not."""
    cell[0] += 1
    if mine in NAMED.get(theirs_is, "").split():
        cell[1] += 1
    elif mine not in (None, "failed") and mine not in PARSED.values():
        wrong.append("%s: nDPI %s, here %s" % (capture, theirs_is, mine))


def same_ja4(a, b):
    """Where nDPI leaves JA4's definition: its i or d tells whether the name is an address, not whether there is one; of an
    ALPN it takes the first two letters, not the first and the last; without extensions it hashes nothing."""
    def bare(text):
        parts = text.split("_")
        return [parts[0][:3] + parts[0][4:8] + parts[0][8:9], parts[1],
                "000000000000" if parts[2] == "e3b0c44298fc" else parts[2]] if len(parts) == 3 else text
    return bare(a) == bare(b)


def compare(cell, name, key, what, wanted, have, explained, used):
    cell[0] += 1
    good = wanted in have or (len(wanted) > 60 and any(h.startswith(wanted[:60]) for h in have if h))
    good = good or what.endswith("ja4") and any(same_ja4(wanted, h) for h in have)
    if good:
        cell[1] += 1
        return
    line = "%s %s %s" % (name, what, "%s:%d-%s:%d" % (key[1] + key[2]))
    for words in explained:
        if line == words or (words.endswith("*") and line.startswith(words[:-1])):
            used.add(words)
            cell[2] += 1
            return
    print("differs: %s: nDPI %s, here %s" % (line, wanted, sorted(str(h) for h in have) or "nothing"))


def report(table):
    total = collections.defaultdict(lambda: [0, 0, 0])
    for name, row in sorted(table.items()):
        for what, cell in sorted(row.items()):
            print("%-10s %-9s %4d flows, %4d agree, %3d explained, %5.1f %%" % (
                name, what, cell[0], cell[1], cell[2], 100 * cell[1] / cell[0]))
            if what == "named":
                continue
            total[what] = [a + b for a, b in zip(total[what], cell)]
    for what, cell in sorted(total.items()):
        share = 100 * cell[1] / cell[0]
        check(100 * (cell[1] + cell[2]) / cell[0] >= LEAST, "%s: %d of %d agree (%.1f %%), %d are explained" % (
            what, cell[1], cell[0], share, cell[2]))
    plan()


if __name__ == "__main__":
    sys.exit(main())
