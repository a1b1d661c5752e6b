/* Lines of suppressions and thresholds, a file of them, and the file that the API keeps. */
/* covers: plugins/ids/limits/line.c plugins/ids/limits/text.c */
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

/* As it is written after it was read; NULL: it is refused. */
static char *written(const char *text, size_t n, size_t *len)
{
    char why[300] = "", *out;
    bool newer;
    struct tuning *t = tuning_read(text, n, &newer, why, sizeof why);

    if (!t && !*why)
        abort();
    if (!t)
        return NULL;
    if (!(out = tuning_write(t, len)))
        abort();
    tuning_release(t);
    return out;
}

static void whole(const char *text, size_t n)
{
    size_t len, again;
    char *once = written(text, n, &len), *twice;

    if (!once)
        return;
    twice = written(once, len, &again);
    if (!twice || len != again || memcmp(once, twice, len) != 0)
        abort();
    free(once);
    free(twice);
}

static void tell(void *arg, const char *sentence)
{
    ++*(uint32_t *)arg;
    if (strncmp(sentence, "text:", 5) != 0)
        abort();
}

/* A file that people write: each line is an entry, or is told, or says nothing. */
static void file(const char *text, size_t n)
{
    uint32_t wrong = 0, rows = 1;
    struct tuning *t = tuning_lines(text, n, "text", tell, &wrong);
    struct tuning *again = tuning_lines(text, n, "text", tell, &wrong);

    if (!t || !again)
        abort();
    for (size_t i = 0; i < n; i++)
        rows += text[i] == '\n';
    if (t->n + wrong / 2 > rows || again->n != t->n)
        abort();
    tuning_carry(again, t);
    for (uint32_t i = 0; i < t->n; i++)
        if (again->tune[i]->line != t->tune[i]->line)
            abort();
    tuning_release(t);
    tuning_release(again);
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
    file(text, size);
    free(text);
    return 0;
}
