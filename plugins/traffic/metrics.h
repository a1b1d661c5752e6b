/* metrics.h: the rows of traffic's metric table, in the order of their indexes. The rows of the
 * events (decode/event.h) follow them. */
#ifndef TRAFFIC_METRICS_H
#define TRAFFIC_METRICS_H
#include "plugins/traffic/decode/event.h"

/* X(symbol, kind, name, unit, help) */
#define METRICS(X)                                                                                 \
    X(PKTS, COUNTER, "decode.packets", "packets", "Frames given to the decoder.")                  \
    X(BYTES, COUNTER, "decode.bytes", "bytes", "Their bytes on the wire.")                         \
    X(BAD, COUNTER, "decode.invalid", "packets",                                                   \
      "Packets whose headers end too early or contradict each other.")                             \
    X(LINK_UNSUPPORTED, COUNTER, "decode.linktype_unsupported", "packets",                         \
      "Frames of a link type that is not read.")                                                   \
    X(NOT_IP, COUNTER, "decode.not_ip", "packets",                                                 \
      "Frames that carry no IP (ARP, LLDP, 802.2 …).")                                             \
    X(ARP, COUNTER, "decode.arp.packets", "packets", "ARP among them.")                            \
    X(CUT, COUNTER, "decode.cut", "packets", "Packets that the capture cut short (snap length).")  \
    X(INNER, COUNTER, "decode.inner.packets", "packets", "Packets found in tunnels.")              \
    X(OFFLOAD, COUNTER, "decode.offloaded", "packets",                                             \
      "Packets whose checksum or cutting the sender left to its network card.")                    \
    X(VLAN, COUNTER, "decode.vlan", "packets", "Frames with at least one VLAN tag.")               \
    X(IPV4, COUNTER, "decode.ipv4.packets", "packets", "IPv4 packets.")                            \
    X(IPV6, COUNTER, "decode.ipv6.packets", "packets", "IPv6 packets.")                            \
    X(FRAGS, COUNTER, "decode.fragments", "packets", "IP fragments.")                              \
    X(DEFRAG_WHOLE, COUNTER, "defrag.reassembled", "datagrams", "Datagrams put together from fragments.") \
    X(DEFRAG_IGNORED, COUNTER, "defrag.ignored", "packets",                                        \
      "Fragments not kept: cut, broken, contradicting others, no memory.")                         \
    X(DEFRAG_TIMEOUT, COUNTER, "defrag.timeout", "datagrams", "Datagrams given up: parts came too late.") \
    X(DEFRAG_MEMORY, COUNTER, "defrag.memory", "datagrams",                                        \
      "Datagrams given up to stay within defrag.memcap.")                                          \
    X(DEFRAG_END, COUNTER, "defrag.unfinished", "datagrams",                                       \
      "Datagrams whose parts were missing when the source ended.")                                 \
    X(DEFRAG_MEM, GAUGE, "defrag.memory.bytes", "bytes", "Memory of fragments that wait.")         \
    X(TCP, COUNTER, "decode.tcp.packets", "packets", "TCP segments.")                              \
    X(UDP, COUNTER, "decode.udp.packets", "packets", "UDP datagrams.")                             \
    X(ICMP, COUNTER, "decode.icmp.packets", "packets", "ICMP and ICMPv6 messages.")                \
    X(OTHER, COUNTER, "decode.other.packets", "packets", "IP packets of other protocols.")         \
    X(FLOWS, COUNTER, "flow.total", "flows", "Flows started.")                                     \
    X(FLOWS_NOW, GAUGE, "flow.active", "flows", "Flows in the table.")                             \
    X(FLOW_TIMEOUT, COUNTER, "flow.end.timeout", "flows", "Flows ended: silent for too long.")     \
    X(FLOW_SHUTDOWN, COUNTER, "flow.end.shutdown", "flows",                                        \
      "Flows ended: the engine stopped or the capture ended.")                                     \
    X(FLOW_MEMORY, COUNTER, "flow.end.memory", "flows",                                            \
      "Flows ended early to stay within the limits.")                                              \
    X(FLOW_REUSED, COUNTER, "flow.end.reused", "flows",                                            \
      "Flows ended: a new connection took the same addresses.")                                    \
    X(FLOW_NOMEM, COUNTER, "flow.no_memory", "packets",                                            \
      "Packets without a flow: none could be made.")                                               \
    X(FLOW_ERRORS, COUNTER, "flow.icmp_errors", "packets",                                         \
      "ICMP errors that found the flow that they are about.")                                      \
    X(BYPASS_LARGE, COUNTER, "flow.bypass.large", "flows", "Flows bypassed: over bypass.bytes.")     \
    X(BYPASS_ENCRYPTED, COUNTER, "flow.bypass.encrypted", "flows", "Flows bypassed: encrypted.")    \
    X(BYPASS_OVERLOAD, COUNTER, "flow.bypass.overload", "flows",                                   \
      "Flows bypassed under overload: over overload.bytes, or encrypted.")                         \
    X(SHED_LEVEL, GAUGE, "overload.level", "levels",                                               \
      "What is left out now, added up over the workers. 1: large and encrypted flows; 2: optional inspectors, too.") \
    X(SHED_RAISED, COUNTER, "overload.raised", "times", "Times that a worker began to leave out more.") \
    X(SHED_PKTS, COUNTER, "dropped.overload.packets", "packets",                                   \
      "of large and encrypted flows that nobody looked at, because packets came faster than the workers could read "   \
      "them: use more workers, a larger buffer of the source for bursts, a filter, or fewer rules") \
    X(BYPASS_PKTS, COUNTER, "flow.bypass.packets", "packets",                                      \
      "Packets of bypassed flows; counted with every eighth of a direction, and at the end.")      \
    X(BYPASS_BYTES, COUNTER, "flow.bypass.bytes", "bytes", "Bytes of those frames.")               \
    X(MEM, GAUGE, "memory.bytes", "bytes", "Memory of flows, protocol states and transactions.")   \
    X(STREAM_MEM, GAUGE, "stream.memory.bytes", "bytes",                                           \
      "Memory of segments that wait for their turn.")                                              \
    X(STREAM_BYTES, COUNTER, "stream.bytes", "bytes", "Stream bytes delivered in order.")          \
    X(STREAM_OOO, COUNTER, "stream.out_of_order", "packets", "Segments that had to wait.")         \
    X(STREAM_RETRANS, COUNTER, "stream.retransmitted", "packets", "Segments without a new byte.")  \
    X(STREAM_KEEPALIVE, COUNTER, "stream.keepalive", "packets",                                    \
      "Keep-alive and zero-window probes.")                                                        \
    X(STREAM_GAPS, COUNTER, "stream.gaps", "gaps", "Holes given up and skipped.")                  \
    X(STREAM_MISSING, COUNTER, "stream.missing.bytes", "bytes", "Bytes in those holes.")           \
    X(STREAM_DROPPED, COUNTER, "stream.dropped.bytes", "bytes",                                    \
      "Bytes not kept: out of window, after the end.")                                             \
    X(STREAM_DEPTH, COUNTER, "stream.depth_reached", "streams", "Directions cut at stream.depth.") \
    X(STREAM_URGENT, COUNTER, "stream.urgent.bytes", "bytes",                                      \
      "Urgent octets, which are no part of the stream.")                                           \
    X(STREAM_NO_SESSION, COUNTER, "stream.no_session", "packets",                                  \
      "Segments of connections whose start was not seen.")                                         \
    X(APP_DETECTED, COUNTER, "app.detected", "flows", "Flows whose protocol was detected.")        \
    X(APP_FAILED, COUNTER, "app.not_detected", "flows", "Flows whose protocol is unknown.")        \
    X(APP_ERROR, COUNTER, "app.error", "flows", "Flows on which a parser gave up.")                \
    X(APP_NOMEM, COUNTER, "app.no_memory", "flows", "Flows not parsed for lack of memory.")        \
    X(APP_KEPT_LIMIT, COUNTER, "app.kept_limit", "flows",                                          \
      "Flows given up: a parser left more than 64 KiB unread.")                                    \
    X(TX, COUNTER, "app.transactions", "transactions", "Transactions begun.")                      \
    X(TX_LIMIT, COUNTER, "app.transactions_refused", "transactions",                               \
      "Transactions not begun: too many open.")                                                    \
    X(TX_CUT, COUNTER, "app.transactions_cut", "transactions",                                     \
      "Transactions ended by the end of their flow.")                                              \
    X(FILES, COUNTER, "app.files", "files", "Files that went by, to their end or not.")            \
    X(ANOMALY, COUNTER, "anomaly.seen", "events", "Anomalies found, repeated ones included.")      \
    X(ANOMALY_LIMITED, COUNTER, "anomaly.limited", "events",                                       \
      "Anomalies counted but not published: a repetition.")                                        \
    X(HOSTS_REUSED, COUNTER, "hosts.reused", "entries",                                            \
      "Host entries reused because a space was full.")                                             \
    X(HOSTS_WAITS, COUNTER, "hosts.waits", "locks",                                                \
      "Times that a shard's lock was held by another worker.")                                     \
    X(ORDER_WAITS, COUNTER, "hosts.order_waits", "waits",                                          \
      "Times that a replay's worker waited for an earlier packet.")                                \
    X(ORDER_GIVEN_UP, COUNTER, "hosts.order_given_up", "waits",                                    \
      "Such waits that were ended after 5 s.")

#define X(symbol, kind, name, unit, help) M_##symbol,
enum metric_id { METRICS(X) M_OWN_COUNT, M_EVENT = M_OWN_COUNT, M_COUNT = M_EVENT + EV_COUNT };
#undef X

#endif
