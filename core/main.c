#include "buildconf.h"

#include "core/version.h"

#include <getopt.h>
#include <stdio.h>

enum {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

enum {
    OPT_VERSION = 256,
    OPT_BUILD_INFO,
};

static const struct option options[] = {
    {"version", no_argument, NULL, OPT_VERSION},
    {"build-info", no_argument, NULL, OPT_BUILD_INFO},
    {NULL, 0, NULL, 0},
};

int main(int argc, char **argv)
{
    switch (getopt_long(argc, argv, "", options, NULL)) {
    case OPT_VERSION:
        printf("ecyberd %s\n", version_string());
        return fflush(stdout) ? EXIT_FAILED : EXIT_FINE;
    case OPT_BUILD_INFO:
        return version_print_build(stdout) ? EXIT_FAILED : EXIT_FINE;
    default:
        fprintf(stderr, "usage: ecyberd --version | --build-info\n");
        return EXIT_USAGE;
    }
}
