#include "core/cmdline.h"
#include "core/daemon.h"
#include "core/launcher/launcher.h"
#include "core/version.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A descriptor that is closed would go to the next file that is opened, and the log would be written into it. */
static void open_standard(void)
{
    while (fcntl(STDERR_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0 || fcntl(STDIN_FILENO, F_GETFD) < 0)
        if (open("/dev/null", O_RDWR) < 0)
            return;
}

int main(int argc, char **argv)
{
    struct cmdline c;
    int rc;

    open_standard();
    rc = cmdline_parse(&c, argc, argv, stderr);
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
            if ((!launcher_wanted(&c) || !launcher_run(&c, &rc)) && !(rc = launcher_become(&c)))
                rc = daemon_main(&c);
        }
    cmdline_free(&c);
    return rc;
}
