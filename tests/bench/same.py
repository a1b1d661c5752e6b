"""What two engines found in one capture, by classes that mean the same in both: eCyber's EVE records and Suricata's."""
import collections
import json
import os
import re

JUDGED = 500                        # records that a class needs for its 1 % to be more than a handful
PORTS = ("src_port", "dest_port")
STARTTLS = ("smtp", "imap", "pop3", "ftp", "jabber", "pgsql")


def lines(folder):
    for file in sorted(os.listdir(folder)):
        if file.startswith("eve.json"):
            with open(os.path.join(folder, file), "rb") as events:
                yield from events


def flow_apart(event):
    """Why this flow is not counted where records are compared; None: it is."""
    if event.get("tunnel", {}).get("type") == "gtp":
        return "in GTP-U, which Suricata does not open"
    if event["flow"].get("reason") == "tcp_reuse":
        return "ended by the next connection on their addresses (tcp_reuse)"
    if event["proto"] in ("TCP", "UDP", "SCTP"):
        return None
    if event["proto"] not in ("ICMP", "IPv6-ICMP"):
        return "neither TCP, UDP, SCTP nor ICMP"
    if event.get("icmp_type") in ((3, 4, 5, 11, 12) if event["proto"] == "ICMP" else (1, 2, 3, 4)):
        return "ICMP errors about no flow that is known"
    return None


def records_apart(event):
    """Why the records of this flow's protocol are not counted."""
    flow = event["flow"]
    if event["proto"] == "TCP" and not (flow["pkts_toserver"] and flow["pkts_toclient"]):
        return "of TCP that was seen in one direction only"
    if event.get("app_proto_orig") in STARTTLS:
        return "of TLS begun by STARTTLS"
    return flow_apart(event) if "tunnel" in event else None


def quic_version(name):
    """Whether there is such a version; Suricata prints those that it does not know as a number."""
    if re.fullmatch("[0-9a-f]{8}", name):
        name = bytes.fromhex(name).decode("latin-1")
    return bool(re.fullmatch(r"[QT]0\d\d|v?[12]|draft-\d\d", name)) or name.startswith("\xff\0\0")


def record_class(event, apart):
    """The class of a record, or None and why it has none."""
    kind = event["event_type"]
    if event.get("flow_id") in apart:
        return None, apart[event["flow_id"]]
    if kind == "dns" and not any(event.get(port) == 53 for port in PORTS):
        return None, "of LLMNR" if any(event.get(port) == 5355 for port in PORTS) else "of DNS on other ports than 53"
    if kind == "tls" and "ja3s" not in event["tls"]:
        return None, "of handshakes without a ServerHello"
    if kind == "quic" and not quic_version(event["quic"].get("version", "")):
        return None, "of no version of QUIC that exists"
    if kind == "fileinfo" and event.get("app_proto") != "http":
        return None, "of files that came by other protocols than HTTP"
    if kind == "fileinfo" and event.get("direction") == "to_server":
        return None, "of files that clients sent"
    return kind, None


class Found:
    """The records of one run: by class, and why others are in none."""

    def __init__(self, folder):
        self.classes, self.left, self.anomalies = (collections.Counter() for _ in range(3))
        apart, directions, once = {}, {}, collections.defaultdict(set)
        for line in lines(folder):
            if b'"event_type":"flow"' in line:
                self.flow(json.loads(line), apart, directions)
            elif b'"app_proto":"dns"' in line and b'"event_type":"anomaly"' in line:
                apart[json.loads(line).get("flow_id")] = "of DNS with malformed messages"
        for line in lines(folder):
            if b'"event_type":"flow"' not in line:
                self.record(json.loads(line), apart, directions, once)
        self.classes.update({name: len(keys) for name, keys in once.items()})

    def flow(self, event, apart, directions):
        why, records = flow_apart(event), records_apart(event)
        if why:
            self.left["flows " + why] += 1
        else:
            self.classes["flow " + event["proto"].lower().replace("ipv6-", "")] += 1
        if records:
            apart[event["flow_id"]] = records
        elif event.get("app_proto") == "http":
            directions[event["flow_id"]] = (event["src_ip"], event.get("src_port"))

    def record(self, event, apart, directions, once):
        kind = event["event_type"]
        if kind == "anomaly":
            self.anomalies[event["anomaly"]["type"]] += 1
            return
        if kind == "fileinfo":
            client = directions.get(event.get("flow_id"))
            event["direction"] = "to_server" if client == (event["src_ip"], event.get("src_port")) else "to_client"
        which, why = record_class(event, apart)
        if not which:
            self.left["%s %s" % (kind, why)] += 1
        elif kind == "quic":                # Suricata has a record for each long header of Google's versions
            once["quic (flows)"].add(event["flow_id"])
        elif kind == "tls":                 # a connection that was captured twice is one flow for Suricata
            once["tls (ends)"].add(tuple(event.get(key) for key in ("src_ip", "dest_ip") + PORTS))
        else:
            self.classes[kind] += 1


def named(folder):
    """The packets that the records of TCP's transactions name: by kind, ends and address asked for, in order."""
    packets = collections.defaultdict(list)
    for line in lines(folder):
        if b'"event_type":"http"' in line or b'"event_type":"tls"' in line:
            event = json.loads(line)
            ends = frozenset((event[side + "_ip"], event[side + "_port"]) for side in ("src", "dest"))
            if "pcap_cnt" in event:
                packets[event["event_type"], ends, event.get("http", {}).get("url")].append(event["pcap_cnt"])
    return {key: sorted(found) for key, found in packets.items()}


def compare_packets(ours, theirs):
    """Print how many records name the same packet, of those that have one in both folders."""
    same, both = collections.Counter(), collections.Counter()
    ours, theirs = named(ours), named(theirs)
    for key in ours.keys() & theirs.keys():
        pairs = list(zip(ours[key], theirs[key]))
        both[key[0]] += len(pairs)
        same[key[0]] += sum(a == b for a, b in pairs)
    words = ["%s %d of %d" % (kind, same[kind], n) for kind, n in sorted(both.items())]
    if words:
        print("  the same packet: " + ", ".join(words))


def differ(ours, theirs):
    return abs(ours - theirs) > 0.01 * max(ours, theirs)


def compare(ours, theirs):
    """Print the classes of two Found; the names of those that void the comparison."""
    void = []
    for name in sorted(set(ours.classes) | set(theirs.classes)):
        a, b = ours.classes[name], theirs.classes[name]
        judged = max(a, b) >= JUDGED
        if judged and differ(a, b):
            void.append(name)
        print("  %-14s %9d %9d  %s" % (name, a, b, "" if not judged else "differ" if differ(a, b) else "same"))
    for who, found in (("ecyberd", ours), ("suricata", theirs)):
        for why, n in sorted(found.left.items()):
            print("  apart in %-9s %8d %s" % (who, n, why))
        print("  anomalies of %s: %s" % (who, " ".join("%s %d" % kind for kind in sorted(found.anomalies.items()))))
    return void
