/* The values of settings. */
/* covers: plugins/settings/check.c */
#include "plugins/settings/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size ? size : 1);      /* without a NUL: nothing behind its end may be read */

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    check_name(text, size);
    if (!check_mail(text, size) && (memchr(text, '\n', size) || memchr(text, ' ', size) || size > SETTINGS_MAIL))
        abort();
    free(text);
    return 0;
}
