/* banner.h: the line with which each side of SSH begins (RFC 4253 §4.2): "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n". */
#ifndef TRAFFIC_SSH_BANNER_H
#define TRAFFIC_SSH_BANNER_H

#include <stdbool.h>
#include <stdint.h>

#define BANNER_MAX 255              /* bytes with the line's end; a longer one is reported and read as far as it goes */

struct ssh_banner {
    uint8_t text[BANNER_MAX + 1];   /* without the line's end */
    uint32_t n;
    uint32_t proto, n_proto, software, n_software;      /* offsets and lengths in text; length 0: absent */
};

/* n: of the line, without its end. False: it is no banner, or has no protocol or software; what was readable is in b. */
bool banner_read(struct ssh_banner *b, const uint8_t *line, uint32_t n);

#endif
