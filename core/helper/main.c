/* main.c of ecyber-helper: the only process that may change the firewall. It holds no plugin and sees no packet. The
 * daemon, or its launcher, starts it with one end of a socket pair as descriptor 3; it ends when the other end is
 * closed, and leaves the table as it stands. libnftables is linked here and nowhere else. */
#include "buildconf.h"

#include "core/helper/claim.h"
#include "core/helper/jail.h"
#include "core/helper/message.h"
#include "core/helper/table.h"

#include <errno.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FINE, FAILED, USAGE };

struct helper { struct nft_ctx *nft; int claim; bool held; };

static const char *hold(void *arg)
{
    struct helper *h = arg;
    const char *why = h->held ? NULL : claim_take(h->claim);

    h->held = !why;
    return why;
}

static bool run(void *arg, const char *commands, const char **said)
{
    struct nft_ctx *nft = ((struct helper *)arg)->nft;
    bool done = !nft_run_cmd_from_buffer(nft, commands);
    const char *error = nft_ctx_get_error_buffer(nft), *at;

    *said = nft_ctx_get_output_buffer(nft);
    if (done)
        return true;
    at = strstr(error, "Error: ");
    *said = at ? at : error[0] ? error : "nftables refused it and gave no reason";
    return false;
}

static bool send_reply(void *arg, const struct helper_reply *r, size_t bytes)
{
    ssize_t n;

    (void)arg;
    while ((n = send(HELPER_FD, r, bytes, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        ;
    return n == (ssize_t)bytes;
}

/* Until the other end is closed. MSG_TRUNC: a longer packet says its own length, and is refused for it. */
static void serve(struct table *t)
{
    static struct helper_request r;
    ssize_t n;

    for (;;) {
        n = recv(HELPER_FD, &r, sizeof r, MSG_TRUNC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || !table_answer(t, &r, (size_t)n))
            return;
    }
}

/* Only the socket, and standard error for a last word, stay. */
static bool keep_only_socket(void)
{
    int type = 0, null = open("/dev/null", O_RDWR);
    socklen_t n = sizeof type;

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        return false;
    if (getsockopt(HELPER_FD, SOL_SOCKET, SO_TYPE, &type, &n) || type != SOCK_SEQPACKET) {
        errno = ENOTSOCK;
        return false;
    }
    return !close_range(HELPER_FD + 1, ~0u, 0) && !chdir("/");
}

/* Who stops the whole group (a terminal, systemd) stops the daemon; this process ends after it. */
static void ignore_signals(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

/* What libraries do once only, like reading random bytes from a file, has to happen before the jail is entered. */
static void warm_up(struct helper *h)
{
    struct text t = { 0 };
    const char *said;

    ruleset_list(&t);
    if (t.p)
        run(h, t.p, &said);       /* the table need not be there */
    free(t.p);
}

static bool nft_open(struct helper *h)
{
    h->nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!h->nft || nft_ctx_buffer_output(h->nft) || nft_ctx_buffer_error(h->nft))
        return false;
    nft_ctx_output_set_flags(h->nft, NFT_CTX_OUTPUT_JSON);
    warm_up(h);
    return true;
}

int main(int argc, char **argv)
{
    struct helper h = { .claim = -1 };
    struct table t = { .run = run, .send = send_reply, .hold = hold, .arg = &h, .version = PACKAGE_VERSION };
    char why[256];

    if (argc == 2 && !strcmp(argv[1], "--version"))
        return printf("ecyber-helper %s\n", PACKAGE_VERSION) < 0 ? FAILED : FINE;
    if (argc > 1 || !keep_only_socket()) {
        fprintf(stderr,
                "ecyber-helper: ecyberd starts it, with a socket as descriptor 3; it is not for the command line\n");
        return USAGE;
    }
    ignore_signals();
    if ((h.claim = claim_open()) < 0 || !nft_open(&h)) {
        fprintf(stderr, "ecyber-helper: nftables cannot be used: %s\n", strerror(errno));
        return FAILED;
    }
    if (jail_enter(why, sizeof why)) {
        fprintf(stderr, "ecyber-helper: %s\n", why);
        return FAILED;
    }
    serve(&t);
    table_free(&t);
    nft_ctx_free(h.nft);
    return FINE;
}
