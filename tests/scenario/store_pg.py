#!/usr/bin/env python3
"""The store in the real daemon on a real PostgreSQL server of its own: it holds exactly what eve.json holds; kill -9 of
the server and of the daemon under load: what was counted as stored is there, what the queue lost is counted."""
import glob
import os
import signal
import time

from libstore import LOAD, Postgres, balanced, configuration, last_stop, log_of, now, start, stop, stored_now
from libtest import check, plan, wait_for

SPOOL = "kind_inspector:\n  every_packet: true\nstore:\n  spool: 1MiB\n  spool_bytes: 8MiB\n"


def daemon(name, server, *args):
    return start(name, *args, env={"SQLALCHEMY_DATABASE_URL": server.url("+asyncpg")})


def same_as_eve(server):
    configuration("same", "capture, traffic, ids, eve, store")
    code = daemon("same", server, "-r", os.path.join(os.environ["EC_DATA"], "sample.pcap"), "--workers", "0").wait(60)
    with open("same/state/eve/eve.json", encoding="utf-8") as file:
        lines = file.read().splitlines()
    there = server.sql('SELECT j.text FROM ecyber.json j ORDER BY j."row"')
    check(code == 0 and lines and there == lines, "PostgreSQL holds what eve.json holds, in its order",
          (code, len(lines), len(there), log_of("same")[-900:]))
    m = last_stop("same")
    check(balanced(m) and m["events_stored"] == len(lines), "counted", m)
    check(not glob.glob("same/state/store/events*"), "and no SQLite file of events was made")
    check("hunter2" not in log_of("same"), "the password stands in no log")


def killed_under_load(server):
    configuration("kill", "traffic, kind_source, kind_inspector, store", LOAD + SPOOL)
    before = server.stored()
    process = daemon("kill", server)
    check(wait_for(lambda: stored_now("kill") > 2000), "events are stored", log_of("kill")[-900:])
    server.kill()
    check(wait_for(lambda: now("kill").get("dropped.spool_full")),
          "the server is killed: what the spool cannot hold is counted", now("kill"))
    m = now("kill")
    check(m["spool_disk_bytes"] > 1 << 20, "what memory cannot hold waits on disk", m)
    check(process.poll() is None, "the daemon stays")
    server.start()
    there = server.stored() - before
    check(there >= m["events_stored"], "what was counted as stored is there", (there, m))
    check(wait_for(lambda: stored_now("kill") > m["events_stored"] + 2000), "events are stored again",
          log_of("kill")[-900:])
    stop(process, "kill")
    m = last_stop("kill")
    there = server.stored() - before
    check(balanced(m) and there == m["events_stored"], "every event is stored or counted, none twice", (there, m))
    text = log_of("kill")
    both = text.count("events cannot be stored") == 1 and "events are stored again" in text
    check(both, "the log says both", text[-900:])


def killed_daemon(server):
    before = server.stored()
    process = daemon("kill", server)
    check(wait_for(lambda: stored_now("kill") > 2000), "again under load", log_of("kill")[-900:])
    counted = stored_now("kill")
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)
    check(server.stored() - before >= counted > 0, "the daemon is killed: what was counted is there",
          (server.stored() - before, counted))
    torn = server.sql('SELECT count(*) FROM ecyber.event e LEFT JOIN ecyber.json j USING("row") WHERE j.text IS NULL')
    check(torn == ["0"], "no event without its text", torn)


def killed_with_a_spool(server):
    """The server is away, the daemon is killed: what waited on disk is stored after its next start, once."""
    events = 20000
    server.sql("DROP SCHEMA ecyber CASCADE")
    configuration("spool", "traffic, kind_source, kind_inspector, store",
                  "  sources: ['synth:%d:hold']\n" % events + SPOOL.replace("8MiB", "1GiB"))
    process = daemon("spool", server)
    check(wait_for(lambda: stored_now("spool") > 500), "spool: events are stored", log_of("spool")[-900:])
    server.kill()
    check(wait_for(lambda: now("spool").get("events_in", 0) >= events), "spool: all events came", now("spool"))
    time.sleep(2.5)                 # each second what waits goes to disk
    m = now("spool")
    process.send_signal(signal.SIGKILL)
    process.wait()
    files = os.listdir("spool/state/store")
    check([f for f in files if f.startswith("spool-")], "spool: its files are there after the kill", files)
    server.start()
    stored = server.stored()
    configuration("spool", "traffic, kind_source, kind_inspector, store", SPOOL)
    process = daemon("spool", server)
    check(wait_for(lambda: server.stored() >= m["events_in"] and not glob.glob("spool/state/store/spool-*"), 40),
          "spool: what waited is stored after the next start", (server.stored(), m, log_of("spool")[-900:]))
    recovered = now("spool")
    stop(process, "spool")
    ids = server.sql("SELECT count(*), count(DISTINCT id) FROM ecyber.event")
    check(ids == ["%d|%d" % (m["events_in"], m["events_in"])], "spool: every event is stored once", (ids, m))
    exact = recovered["events_recovered"] == recovered["events_stored"] == m["events_in"] - stored
    check(exact and balanced(recovered), "spool: and counted", (recovered, m, stored))


postgres = Postgres()
try:
    postgres.start()
    same_as_eve(postgres)
    killed_under_load(postgres)
    killed_daemon(postgres)
    killed_with_a_spool(postgres)
finally:
    postgres.remove()
plan()
