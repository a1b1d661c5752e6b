/* counts.h: the counters of the packet lane, in the order of the plugin's metric table. */
#ifndef IDS_MATCH_COUNTS_H
#define IDS_MATCH_COUNTS_H

enum {
    COUNT_ALERTS,               /* published */
    COUNT_SUPPRESSED,           /* held back by a threshold */
    COUNT_OVER,                 /* held back: too many alerts for one packet */
    COUNT_LOST,                 /* not taken by the bus, which has counted why */
    COUNT_PASSED,               /* pass rules that matched */
    COUNT_CANDIDATES,           /* rules that the prefilter proposed */
    COUNT_VERIFIED,             /* and that were looked at in full */
    COUNT_VERIFY_LIMIT,         /* given up: too many places to try */
    COUNT_PCRE_LIMIT,           /* given up: limits of PCRE2 */
    COUNT_FLOWBITS_FULL,        /* marks that found no room in their flow */
    COUNT_FLOWINTS_FULL,        /* numbers that found no room in their flow */
    COUNT_WINDOWS_TAKEN,        /* stream windows taken away from other flows */
    COUNT_PENDING_FULL,         /* transactions and windows that are searched anew: too many rules wait */
    COUNT_DONE_FULL,            /* alerts held back: too many rules alerted on one transaction */
    COUNT_SCAN_ERROR,           /* buffers that the prefilter could not search */
    COUNT_INLINE,               /* packets of inline sources */
    COUNT_BLOCKED,              /* and those of them that a rule holds back */
    COUNTS
};

#endif
