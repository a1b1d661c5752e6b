/* mail.h: letters by SMTP (RFC 5321), on a thread of their own: who asks for one waits for nothing. What cannot be sent
 * is tried again, and given up when it is of no use any more. */
#ifndef AUTH_MAIL_H
#define AUTH_MAIL_H
#include <ecyber/plugin.h>

#define MAIL_ADDRESS 255  /* with its NUL, as in users.h */
#define MAIL_TEXT    2048 /* of a letter */
#define MAILS_MAX    256  /* that wait */

enum { MAIL_STARTTLS, MAIL_TLS, MAIL_PLAIN };
#define MAIL_TLS_WORDS "starttls,tls,none"

struct mail_server { /* as configured; server "": there is none */
    char server[280]; /* HOST[:PORT] */
    char from[MAIL_ADDRESS], user[256], password[256], ca_file[1024];
    uint32_t tls, timeout_s;
    uint64_t retry_ns; /* before the second attempt; four times that before the third, and so on */
};

/* What became of a letter, for metrics and the log. Called on the thread of the letters. */
enum { MAIL_SENT, MAIL_AGAIN, MAIL_GIVEN_UP };
typedef void mail_told(void *arg, int what, const char *why, uint32_t attempts);

struct mails;

/* [ctl] NULL: no thread, no memory. server: copied. */
struct mails *mails_new(const struct mail_server *server, mail_told *told, void *arg);
/* [ctl] What has not been sent is forgotten; returns how many those are. An attempt that is under way ends at once. */
uint32_t mails_free(struct mails *m);
/* [any] Send this text to this address, until `until_s` (of mail_now()) at most. EC_OK: it waits; EC_ELIMIT:
 * MAILS_MAX wait already; EC_ENOMEM. The text is wiped when it has left. */
int32_t mail_post(struct mails *m, const char *to, const char *subject, const char *text, uint64_t until_s);
uint64_t mail_now(void); /* monotonic seconds */

/* The server's name and port as they are in the address of curl. 0, or −1: it is none. HOST, HOST:PORT, [IPV6]:PORT. */
int mail_url(const struct mail_server *s, char *to, size_t n);
/* The letter as it goes over the wire: lines end with CR LF. 0, or −1: it does not fit, or an address has a byte that
 * would begin another line. */
int mail_compose(const char *from, const char *to, const char *subject, const char *text, int64_t now, const char *id,
                 char *out, size_t n);

#endif
