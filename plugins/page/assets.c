/* Embeds the files that build.sh made: the assembler reads them, so that even a large one costs no time. */
#include "plugins/page/assets.h"

#include <string.h>

#define ASSET(n, path, type, file, len)                                         \
    __asm__(".pushsection .rodata\n"                                            \
            ".hidden page_asset_" #n "\n"                                       \
            ".globl page_asset_" #n "\n"                                        \
            ".balign 16\n"                                                      \
            "page_asset_" #n ":\n"                                              \
            ".incbin \"" file "\"\n"                                            \
            ".popsection\n");                                                   \
    extern const unsigned char page_asset_##n[] __attribute__((visibility("hidden")));
#include "plugins/page/assets.inc"
#undef ASSET

static const struct page_asset assets[] = {
#define ASSET(n, path, type, file, len) { path, type, page_asset_##n, len },
#include "plugins/page/assets.inc"
#undef ASSET
};

const struct page_asset *page_assets(uint32_t *n)
{
    *n = sizeof assets / sizeof assets[0];
    return assets;
}

bool page_built(void)
{
    for (uint32_t i = 0; i < sizeof assets / sizeof assets[0]; i++)
        if (!strcmp(assets[i].path, "/app.js"))
            return true;
    return false;
}
