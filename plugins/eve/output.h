/* output.h: where the lines go: a file with rotation, standard output, or a Unix socket. Lines are
 * collected in a buffer and written together; a line is never torn: what a full disk cut off is
 * taken back and written again later. Used by one thread at a time. */
#ifndef EVE_OUTPUT_H
#define EVE_OUTPUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OUTPUT_FLUSH 131072u /* bytes after which the buffer is written */
#define OUTPUT_HOLD  1048576u /* bytes that are held while nothing can be written */
#define OUTPUT_ROOM  65536u /* bytes that a line finds at once; one that is longer asks for more */

enum output_to { OUTPUT_FILE, OUTPUT_STDOUT, OUTPUT_SOCKET };
enum output_socket { OUTPUT_STREAM, OUTPUT_DATAGRAM };
struct output_config {
    enum output_to to;
    enum output_socket socket_type;
    char path[4096]; /* of the file or socket */
    mode_t mode;
    uint64_t rotate_size, rotate_every; /* bytes, ns; 0: never */
    uint32_t rotate_keep;               /* old files: PATH.1 … PATH.keep */
};
struct output_counts {
    uint64_t events, bytes, errors, rotations;
    uint64_t dropped_full; /* no room was left */
    uint64_t dropped_long; /* longer than a datagram */
    uint64_t dropped_stop; /* still there at the end */
};
struct output_buffer {
    char *base;
    size_t len, cap;
};
struct output {
    struct output_config c;
    int fd;       /* −1: not open */
    bool regular; /* the file can be truncated and rotated */
    struct output_buffer buffer;
    uint64_t pending;              /* lines in the buffer */
    size_t skip;                   /* bytes of its first line that were written already */
    uint64_t size;                 /* bytes of the file */
    uint64_t born_ns;              /* when its first line was written, by the host's clock */
    uint64_t checked_ms, retry_ms; /* monotonic: last look at the path; not before this try again */
    dev_t dev;
    ino_t ino;
    bool trouble; /* the last try failed */
    int error;    /* its errno */
    struct output_counts n;
};

/* Opens it. 0, or −1 and a sentence; a socket whose other end is not there yet is no error. o is
 * zeroed, or closed. */
int output_open(struct output *o, const struct output_config *c, char *why, size_t n);
/* Opens anew as c says; lines that still wait go there. On −1 the old one stays. */
int output_reopen(struct output *o, const struct output_config *c, uint64_t now_ns, char *why,
                  size_t n);
/* Writes what is left; what cannot be written is counted as dropped_stop. */
void output_close(struct output *o, uint64_t now_ns);
/* May a line be appended to o->buffer? Where not even output_flush() helps, the caller counts it as
 * dropped_full. */
static inline bool output_room(const struct output *o)
{
    return o->buffer.len < OUTPUT_HOLD;
}
/* Room for n bytes at buffer.base + buffer.len. false: no memory. */
bool output_need(struct output *o, size_t n);
/* A line of n bytes, its newline too, stands there now. Returns whether it is time for output_flush(). */
static inline bool output_added(struct output *o, size_t n)
{
    o->buffer.len += n;
    o->pending++;
    return o->buffer.len >= OUTPUT_FLUSH;
}
void output_flush(struct output *o, uint64_t now_ns);

/* For the files output_*.c. */
uint64_t output_clock_ms(void);
int output_file_open(struct output *o, char *why, size_t n);
void output_file_renew(struct output *o); /* somebody renamed it: open the path anew */
/* Begins a new file where it is time. Returns how many of len bytes fit into this one. */
size_t output_file_rotate(struct output *o, size_t len, uint64_t now_ns);
void output_file_mend(struct output *o); /* take a torn line back */
bool output_socket_connect(struct output *o);
ssize_t output_socket_send(struct output *o, const char *s, size_t n);

#endif
