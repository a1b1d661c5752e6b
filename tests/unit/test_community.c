/* The published vectors of Community ID 1.0 (baseline/ of its specification), with seed 0 and
 * seed 1. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "plugins/traffic/flow/flow.h"

static const struct {
    uint8_t proto;
    const char *src, *dst;
    uint16_t sport, dport;
    const char *id[2];
} vectors[] = {
    {58,
     "fe80::200:86ff:fe05:80da",
     "fe80::260:97ff:fe07:69ea",
     135,
     136,
     {"dGHyGvjMfljg6Bppwm3bg0LO8TY=", "kHa1FhMYIT6Ym2Vm2AOtoOARDzY="}},
    {58,
     "fe80::260:97ff:fe07:69ea",
     "fe80::200:86ff:fe05:80da",
     136,
     135,
     {"dGHyGvjMfljg6Bppwm3bg0LO8TY=", "kHa1FhMYIT6Ym2Vm2AOtoOARDzY="}},
    {58,
     "fe80::260:97ff:fe07:69ea",
     "fe80::200:86ff:fe05:80da",
     135,
     136,
     {"zavyT/cezQr1fmImYCwYnMXbgck=", "2hSqmsDZ2kdcY9kbiUzOEBic0iM="}},
    {58,
     "3ffe:501:1800:2345::2",
     "3ffe:507:0:1:200:86ff:fe05:80da",
     3,
     0,
     {"2ObVBgIn28oZvibYZhZMBgh7WdQ=", "lVEtCZpYu84Xqaa++3lXFyuu2n4="}},
    {58,
     "3ffe:501:410:0:2c0:dfff:fe47:33e",
     "3ffe:507:0:1:200:86ff:fe05:80da",
     1,
     4,
     {"hLZd0XGWojozrvxqE0dWB1iM6R0=", "W8MHwXpWzpoSTD+cGcaJr4u0ys8="}},
    {58,
     "3ffe:507:0:1:200:86ff:fe05:80da",
     "3ffe:501:0:1001::2",
     128,
     129,
     {"+TW+HtLHvV1xnGhV1lv7XoJrqQg=", "GfZxjAkDk2MkegpBYHV6tadtFXQ="}},
    {58,
     "3ffe:501:0:1001::2",
     "3ffe:507:0:1:200:86ff:fe05:80da",
     129,
     128,
     {"+TW+HtLHvV1xnGhV1lv7XoJrqQg=", "GfZxjAkDk2MkegpBYHV6tadtFXQ="}},
    {58,
     "fe80::200:86ff:fe05:80da",
     "ff02::2",
     133,
     134,
     {"hO+sN4H+MG5MY/8hIrXPqc4ZQz0=", "L7Ka0ZMYu+J3bL4ulW2PrqyXNo8="}},
    {58,
     "fe80::260:97ff:fe07:69ea",
     "ff02::1",
     134,
     133,
     {"pkvHqCL88/tg1k4cPigmZXUtL00=", "K/ee5UCqAMAQXDorP5nSa2CGLjc="}},
    {1,
     "192.168.0.89",
     "192.168.0.1",
     8,
     0,
     {"X0snYXpgwiv9TZtqg64sgzUn6Dk=", "03g6IloqVBdcZlPyX8r0hgoE7kA="}},
    {1,
     "192.168.0.1",
     "192.168.0.89",
     0,
     8,
     {"X0snYXpgwiv9TZtqg64sgzUn6Dk=", "03g6IloqVBdcZlPyX8r0hgoE7kA="}},
    {1,
     "10.0.0.1",
     "10.0.0.2",
     11,
     0,
     {"YHxtAirCG//0OzkcVAukqKQN9xM=", "XjUibYHaafLQ3pxQeiMI8g25q20="}},
    {6,
     "2001:470:e5bf:dead:4957:2174:e82c:4887",
     "2607:f8b0:400c:c03::1a",
     63943,
     25,
     {"/qFaeAR+gFe1KYjMzVDsMv+wgU4=", "eJYTW6AOzFLlSUoESovMjnu7rMw="}},
    {132,
     "192.168.170.8",
     "192.168.170.56",
     7,
     7,
     {"MP2EtRCAUIZvTw6MxJHLV7N7JDs=", "5w3ZRjeKBzqT3zsaEECDGjUbYeg="}},
    {6,
     "128.232.110.120",
     "66.35.250.204",
     34855,
     80,
     {"LQU9qZlK+B5F3KDmev6m5PMibrg=", "3V71V58M3Ksw/yuFALMcW0LAHvc="}},
    {6,
     "66.35.250.204",
     "128.232.110.120",
     80,
     34855,
     {"LQU9qZlK+B5F3KDmev6m5PMibrg=", "3V71V58M3Ksw/yuFALMcW0LAHvc="}},
    {17,
     "192.168.1.52",
     "8.8.8.8",
     54585,
     53,
     {"d/FP5EW3wiY1vCndhwleRRKHowQ=", "Q9We8WO3piVF8yEQBNJF4uiSVrI="}},
    {17,
     "8.8.8.8",
     "192.168.1.52",
     53,
     54585,
     {"d/FP5EW3wiY1vCndhwleRRKHowQ=", "Q9We8WO3piVF8yEQBNJF4uiSVrI="}},
    {46,
     "10.1.12.1",
     "10.1.12.2",
     0,
     0,
     {"KHlLkgoJW7ifUTyTSgyVfkFHzKw=", "rYir8gphR31noO9iDRQmF/BteEI="}},
    {46,
     "10.1.12.2",
     "10.1.12.1",
     0,
     0,
     {"KHlLkgoJW7ifUTyTSgyVfkFHzKw=", "rYir8gphR31noO9iDRQmF/BteEI="}},
};

static void address(uint8_t out[16], const char *text)
{
    memset(out, 0, 16);
    if (inet_pton(AF_INET6, text, out) == 1)
        return;
    out[10] = out[11] = 0xff;
    ck_assert_int_eq(inet_pton(AF_INET, text, out + 12), 1);
}

static void base64(char out[29], const uint8_t d[20])
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (int i = 0, o = 0; i < 20; i += 3) {
        uint32_t v = (uint32_t)d[i] << 16 | (uint32_t)d[i + 1] << 8 | (i + 2 < 20 ? d[i + 2] : 0u);
        for (int s = 18; s >= 0; s -= 6)
            out[o++] = digit[v >> s & 63];
    }
    out[27] = '=';
    out[28] = 0;
}

START_TEST(published)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        for (uint16_t seed = 0; seed < 2; seed++) {
            uint8_t src[16], dst[16], sum[20];
            char text[29];
            address(src, vectors[i].src);
            address(dst, vectors[i].dst);
            community_hash(sum, seed, src, dst, vectors[i].proto, vectors[i].sport,
                           vectors[i].dport);
            base64(text, sum);
            ck_assert_msg(!strcmp(text, vectors[i].id[seed]), "vector %zu seed %u: %s", i, seed,
                          text);
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("community id");
    TCase *c = tcase_create("community");

    tcase_add_test(c, published);
    suite_add_tcase(s, c);
    return unit_run(s);
}
