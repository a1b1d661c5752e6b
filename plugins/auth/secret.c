#include "plugins/auth/secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its letters and digits, small: "Change-Me" is changeme. */
static size_t squeeze(const char *text, char *to, size_t n)
{
    size_t at = 0;

    for (; *text && at + 1 < n; text++)
        if (isalnum((unsigned char)*text))
            to[at++] = (char)tolower((unsigned char)*text);
    to[at] = '\0';
    return at;
}

static size_t different(const char *p)
{
    unsigned char seen[256] = {0};
    size_t n = 0;

    for (; *p; p++)
        n += !seen[(unsigned char)*p]++;
    return n;
}

/* The same piece again and again: "abcabcabc". */
static int repeats(const char *text)
{
    size_t len = strlen(text);

    for (size_t period = 1; period <= len / 3; period++)
        if (!strncmp(text, text + period, len - period))
            return 1;
    return 0;
}

const char *secret_weak(const char *text)
{
    static const char *const placeholder[] = {
        "changeme", "changethis", "changeit", "replaceme", "replacethis", "yoursecret", "mysecret", "supersecret",
        "secretkey", "topsecret", "verysecret", "placeholder", "example", "insecure", "notsecure", "password",
        "default", "todo", "fixme", "generateme", "yourkey", "jwtsecret", "development", "donotuse", "qwerty",
        "abcdefgh", "01234567", "12345678", "deadbeef",
        /* printed in FastAPI's tutorial */
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"};
    char plain[1024];

    if (strlen(text) < 32)
        return "it is shorter than 32 bytes";
    squeeze(text, plain, sizeof plain);
    for (size_t i = 0; i < sizeof placeholder / sizeof *placeholder; i++)
        if (strstr(plain, placeholder[i]))
            return "it looks like the placeholder of an example";
    if (different(text) < 10)
        return "it has fewer than ten different characters";
    if (repeats(text))
        return "it is one piece, repeated";
    return NULL;
}

int secret_random(char to[SECRET_TEXT])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char r[SECRET_TEXT - 1];

    if (RAND_bytes(r, sizeof r) != 1)
        return -1;
    for (size_t i = 0; i < sizeof r; i++)
        to[i] = letters[r[i] & 63];
    to[sizeof r] = '\0';
    OPENSSL_cleanse(r, sizeof r);
    return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

int private_write(const char *path, const char *text)
{
    int fd, saved;

    if (unlink(path) && errno != ENOENT)
        return -1;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (!write_all(fd, text, strlen(text)) && !write_all(fd, "\n", 1) && !fsync(fd) && !close(fd))
        return 0;
    saved = errno;
    unlink(path);
    errno = saved;
    return -1;
}

int private_read(const char *path, char *to, size_t n, char *why, size_t size)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    ssize_t got = -1;

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st))
        snprintf(why, size, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        snprintf(why, size, "%s is no file", path);
    else if (st.st_uid != geteuid() && st.st_uid)
        snprintf(why, size, "%s belongs to user %u", path, (unsigned)st.st_uid);
    else if (st.st_mode & 077)
        snprintf(why, size, "%s may be read by others (mode %03o): chmod 600 it, and better remove it if somebody did",
                 path, (unsigned)st.st_mode & 0777);
    else if ((got = read(fd, to, n - 1)) <= 0)
        snprintf(why, size, "%s is empty or cannot be read", path);
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return -1;
    to[got] = '\0';
    to[strcspn(to, "\r\n")] = '\0';
    return 1;
}
