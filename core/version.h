/* What this build is: the version, and how it was compiled. */
#ifndef ECYBER_CORE_VERSION_H
#define ECYBER_CORE_VERSION_H

#include <stdio.h>

/* The release, "0.1.0". Static storage. [any thread] */
const char *version_string(void);

/* Prints the version, the compiler, the flags that matter and the compiled-in folders, one a line,
 * as "key: value". Returns 0, or -1 when writing failed. [any thread] */
int version_print_build(FILE *out);

#endif
