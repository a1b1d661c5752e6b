/* document.h: what the documents of this plugin have in common. */
#ifndef AUTH_DOCUMENT_H
#define AUTH_DOCUMENT_H
#include <ecyber/plugin.h>

#include <stdlib.h>
#include <string.h>

/* A row of a document: struct document is each file's own. */
#define DOCUMENT_TEXT(flags, member, name, max, help) \
    { EC_T_TEXT, (flags), 0, 0, (uint32_t)offsetof(struct document, member), (name), NULL, NULL, NULL, NULL, (help), \
      0, (max) }

/* A row's text, ended by a NUL; "" where it is absent or does not fit. */
static inline void document_text(const struct ec_part *p, struct ec_span s, char *to, size_t n)
{
    size_t len = s.off && s.len < n ? s.len : 0;

    if (len)
        memcpy(to, ec_bytes(p, s), len);
    to[len] = '\0';
}

/* What is shown once and names the document that keeps its hash: "PRE_ID_REST", PRE_ of four letters and REST of `rest`
 * letters, from the wire. 0, and `at` is the rest; −1: it is not of that form. */
static inline int ticket_parse(const char *text, uint32_t len, const char *prefix, uint32_t rest, uint64_t *id,
                               const char **at)
{
    uint32_t digits = len - 4 - 1 - rest;
    char number[20];

    if (len < 4 + 1 + 1 + rest || memcmp(text, prefix, 4) || digits > 18)
        return -1;
    memcpy(number, text + 4, digits);
    number[digits] = '\0';
    if (strspn(number, "0123456789") != digits || text[4 + digits] != '_')
        return -1;
    *id = strtoull(number, NULL, 10);
    *at = text + 4 + digits + 1;
    return 0;
}

#endif
