#include "cli/users.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A line of standard input, without its end. 0; −1: there was none, or it is too long. */
static int line_read(char to[PASSWORD_ROOM])
{
    size_t n = 0;
    char ch;

    while (read(STDIN_FILENO, &ch, 1) == 1 && ch != '\n')
        if (n == PASSWORD_ROOM - 1)
            return -1;
        else
            to[n++] = ch;
    to[n] = '\0';
    return !n || strlen(to) != n ? -1 : 0;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    interrupted = sig;              /* and read() returns: no SA_RESTART */
}

/* The terminal is silent before the prompt stands there, for who types at once; ^C gives it back its voice first. */
static int line_hidden(const char *prompt, char to[PASSWORD_ROOM])
{
    struct sigaction catch = { .sa_handler = on_interrupt }, was;
    struct termios before, hidden;
    int rc;

    if (tcgetattr(STDIN_FILENO, &before))
        return -1;
    interrupted = 0;
    sigaction(SIGINT, &catch, &was);
    hidden = before;
    hidden.c_lflag &= (tcflag_t) ~ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    fputs(prompt, stderr);
    rc = line_read(to);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    sigaction(SIGINT, &was, NULL);
    fputc('\n', stderr);
    if (interrupted)
        raise(SIGINT);
    return interrupted ? -1 : rc;
}

int password_ask(char to[PASSWORD_ROOM])
{
    char again[PASSWORD_ROOM];
    int rc;

    if (!isatty(STDIN_FILENO)) {
        rc = line_read(to);
        if (rc)
            fprintf(stderr, "ecyberctl: the password has to stand in the first line of standard input\n");
        return rc;
    }
    rc = line_hidden("New password: ", to) || line_hidden("Again: ", again) ? -1 : 0;
    if (rc || strcmp(to, again)) {
        fprintf(stderr, rc ? "ecyberctl: no password was given\n" : "ecyberctl: the two differ\n");
        explicit_bzero(to, PASSWORD_ROOM);
        rc = -1;
    }
    explicit_bzero(again, sizeof again);
    return rc;
}
