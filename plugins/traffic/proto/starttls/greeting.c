/* greeting.c: which of the protocols do these first bytes of a direction belong to? */
#include "greeting.h"

#include <string.h>
#include <strings.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#define LINE_MAX_FIRST 512          /* a first line that is longer is none */
#define COMMAND_MAX 12              /* the longest command, with its end */
#define TAG_MAX 16                  /* of IMAP */

bool greeting_begins(const uint8_t *d, uint32_t n, const char *word)
{
    uint32_t len = (uint32_t)strlen(word);

    return n >= len && (d[0] | 0x20) == (word[0] | 0x20) && !strncasecmp((const char *)d, word, len);
}

bool greeting_holds(const uint8_t *d, uint32_t n, const char *word)
{
    uint32_t len = (uint32_t)strlen(word);

    for (uint32_t at = 0; at + len <= n; at++)
        if (greeting_begins(d + at, n - at, word))
            return true;
    return false;
}

/* Is the first line whole, not long, and without control characters? EC_YES, EC_NO, EC_MORE. */
static int32_t line_whole(const uint8_t *d, uint32_t n)
{
    for (uint32_t i = 0; i < n && i < LINE_MAX_FIRST; i++) {
        if (d[i] == '\n')
            return EC_YES;
        if (d[i] < ' ' && d[i] != '\t' && d[i] != '\r')
            return EC_NO;
    }
    return n < LINE_MAX_FIRST ? EC_MORE : EC_NO;
}

/* Does a line begin with one of the words, and end or go on with a space there? Lists end with NULL. */
static bool has_command(const uint8_t *d, uint32_t n, const char *const *words)
{
    for (; *words; words++) {
        uint32_t len = (uint32_t)strlen(*words);
        if (greeting_begins(d, n, *words) && n > len && (d[len] == ' ' || d[len] == '\r' || d[len] == '\n'))
            return true;
    }
    return false;
}

static bool is_reply(const uint8_t *d)
{
    return d[0] >= '1' && d[0] <= '5' && d[1] >= '0' && d[1] <= '9' && d[2] >= '0' && d[2] <= '9' &&
           (d[3] == ' ' || d[3] == '-');
}

/* Replies of SMTP and FTP (RFC 5321 §4.2, RFC 959 §4.2) have one form: a word in the first tells, else the client does. */
static int32_t reply(const uint8_t *d, uint32_t n, const char *word, const char *never)
{
    const uint8_t *end;
    int32_t whole;

    if (n < 4)
        return !n || (d[0] >= '1' && d[0] <= '5') ? EC_MORE : EC_NO;
    if (!is_reply(d))
        return EC_NO;
    if ((whole = line_whole(d, n)) != EC_YES || memcmp(d, "220", 3))
        return whole == EC_NO ? EC_NO : EC_MORE;    /* also an answer amid the conversation */
    end = memchr(d, '\n', n);
    if (never && greeting_holds(d, (uint32_t)(end - d), never))
        return EC_NO;
    return greeting_holds(d, (uint32_t)(end - d), word) ? EC_YES : EC_MORE;
}

/* A client's first line: one of `sure`, one that several of these protocols have, or nothing. */
static int32_t command(const uint8_t *d, uint32_t n, const char *const *sure, const char *const *shared)
{
    if (n && !((d[0] >= 'A' && d[0] <= 'Z') || (d[0] >= 'a' && d[0] <= 'z')))
        return EC_NO;
    if (has_command(d, n, sure))
        return line_whole(d, n);
    if (has_command(d, n, shared))
        return line_whole(d, n) == EC_NO ? EC_NO : EC_MORE;
    return n < COMMAND_MAX && !memchr(d, '\n', n) ? EC_MORE : EC_NO;
}

int32_t greeting_smtp(const uint8_t *d, uint32_t n, uint32_t dir)
{
    static const char *const sure[] = { "EHLO", "HELO", "LHLO", NULL };
    static const char *const shared[] = { "QUIT", "NOOP", "RSET", "HELP", "MAIL", "STARTTLS", "AUTH", NULL };

    return dir == EC_TO_CLIENT ? reply(d, n, "SMTP", NULL) : command(d, n, sure, shared);
}

int32_t greeting_ftp(const uint8_t *d, uint32_t n, uint32_t dir)
{
    static const char *const sure[] = { "AUTH TLS", "AUTH SSL", NULL };
    static const char *const shared[] = { "USER", "QUIT", "NOOP", "HELP", "FEAT", "SYST", "OPTS", "AUTH", NULL };
    int32_t answer = dir == EC_TO_CLIENT ? reply(d, n, "FTP", "SMTP") : command(d, n, sure, shared);

    /* Only FTP asks for a password by this number. */
    return answer == EC_MORE && dir == EC_TO_CLIENT && greeting_holds(d, n, "\n331 ") ? EC_YES : answer;
}

static bool imap_command(const uint8_t *d, uint32_t n)
{
    static const char *const words[] = { "CAPABILITY", "LOGIN", "STARTTLS", "AUTHENTICATE", "NOOP", "LOGOUT", "ID", NULL };
    const uint8_t *space = memchr(d, ' ', n < TAG_MAX ? n : TAG_MAX);

    return space && has_command(space + 1, n - (uint32_t)(space + 1 - d), words);
}

/* The server's first words tell; a client's commands stand behind tags of its own. */
int32_t greeting_imap(const uint8_t *d, uint32_t n, uint32_t dir)
{
    if (dir == EC_TO_SERVER)
        return imap_command(d, n) && line_whole(d, n) != EC_NO ? EC_MORE : EC_NO;
    if (n < 5)
        return memcmp(d, "* OK ", n) && memcmp(d, "* PRE", n) ? EC_NO : EC_MORE;
    if (memcmp(d, "* OK ", 5) && memcmp(d, "* PREAUTH ", n < 10 ? n : 10))
        return EC_NO;
    return line_whole(d, n);
}

/* "+OK" with a text; others answer with the bare word. */
int32_t greeting_pop3(const uint8_t *d, uint32_t n, uint32_t dir)
{
    static const char *const sure[] = { "STLS", "APOP", NULL };
    static const char *const shared[] = { "USER", "QUIT", "NOOP", "AUTH", "CAPA", NULL };

    if (dir == EC_TO_SERVER)
        return command(d, n, sure, shared);
    if (memcmp(d, "+OK ", n < 4 ? n : 4))
        return EC_NO;
    return n < 4 ? EC_MORE : line_whole(d, n);
}

/* RFC 6120 §4: the root of both streams. */
int32_t greeting_jabber(const uint8_t *d, uint32_t n, uint32_t dir)
{
    (void)dir;
    if (memcmp(d, "<?xml ", n < 6 ? n : 6) && memcmp(d, "<stream:stream", n < 14 ? n : 14))
        return EC_NO;
    if (greeting_holds(d, n, "<stream:stream") && greeting_holds(d, n, "http://etherx.jabber.org/streams"))
        return EC_YES;
    return EC_MORE;
}

/* SSLRequest: its length, and a version that there is not. The answer is one letter. */
int32_t greeting_pgsql(const uint8_t *d, uint32_t n, uint32_t dir)
{
    static const uint8_t request[8] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };

    if (dir == EC_TO_CLIENT)
        return n == 1 && (d[0] == 'S' || d[0] == 'N') ? EC_MORE : EC_NO;
    if (memcmp(d, request, n < 8 ? n : 8) || n > 8)
        return EC_NO;
    return n == 8 ? EC_YES : EC_MORE;
}
