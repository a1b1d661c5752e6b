/* test_hello.c: the template's test, on the fake host. */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "testhost.h"

struct hello_event { struct ec_part part; uint64_t count; struct ec_span greeting; };

extern
#ifdef __cplusplus
"C"
#endif
const struct ec_plugin *ec_plugin_entry_1(void);

int main(void)
{
    struct testhost *t = testhost_new(ec_plugin_entry_1());
    const struct hello_event *e;

    assert(testhost_option(t, "greeting", "") == EC_EINVAL);
    assert(testhost_option(t, "greting", "typo") == EC_ENOENT);
    assert(testhost_option(t, "greeting", "good morning") == EC_OK);
    assert(testhost_start(t) == EC_OK);

    testhost_tick(t, 2500000000u);
    assert(testhost_count(t, "org.example.hello/1") == 2);
    e = (const struct hello_event *)(const void *)ec_part_first(testhost_event(t, "org.example.hello/1", 1));
    assert(e->count == 2);
    assert(!strcmp(testhost_text(&e->part, e->greeting), "good morning"));
    assert(testhost_metric(t, "greetings") == 2);

    assert(testhost_option(t, "greeting", "good night") == EC_OK && testhost_reload(t) == EC_OK);
    testhost_tick(t, 1000000000u);
    e = (const struct hello_event *)(const void *)ec_part_first(testhost_event(t, "org.example.hello/1", 2));
    assert(!strcmp(testhost_text(&e->part, e->greeting), "good night"));
    testhost_free(t);
    puts("1..1\nok 1 - hello");
    return 0;
}
