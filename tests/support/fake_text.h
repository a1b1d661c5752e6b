/* fake_text.h: what a parser published through fake_traffic, as JSON. For tests that link the core. */
#ifndef TESTS_FAKE_TEXT_H
#define TESTS_FAKE_TEXT_H

#include "core/record/service.h"
#include "fake_traffic.h"

#include <check.h>                  /* last: its macro fail() is also the name of a member of struct ec_host */

/* The i-th record of the topic, valid until the next call. Fails the test where there is none. */
static inline const char *fake_text(struct fake_traffic *f, const char *topic, uint32_t i)
{
    static char text[8192];
    struct record_service *json = record_service_new(testhost_host(f->host));
    int64_t n = record_json.event(json, testhost_event(f->host, topic, i), 0, text, sizeof text - 1, NULL);

    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    record_service_free(json);
    return text;
}

#endif
