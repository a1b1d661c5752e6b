#include "core/cmdline.h"
#include "core/daemon.h"
#include "core/version.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct cmdline c;
    int rc = cmdline_parse(&c, argc, argv, stderr);

    if (!rc)
        switch (c.mode) {
        case MODE_VERSION:
            printf("ecyberd %s\n", version_string());
            rc = fflush(stdout) ? EXIT_FAILED : EXIT_FINE;
            break;
        case MODE_BUILD_INFO:
            rc = version_print_build(stdout) ? EXIT_FAILED : EXIT_FINE;
            break;
        case MODE_HELP:
            cmdline_help(stdout);
            rc = fflush(stdout) ? EXIT_FAILED : EXIT_FINE;
            break;
        default:
            rc = daemon_main(&c);
        }
    cmdline_free(&c);
    return rc;
}
