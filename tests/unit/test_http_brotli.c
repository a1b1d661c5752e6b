/* test_http_brotli.c: bodies coded with brotli: whole, in pieces, damaged, cut, and bombs. */
#include <string.h>

#include "plugins/traffic/proto/http/brotli.h"
#include "plugins/traffic/proto/http/http.h"
#include "tests/support/fake_traffic.h"
#include "tests/unit/unit.h"

static const char plain[] = "a body that only brotli knows how to read, a body that only brotli knows";
static const uint8_t text[] = { 27, 71, 0, 0, 140, 148, 110, 198, 162, 70, 168, 244, 14, 19, 147, 163, 211, 32, 105, 108,
    111, 96, 34, 7, 236, 109, 129, 68, 122, 209, 103, 117, 166, 105, 113, 98, 112, 6, 5, 22, 251, 92, 95, 251, 18, 29, 222,
    112 };
/* 16 MiB of zeros. */
static const uint8_t bomb[] = { 203, 255, 255, 63, 248, 39, 0, 226, 177, 64, 32, 247, 254, 47, 255, 255, 255, 240, 79, 0,
    196, 97, 17, 128, 238, 253, 31 };

struct seen { char body[256]; uint32_t n; };

static void see(struct fake_traffic *f, struct ec_tx *x, void *arg)
{
    const struct ec_buf *b = fake_buffer(f, x, "http.response_body", EC_TO_CLIENT);
    struct seen *s = arg;

    if (!b || b->len >= sizeof s->body)
        return;
    ck_assert(!(b->state & EC_BUF_VERBATIM) || memcmp(b->u.data, plain, 6));
    memcpy(s->body, b->u.data, b->len);
    s->n = b->len;
}

static struct seen talk(struct fake_traffic *f, const char *coding, const uint8_t *d, uint32_t n, uint32_t step)
{
    struct seen s = { "", 0 };
    uint8_t response[256];
    int head = snprintf((char *)response, sizeof response,
                        "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %u\r\n\r\n", coding, n);

    memcpy(response + head, d, n);
    n += (uint32_t)head;
    f->on_step = see;
    f->on_step_arg = &s;
    fake_begin(f);
    fake_feed(f, EC_TO_SERVER, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27, 0);
    for (uint32_t at = 0; at < n; at += step)
        fake_feed(f, EC_TO_CLIENT, response + at, n - at < step ? n - at : step, 0);
    fake_end(f);
    return s;
}

static uint32_t times(const struct fake_traffic *f, const char *event)
{
    for (uint32_t i = 0; i < f->proto->n_anomaly; i++)
        if (!strcmp(f->proto->anomaly[i], event))
            return f->anomaly[i];
    ck_abort_msg("no event %s", event);
    return 0;
}

START_TEST(a_body_is_read_in_pieces_of_any_size)
{
    struct fake_traffic *f = fake_new(http_register);

    for (uint32_t step = 1; step < 150; step += 7) {
        struct seen s = talk(f, step & 1 ? "br" : "BR", text, sizeof text, step);
        ck_assert_uint_eq(s.n, sizeof plain - 1);
        ck_assert_mem_eq(s.body, plain, s.n);
        ck_assert_uint_eq(f->file.bytes, sizeof plain - 1);
        ck_assert_uint_eq(times(f, "BROTLI_DECOMPRESSION_FAILED"), 0);
    }
    fake_free(f);
}
END_TEST

START_TEST(what_is_no_brotli_is_taken_as_it_is)
{
    struct fake_traffic *f = fake_new(http_register);
    struct seen s = talk(f, "br", (const uint8_t *)"\xff\xff<html>", 8, 200);

    ck_assert_uint_eq(times(f, "BROTLI_DECOMPRESSION_FAILED"), 1);
    ck_assert_uint_eq(s.n, 8);
    ck_assert_mem_eq(s.body, "\xff\xff<html>", 8);
    s = talk(f, "identity", text, sizeof text, 200);
    ck_assert_uint_eq(s.n, sizeof text);
    ck_assert_mem_eq(s.body, text, sizeof text);
    fake_free(f);
}
END_TEST

START_TEST(a_bomb_is_not_blown_up)
{
    struct fake_traffic *f = fake_new(http_register);

    talk(f, "br", bomb, sizeof bomb, 200);
    ck_assert_uint_eq(times(f, "COMPRESSION_BOMB"), 1);
    ck_assert_uint_le(f->file.bytes, BROTLI_BOMB_BYTES + sizeof bomb);
    fake_free(f);
}
END_TEST

static void drop(void *arg, const uint8_t *p, size_t n)
{
    (void)p;
    *(size_t *)arg += n;
}

/* Every body keeps its window; there is room for some of them only, and it comes back. */
START_TEST(memory_is_bounded)
{
    struct brotli *all[64];
    uint32_t refused[2] = { 0, 0 };
    size_t n = 0;

    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 64; i++) {
            all[i] = brotli_open();
            ck_assert_ptr_nonnull(all[i]);
            refused[round] += brotli_feed(all[i], bomb, sizeof bomb - 1, drop, &n) == BROTLI_BROKEN;
        }
        for (uint32_t i = 0; i < 64; i++)
            brotli_close(all[i]);
    }
    ck_assert_uint_gt(refused[0], 64 - BROTLI_ALL / (4u << 20));
    ck_assert_uint_lt(refused[0], 64);
    ck_assert_uint_eq(refused[0], refused[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_brotli");
    TCase *tc = tcase_create("http_brotli");

    tcase_add_test(tc, a_body_is_read_in_pieces_of_any_size);
    tcase_add_test(tc, what_is_no_brotli_is_taken_as_it_is);
    tcase_add_test(tc, a_bomb_is_not_blown_up);
    tcase_add_test(tc, memory_is_bounded);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
