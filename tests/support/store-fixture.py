#!/usr/bin/env python3
"""Records what an eCyber keeps, for tests of later ones: usage: store-fixture.py FOLDER, in the environment of a
scenario (script/scenario says which). tests/data/store-1 was made so by the first release of the schema. Into FOLDER go
the SQLite files of a replay and a document, packed by gzip, and the same of PostgreSQL as SQL."""
import gzip
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["EC_SRC"] + "/tests/scenario")
from libstore import PG_BIN, Postgres, ask, configuration, start
from libtest import wait_for

CAPTURE = os.path.join(os.environ["EC_DATA"], "attack-log4shell.pcap")
PLUGINS = "capture, traffic, ids, http, kind_api, store"


def record(name, env=None):
    """Events of a replay, and one document by the plugin of the tests that keeps one at each start."""
    configuration(name, PLUGINS, "http:\n  listen: none\n  socket: %s/a.sock\n"
                  "ids:\n  rule_files: [%s/etc/rules/ecyber.rules]\n" % (os.path.abspath(name), os.environ["EC_SRC"]))
    if start(name, "-r", CAPTURE, env=env).wait(timeout=60):
        sys.exit("the replay failed, see %s/log" % name)
    daemon = start(name, env=env)
    if not wait_for(lambda: ask(name, "status")):
        sys.exit("the daemon does not answer, see %s/log" % name)
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(timeout=60)


def keep(data, path):
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as out:
        out.write(data)


def main(to):
    os.makedirs(to, exist_ok=True)
    os.chdir(tempfile.mkdtemp(dir="/var/tmp"))
    record("lite")
    for name in sorted(os.listdir("lite/state/store")):
        if name.endswith(".db"):
            with open("lite/state/store/" + name, "rb") as file:
                keep(file.read(), "%s/%s.gz" % (to, "events.db" if name.startswith("events") else name))
    server = Postgres()
    try:
        server.start()
        record("pg", {"DATABASE_URL": server.url()})
        dump = subprocess.run([PG_BIN + "/pg_dump", "-h", server.folder, "-U", "ecyber", "-n", "ecyber", "--inserts",
                               "postgres"], stdout=subprocess.PIPE, check=True, cwd="/").stdout
        keep(dump, to + "/postgresql.sql.gz")
    finally:
        server.remove()


main(os.path.abspath(sys.argv[1]))
