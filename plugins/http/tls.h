/* tls.h: TLS 1.2 and 1.3 of the server's connections (OpenSSL, RFC 8446). A session turns what came into plain bytes
 * and plain bytes into what is to be sent; it touches no socket. A new certificate is taken for new connections while old
 * ones go on. All on the loop's thread. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls;
struct tls_session;
struct evbuffer;

#define TLS_NAME 128u               /* bytes of a client's name */

struct tls_files {                  /* PEM; copied */
    const char *cert, *key;
    const char *client_ca;          /* whose certificates clients may show; NULL: none are asked for */
    bool client_must;               /* and have to */
};

/* NULL: why (n bytes) says what is wrong with the certificate, its key, or the clients' authorities. */
struct tls *tls_new(const struct tls_files *files, char *why, size_t n);
/* Have the files changed? Then they are read anew; false: why says what is wrong, and the old ones stay. *fresh: there
 * is a new certificate. */
bool tls_look(struct tls *t, bool *fresh, char *why, size_t n);
void tls_free(struct tls *t);

struct tls_session *tls_session_new(struct tls *t);     /* NULL: out of memory */
void tls_session_free(struct tls_session *s);
/* What came is drained from `in`; plain bytes are added to `plain`, what the handshake sends to `out`. false: it is no
 * TLS, or broken; out may hold an alert. */
bool tls_take(struct tls_session *s, struct evbuffer *in, struct evbuffer *plain, struct evbuffer *out);
/* n plain bytes, at most 16 KiB, as a record in `out`. */
bool tls_give(struct tls_session *s, const void *p, size_t n, struct evbuffer *out);
/* The subject of the client's certificate, verified; "": it has shown none, or not yet. */
void tls_client(const struct tls_session *s, char to[TLS_NAME]);
void tls_bye(struct tls_session *s, struct evbuffer *out);      /* close_notify */

#endif
