/* table.h: what the helper does with a request: the table in the kernel, and the state that is being staged. One
 * thread. */
#ifndef CORE_HELPER_TABLE_H
#define CORE_HELPER_TABLE_H
#include "core/helper/ruleset.h"

/* Let the kernel do commands. true: done. *said: what came out, or what is wrong; valid until the next call. */
typedef bool table_run_fn(void *arg, const char *commands, const char **said);
/* Send one reply. false: nobody is there any more. */
typedef bool table_send_fn(void *arg, const struct helper_reply *r, size_t bytes);

/* Make sure that no other helper works on this network's table, before it is first written. NULL: none does, else a
 * static sentence. */
typedef const char *table_hold_fn(void *arg);

struct table {
    table_run_fn *run;
    table_send_fn *send;
    table_hold_fn *hold;
    void *arg;
    const char *version;            /* of the helper, for a ping */
    struct ruleset have;
    bool stands;                    /* the kernel has the table as we made it; before that no ban is taken */
    bool staging;                   /* what is staged is whole so far */
    struct helper_entry *staged;
    uint32_t n_staged, cap_staged;
    struct text text;
    struct helper_reply reply;
};

/* Answer one packet, whatever it holds: a wrong one with EC_EINVAL and a sentence. false: nobody is there any more. */
bool table_answer(struct table *t, const void *packet, size_t bytes);
void table_free(struct table *t);

#endif
