/* post.h: the options of letters. */
#ifndef AUTH_POST_H
#define AUTH_POST_H
#include "plugins/auth/mail.h"

#define POST_OPTIONS \
    EC_OPTION(TEXT, 0, "page_url", NULL, 8, 500, NULL, "address of the page, which letters name: https://HOST/"), \
    EC_OPTION(TEXT, 0, "smtp.server", NULL, 1, 270, NULL, \
              "HOST or HOST:PORT that takes letters; unset: none are sent"), \
    EC_OPTION_ENUM(0, "smtp.tls", MAIL_TLS_WORDS, "starttls", \
                   "starttls (port 587), tls from the first byte (465), none (25); a password is not sent without"), \
    EC_OPTION(TEXT, 0, "smtp.from", NULL, 3, MAIL_ADDRESS - 1, NULL, "from whom letters are"), \
    EC_OPTION(TEXT, 0, "smtp.user", NULL, 1, 255, NULL, "to log in with at the server; unset: without"), \
    EC_OPTION(TEXT, EC_R_SECRET, "smtp.password", NULL, 1, 255, NULL, "of that; better in smtp.password_file"), \
    EC_OPTION(TEXT, EC_R_PATH, "smtp.password_file", NULL, 1, 4000, NULL, \
              "a file with it in its first line; mode 0600, or 0640 for the daemon's group"), \
    EC_OPTION(TEXT, EC_R_PATH, "smtp.ca_file", NULL, 1, 1000, NULL, \
              "certificates (PEM) that the server's is checked with; unset: the system's"), \
    EC_OPTION(DURATION, 0, "smtp.timeout", "15s", INT64_C(1000000000), INT64_C(120000000000), NULL, "of one attempt"), \
    EC_OPTION(DURATION, 0, "smtp.retry", "10s", INT64_C(1000000000), INT64_C(600000000000), NULL, \
              "before the second attempt; four times that before the third, and so on, up to six in 30 minutes")

/* [cfg] Read them. EC_OK, and server->server is "" where there is none; else why was said. */
int32_t post_read(const struct ec_host *h, const struct ec_conf *c, struct mail_server *server, char page_url[512]);

#endif
