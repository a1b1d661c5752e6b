/* Lines of suppressions and thresholds, and the file that the API keeps of them. */
#include "plugins/ids/limits/tuning.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read is written so that it is read the same. */
static void line(const char *text)
{
    struct tune e, again;
    uint32_t column;
    char why[300], out[TUNE_LINE], twice[TUNE_LINE];

    if (tune_read(text, &e, &column, why, sizeof why) != 1)
        return;
    tune_write(&e, out);
    if (tune_read(out, &again, &column, why, sizeof why) != 1)
        abort();
    tune_write(&again, twice);
    if (strcmp(out, twice) != 0)
        abort();
}

static void whole(const char *text, size_t n)
{
    char why[300], *out;
    struct tuning *t = tuning_read(text, n, why, sizeof why);
    size_t len;

    if (!t)
        return;
    out = tuning_write(t, &len);
    if (!out || len != n || memcmp(out, text, n) != 0)
        abort();
    free(out);
    tuning_release(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    line(text);
    whole(text, size);
    free(text);
    return 0;
}
