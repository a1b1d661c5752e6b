/* Tokens: what is signed with the configured key and algorithm and has not expired is taken, everything else is not.
 * The forgeries are signed here with OpenSSL, not with the code under test. */
#include "tests/unit/unit.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "plugins/auth/jwt.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NOW  INT64_C(1790000000)
#define LIFE 3600

static const char secret[] = "k7Qw0Zr9-Vb2mXc8Ln4TyUi1Op6AsDf3GhJk5";
static char why[256];
static struct token_keys *keys;

static void setup(void)
{
    keys = token_keys_new("HS256", secret, sizeof secret - 1, LIFE, why, sizeof why);
    ck_assert_msg(keys != NULL, "%s", why);
}

static void teardown(void)
{
    token_keys_free(keys);
}

static void base64url(char *to, const void *p, size_t n)
{
    int len = EVP_EncodeBlock((unsigned char *)to, p, (int)n);

    while (len && to[len - 1] == '=')
        len--;
    to[len] = '\0';
    for (; *to; to++)
        *to = *to == '+' ? '-' : *to == '/' ? '_' : *to;
}

/* header.payload signed with HMAC of that hash. */
static const char *forge(const char *header, const char *payload, const void *key, size_t n, const EVP_MD *md)
{
    static char token[16384];
    unsigned char mac[64];
    unsigned len = 0;
    size_t at;

    base64url(token, header, strlen(header));
    strcat(token, ".");
    base64url(token + strlen(token), payload, strlen(payload));
    at = strlen(token);
    HMAC(md, key, (int)n, (unsigned char *)token, at, mac, &len);
    token[at] = '.';
    base64url(token + at + 1, mac, len);
    return token;
}

#define HEAD "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define BODY(exp) "{\"sub\":\"anna\",\"uid\":7,\"ver\":9,\"iat\":1790000000,\"exp\":" exp "}"
#define GOOD BODY("1790000900")

static const char *forged(const char *header, const char *payload)
{
    return forge(header, payload, secret, sizeof secret - 1, EVP_sha256());
}

static bool taken(const char *text, size_t len)
{
    struct token t;

    strcpy(why, "(none)");
    return token_read(keys, text, len, NOW, &t, why, sizeof why) == EC_OK;
}

static void refused(const char *what, const char *text)
{
    ck_assert_msg(!taken(text, strlen(text)), "%s: it was taken", what);
}

START_TEST(what_is_made_is_read)
{
    const struct token in = {.name = "anna", .user = UINT64_C(1) << 52, .stamp = TOKEN_EXACT, .issued = NOW,
                             .expires = NOW + LIFE};
    struct token out;
    char *text = token_make(keys, &in);

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(token_read(keys, text, strlen(text), NOW, &out, why, sizeof why), EC_OK);
    ck_assert_str_eq(out.name, "anna");
    ck_assert(out.user == in.user && out.stamp == in.stamp && out.issued == NOW && out.expires == NOW + LIFE);
    ck_assert_int_eq(token_read(keys, text, strlen(text), NOW + LIFE - 1, &out, why, sizeof why), EC_OK);
    ck_assert_int_eq(token_read(keys, text, strlen(text), NOW + LIFE, &out, why, sizeof why), EC_EPERM);
    ck_assert_str_eq(why, "it has expired");
    free(text);
}
END_TEST

START_TEST(what_was_verified_is_read_again)
{
    struct token in = {.name = "anna", .user = 7, .stamp = 9, .session = 3, .issued = NOW, .expires = NOW + LIFE}, out;
    char *text = token_make(keys, &in);
    size_t len;

    ck_assert_ptr_nonnull(text);
    len = strlen(text);
    for (int i = 0; i < 3; i++) {
        memset(&out, 0, sizeof out);
        ck_assert_int_eq(token_read_again(keys, text, len, NOW + i, &out, why, sizeof why), EC_OK);
        ck_assert(!strcmp(out.name, "anna") && out.user == 7 && out.stamp == 9 && out.session == 3);
    }
    ck_assert_int_eq(token_read_again(keys, text, len, NOW + LIFE, &out, why, sizeof why), EC_EPERM);
    ck_assert_str_eq(why, "it has expired");
    ck_assert_int_eq(token_read_again(keys, text, len - 1, NOW, &out, why, sizeof why), EC_EPERM);
    ck_assert_int_eq(token_read_again(keys, text, 0, NOW, &out, why, sizeof why), EC_EPERM);
    for (size_t i = 0; i < len; i += 7) {       /* no byte of one that was seen may change */
        text[i] ^= 1;
        ck_assert_int_eq(token_read_again(keys, text, len, NOW, &out, why, sizeof why), EC_EPERM);
        text[i] ^= 1;
    }
    free(text);
    for (int i = 0; i < 100; i++) {             /* more than are remembered */
        in.user = (uint64_t)i + 1;
        text = token_make(keys, &in);
        for (int k = 0; k < 2; k++)
            ck_assert(!token_read_again(keys, text, strlen(text), NOW, &out, why, sizeof why) && out.user == in.user);
        free(text);
    }
}
END_TEST

/* The signature is what OpenSSL computes over the same bytes; so the forgeries below fail for what they change. */
START_TEST(a_token_made_by_others_with_the_key_is_read)
{
    const char *text = forged(HEAD, GOOD);

    ck_assert_msg(taken(text, strlen(text)), "%s", why);
}
END_TEST

START_TEST(tampered_claims_are_refused)
{
    static const struct {
        const char *what, *payload, *why;
    } row[] = {
        {"no exp", "{\"sub\":\"anna\",\"uid\":7,\"ver\":9,\"iat\":1790000000}", "exp is missing, or no integer"},
        {"exp is a string", BODY("\"1790000900\""), "exp is missing, or no integer"},
        {"exp is a float", BODY("1790000900.0"), "exp is missing, or no integer"},
        {"exp is null", BODY("null"), "exp is missing, or no integer"},
        {"exp is a list", BODY("[1790000900]"), "exp is missing, or no integer"},
        {"exp is true", BODY("true"), "exp is missing, or no integer"},
        {"exp is negative", BODY("-1"), "it has expired"},
        {"exp is 0", BODY("0"), "it has expired"},
        {"exp was a second ago", BODY("1789999999"), "it has expired"},
        {"exp is the largest integer", BODY("9223372036854775807"), "it expires later than any token of ours"},
        {"exp is past every integer", BODY("92233720368547758070"), NULL},
        {"exp is 1e300", BODY("1e300"), "exp is missing, or no integer"},
        {"nbf is in the future", BODY("1790000900,\"nbf\":1790000300"), "it is not valid yet (nbf)"},
        {"nbf is a string", BODY("1790000900,\"nbf\":\"1\""), "it is not valid yet (nbf)"},
        {"no sub", "{\"uid\":7,\"ver\":9,\"iat\":1790000000,\"exp\":1790000900}", "sub is missing, or no name"},
        {"sub is a number", "{\"sub\":5,\"uid\":7,\"ver\":9,\"iat\":1790000000,\"exp\":1790000900}",
         "sub is missing, or no name"},
        {"no uid", "{\"sub\":\"anna\",\"ver\":9,\"iat\":1790000000,\"exp\":1790000900}",
         "uid or ver is missing, or no positive integer"},
        {"negative uid", "{\"sub\":\"anna\",\"uid\":-7,\"ver\":9,\"iat\":1790000000,\"exp\":1790000900}",
         "uid or ver is missing, or no positive integer"},
        {"iat is in the future", "{\"sub\":\"anna\",\"uid\":7,\"ver\":9,\"iat\":1790000300,\"exp\":1790000900}",
         "iat is missing, no integer, or in the future"},
        {"a NUL in sub", "{\"sub\":\"anna\\u0000x\",\"uid\":7,\"ver\":9,\"iat\":1790000000,\"exp\":1790000900}", NULL},
        {"payload is a list", "[1]", NULL},
        {"payload is no JSON", "{", NULL},
        {"something follows the payload", GOOD "x", NULL},
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        refused(row[i].what, forged(HEAD, row[i].payload));
        if (row[i].why)
            ck_assert_msg(!strcmp(why, row[i].why), "%s: '%s' in place of '%s'", row[i].what, why, row[i].why);
    }
}
END_TEST

START_TEST(tampered_headers_are_refused)
{
    char token[1024];

    refused("none", forged("{\"alg\":\"none\",\"typ\":\"JWT\"}", GOOD));
    strcpy(token, forged("{\"alg\":\"none\",\"typ\":\"JWT\"}", GOOD));
    *(strrchr(token, '.') + 1) = '\0';
    refused("none with an empty signature", token);
    *strrchr(token, '.') = '\0';
    refused("none without a signature", token);
    refused("None", forged("{\"alg\":\"None\",\"typ\":\"JWT\"}", GOOD));
    refused("alg is a number", forged("{\"alg\":1,\"typ\":\"JWT\"}", GOOD));
    refused("no alg", forged("{\"typ\":\"JWT\"}", GOOD));
    refused("HS512, signed so",
            forge("{\"alg\":\"HS512\",\"typ\":\"JWT\"}", GOOD, secret, sizeof secret - 1, EVP_sha512()));
    ck_assert_str_eq(why, "it was signed with another algorithm");
    refused("HS384, signed so",
            forge("{\"alg\":\"HS384\",\"typ\":\"JWT\"}", GOOD, secret, sizeof secret - 1, EVP_sha384()));
    refused("RS256 in the header", forged("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", GOOD));
    refused("another type", forged("{\"alg\":\"HS256\",\"typ\":\"JWE\"}", GOOD));
    refused("crit", forged("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"crit\":[\"b64\"],\"b64\":false}", GOOD));
    ck_assert_str_eq(why, "it needs an extension (crit) that is not there");
}
END_TEST

START_TEST(tampered_signatures_are_refused)
{
    char good[1024], t[2048];
    size_t n;

    strcpy(good, forged(HEAD, GOOD));
    n = strlen(good);
    refused("another key", forge(HEAD, GOOD, "another-key-of-at-least-32-bytes-length", 39, EVP_sha256()));
    refused("an empty key", forge(HEAD, GOOD, "", 0, EVP_sha256()));
    for (size_t i = 1; i < n; i++)
        ck_assert_msg(!taken(good, i), "cut to %zu of %zu bytes it was taken", i, n);
    for (size_t i = 0; i < n; i++) {
        strcpy(t, good);
        t[i] = t[i] == 'A' ? 'B' : 'A';
        ck_assert_msg(!taken(t, n), "with another byte at %zu it was taken", i);
    }
    snprintf(t, sizeof t, "%.*s.", (int)(strrchr(good, '.') - good), good);
    refused("an empty signature", t);
    snprintf(t, sizeof t, "%s=", good);
    refused("base64 padding", t);
    snprintf(t, sizeof t, "%s.", good);
    refused("a dot behind it", t);
    snprintf(t, sizeof t, "%s.e30", good);
    refused("a fourth part", t);
    snprintf(t, sizeof t, "%s ", good);
    refused("a space behind it", t);
    snprintf(t, sizeof t, " %s", good);
    refused("a space in front", t);
    snprintf(t, sizeof t, "%sA", good);
    refused("a letter behind it", t);
    snprintf(t, sizeof t, "%s\n", good);
    refused("a newline behind it", t);
    n = strcspn(good, ".");
    snprintf(t, sizeof t, "%.*s.%s", (int)n, good, good + n);
    refused("two dots in a row", t);
    refused("only dots", "..");
    refused("nothing", "");
}
END_TEST

START_TEST(a_nul_inside_is_refused)
{
    char t[1024];
    size_t n;

    strcpy(t, forged(HEAD, GOOD));
    n = strlen(t);
    memcpy(t + n, "\0evil", 5);
    ck_assert(taken(t, n) && !taken(t, n + 5) && !taken(t, n + 1));
    t[10] = '\0';
    ck_assert(!taken(t, n));
}
END_TEST

START_TEST(two_megabytes_are_refused_unread)
{
    size_t n = 2u << 20;
    char *big = malloc(n + 1), good[1024];

    strcpy(good, forged(HEAD, GOOD));
    memset(big, 'A', n);
    memcpy(big, good, strlen(good));
    ck_assert(!taken(big, n));
    ck_assert_str_eq(why, "it is empty, or longer than 8 KiB");
    ck_assert(!taken(big, TOKEN_MAX) && !taken(big, TOKEN_MAX + 1));
    free(big);
}
END_TEST

static char *pem_of(EVP_PKEY *key, bool private)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *p, *text;
    long n;

    if (private)
        PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_PUBKEY(out, key);
    n = BIO_get_mem_data(out, &p);
    text = calloc(1, (size_t)n + 1);
    memcpy(text, p, (size_t)n);
    BIO_free(out);
    return text;
}

static void public_key_case(const char *algorithm, EVP_PKEY *key, const char *other)
{
    const struct token in = {.name = "anna", .user = 7, .stamp = 9, .issued = NOW, .expires = NOW + 900};
    char *private = pem_of(key, true), *public = pem_of(key, false), *text;
    struct token out;
    struct token_keys *pair;

    ck_assert_ptr_null(token_keys_new(other, private, strlen(private), LIFE, why, sizeof why));
    ck_assert_ptr_null(token_keys_new(algorithm, public, strlen(public), LIFE, why, sizeof why));
    pair = token_keys_new(algorithm, private, strlen(private), LIFE, why, sizeof why);
    ck_assert_msg(pair != NULL, "%s: %s", algorithm, why);
    text = token_make(pair, &in);
    ck_assert_msg(text && !token_read(pair, text, strlen(text), NOW, &out, why, sizeof why), "%s: %s", algorithm, why);
    ck_assert_uint_eq(out.user, 7);
    text[strlen(text) - 10] ^= 1;
    ck_assert_int_eq(token_read(pair, text, strlen(text), NOW, &out, why, sizeof why), EC_EPERM);
    free(text);
    /* the public key is known to all: as the secret of an HMAC it must open nothing */
    text = strdup(forge(HEAD, GOOD, public, strlen(public), EVP_sha256()));
    ck_assert_int_eq(token_read(pair, text, strlen(text), NOW, &out, why, sizeof why), EC_EPERM);
    ck_assert_str_eq(why, "it was signed with another algorithm");
    free(text);
    token_keys_free(pair);
    free(private);
    free(public);
    EVP_PKEY_free(key);
}

START_TEST(public_keys)
{
    EVP_PKEY *small = EVP_RSA_gen(1024);
    char *text = pem_of(small, true);

    ck_assert_ptr_null(token_keys_new("RS256", text, strlen(text), LIFE, why, sizeof why));
    ck_assert_str_eq(why, "RS256 needs an RSA key of at least 2048 bits");
    free(text);
    EVP_PKEY_free(small);
    public_key_case("RS256", EVP_RSA_gen(2048), "ES256");
    public_key_case("ES256", EVP_EC_gen("P-256"), "ES384");
    public_key_case("ES512", EVP_EC_gen("P-521"), "ES256");
}
END_TEST

START_TEST(no_key_and_no_algorithm)
{
    struct token t;
    const char *text = forged(HEAD, GOOD);
    static const char *const bad[] = {"none", "NONE", "hs256", "", "HS256 ", "HS1", "PS256"};

    ck_assert_int_eq(token_read(NULL, text, strlen(text), NOW, &t, why, sizeof why), EC_EPERM);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_ptr_null(token_keys_new(bad[i], secret, sizeof secret - 1, LIFE, why, sizeof why));
    ck_assert_ptr_null(token_keys_new("HS256", secret, 31, LIFE, why, sizeof why));
    ck_assert_str_eq(why, "HS256 needs a key of 32 to 16384 bytes; this one has 31");
    ck_assert_ptr_null(token_keys_new("HS512", secret, sizeof secret - 1, LIFE, why, sizeof why));
    ck_assert_ptr_null(token_keys_new("HS256", NULL, 64, LIFE, why, sizeof why));
    ck_assert_ptr_null(token_keys_new("RS256", secret, sizeof secret - 1, LIFE, why, sizeof why));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("auth_jwt");
    TCase *c = tcase_create("tokens");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, what_is_made_is_read);
    tcase_add_test(c, what_was_verified_is_read_again);
    tcase_add_test(c, a_token_made_by_others_with_the_key_is_read);
    tcase_add_test(c, tampered_claims_are_refused);
    tcase_add_test(c, tampered_headers_are_refused);
    tcase_add_test(c, tampered_signatures_are_refused);
    tcase_add_test(c, a_nul_inside_is_refused);
    tcase_add_test(c, two_megabytes_are_refused_unread);
    tcase_add_test(c, public_keys);
    tcase_add_test(c, no_key_and_no_algorithm);
    suite_add_tcase(s, c);
    return unit_run(s);
}
