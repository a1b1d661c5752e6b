/* Texts from the wire that auth takes apart by itself: refresh tokens, API keys, secrets in base32, addresses. */
/* covers: plugins/auth/totp.c:base32_* plugins/auth/backoff.c:backoff_net */
#define EC_API_LEVEL 1
#include "plugins/auth/apikey.h"
#include "plugins/auth/backoff.h"
#include "plugins/auth/session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct shelf *sessions, *keys;
    static struct users *users;
    struct session by = {.id = 0}, one;
    char next[SESSION_TEXT], why[128], net[BACKOFF_NET], *text = malloc(size + 1);
    unsigned char key[20];
    struct ec_who who;

    if (!sessions) {
        sessions = shelf_new(&session_form);
        keys = shelf_new(&apikey_form);
        users = users_new();
    }
    if (!text || !sessions || !keys || !users)
        abort();
    memcpy(text, data, size);
    if (session_refresh(sessions, text, (uint32_t)size, &by, 1, 1, &one, next) != EC_EPERM ||
        apikey_judge(keys, users, text, (uint32_t)size, 1, "192.0.2.1", &who, why,
                     sizeof why) != EC_EPERM)
        abort();
    text[size] = '\0';
    if (base32_read(text, key, sizeof key) > (int)sizeof key)
        abort();
    backoff_net(text, net);
    if (strlen(net) >= sizeof net)
        abort();
    free(text);
    return 0;
}
