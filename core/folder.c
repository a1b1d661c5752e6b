#include "core/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int folder_access(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

int folder_make(const char *path)
{
    char *copy = strdup(path);
    int rc = copy ? 0 : -1;

    for (char *p = copy; !rc && (p = strchr(p + 1, '/')); ) {
        *p = '\0';
        rc = mkdir(copy, 0755) && errno != EEXIST ? -1 : 0;
        *p = '/';
    }
    if (!rc && mkdir(path, 0750) && errno != EEXIST)
        rc = -1;
    free(copy);
    return rc ? rc : folder_access(path, R_OK | W_OK | X_OK);
}
