#include "plugins/http/tls.h"

#include <event2/buffer.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STEP 16384u                 /* bytes of one record */

struct stamp { struct timespec at; ino_t inode; off_t size; };
struct tls { char *cert, *key, *ca; bool must; SSL_CTX *ctx; struct stamp stamp[3]; };
struct tls_session { SSL *ssl; BIO *in, *out; };

static struct stamp stamp_of(const char *path)
{
    struct stat st = { 0 };

    if (stat(path, &st))
        return (struct stamp){ .inode = 0 };
    return (struct stamp){ st.st_mtim, st.st_ino, st.st_size };
}

static void stamps(const struct tls *t, struct stamp to[3])
{
    to[0] = stamp_of(t->cert);
    to[1] = stamp_of(t->key);
    to[2] = t->ca ? stamp_of(t->ca) : (struct stamp){ .inode = 0 };
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->at.tv_sec == b->at.tv_sec && a->at.tv_nsec == b->at.tv_nsec && a->inode == b->inode && a->size == b->size;
}

/* HTTP/1.1 is all that is spoken (RFC 7301). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in, unsigned n,
                   void *arg)
{
    static const unsigned char own[] = "\x08http/1.1";
    unsigned char **to = (unsigned char **)(uintptr_t)out;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(to, len, own, sizeof own - 1, in, n) == OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    return SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *fail(SSL_CTX *ctx, const char *path, const char *what, char *why, size_t n)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    snprintf(why, n, "%s: %s%s%s", path, what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return NULL;
}

/* Clients may, or have to, show a certificate of one of these authorities. */
static bool ask_clients(SSL_CTX *ctx, const struct tls *t)
{
    static const unsigned char context[] = "ecyber";
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(t->ca);

    if (!names || SSL_CTX_load_verify_locations(ctx, t->ca, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return false;
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_session_id_context(ctx, context, sizeof context - 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (t->must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    return true;
}

static SSL_CTX *load(const struct tls *t, char *why, size_t n)
{
    const char *cert = t->cert, *key = t->key;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    ERR_clear_error();
    if (!ctx)
        return fail(ctx, cert, "out of memory", why, n);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return fail(ctx, cert, "it is no certificate chain that can be read (http.tls_cert)", why, n);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return fail(ctx, key, "it is no private key that can be read (http.tls_key)", why, n);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return fail(ctx, key, "it is not the key of the certificate", why, n);
    if (t->ca && !ask_clients(ctx, t))
        return fail(ctx, t->ca, "it has no certificates that can be read (http.client_ca)", why, n);
    return ctx;
}

struct tls *tls_new(const struct tls_files *files, char *why, size_t n)
{
    struct tls *t = calloc(1, sizeof *t);

    snprintf(why, n, "out of memory");
    if (!t || !(t->cert = strdup(files->cert)) || !(t->key = strdup(files->key)) ||
        (files->client_ca && !(t->ca = strdup(files->client_ca)))) {
        tls_free(t);
        return NULL;
    }
    t->must = files->client_must;
    stamps(t, t->stamp);
    if (!(t->ctx = load(t, why, n))) {
        tls_free(t);
        return NULL;
    }
    return t;
}

bool tls_look(struct tls *t, bool *fresh, char *why, size_t n)
{
    struct stamp now[3];
    SSL_CTX *ctx;

    *fresh = false;
    stamps(t, now);
    if (same(&now[0], &t->stamp[0]) && same(&now[1], &t->stamp[1]) && same(&now[2], &t->stamp[2]))
        return true;
    memcpy(t->stamp, now, sizeof now);
    if (!(ctx = load(t, why, n)))
        return false;
    SSL_CTX_free(t->ctx);
    t->ctx = ctx;
    *fresh = true;
    return true;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    free(t->cert);
    free(t->key);
    free(t->ca);
    free(t);
}

struct tls_session *tls_session_new(struct tls *t)
{
    struct tls_session *s = calloc(1, sizeof *s);

    if (!s || !(s->ssl = SSL_new(t->ctx)) || !(s->in = BIO_new(BIO_s_mem())) || !(s->out = BIO_new(BIO_s_mem()))) {
        if (s) {
            BIO_free(s->in);
            SSL_free(s->ssl);
        }
        free(s);
        return NULL;
    }
    SSL_set_bio(s->ssl, s->in, s->out);
    SSL_set_accept_state(s->ssl);
    return s;
}

void tls_session_free(struct tls_session *s)
{
    if (s)
        SSL_free(s->ssl);
    free(s);
}

static void collect(struct tls_session *s, struct evbuffer *out)
{
    char *p;
    long n = BIO_get_mem_data(s->out, &p);

    if (n > 0)
        evbuffer_add(out, p, (size_t)n);
    (void)BIO_reset(s->out);
}

/* Plain bytes of what is there. false: broken. */
static bool read_plain(struct tls_session *s, struct evbuffer *plain)
{
    char bytes[STEP];
    int n;

    while ((n = SSL_read(s->ssl, bytes, sizeof bytes)) > 0)
        evbuffer_add(plain, bytes, (size_t)n);
    n = SSL_get_error(s->ssl, n);
    return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE || n == SSL_ERROR_ZERO_RETURN;
}

bool tls_take(struct tls_session *s, struct evbuffer *in, struct evbuffer *plain, struct evbuffer *out)
{
    char bytes[STEP];
    bool good = true;
    int n;

    ERR_clear_error();
    while (good && (n = evbuffer_remove(in, bytes, sizeof bytes)) > 0) {
        BIO_write(s->in, bytes, n);
        good = read_plain(s, plain);
    }
    collect(s, out);
    ERR_clear_error();
    return good;
}

bool tls_give(struct tls_session *s, const void *p, size_t n, struct evbuffer *out)
{
    bool good;

    ERR_clear_error();
    good = SSL_write(s->ssl, p, (int)n) == (int)n;
    collect(s, out);
    return good;
}

/* Its common name, or where it has none its whole subject. */
void tls_client(const struct tls_session *s, char to[TLS_NAME])
{
    X509 *x = SSL_is_init_finished(s->ssl) ? SSL_get1_peer_certificate(s->ssl) : NULL;
    X509_NAME *name = x ? X509_get_subject_name(x) : NULL;
    int at = name ? X509_NAME_get_index_by_NID(name, NID_commonName, -1) : -1, n = -1;
    unsigned char *utf8 = NULL;

    *to = '\0';
    if (at >= 0)
        n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n > 0 && n < (int)TLS_NAME && !memchr(utf8, '\0', (size_t)n))
        snprintf(to, TLS_NAME, "%s", (const char *)utf8);
    else if (name)
        X509_NAME_oneline(name, to, TLS_NAME);
    OPENSSL_free(utf8);
    X509_free(x);
    ERR_clear_error();
}

void tls_bye(struct tls_session *s, struct evbuffer *out)
{
    ERR_clear_error();
    if (SSL_is_init_finished(s->ssl))
        SSL_shutdown(s->ssl);
    collect(s, out);
    ERR_clear_error();
}
