/* file.h: bodies as files: what a request sends (POST, PUT; of a form its parts with file names) and what a response
 * brings. */
#ifndef TRAFFIC_HTTP_FILE_H
#define TRAFFIC_HTTP_FILE_H

#include <stdbool.h>
#include <stdint.h>

#define HTTP_FILE_NAME_MAX 4096     /* longer ones are an anomaly */

struct ec_traffic;
struct http_tx;

struct http_file { uint64_t bytes; bool open, closed, gaps; };
struct http_range { bool known, sized; uint64_t first, last, size; };   /* Content-Range (RFC 9110 §14.4) */

#define RANGES_MAX 32               /* that wait for others */
struct http_whole {                 /* a file that comes in ranges, over one connection */
    uint64_t name, size;            /* hash of its name; size 0: none */
    uint32_t n;
    struct { uint64_t from, to; } part[RANGES_MAX];     /* [from, to): sorted, apart from each other */
};

void file_setup(const struct ec_traffic *t);
/* n bytes of the body in direction dir went by; d NULL: they were lost. */
void file_data(struct http_tx *t, uint32_t dir, const uint8_t *d, uint64_t n);
/* The body ended; whole: by the rules of its message. Reports the file, if there was one, once; and a file of which this
 * was the last range that was missing. */
void file_end(struct http_tx *t, uint32_t dir, bool whole);
/* "bytes 500-999/1234", "bytes 500-999" and a "*" for the size are read. */
void range_read(struct http_range *r, const uint8_t *d, uint32_t n);
/* Is it one of RFC 9110 §14.4, in any unit, that begins before it ends, and ends within its size? */
bool range_sound(const uint8_t *d, uint32_t n);

#endif
