/* multipart.h: the parts of a form that is sent (RFC 7578, RFC 2046 §5.1), read as they pass by. */
#ifndef TRAFFIC_HTTP_MULTIPART_H
#define TRAFFIC_HTTP_MULTIPART_H

#include <stdbool.h>
#include <stdint.h>

#define BOUNDARY_MAX 70             /* RFC 2046 §5.1.1 */
#define PART_LINE_MAX 1024          /* of a header of a part; the rest is not looked at */
#define PART_NAME_MAX 256           /* of a file's name; the rest is cut */

enum multipart_state { PART_PREAMBLE, PART_AFTER, PART_HEADERS, PART_DATA, PART_END };
struct multipart {
    enum multipart_state state;
    uint8_t delimiter[4 + BOUNDARY_MAX];    /* "\r\n--boundary" */
    uint32_t n_delimiter, n_line;
    uint32_t matched, ghost;                /* of the delimiter; how much of that is no content of the part */
    bool named, gaps;                       /* the part is a file; bytes of it were lost */
    bool odd_header, empty_file;            /* one so far: a header without a colon or a value; a file behind whose
                                             * headers the next delimiter stands, without a line's end */
    uint32_t n_name;
    uint64_t bytes;                         /* of the part */
    uint8_t name[PART_NAME_MAX], line[PART_LINE_MAX];
};
/* A part that is a file ended; whole: with a delimiter. */
typedef void multipart_file_fn(void *arg, const struct multipart *m, bool whole);

/* type: the value of Content-Type. False: it is no form, or has no boundary. */
bool multipart_open(struct multipart *m, const uint8_t *type, uint32_t n);
/* The next bytes of the body; d NULL: n bytes were lost. */
void multipart_data(struct multipart *m, const uint8_t *d, uint64_t n, multipart_file_fn *fn, void *arg);
/* The body ended, perhaps within a part. */
void multipart_end(struct multipart *m, multipart_file_fn *fn, void *arg);

struct bytes { const uint8_t *p; uint32_t n; };
/* The value of `key` ("filename=") in a header's parameters (RFC 6266, RFC 2045): a quoted string or a token. n 0: it is
 * not there. */
struct bytes parameter(const char *key, const uint8_t *d, uint32_t n);

#endif
