/* feature_list.h: X(name, unit, help, value) for each feature. In a value stand: f, the flow; a, what was seen to the
 * server; b, to the client; r, what happened around it. Order is no promise: models name what they use. */
#ifndef ML_FEATURE_LIST_H
#define ML_FEATURE_LIST_H

#define ML_FEATURES(X) \
    X(tcp, NULL, "1: TCP", f->ip_proto == 6) \
    X(udp, NULL, "1: UDP", f->ip_proto == 17) \
    X(icmp, NULL, "1: ICMP", f->ip_proto == 1 || f->ip_proto == 58) \
    X(port_class, NULL, "of the server's port; 0: below 1024, 1: below 32768, 2: above", port_class(f)) \
    X(app_known, NULL, "1: its application protocol was recognised", f->proto != 0) \
    X(established, NULL, "1: both sides spoke", f->state != EC_FLOW_NEW) \
    X(duration, "s", "from the first packet to the last", seconds(f->last_ns - f->first_ns)) \
    X(packets_to_server, "packets", "to the server", f->pkts[0]) \
    X(packets_to_client, "packets", "to the client", f->pkts[1]) \
    X(bytes_to_server, "bytes", "of whole frames to the server", f->bytes[0]) \
    X(bytes_to_client, "bytes", "of whole frames to the client", f->bytes[1]) \
    X(answer_ratio, NULL, "packets to the client for each one to the server", ratio(f->pkts[1], f->pkts[0])) \
    X(data_to_server, "packets", "with payload, to the server", a->data) \
    X(data_to_client, "packets", "with payload, to the client", b->data) \
    X(payload_to_server, "bytes", "of payload, to the server", a->len_sum) \
    X(payload_to_client, "bytes", "of payload, to the client", b->len_sum) \
    X(payload_mean_to_server, "bytes", "mean of payloads to the server", ratio(a->len_sum, a->data)) \
    X(payload_mean_to_client, "bytes", "mean of payloads to the client", ratio(b->len_sum, b->data)) \
    X(payload_sd_to_server, "bytes", "their standard deviation", payload_sd(a)) \
    X(payload_sd_to_client, "bytes", "their standard deviation", payload_sd(b)) \
    X(payload_max_to_server, "bytes", "the longest payload to the server", a->len_max) \
    X(payload_max_to_client, "bytes", "the longest payload to the client", b->len_max) \
    X(first_to_server, "bytes", "of the first payload to the server", first(a, 0)) \
    X(second_to_server, "bytes", "of the second payload to the server", first(a, 1)) \
    X(third_to_server, "bytes", "of the third payload to the server", first(a, 2)) \
    X(fourth_to_server, "bytes", "of the fourth payload to the server", first(a, 3)) \
    X(first_to_client, "bytes", "of the first payload to the client", first(b, 0)) \
    X(second_to_client, "bytes", "of the second payload to the client", first(b, 1)) \
    X(third_to_client, "bytes", "of the third payload to the client", first(b, 2)) \
    X(fourth_to_client, "bytes", "of the fourth payload to the client", first(b, 3)) \
    X(gap_mean_to_server, "s", "mean time between packets to the server", gap_mean(a)) \
    X(gap_mean_to_client, "s", "mean time between packets to the client", gap_mean(b)) \
    X(gap_sd_to_server, "s", "their standard deviation", gap_sd(a)) \
    X(gap_sd_to_client, "s", "their standard deviation", gap_sd(b)) \
    X(gap_max_to_server, "s", "the longest time between packets to the server", gap_max(a)) \
    X(gap_max_to_client, "s", "the longest time between packets to the client", gap_max(b)) \
    X(syn_to_server, "packets", "TCP segments with SYN to the server", a->syn) \
    X(syn_to_client, "packets", "TCP segments with SYN to the client", b->syn) \
    X(fin_to_server, "packets", "TCP segments with FIN to the server", a->fin) \
    X(fin_to_client, "packets", "TCP segments with FIN to the client", b->fin) \
    X(rst_to_server, "packets", "TCP segments with RST to the server", a->rst) \
    X(rst_to_client, "packets", "TCP segments with RST to the client", b->rst) \
    X(psh_to_server, "packets", "TCP segments with PSH to the server", a->psh) \
    X(psh_to_client, "packets", "TCP segments with PSH to the client", b->psh) \
    X(bare_to_server, "packets", "TCP segments without any flag to the server", a->bare) \
    X(src_flows, "flows", "that the source began within one to two minutes", r->src_flows) \
    X(src_unanswered, "flows", "of these without an answer", r->src_unanswered) \
    X(src_ports, "ports", "distinct ports that they went to", r->src_ports) \
    X(src_hosts, "hosts", "distinct hosts that they went to", r->src_hosts) \
    X(src_long, "flows", "that the source began within 30 to 60 minutes", r->src_long) \
    X(src_long_unanswered, "flows", "of these without an answer", r->src_long_unanswered) \
    X(src_long_ports, "ports", "distinct ports that they went to", r->src_long_ports) \
    X(src_long_hosts, "hosts", "distinct hosts that they went to", r->src_long_hosts) \
    X(svc_flows, "flows", "of the source to this port of this host within one to two minutes", r->svc_flows) \
    X(svc_unanswered, "flows", "of these without an answer", r->svc_unanswered) \
    X(svc_long, "flows", "of the source to this port of this host within 30 to 60 minutes", r->svc_long) \
    X(svc_long_unanswered, "flows", "of these without an answer", r->svc_long_unanswered) \
    X(dst_flows, "flows", "to this host from anybody within one to two minutes", r->dst_flows) \
    X(dst_unanswered, "flows", "of these without an answer", r->dst_unanswered) \
    X(dst_ports, "ports", "distinct ports of this host that were asked", r->dst_ports) \
    X(dst_sources, "hosts", "distinct sources that asked this host", r->dst_sources)

#endif
