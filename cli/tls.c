/* ecyberctl tls self-signed: a certificate of one's own, for the first steps with HTTPS. */
#include "buildconf.h"

#include "cli/cli.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAYS 397                    /* browsers take no longer ones */
#define NAMES_MAX 1000
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:*"

/* "DNS:a,IP:10.0.0.7": names are letters, digits, dots, hyphens and colons, so nothing else gets into the list. */
static int alternatives(char *const *args, char to[NAMES_MAX])
{
    static char host[65], localhost[] = "localhost", loopback[] = "127.0.0.1", six[] = "::1";
    char *own[] = { host, localhost, loopback, six, NULL };
    size_t at = 0;

    if (gethostname(host, sizeof host - 1))
        own[0] = localhost;
    for (char *const *name = args[0] ? args : own; *name; name++) {
        unsigned char a[16];
        int address = inet_pton(AF_INET, *name, a) == 1 || inet_pton(AF_INET6, *name, a) == 1, n;

        if (!**name || strspn(*name, NAME_BYTES) != strlen(*name)) {
            fprintf(stderr, "ecyberctl: '%s' is neither a host name nor an address\n", *name);
            return -1;
        }
        n = snprintf(to + at, NAMES_MAX - at, "%s%s:%s", at ? "," : "", address ? "IP" : "DNS", *name);
        if (n < 0 || (size_t)n >= NAMES_MAX - at) {
            fprintf(stderr, "ecyberctl: the names are too many\n");
            return -1;
        }
        at += (size_t)n;
    }
    return 0;
}

static int add(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;
    int good;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    good = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return good;
}

static X509 *certificate(EVP_PKEY *key, const char *names)
{
    X509 *x = X509_new();
    X509_NAME *name = x ? X509_get_subject_name(x) : NULL;
    unsigned char serial[16];
    BIGNUM *n = RAND_bytes(serial, sizeof serial) == 1 ? BN_bin2bn(serial, sizeof serial, NULL) : NULL;
    int good = name && n && BN_clear_bit(n, 127) && X509_set_version(x, X509_VERSION_3) &&
               BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) && X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
               X509_gmtime_adj(X509_getm_notAfter(x), DAYS * 86400L) && X509_set_pubkey(x, key) &&
               X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"eCyber", -1, -1, 0) &&
               X509_set_issuer_name(x, name) && add(x, NID_subject_alt_name, names) &&
               add(x, NID_basic_constraints, "critical,CA:FALSE") && add(x, NID_ext_key_usage, "serverAuth") &&
               add(x, NID_key_usage, "critical,digitalSignature") && X509_sign(x, key, EVP_sha256());

    BN_free(n);
    if (good)
        return x;
    X509_free(x);
    return NULL;
}

/* A file that is there already is not touched: somebody may trust it. */
static FILE *create(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f)
        fprintf(stderr, "ecyberctl: %s: %s\n", path, strerror(errno));
    if (!f && fd >= 0)
        close(fd);
    return f;
}

static int save(X509 *x, EVP_PKEY *key)
{
    FILE *k = create("key.pem", 0600), *c = k ? create("cert.pem", 0644) : NULL;
    int good = c && PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) && PEM_write_X509(c, x);

    if (k && fclose(k))
        good = 0;
    if (c && fclose(c))
        good = 0;
    if (k && !good) {
        unlink("key.pem");
        if (c)
            unlink("cert.pem");
    }
    return good;
}

static void print_fingerprint(X509 *x)
{
    unsigned char hash[32];
    unsigned n = 0;

    if (!X509_digest(x, EVP_sha256(), hash, &n))
        return;
    printf("SHA-256 ");
    for (unsigned i = 0; i < n; i++)
        printf("%s%02X", i ? ":" : "", hash[i]);
    putchar('\n');
}

int cmd_tls_self_signed(const struct cli *c, char *const *args)
{
    char names[NAMES_MAX];
    EVP_PKEY *key = NULL;
    X509 *x = NULL;
    int good = 0;

    (void)c;
    if (alternatives(args, names))
        return CLI_USAGE;
    key = EVP_EC_gen("P-256");
    x = key ? certificate(key, names) : NULL;
    if (!x)
        fprintf(stderr, "ecyberctl: the certificate could not be made for %s\n", names);
    else
        good = save(x, key);
    if (good) {
        printf("cert.pem and key.pem are good for %d days, for %s\n", DAYS, names);
        print_fingerprint(x);
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return good ? CLI_OK : CLI_FAILED;
}
