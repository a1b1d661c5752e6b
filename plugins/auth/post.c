#define EC_API_LEVEL 1
#include "plugins/auth/post.h"

#include <stdbool.h>
#include <string.h>

#include "plugins/auth/keyfile.h"
#include "plugins/auth/users.h"

static void take(const struct ec_host *h, const struct ec_conf *c, const char *name, char *to, size_t n)
{
    const char *text = h->conf_text(c, name, 0);

    snprintf(to, n, "%s", text ? text : "");
}

static int32_t read_password(const struct ec_host *h, const struct ec_conf *c, struct mail_server *s)
{
    const char *path = h->conf_text(c, "smtp.password_file", 0);
    int32_t err;

    take(h, c, "smtp.password", s->password, sizeof s->password);
    if (!path)
        return EC_OK;
    err = key_file_read(h, h->conf_where(c, "smtp.password_file", 0), path, s->password, sizeof s->password);
    s->password[strcspn(s->password, "\r\n")] = '\0';
    return err;
}

static int32_t read_page(const struct ec_host *h, const struct ec_conf *c, char page_url[512])
{
    take(h, c, "page_url", page_url, 512);
    if (!*page_url || ((!strncmp(page_url, "https://", 8) || !strncmp(page_url, "http://", 7)) &&
                       !strpbrk(page_url, " \t\r\n<>\"#")))
        return EC_OK;
    return ec_failf(h, EC_EINVAL, "%s: '%.100s' is no address of a page: https://HOST/, without #",
                    h->conf_where(c, "page_url", 0), page_url);
}

int32_t post_read(const struct ec_host *h, const struct ec_conf *c, struct mail_server *s, char page_url[512])
{
    char url[320];
    int64_t v = 0;
    int32_t err = read_page(h, c, page_url);

    memset(s, 0, sizeof *s);
    take(h, c, "smtp.server", s->server, sizeof s->server);
    if (err || !*s->server)
        return err;
    take(h, c, "smtp.from", s->from, sizeof s->from);
    take(h, c, "smtp.user", s->user, sizeof s->user);
    take(h, c, "smtp.ca_file", s->ca_file, sizeof s->ca_file);
    h->conf_num(c, "smtp.tls", 0, &v);
    s->tls = (uint32_t)v;
    h->conf_num(c, "smtp.timeout", 0, &v);
    s->timeout_s = (uint32_t)(v / 1000000000);
    h->conf_num(c, "smtp.retry", 0, &v);
    s->retry_ns = (uint64_t)v;
    if (mail_url(s, url, sizeof url))
        return ec_failf(h, EC_EINVAL, "%s: '%.100s' is no HOST or HOST:PORT", h->conf_where(c, "smtp.server", 0),
                        s->server);
    if (!user_email(s->from, strlen(s->from)))
        return h->fail(h, EC_EINVAL, "auth.smtp.server is set, so auth.smtp.from has to be the e-mail address that "
                                     "letters are from");
    if (*s->user && s->tls == MAIL_PLAIN)
        return h->fail(h, EC_EINVAL, "auth.smtp.user: a password is not sent without TLS; set auth.smtp.tls");
    return read_password(h, c, s);
}
