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

int folder_check(const char *path)
{
    char *at = strdup(path), *slash;
    int rc = at ? folder_access(at, R_OK | W_OK | X_OK) : -1;

    while (rc && at && errno == ENOENT && (slash = strrchr(at, '/')) && at[1]) {
        slash[slash == at] = '\0';
        rc = folder_access(at, W_OK | X_OK);
    }
    free(at);
    return rc;
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
