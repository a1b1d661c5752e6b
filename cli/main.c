#include "buildconf.h"

#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        printf("ecyberctl %s\n", PACKAGE_VERSION);
        return fflush(stdout) ? 1 : 0;
    }
    if (argc > 1 && !strcmp(argv[1], "explain"))
        return explain_main(argc - 1, argv + 1);
    fprintf(stderr, "usage: ecyberctl --version | explain [FILE | -]\n");
    return 2;
}
