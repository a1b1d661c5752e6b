/* claim.h: one helper for each network namespace. The claim is an empty table of nftables with an owner (Linux 5.12):
 * only who has CAP_NET_ADMIN in this namespace can make it, nobody else can change it, and it goes with its socket. */
#ifndef CORE_HELPER_CLAIM_H
#define CORE_HELPER_CLAIM_H

#define CLAIM_TABLE "ecyber_claim"  /* inet */

/* The socket that will own it. −1: errno says why. close() gives the claim up. */
int claim_open(void);
/* Take it. NULL: it is ours, else a sentence. Blocks for the kernel's answer only. */
const char *claim_take(int fd);

#endif
