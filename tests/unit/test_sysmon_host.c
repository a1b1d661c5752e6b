/* sysmon: sockets, accounts and log-ins of made-up, cut and hostile files; services from a systemd that the
 * test plays. */
#include "unit.h"

#include "plugins/sysmon/accounts.h"
#include "plugins/sysmon/sockets.h"
#include "plugins/sysmon/units.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <unistd.h>
#include <utmp.h>

static struct text of(const char *s)
{
    return text_of(s, strlen(s));
}

#define REST " 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0\n"
static struct sock room[SOCKETS_MAX];

START_TEST(sockets_are_read)
{
    static const uint8_t loopback[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 }, six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
    struct sockets s = { .sock = room };

    sockets_parse(of("  sl  local_address rem_address\n   0: 0100007F:1F90 00000000:0000 0A" REST), SOCKET_TCP, &s);
    ck_assert_uint_eq(s.n, 1);
    ck_assert_mem_eq(room[0].local, loopback, 16);
    ck_assert_uint_eq(room[0].local_port, 8080);
    ck_assert_uint_eq(room[0].state, 10);
    ck_assert_uint_eq(room[0].uid, 1000);
    ck_assert_uint_eq(room[0].inode, 4711);
    sockets_parse(of("1: B80D0120000000000000000001000000:0016 00000000000000000000000000000000:0000 01" REST), SOCKET_TCP6,
                  &s);
    ck_assert_uint_eq(s.n, 2);
    ck_assert_mem_eq(room[1].local, six, 16);
}
END_TEST

START_TEST(lines_that_are_none_are_left_out)
{
    static const char *const lines[] = {
        "0: 0100007F:1F90", "0: 0100007:1F90 00000000:0000 0A" REST, "0: 0100007G:1F90 00000000:0000 0A" REST,
        "0: 0100007F-1F90 00000000:0000 0A" REST, "0: 0100007F:1F90 00000000:0000 A" REST,
        "0: 0100007F:1F90 00000000:0000 0A 1 2 3 -4 5 6\n", "", "\n\n",
    };
    struct sockets s = { .sock = room };

    for (uint32_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        sockets_parse(of(lines[i]), SOCKET_TCP, &s);
    ck_assert_uint_eq(s.n, 0);
    sockets_parse(of("0: 0100007F:1F90 00000000:0000 FF" REST), SOCKET_UDP, &s);
    ck_assert_uint_eq(s.n, 1);
    ck_assert_uint_eq(room[0].state, 0);        /* a state that nobody knows */
    for (uint32_t i = 0; i < SOCKETS_MAX + 5; i++)
        sockets_parse(of("0: 0100007F:1F90 00000000:0000 07" REST), SOCKET_UDP, &s);
    ck_assert_uint_eq(s.n, SOCKETS_MAX);
    ck_assert_uint_eq(s.over, 6);
}
END_TEST

START_TEST(a_socket_finds_its_process)
{
    int pair[2], proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sockets s;
    struct stat st;
    uint32_t found = 0;

    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(listen(pair[0], 1), 0);
    ck_assert_int_eq(fstat(pair[0], &st), 0);
    ck_assert(sockets_read(&s, proc));
    for (uint32_t i = 0; i < s.n; i++)
        if (s.sock[i].inode == st.st_ino) {
            ck_assert_uint_eq(s.sock[i].pid, (uint32_t)getpid());
            found++;
        }
    ck_assert_uint_eq(found, 1);
    sockets_free(&s);
    close(pair[0]);
    close(proc);
}
END_TEST

START_TEST(accounts_are_read)
{
    struct account a[3];
    uint32_t over;

    ck_assert_uint_eq(accounts_parse(of("root:x:0:0:root:/root:/bin/bash\nwww:x:33:33::/:/usr/sbin/nologin\n"
                                        "short:x:1:1\nneg:x:-1:0:::\nbig:x:4294967296:0:::\n:x:1:1:::\n"
                                        "many:x:1:1:::::\n"
                                        "+::::::\nlast:x:7:8:a:b:"), a, 3, &over), 3);
    ck_assert_uint_eq(over, 0);
    ck_assert(text_is(a[0].name, "root") && account_logs_in(&a[0]));
    ck_assert(text_is(a[1].home, "/") && !account_logs_in(&a[1]));
    ck_assert(text_is(a[2].name, "last") && a[2].gid == 8 && text_len(a[2].shell) == 0);
    ck_assert_uint_eq(accounts_parse(of("a:x:0:0:::\nb:x:0:0:::\n"), a, 1, &over), 1);
    ck_assert_uint_eq(over, 1);
}
END_TEST

START_TEST(log_ins_are_read)
{
    struct utmp u[3] = { { .ut_type = USER_PROCESS, .ut_pid = 7 }, { .ut_type = DEAD_PROCESS },
                         { .ut_type = USER_PROCESS } };
    struct login l[2];
    uint32_t over;

    memset(u[0].ut_user, 'u', sizeof u[0].ut_user);         /* without a NUL at its end */
    memcpy(u[0].ut_line, "pts/0", 6);
    u[0].ut_tv.tv_sec = 5;
    u[2].ut_user[0] = 'x';
    ck_assert_uint_eq(logins_parse(text_of((const char *)u, sizeof u - 1), l, 2, &over), 1);   /* the last is cut */
    ck_assert_uint_eq(strlen(l[0].user), 32);
    ck_assert_str_eq(l[0].line, "pts/0");
    ck_assert_uint_eq(l[0].since_ns, UINT64_C(5000000000));
    ck_assert_uint_eq(logins_parse(text_of((const char *)u, sizeof u), l, 1, &over), 1);
    ck_assert_uint_eq(over, 1);
}
END_TEST

/* ---- a systemd on the other end of a socket ---- */

static int on_list(sd_bus_message *m, void *arg, sd_bus_error *error)
{
    static const char *const names[] = { "z.service", "a.socket", "ssh.service" };
    sd_bus_message *reply;
    int err;

    if (arg)
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "not for you");
    sd_bus_message_new_method_return(m, &reply);
    sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
    for (uint32_t i = 0; i < 3; i++)
        sd_bus_message_append(reply, "(ssssssouso)", names[i], "what it is", "loaded", i ? "active" : "failed",
                              i ? "running" : "failed", "", "/u", 0, "", "/");
    sd_bus_message_close_container(reply);
    err = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return err < 0 ? err : 1;
}

static const sd_bus_vtable manager[] = {
    SD_BUS_VTABLE_START(0), SD_BUS_METHOD("ListUnits", "", "a(ssssssouso)", on_list, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

struct server { int fd; bool refuses; };
static void *serve(void *arg)
{
    struct server *s = arg;
    sd_id128_t id = SD_ID128_MAKE(00, 11, 22, 33, 44, 55, 66, 77, 88, 99, aa, bb, cc, dd, ee, ff);
    sd_bus *bus;

    sd_bus_new(&bus);
    sd_bus_set_fd(bus, s->fd, s->fd);
    sd_bus_set_server(bus, 1, id);
    sd_bus_set_anonymous(bus, 1);
    sd_bus_start(bus);
    sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", manager,
                             s->refuses ? s : NULL);
    while (sd_bus_process(bus, NULL) >= 0 && sd_bus_wait(bus, UINT64_MAX) >= 0)
        ;
    sd_bus_close_unref(bus);
    return NULL;
}

static bool ask(bool refuses, struct units *u, char *why, uint32_t n)
{
    int pair[2];
    struct server s = { 0, refuses };
    pthread_t thread;
    sd_bus *bus;
    bool good;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    s.fd = pair[1];
    pthread_create(&thread, NULL, serve, &s);
    ck_assert_int_ge(sd_bus_new(&bus), 0);
    sd_bus_set_fd(bus, pair[0], pair[0]);
    sd_bus_set_anonymous(bus, 1);
    ck_assert_int_ge(sd_bus_start(bus), 0);
    good = units_read(u, bus, why, n);
    sd_bus_flush_close_unref(bus);
    pthread_join(thread, NULL);
    return good;
}

START_TEST(services_are_read)
{
    struct units u;
    char why[256] = "";

    ck_assert_msg(ask(false, &u, why, sizeof why), "%s", why);
    ck_assert_uint_eq(u.n, 2);                  /* a socket is no service */
    ck_assert_str_eq(u.unit[0].name, "ssh.service");
    ck_assert_str_eq(u.unit[0].sub, "running");
    ck_assert_str_eq(u.unit[1].active, "failed");
    units_free(&u);
    ck_assert(!ask(true, &u, why, sizeof why));
    ck_assert_str_eq(why, "systemd does not say what services there are: not for you");
    ck_assert_ptr_null(u.unit);
}
END_TEST

START_TEST(no_bus_is_a_sentence)
{
    struct units u;
    char why[256] = "";

    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all", 1);
    ck_assert(!units_read(&u, NULL, why, sizeof why));
    ck_assert_str_eq(why,
                     "systemd cannot be asked for its services: there is no D-Bus here (No such file or directory)");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sysmon_host");
    TCase *c = tcase_create("host");

    tcase_add_test(c, sockets_are_read);
    tcase_add_test(c, lines_that_are_none_are_left_out);
    tcase_add_test(c, a_socket_finds_its_process);
    tcase_add_test(c, accounts_are_read);
    tcase_add_test(c, log_ins_are_read);
    tcase_add_test(c, services_are_read);
    tcase_add_test(c, no_bus_is_a_sentence);
    suite_add_tcase(suite, c);
    return unit_run(suite);
}
