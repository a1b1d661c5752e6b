/* The first administrator, and the file with the one-time password. */
#include "plugins/auth/plugin.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include "plugins/auth/roles.h"
#include "plugins/auth/secret.h"

int32_t first_make(struct auth *a)
{
    const struct ec_host *h = a->host;
    struct user one = {.name = FIRST_ADMIN, .roles = ROLE_ADMIN, .active = true, .must_change = true,
                       .once = ONCE_UNUSED};
    char plain[PASSWORD_NEW];
    int32_t err = EC_OK;

    if (password_random(plain) || password_hash(plain, strlen(plain), a->hash_cost, one.hash, sizeof one.hash) ||
        users_stamp(&one))
        err = h->fail(h, EC_ENOMEM, "no password can be made for the first administrator");
    /* The file first: a user whose password nobody can read would lock everybody out. */
    if (!err && private_write(a->first, plain))
        err = ec_failf(h, EC_EIO, "the one-time password of the first administrator: %s: %s", a->first,
                       strerror(errno));
    if (!err && (err = users_put(a->users, &one, h->now(h)))) {
        unlink(a->first);
        err = h->fail(h, err, "the first administrator cannot be written to the store");
    }
    if (!err)
        EC_LOG(h, EC_LOG_WARNING, "the first administrator is '%s'; the one-time password stands in %s", FIRST_ADMIN,
               a->first);
    OPENSSL_cleanse(plain, sizeof plain);
    OPENSSL_cleanse(&one, sizeof one);
    return err;
}

void first_done(struct auth *a, const struct user *one)
{
    if (strcmp(one->name, FIRST_ADMIN) || !*a->first)
        return;
    if (!unlink(a->first))
        EC_LOG(a->host, EC_LOG_INFO, "the one-time password was used; %s is removed", a->first);
    else if (errno != ENOENT)
        EC_LOG(a->host, EC_LOG_ERROR, "%s is of no use any more and cannot be removed: %s", a->first, strerror(errno));
}
