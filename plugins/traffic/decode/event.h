/* event.h: what can be wrong with a packet or a stream, by Suricata's event names. The table gives the metric rows
 * ("decode.ipv4.trunc_pkt") and the names in anomaly events ("decoder.ipv4.trunc_pkt"). */
#ifndef TRAFFIC_DECODE_EVENT_H
#define TRAFFIC_DECODE_EVENT_H
#include <stdint.h>

/* X(symbol, name). */
#define EVENTS_DECODE(X) \
    X(TOO_MANY_LAYERS, "too_many_layers") \
    X(ETHERNET_PKT_TOO_SMALL, "ethernet.pkt_too_small") \
    X(VLAN_HEADER_TOO_SMALL, "vlan.header_too_small") \
    X(VLAN_UNKNOWN_TYPE, "vlan.unknown_type") \
    X(VLAN_TOO_MANY_LAYERS, "vlan.too_many_layers") \
    X(IEEE8021AH_HEADER_TOO_SMALL, "ieee8021ah.header_too_small") \
    X(VNTAG_HEADER_TOO_SMALL, "vntag.header_too_small") \
    X(VNTAG_UNKNOWN_TYPE, "vntag.unknown_type") \
    X(DCE_PKT_TOO_SMALL, "dce.pkt_too_small") \
    X(MPLS_HEADER_TOO_SMALL, "mpls.header_too_small") \
    X(MPLS_PKT_TOO_SMALL, "mpls.pkt_too_small") \
    X(MPLS_BAD_LABEL_ROUTER_ALERT, "mpls.bad_label_router_alert") \
    X(MPLS_BAD_LABEL_IMPLICIT_NULL, "mpls.bad_label_implicit_null") \
    X(MPLS_BAD_LABEL_RESERVED, "mpls.bad_label_reserved") \
    X(MPLS_UNKNOWN_PAYLOAD_TYPE, "mpls.unknown_payload_type") \
    X(NSH_HEADER_TOO_SMALL, "nsh.header_too_small") \
    X(NSH_UNSUPPORTED_VERSION, "nsh.unsupported_version") \
    X(NSH_BAD_HEADER_LENGTH, "nsh.bad_header_length") \
    X(NSH_RESERVED_TYPE, "nsh.reserved_type") \
    X(NSH_UNSUPPORTED_TYPE, "nsh.unsupported_type") \
    X(NSH_UNKNOWN_PAYLOAD, "nsh.unknown_payload") \
    X(SLL_PKT_TOO_SMALL, "sll.pkt_too_small") \
    X(SLL2_PKT_TOO_SMALL, "sll2.pkt_too_small") \
    X(CHDLC_PKT_TOO_SMALL, "chdlc.pkt_too_small") \
    X(IEEE80211_PKT_TOO_SMALL, "ieee80211.pkt_too_small") \
    X(LTNULL_PKT_TOO_SMALL, "ltnull.pkt_too_small") \
    X(LTNULL_UNSUPPORTED_TYPE, "ltnull.unsupported_type") \
    X(PPP_PKT_TOO_SMALL, "ppp.pkt_too_small") \
    X(PPP_VJU_PKT_TOO_SMALL, "ppp.vju_pkt_too_small") \
    X(PPP_IP4_PKT_TOO_SMALL, "ppp.ip4_pkt_too_small") \
    X(PPP_IP6_PKT_TOO_SMALL, "ppp.ip6_pkt_too_small") \
    X(PPP_WRONG_TYPE, "ppp.wrong_type") \
    X(PPP_UNSUP_PROTO, "ppp.unsup_proto") \
    X(PPPOE_PKT_TOO_SMALL, "pppoe.pkt_too_small") \
    X(PPPOE_WRONG_CODE, "pppoe.wrong_code") \
    X(PPPOE_MALFORMED_TAGS, "pppoe.malformed_tags") \
    X(ARP_PKT_TOO_SMALL, "arp.pkt_too_small") \
    X(ARP_UNSUPPORTED_HARDWARE, "arp.unsupported_hardware") \
    X(ARP_UNSUPPORTED_PROTOCOL, "arp.unsupported_protocol") \
    X(ARP_INVALID_HARDWARE_SIZE, "arp.invalid_hardware_size") \
    X(ARP_INVALID_PROTOCOL_SIZE, "arp.invalid_protocol_size") \
    X(ARP_UNSUPPORTED_OPCODE, "arp.unsupported_opcode") \
    X(IPRAW_INVALID_IPV, "ipraw.invalid_ip_version") \
    X(IPV4_PKT_TOO_SMALL, "ipv4.pkt_too_small") \
    X(IPV4_WRONG_IP_VER, "ipv4.wrong_ip_version") \
    X(IPV4_HLEN_TOO_SMALL, "ipv4.hlen_too_small") \
    X(IPV4_IPLEN_SMALLER_THAN_HLEN, "ipv4.iplen_smaller_than_hlen") \
    X(IPV4_TRUNC_PKT, "ipv4.trunc_pkt") \
    X(IPV4_OPT_INVALID_LEN, "ipv4.opt_invalid_len") \
    X(IPV4_OPT_MALFORMED, "ipv4.opt_malformed") \
    X(IPV4_OPT_EOL_REQUIRED, "ipv4.opt_eol_required") \
    X(IPV4_OPT_DUPLICATE, "ipv4.opt_duplicate") \
    X(IPV4_OPT_UNKNOWN, "ipv4.opt_unknown") \
    X(IPV4_WITH_ICMPV6, "ipv4.icmpv6") \
    X(IPV4_FRAG_PKT_TOO_LARGE, "ipv4.frag_pkt_too_large") \
    X(IPV4_FRAG_OVERLAP, "ipv4.frag_overlap") \
    X(IPV4_FRAG_IGNORED, "ipv4.frag_ignored") \
    X(IPV6_PKT_TOO_SMALL, "ipv6.pkt_too_small") \
    X(IPV6_WRONG_IP_VER, "ipv6.wrong_ip_version") \
    X(IPV6_TRUNC_PKT, "ipv6.trunc_pkt") \
    X(IPV6_TRUNC_EXTHDR, "ipv6.trunc_exthdr") \
    X(IPV6_EXTHDR_DUPL_FH, "ipv6.exthdr_dupl_fh") \
    X(IPV6_EXTHDR_USELESS_FH, "ipv6.exthdr_useless_fh") \
    X(IPV6_EXTHDR_DUPL_RH, "ipv6.exthdr_dupl_rh") \
    X(IPV6_EXTHDR_DUPL_HH, "ipv6.exthdr_dupl_hh") \
    X(IPV6_EXTHDR_DUPL_DH, "ipv6.exthdr_dupl_dh") \
    X(IPV6_EXTHDR_DUPL_AH, "ipv6.exthdr_dupl_ah") \
    X(IPV6_EXTHDR_AH_RES_NOT_NULL, "ipv6.exthdr_ah_res_not_null") \
    X(IPV6_EXTHDR_INVALID_OPTLEN, "ipv6.exthdr_invalid_optlen") \
    X(IPV6_HOPOPTS_UNKNOWN_OPT, "ipv6.hopopts_unknown_opt") \
    X(IPV6_HOPOPTS_ONLY_PADDING, "ipv6.hopopts_only_padding") \
    X(IPV6_DSTOPTS_UNKNOWN_OPT, "ipv6.dstopts_unknown_opt") \
    X(IPV6_DSTOPTS_ONLY_PADDING, "ipv6.dstopts_only_padding") \
    X(IPV6_ZERO_LEN_PADN, "ipv6.zero_len_padn") \
    X(IPV6_EXTHDR_TOO_MANY, "ipv6.exthdr_too_many") \
    X(IPV6_EXTHDR_RH_TYPE_0, "ipv6.rh_type_0") \
    X(IPV6_FH_NON_ZERO_RESERVED_FIELD, "ipv6.fh_non_zero_reserved_field") \
    X(IPV6_FRAG_PKT_TOO_LARGE, "ipv6.frag_pkt_too_large") \
    X(IPV6_FRAG_OVERLAP, "ipv6.frag_overlap") \
    X(IPV6_FRAG_INVALID_LENGTH, "ipv6.frag_invalid_length") \
    X(IPV6_FRAG_IGNORED, "ipv6.frag_ignored") \
    X(IPV6_DATA_AFTER_NONE_HEADER, "ipv6.data_after_none_header") \
    X(IPV6_UNKNOWN_NEXT_HEADER, "ipv6.unknown_next_header") \
    X(IPV6_WITH_ICMPV4, "ipv6.icmpv4") \
    X(IPV4_IN_IPV6_PKT_TOO_SMALL, "ipv6.ipv4_in_ipv6_too_small") \
    X(IPV4_IN_IPV6_WRONG_IP_VER, "ipv6.ipv4_in_ipv6_wrong_version") \
    X(IPV6_IN_IPV6_PKT_TOO_SMALL, "ipv6.ipv6_in_ipv6_too_small") \
    X(IPV6_IN_IPV6_WRONG_IP_VER, "ipv6.ipv6_in_ipv6_wrong_version") \
    X(GRE_PKT_TOO_SMALL, "gre.pkt_too_small") \
    X(GRE_WRONG_VERSION, "gre.wrong_version") \
    X(GRE_VERSION0_RECUR, "gre.version0_recur") \
    X(GRE_VERSION0_FLAGS, "gre.version0_flags") \
    X(GRE_VERSION0_HDR_TOO_BIG, "gre.version0_hdr_too_big") \
    X(GRE_VERSION0_MALFORMED_SRE_HDR, "gre.version0_malformed_sre_hdr") \
    X(GRE_VERSION1_CHKSUM, "gre.version1_chksum") \
    X(GRE_VERSION1_ROUTE, "gre.version1_route") \
    X(GRE_VERSION1_SSR, "gre.version1_ssr") \
    X(GRE_VERSION1_RECUR, "gre.version1_recur") \
    X(GRE_VERSION1_FLAGS, "gre.version1_flags") \
    X(GRE_VERSION1_NO_KEY, "gre.version1_no_key") \
    X(GRE_VERSION1_WRONG_PROTOCOL, "gre.version1_wrong_protocol") \
    X(GRE_VERSION1_HDR_TOO_BIG, "gre.version1_hdr_too_big") \
    X(ERSPAN_HEADER_TOO_SMALL, "erspan.header_too_small") \
    X(ERSPAN_UNSUPPORTED_VERSION, "erspan.unsupported_version") \
    X(ERSPAN_TOO_MANY_VLAN_LAYERS, "erspan.too_many_vlan_layers") \
    X(VXLAN_UNKNOWN_PAYLOAD_TYPE, "vxlan.unknown_payload_type") \
    X(GENEVE_UNKNOWN_PAYLOAD_TYPE, "geneve.unknown_payload_type") \
    X(ICMPV4_PKT_TOO_SMALL, "icmpv4.pkt_too_small") \
    X(ICMPV4_UNKNOWN_TYPE, "icmpv4.unknown_type") \
    X(ICMPV4_UNKNOWN_CODE, "icmpv4.unknown_code") \
    X(ICMPV4_IPV4_TRUNC_PKT, "icmpv4.ipv4_trunc_pkt") \
    X(ICMPV4_IPV4_UNKNOWN_VER, "icmpv4.ipv4_unknown_ver") \
    X(ICMPV6_PKT_TOO_SMALL, "icmpv6.pkt_too_small") \
    X(ICMPV6_UNKNOWN_TYPE, "icmpv6.unknown_type") \
    X(ICMPV6_UNKNOWN_CODE, "icmpv6.unknown_code") \
    X(ICMPV6_IPV6_TRUNC_PKT, "icmpv6.ipv6_trunc_pkt") \
    X(ICMPV6_IPV6_UNKNOWN_VER, "icmpv6.ipv6_unknown_version") \
    X(ICMPV6_MLD_MESSAGE_WITH_INVALID_HL, "icmpv6.mld_message_with_invalid_hl") \
    X(ICMPV6_UNASSIGNED_TYPE, "icmpv6.unassigned_type") \
    X(ICMPV6_EXPERIMENTATION_TYPE, "icmpv6.experimentation_type") \
    X(IGMP_PKT_TOO_SMALL, "igmp.pkt_too_small") \
    X(ESP_PKT_TOO_SMALL, "esp.pkt_too_small") \
    X(TCP_PKT_TOO_SMALL, "tcp.pkt_too_small") \
    X(TCP_HLEN_TOO_SMALL, "tcp.hlen_too_small") \
    X(TCP_INVALID_OPTLEN, "tcp.invalid_optlen") \
    X(TCP_OPT_INVALID_LEN, "tcp.opt_invalid_len") \
    X(TCP_OPT_DUPLICATE, "tcp.opt_duplicate") \
    X(TCP_OPT_WSCALE_OVER_MAX, "tcp.opt_wscale_over_max") \
    X(UDP_HLEN_TOO_SMALL, "udp.hlen_too_small") \
    X(UDP_PKT_TOO_SMALL, "udp.pkt_too_small") \
    X(UDP_LEN_INVALID, "udp.len_invalid") \
    X(SCTP_PKT_TOO_SMALL, "sctp.pkt_too_small") \
    X(IPV4_BADSUM, "ipv4.csum_invalid") \
    X(TCP_BADSUM, "tcp.csum_invalid") \
    X(UDP_BADSUM, "udp.csum_invalid") \
    X(ICMP_BADSUM, "icmp.csum_invalid")

#define EVENTS_STREAM(X) \
    X(STREAM_3WHS_SYNACK_IN_WRONG_DIRECTION, "3whs_synack_in_wrong_direction") \
    X(STREAM_3WHS_SYNACK_WITH_WRONG_ACK, "3whs_synack_with_wrong_ack") \
    X(STREAM_3WHS_SYN_RESEND_DIFF_SEQ_ON_SYN_RECV, "3whs_syn_resend_diff_seq_on_syn_recv") \
    X(STREAM_3WHS_SYNACK_RESEND_WITH_DIFF_SEQ, "3whs_synack_resend_with_diff_seq") \
    X(STREAM_3WHS_SYNACK_RESEND_WITH_DIFFERENT_ACK, "3whs_synack_resend_with_different_ack") \
    X(STREAM_3WHS_SYNACK_TOSERVER_ON_SYN_RECV, "3whs_synack_toserver_on_syn_recv") \
    X(STREAM_3WHS_SYNACK_TFO_DATA_IGNORED, "3whs_synack_tfo_data_ignored") \
    X(STREAM_3WHS_SYN_TOCLIENT_ON_SYN_RECV, "3whs_syn_toclient_on_syn_recv") \
    X(STREAM_3WHS_ACK_IN_WRONG_DIR, "3whs_ack_in_wrong_dir") \
    X(STREAM_3WHS_RIGHT_SEQ_WRONG_ACK_EVASION, "3whs_right_seq_wrong_ack_evasion") \
    X(STREAM_3WHS_WRONG_SEQ_WRONG_ACK, "3whs_wrong_seq_wrong_ack") \
    X(STREAM_FIN_SYN, "fin_syn") \
    X(STREAM_EST_SYN_RESEND, "est_syn_resend") \
    X(STREAM_EST_SYN_TOCLIENT, "est_syn_toclient") \
    X(STREAM_EST_SYNACK_RESEND, "est_synack_resend") \
    X(STREAM_EST_SYNACK_RESEND_WITH_DIFFERENT_ACK, "est_synack_resend_with_different_ack") \
    X(STREAM_EST_SYNACK_TOSERVER, "est_synack_toserver") \
    X(STREAM_EST_INVALID_ACK, "est_invalid_ack") \
    X(STREAM_FIN_INVALID_ACK, "fin_invalid_ack") \
    X(STREAM_FIN_OUT_OF_WINDOW, "fin_out_of_window") \
    X(STREAM_FIN_BUT_NO_SESSION, "fin_but_no_session") \
    X(STREAM_FIN1_INVALID_ACK, "fin1_invalid_ack") \
    X(STREAM_FIN1_ACK_WRONG_SEQ, "fin1_ack_wrong_seq") \
    X(STREAM_FIN1_FIN_WRONG_SEQ, "fin1_fin_wrong_seq") \
    X(STREAM_FIN2_INVALID_ACK, "fin2_invalid_ack") \
    X(STREAM_FIN2_ACK_WRONG_SEQ, "fin2_ack_wrong_seq") \
    X(STREAM_FIN2_FIN_WRONG_SEQ, "fin2_fin_wrong_seq") \
    X(STREAM_CLOSEWAIT_INVALID_ACK, "closewait_invalid_ack") \
    X(STREAM_CLOSEWAIT_ACK_OUT_OF_WINDOW, "closewait_ack_out_of_window") \
    X(STREAM_CLOSEWAIT_FIN_OUT_OF_WINDOW, "closewait_fin_out_of_window") \
    X(STREAM_CLOSING_INVALID_ACK, "closing_invalid_ack") \
    X(STREAM_LASTACK_INVALID_ACK, "lastack_invalid_ack") \
    X(STREAM_TIMEWAIT_INVALID_ACK, "timewait_invalid_ack") \
    X(STREAM_SHUTDOWN_SYN_RESEND, "shutdown_syn_resend") \
    X(STREAM_RST_BUT_NO_SESSION, "rst_but_no_session") \
    X(STREAM_RST_INVALID_ACK, "rst_invalid_ack") \
    X(STREAM_PKT_INVALID_ACK, "pkt_invalid_ack") \
    X(STREAM_PKT_RETRANSMISSION, "pkt_retransmission") \
    X(STREAM_PKT_SPURIOUS_RETRANSMISSION, "pkt_spurious_retransmission") \
    X(STREAM_EST_SYN_RESEND_DIFF_SEQ, "est_syn_resend_diff_seq") \
    X(STREAM_EST_SYNACK_RESEND_WITH_DIFF_SEQ, "est_synack_resend_with_diff_seq") \
    X(STREAM_EST_PACKET_OUT_OF_WINDOW, "est_packet_out_of_window") \
    X(STREAM_PKT_BROKEN_ACK, "pkt_broken_ack") \
    X(STREAM_SUSPECTED_RST_INJECT, "suspected_rst_inject") \
    X(STREAM_REASSEMBLY_SEQ_GAP, "reassembly_seq_gap") \
    X(STREAM_REASSEMBLY_OVERLAP_DIFFERENT_DATA, "reassembly_overlap_different_data") \
    X(STREAM_REASSEMBLY_DEPTH_REACHED, "reassembly_depth_reached") \
    X(STREAM_REASSEMBLY_MEMCAP, "reassembly_memcap")

/* X(symbol, name in EVE, metric): of the detection of protocols. */
#define EVENTS_DETECT(X) \
    X(DETECT_MISMATCH, "APPLAYER_MISMATCH_PROTOCOL_BOTH_DIRECTIONS", "mismatch_protocol_both_directions") \
    X(DETECT_ONE_DIRECTION, "APPLAYER_DETECT_PROTOCOL_ONLY_ONE_DIRECTION", "detect_protocol_only_one_direction") \
    X(DETECT_WRONG_DIRECTION, "APPLAYER_WRONG_DIRECTION_FIRST_DATA", "wrong_direction_first_data")

#define X(symbol, ...) EV_##symbol,
enum event_id {
    EVENTS_DECODE(X)
    EV_DECODE_COUNT,
    EV_STREAM_FIRST = EV_DECODE_COUNT,
    EV_BEFORE_STREAM_ = EV_STREAM_FIRST - 1,
    EVENTS_STREAM(X)
    EV_DETECT_FIRST,
    EV_BEFORE_DETECT_ = EV_DETECT_FIRST - 1,
    EVENTS_DETECT(X)
    EV_COUNT
};
#undef X
#define EVENT_WORDS ((EV_COUNT + 63) / 64)  /* of a bit map of them */
_Static_assert(EV_COUNT <= 256, "packet.event is a byte");

/* "decoder.ipv4.trunc_pkt", "stream.reassembly_seq_gap". [any] */
const char *event_name(uint32_t id);

#endif
