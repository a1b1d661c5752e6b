/* ecyberctl support-dump takes secrets out of texts and JSON that may be anything. */
/* covers: cli/scrub.c */
#include "cli/scrub.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PLANTED "s3cretPlanted0815"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever stands before it: a secret that is named on a line of its own is gone. */
static void plant(const char *text)
{
    size_t n = strlen(text) + 64;
    char *with = malloc(n), *clean;

    if (!with)
        return;
    strcpy(with, text);
    strcat(with, "\npassword=" PLANTED "\n");
    clean = scrub_text(with);
    if (clean && !strstr(text, PLANTED) && strstr(clean, PLANTED))
        abort();
    free(clean);
    free(with);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct json_object *o, *clean;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    plant(text);
    if ((o = json_tokener_parse(text))) {
        clean = scrub_json(o);
        json_object_put(clean);
        json_object_put(o);
    }
    free(text);
    return 0;
}
