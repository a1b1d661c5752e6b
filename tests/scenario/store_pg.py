#!/usr/bin/env python3
"""The store in the real daemon on a real PostgreSQL server of its own: it holds exactly what eve.json holds; kill -9 of
the server and of the daemon under load: what was counted as stored is there, what the queue lost is counted."""
import glob
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from libtest import check, plan, wait_for

BIN = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
SERVER = tempfile.mkdtemp(prefix="ecyber-pg-", dir="/tmp")     # its user may look into it
USER = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
LOAD = "  sources: ['rush:100000000']\n"


def as_user():
    """The server refuses to be root."""
    if USER:
        os.setgroups([])
        os.setgid(USER.pw_gid)
        os.setuid(USER.pw_uid)


def make_server():
    if USER:
        os.chown(SERVER, USER.pw_uid, USER.pw_gid)
    subprocess.run([BIN + "/initdb", "-D", SERVER + "/data", "-A", "trust", "-U", "ecyber", "-E", "UTF8", "--locale=C.UTF-8",
                    "--no-sync"], stdout=subprocess.DEVNULL, check=True, preexec_fn=as_user, cwd="/")


def start_server():
    log = open("pg.log", "ab")
    server = subprocess.Popen([BIN + "/postgres", "-D", SERVER + "/data", "-k", SERVER, "-c", "listen_addresses="],
                              stdout=log, stderr=log, preexec_fn=as_user, cwd="/")
    up = [BIN + "/pg_isready", "-q", "-h", SERVER]
    check(wait_for(lambda: subprocess.run(up, check=False).returncode == 0, 40), "PostgreSQL answers", open("pg.log").read())
    return server


def kill_server(server):
    """At once, with all its processes."""
    server.send_signal(signal.SIGSTOP)
    with open("/proc/%d/task/%d/children" % (server.pid, server.pid), encoding="ascii") as file:
        children = [int(pid) for pid in file.read().split()]
    for pid in [server.pid] + children:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    server.wait()


def sql(what):
    done = subprocess.run([BIN + "/psql", "-h", SERVER, "-U", "ecyber", "-Atq", "-c", what, "postgres"],
                          stdout=subprocess.PIPE, check=True, cwd="/")
    return done.stdout.decode().splitlines()


def configuration(name, plugins, extra=""):
    here = os.path.abspath(name)
    os.makedirs(here, exist_ok=True)
    with open(name + "/ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s]\n  plugins: [%s]\n  state_dir: %s/state\n  control_socket: %s/s\n%s"
                  % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"], plugins, here, here, extra))


def start(name, *args):
    log = open(name + "/log", "ab")
    url = "postgresql+asyncpg://ecyber:hunter2@/postgres?host=%s" % SERVER
    return subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", name + "/ecyber.yaml", *args], stdout=log, stderr=log,
                            env=dict(os.environ, SQLALCHEMY_DATABASE_URL=url))


def log_of(name):
    with open(name + "/log", encoding="utf-8", errors="replace") as file:
        return file.read()


def last_stop(name):
    with open(name + "/state/last-stop.json", encoding="utf-8") as file:
        return json.load(file)["metrics"]["store"]


def now(name):
    done = subprocess.run([os.environ["ECYBERCTL"], "-s", name + "/s", "-o", "json", "status"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return json.loads(done.stdout)["metrics"]["store"] if done.returncode == 0 else {"events_stored": 0}


def balanced(m):
    return m["events_in"] == m["events_stored"] + m["spooled"] + sum(m[k] for k in m if k.startswith("dropped."))


def stored():
    return int(sql("SELECT count(*) FROM ecyber.event")[0])


def same_as_eve():
    configuration("same", "capture, traffic, ids, eve, store")
    code = start("same", "-r", os.path.join(os.environ["EC_DATA"], "sample.pcap"), "--workers", "0").wait(timeout=60)
    with open("same/state/eve/eve.json", encoding="utf-8") as file:
        lines = file.read().splitlines()
    there = sql('SELECT j.text FROM ecyber.json j ORDER BY j."row"')
    check(code == 0 and lines and there == lines, "PostgreSQL holds what eve.json holds, in its order",
          (code, len(lines), len(there), log_of("same")[-900:]))
    check(balanced(last_stop("same")) and last_stop("same")["events_stored"] == len(lines), "counted", last_stop("same"))
    check(not glob.glob("same/state/store/events*"), "and no SQLite file of events was made")
    check("hunter2" not in log_of("same"), "the password stands in no log")


def killed_under_load(server):
    configuration("kill", "traffic, kind_source, kind_inspector, store", LOAD +
                  "kind_inspector:\n  every_packet: true\nstore:\n  spool: 1MiB\n  spool_bytes: 8MiB\n")
    before = stored()
    daemon = start("kill")
    check(wait_for(lambda: now("kill")["events_stored"] > 2000), "events are stored", log_of("kill")[-900:])
    kill_server(server)
    check(wait_for(lambda: now("kill").get("dropped.spool_full")), "the server is killed: what the spool cannot hold is counted",
          now("kill"))
    m = now("kill")
    check(m["spool_disk_bytes"] > 1 << 20, "what memory cannot hold waits on disk", m)
    check(daemon.poll() is None, "the daemon stays")
    server = start_server()
    check(stored() - before >= m["events_stored"], "what was counted as stored is there", (stored(), before, m))
    check(wait_for(lambda: now("kill")["events_stored"] > m["events_stored"] + 2000), "events are stored again",
          log_of("kill")[-900:])
    daemon.send_signal(signal.SIGTERM)
    check(daemon.wait(timeout=40) == 0, "the daemon ends well", log_of("kill")[-900:])
    m = last_stop("kill")
    check(balanced(m) and stored() - before == m["events_stored"], "every event is stored or counted, none twice",
          (stored() - before, m))
    text = log_of("kill")
    check(text.count("events cannot be stored") == 1 and "events are stored again" in text, "the log says both", text[-900:])
    return server


def killed_daemon():
    before = stored()
    daemon = start("kill")
    check(wait_for(lambda: now("kill")["events_stored"] > 2000), "again under load", log_of("kill")[-900:])
    counted = now("kill")["events_stored"]
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    time.sleep(0.5)
    check(stored() - before >= counted > 0, "the daemon is killed: what was counted is there", (stored() - before, counted))
    torn = sql('SELECT count(*) FROM ecyber.event e LEFT JOIN ecyber.json j USING("row") WHERE j.text IS NULL')
    check(torn == ["0"], "no event without its text", torn)


try:
    make_server()
    postgres = start_server()
    try:
        same_as_eve()
        postgres = killed_under_load(postgres)
        killed_daemon()
    finally:
        if postgres.poll() is None:
            postgres.send_signal(signal.SIGINT)
            postgres.wait()
finally:
    shutil.rmtree(SERVER)
plan()
