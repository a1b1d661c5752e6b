#include "plugins/ids/keyword/events.h"

#include "plugins/ids/host.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NEAR_LETTERS = 64, NEAR_NAMES = 3 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static uint32_t least(uint32_t a, uint32_t b, uint32_t c)
{
    a = a < b ? a : b;
    return a < c ? a : c;
}

/* Letters to add, to take away or to change (Levenshtein), of the first 64 of each. */
static uint32_t distance(struct token a, const char *b)
{
    uint32_t row[NEAR_LETTERS + 1], n = (uint32_t)strlen(b), m = a.len;

    n = n < NEAR_LETTERS ? n : NEAR_LETTERS;
    m = m < NEAR_LETTERS ? m : NEAR_LETTERS;
    for (uint32_t k = 0; k <= n; k++)
        row[k] = k;
    for (uint32_t i = 1; i <= m; i++) {
        uint32_t corner = row[0];

        row[0] = i;
        for (uint32_t k = 1; k <= n; k++) {
            uint32_t change = corner + (lower(a.s[i - 1]) != lower(b[k - 1]));

            corner = row[k];
            row[k] = least(change, row[k] + 1, row[k - 1] + 1);
        }
    }
    return row[n];
}

void events_near_try(struct event_near *near, const char *name)
{
    uint32_t d = distance(near->wanted, name), i = near->n;

    if (i == NEAR_NAMES && d >= near->distance[i - 1])
        return;
    i = i == NEAR_NAMES ? i - 1 : near->n++;
    for (; i && near->distance[i - 1] > d; i--) {
        near->distance[i] = near->distance[i - 1];
        near->name[i] = near->name[i - 1];
    }
    near->distance[i] = d;
    near->name[i] = name;
}

void events_near_print(const struct event_near *near, char *out, size_t room)
{
    size_t n = 0;

    out[0] = 0;
    for (uint32_t i = 0; i < near->n && n < room; i++) {
        size_t at = n;

        n += (size_t)snprintf(out + n, room - n, "%s'%s'", i ? ", " : "", near->name[i]);
        for (char *c = out + at; n < room && *c; c++)
            *c = lower(*c);                 /* EVE has some of them in capitals */
    }
}

/* Names that Suricata's rules ask for (its files *-events.rules), parted by blanks. */
static const struct { uint32_t kind; const char *prefix, *names, *why; } silent[] = {
    { EC_ANOMALY_DECODE, "decoder.", "ipv4.opt_pad_required ethernet.unknown_ethertype",
      "such packets break no rule" },
    { EC_ANOMALY_DECODE, "decoder.", "ipv4.opt_invalid", "it is told as ipv4.opt_invalid_len or ipv4.opt_malformed" },
    { EC_ANOMALY_DECODE, "decoder.", "gre.version1_malformed_sre_hdr", "it is told as gre.version1_route" },
    { EC_ANOMALY_DECODE, "decoder.", "ipv6.exthdr_dupl_eh", "what stands behind an ESP header is encrypted" },
    { EC_ANOMALY_DECODE, "decoder.", "afpacket.trunc_pkt", "what a capture cuts is no fault of the packet" },
    { EC_ANOMALY_STREAM, "stream.", "wrong_thread", "each flow has one worker" },
    { EC_ANOMALY_STREAM, "stream.", "3whs_syn_flood 3whs_synack_flood", "no numbers of attempts are kept" },
    { EC_ANOMALY_STREAM, "stream.",
      "4whs_synack_with_wrong_ack 4whs_synack_with_wrong_syn 4whs_wrong_seq 4whs_invalid_ack",
      "a handshake of two SYNs is not followed" },
    { EC_ANOMALY_STREAM, "stream.", "pkt_bad_window_update pkt_invalid_timestamp",
      "windows and timestamps are not followed" },
    { EC_ANOMALY_STREAM, "stream.",
      "est_pkt_before_last_ack closewait_pkt_before_last_ack reassembly_segment_before_base_seq",
      "it is told as pkt_spurious_retransmission" },
    { EC_ANOMALY_STREAM, "stream.",
      "3whs_async_wrong_seq 3whs_ack_data_inject closing_ack_wrong_seq lastack_ack_wrong_seq timewait_ack_wrong_seq "
      "reassembly_urgent_oob_limit_reached", "the stream engine does not tell it" },
    { EC_ANOMALY_DETECT, "",
      "applayer_proto_detection_skipped applayer_no_tls_after_starttls applayer_unexpected_protocol",
      "the detection of protocols does not tell it" },
    { EC_ANOMALY_PROTO, "http.",
      "100_continue_already_seen compression_bomb_limit_reached double_encoded_uri failed_protocol_change "
      "file_name_too_long invalid_server_port_in_request invalid_transfer_encoding_value_in_response "
      "multipart_generic_error multipart_invalid_header multipart_no_filedata range_invalid response_chunk_extension "
      "too_many_warnings", "the parser does not tell it" },
    { EC_ANOMALY_PROTO, "tls.",
      "certificate_invalid_algorithmidentifier certificate_invalid_extensions certificate_invalid_issuer "
      "certificate_invalid_subject certificate_invalid_validity certificate_invalid_x509name",
      "it is told as tls.certificate_invalid_der" },
    { EC_ANOMALY_PROTO, "tls.", "dataleak_heartbeat_mismatch", "what is encrypted is not read" },
    { EC_ANOMALY_PROTO, "tls.", "heartbeat_message", "a sound heartbeat breaks no rule" },
    { EC_ANOMALY_PROTO, "tls.", "error_message_encountered", "SSLv2 is not parsed" },
    { EC_ANOMALY_PROTO, "tls.", "invalid_ssl_record", "it is told as tls.invalid_tls_header" },
    { EC_ANOMALY_PROTO, "tls.", "too_many_records_in_packet", "there is no such bound" },
    { EC_ANOMALY_PROTO, "dns.",
      "infinite_loop invalid_additionals invalid_authorities name_too_long not_request not_response too_many_labels",
      "the parser does not tell it" },
    { EC_ANOMALY_PROTO, "mdns.",
      "infinite_loop invalid_additionals invalid_authorities invalid_opcode name_too_long not_request not_response "
      "too_many_labels z_flag_set", "the parser does not tell it" },
};

const char *events_silent(uint32_t kind, const char *prefix, struct token name)
{
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        struct token rest = { silent[i].names, (uint32_t)strlen(silent[i].names), 0 }, one;

        if (silent[i].kind != kind || strcmp(silent[i].prefix, prefix))
            continue;
        while (token_cut(&rest, ' ', &one))
            if (one.len == name.len && !strncasecmp(one.s, name.s, name.len))
                return silent[i].why;
    }
    return NULL;
}
