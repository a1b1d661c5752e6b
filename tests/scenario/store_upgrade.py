#!/usr/bin/env python3
"""Databases of the first release (tests/data/store-1, recorded by tests/support/store-fixture.py) are taken further by
this one, on SQLite and on PostgreSQL: every event and document is there, the migrations are listed, each once, new events
come behind; a database of a newer release is refused with a sentence and stays as it is."""
import gzip
import json
import os
import shutil
import sqlite3

from libstore import INSPECT, Postgres, balanced, configuration, last_stop, log_of, start, stop, stored_now
from libtest import Local, check, plan, wait_for

FIRST = os.path.join(os.environ["EC_DATA"], "store-1")
PLUGINS = "traffic, kind_source, kind_inspector, http, kind_api, ids, store"
NEW = 500


def prepared(name):
    configuration(name, PLUGINS, "  sources: ['synth:%d:hold']\n" % NEW + INSPECT +
                  "http:\n  listen: none\n  socket: %s/a.sock\n" % os.path.abspath(name))
    os.makedirs(name + "/state/store", mode=0o700, exist_ok=True)


def unpack(name, to):
    with gzip.open(os.path.join(FIRST, name)) as packed, open(to, "wb") as out:
        shutil.copyfileobj(packed, out)


def events(name):
    """All events over the API, the oldest last: (id, event without it)."""
    c, found, cursor = Local(os.path.abspath(name) + "/a.sock", timeout=60), [], ""
    while cursor is not None:
        c.request("GET", "/api/events?limit=500&event_type=alert,dns,flow,http,fileinfo,anomaly" + cursor)
        reply = json.loads(c.getresponse().read())
        found += reply["items"]
        cursor = "&cursor=" + reply["next_cursor"] if reply["next_cursor"] else None
    return [(e.pop("id"), e) for e in found]


def goes_on(name, texts, env=None):
    """texts: (id, JSON) of what the first release kept, in its order."""
    daemon = start(name, env=env)
    check(wait_for(lambda: stored_now(name) >= NEW), name + ": new events are stored",
          log_of(name)[-900:])
    old = [(str(i), json.loads(t)) for i, t in texts if json.loads(t)["event_type"] != "stats"]
    there = {i: e for i, e in events(name)}
    check(old and all(there.get(i) == e for i, e in old), name + ": every event of the first release is answered",
          (len(old), len(there)))
    stop(daemon, name)
    m = last_stop(name)
    check(balanced(m) and m["events_stored"] == m["events_in"] >= NEW and not m["files_damaged"], name + ": counted", m)
    return m["events_stored"]


def sqlite():
    prepared("lite")
    folder = "lite/state/store/"
    unpack("documents.db.gz", folder + "documents.db")
    db = sqlite3.connect(folder + "documents.db")
    kept = db.execute("SELECT count(*) FROM d_notes").fetchone()[0]
    db.close()
    unpack("events.db.gz", folder + "events-20261120-1.db")
    db = sqlite3.connect(folder + "events-20261120-1.db")
    check(db.execute("PRAGMA user_version").fetchone() == (1,), "SQLite: the fixture is of the first release")
    texts = db.execute("SELECT id, text FROM event JOIN json USING(row) ORDER BY row").fetchall()
    db.close()
    goes_on("lite", texts)
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".db"):
            continue
        db = sqlite3.connect(folder + name)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        steps = [row[0] for row in db.execute("SELECT version FROM migration ORDER BY version")]
        check(version >= 2 and steps == list(range(2, version + 1)), "SQLite: %s has each migration once" % name,
              (version, steps))
        check(db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "SQLite: %s is sound" % name)
        if name == "documents.db":
            notes = db.execute("SELECT count(*) FROM d_notes").fetchone()[0]
            check(kept and notes == kept + 1, "SQLite: the documents are there, and a new one", (kept, notes))
            db.execute("PRAGMA user_version=%d" % (version + 1))
        db.close()
    before = open(folder + "documents.db", "rb").read()
    daemon = start("lite")
    said = wait_for(lambda: "documents.db has format %d, and this eCyber knows up to %d" % (version_of(folder), version)
                    in log_of("lite"))
    check(said, "SQLite: a newer one is refused with a sentence", log_of("lite")[-900:])
    stop(daemon, "lite")
    check(open(folder + "documents.db", "rb").read() == before, "SQLite: and stays as it is")


def version_of(folder):
    db = sqlite3.connect(folder + "documents.db")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return version


def postgresql():
    server = Postgres()
    try:
        server.start()
        prepared("pg")
        unpack("postgresql.sql.gz", "first.sql")
        with open("first.sql", "rb") as file:
            server.sql_file(file)
        kept = int(server.sql("SELECT count(*) FROM ecyber.d_notes")[0])
        check(server.sql("SELECT value FROM ecyber.meta") == ["1"], "PostgreSQL: the fixture is of the first release")
        texts = [(row.split("|", 1)) for row in server.sql(
            'SELECT e.id, j.text FROM ecyber.event e JOIN ecyber.json j USING("row") ORDER BY "row"')]
        new = goes_on("pg", texts, {"DATABASE_URL": server.url()})
        check(server.stored() == len(texts) + new, "PostgreSQL: new events stand behind the old ones")
        version = int(server.sql("SELECT value FROM ecyber.meta WHERE key = 'version'")[0])
        steps = [int(row) for row in server.sql("SELECT version FROM ecyber.migration ORDER BY 1")]
        each = version >= 2 and steps == list(range(2, version + 1))
        check(each, "PostgreSQL: each migration once", (version, steps))
        notes = server.sql("SELECT count(*) FROM ecyber.d_notes")
        check(kept and notes == [str(kept + 1)], "PostgreSQL: the documents are there, and a new one", (kept, notes))
        server.sql("UPDATE ecyber.meta SET value = %d WHERE key = 'version'" % (version + 1))
        daemon = start("pg", env={"DATABASE_URL": server.url()})
        sentence = "has format %d, and this eCyber knows up to %d" % (version + 1, version)
        said = wait_for(lambda: sentence in log_of("pg"))
        check(said, "PostgreSQL: a newer one is refused with a sentence", log_of("pg")[-900:])
        stop(daemon, "pg")
        check(server.stored() == len(texts) + new, "PostgreSQL: and stays as it is")
    finally:
        server.remove()


sqlite()
postgresql()
plan()
