#include "buildconf.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        printf("ecyberctl %s\n", PACKAGE_VERSION);
        return fflush(stdout) ? 1 : 0;
    }
    fprintf(stderr, "usage: ecyberctl --version\n");
    return 2;
}
