#!/usr/bin/env python3
"""ecyberctl store backup and restore: copies are taken while the daemon writes, hold at least what it had counted as
stored, and are sound; a restore puts them in place of a stopped daemon's files, and refuses what is broken, newer, or in
use before it touches anything. The same with a real PostgreSQL server."""
import glob
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess

from libstore import INSPECT, LOAD, Postgres, balanced, configuration, last_stop, log_of, start, stop, stored_now
from libtest import check, plan, wait_for

API = "http:\n  listen: none\n  socket: %s/api.sock\n"
STATE = os.path.abspath("live/state/store")


def ecyberctl(*words, env=None):
    done = subprocess.run([os.environ["ECYBERCTL"], "store", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, env=dict(os.environ, **(env or {})))
    return done.returncode, (done.stdout + done.stderr).decode()


def rows(folder):
    """Events of all files of a folder; each file is sound and holds each of its rows with its text."""
    n = 0
    for path in sorted(glob.glob(folder + "/*.db")):
        db = sqlite3.connect(path)
        sound = db.execute("PRAGMA integrity_check").fetchone()[0]
        check(sound == "ok", path + " is sound", sound)
        if "events-" in path:
            last, events, texts = db.execute("SELECT (SELECT coalesce(max(row), 0) FROM event), (SELECT count(*) FROM event),"
                                             " (SELECT count(*) FROM json)").fetchone()
            check(last == events == texts, path + " has every row with its text", (last, events, texts))
            n += events
        db.close()
    return n


def notes(folder):
    db = sqlite3.connect(folder + "/documents.db")
    n = db.execute("SELECT count(*) FROM d_notes").fetchone()[0]
    db.close()
    return n


def taken_while_it_writes():
    configuration("live", "traffic, kind_source, kind_inspector, http, kind_api, store",
                  LOAD + INSPECT + API % os.path.abspath("live") + "store:\n  segment_rows: 20000\n")
    daemon = start("live")
    check(wait_for(lambda: stored_now("live") > 30000), "events are stored", log_of("live")[-900:])
    for target in ("copy", "copy.tar"):
        before = stored_now("live")
        code, said = ecyberctl("backup", "--state", STATE, target)
        after = stored_now("live")
        check(code == 0 and not glob.glob(target + ".part*"), target + ": a backup is taken", said)
        if target == "copy.tar":
            os.mkdir("unpacked")
            subprocess.run(["tar", "-xf", target, "-C", "unpacked"], check=True)
            target = "unpacked"
        there = rows(target)
        check(before <= there, target + ": it holds what was counted as stored when it began", (before, there, after))
        check(after > before, target + ": the daemon wrote meanwhile", (before, after))
        check(notes(target) == 1, target + ": it holds the documents")
        check(os.stat(target + "/documents.db").st_mode & 0o77 == 0, target + ": nobody else may read it")
    code, said = ecyberctl("backup", "--state", STATE, "copy")
    check(code == 5 and "replaces nothing" in said, "a backup that is there is not written over", said)
    code, said = ecyberctl("restore", "--state", STATE, "--force", "copy")
    check(code == 5 and "stop the daemon" in said, "no restore below a running daemon", said)
    stop(daemon, "live")
    m = last_stop("live")
    check(balanced(m) and not m["write_errors"], "no write failed for it", m)


def without_the_one_that_is_being_made():
    """The writer makes a file first and its tables then: in between it has nothing to keep."""
    shutil.copytree("copy", "fresh")
    made = "events-20990101-1.db"
    with open("fresh/" + made, "wb"):
        pass
    code, said = ecyberctl("backup", "--state", "fresh", "made")
    kept = [os.path.basename(p) for p in glob.glob("made/*.db")]
    check(code == 0 and "documents.db" in kept and made not in kept and len(kept) > 1,
          "a file that has no tables yet is left out", (said, kept))
    os.mkdir("third")
    code, said = ecyberctl("restore", "--state", os.path.abspath("third/store"), "made")
    check(code == 0, "and the backup is whole", said)


def broken_ones():
    """Each is refused, says what and where, and leaves all as it was."""
    def cut(folder):
        path = sorted(glob.glob(folder + "/events-*.db"))[0]
        os.truncate(path, os.path.getsize(path) - 4096)

    def flip(folder):
        with open(folder + "/documents.db", "r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))

    def change(folder, how):
        with open(folder + "/MANIFEST.json", encoding="utf-8") as file:
            manifest = json.load(file)
        how(manifest)
        with open(folder + "/MANIFEST.json", "w", encoding="utf-8") as file:
            json.dump(manifest, file)

    def link(folder):
        os.rename(folder + "/documents.db", "elsewhere.db")
        os.symlink(os.path.abspath("elsewhere.db"), folder + "/documents.db")

    cases = [
        ("a file that is cut off", cut, "it is cut off", 1),
        ("a byte that changed", flip, "SHA-256", 1),
        ("a file that is missing", lambda f: os.unlink(f + "/documents.db"), "documents.db is missing", 1),
        ("a link in place of a file", link, "documents.db is missing", 1),
        ("no manifest", lambda f: os.unlink(f + "/MANIFEST.json"), "no whole backup", 1),
        ("half a manifest", lambda f: os.truncate(f + "/MANIFEST.json", 100), "no JSON", 1),
        ("a newer backup", lambda f: change(f, lambda m: m.update(version=2)), "knows up to 1", 1),
        ("a newer database", lambda f: change(f, lambda m: m["files"][0].update(format=999)), "format 999", 5),
        ("a name that leads elsewhere", lambda f: change(f, lambda m: m["files"][0].update(name="../../x")),
         "a name that no backup has", 1),
        ("a name that stands twice", lambda f: change(f, lambda m: m["files"].append(m["files"][0])), "twice", 1),
        ("PostgreSQL's", lambda f: change(f, lambda m: m["files"][0].update(name="postgresql.dump")), "--url", 5),
    ]
    before = sorted(os.listdir(STATE))
    for what, harm, sentence, code in cases:
        shutil.copytree("copy", "broken")
        harm("broken")
        got, said = ecyberctl("restore", "--state", STATE, "--force", "broken")
        check(got == code and sentence in said and said.count("\n") == 1, what + " is refused", (got, said))
        shutil.rmtree("broken")
    with open("copy.tar", "rb") as file:
        whole = file.read()
    with open("broken.tar", "wb") as file:
        file.write(whole[:len(whole) * 2 // 3])
    got, said = ecyberctl("restore", "--state", STATE, "--force", "broken.tar")
    check(got == 1 and "no whole tar file" in said, "a tar file that is cut off is refused", said)
    shutil.copytree("copy", "broken")
    os.makedirs("broken/folder/below")
    with open("broken/folder/below/file", "w", encoding="ascii") as file:
        file.write("not of a backup")
    os.unlink("broken/documents.db")
    subprocess.run(["tar", "-cf", "folder.tar", "-C", "broken", "."], check=True)
    got, said = ecyberctl("restore", "--state", STATE, "--force", "folder.tar")
    check(got == 1 and "documents.db is missing" in said, "a tar file with folders in it too", said)
    after = sorted(os.listdir(STATE))
    check(after == before and not glob.glob(STATE + ".*"), "and nothing was touched", after)


def sums(folder):
    return {os.path.basename(p): hashlib.sha256(open(p, "rb").read()).hexdigest() for p in glob.glob(folder + "/*.db")}


def put_in_place():
    code, said = ecyberctl("restore", "--state", STATE, "copy")
    check(code == 5 and "--force" in said, "what stands there is not replaced without --force", said)
    os.mkdir("other")
    for source, state in (("copy", STATE), ("copy.tar", os.path.abspath("other/store"))):
        code, said = ecyberctl("restore", "--state", state, "--force", source)
        check(code == 0, source + ": it is restored", said)
        check(sums(state) == sums("copy" if source == "copy" else "unpacked"), source + ": every byte is back")
    aside = glob.glob(STATE + ".before-*")
    check(len(aside) == 1 and os.path.exists(aside[0] + "/documents.db"), "what stood there is beside it", aside)
    before = rows(STATE)
    configuration("live", "traffic, kind_source, kind_inspector, http, kind_api, store",
                  "  sources: ['synth:1000']\n" + INSPECT + API % os.path.abspath("live"))
    start("live").wait(timeout=60)
    m = last_stop("live")
    check(rows(STATE) == before + m["events_stored"] and m["events_stored"] > 0 and notes(STATE) == 2,
          "the daemon goes on with it", (before, m))


def postgresql():
    server = Postgres()
    try:
        server.start()
        url = {"SQLALCHEMY_DATABASE_URL": server.url("+asyncpg")}
        configuration("pg", "traffic, kind_source, kind_inspector, http, kind_api, store",
                      LOAD + INSPECT + API % os.path.abspath("pg"))
        daemon = start("pg", env=url)
        check(wait_for(lambda: stored_now("pg") > 5000), "PostgreSQL: events are stored", log_of("pg")[-900:])
        before = stored_now("pg")
        code, said = ecyberctl("backup", "pg-copy.tar", env=url)
        check(code == 0, "PostgreSQL: a backup is taken while it writes", said)
        code, said = ecyberctl("restore", "--force", "pg-copy.tar", env=url)
        check(code == 5 and "stop it first" in said, "PostgreSQL: no restore below a running daemon", said)
        stop(daemon, "pg")
        code, said = ecyberctl("restore", "pg-copy.tar", env=url)
        check(code == 5 and "--force" in said, "PostgreSQL: nothing is replaced without --force", said)
        server.sql("CREATE DATABASE other")
        for database, force in (("other", []), ("postgres", ["--force"])):
            code, said = ecyberctl("restore", *force, "--url", server.url("+psycopg2", database), "pg-copy.tar")
            check(code == 0 and "hunter2" not in said, database + ": it is restored", said)
            texts = server.sql('SELECT count(*) FROM ecyber.event e JOIN ecyber.json j USING("row")', database)
            there = server.stored(database)
            check(there == int(texts[0]) >= before, database + ": it holds what was counted as stored",
                  (before, there, texts))
        check(server.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'ecyber_before_%'") == ["1"],
              "what stood there has another name")
        with open("pg-copy.tar", "r+b") as file:
            file.seek(os.path.getsize("pg-copy.tar") // 2)
            file.write(b"\0" * 64)
        code, said = ecyberctl("restore", "--force", "pg-copy.tar", env=url)
        check(code == 1 and "is broken" in said, "PostgreSQL: a broken one is refused", said)
        there = server.stored("other")
        configuration("pg", "traffic, kind_source, kind_inspector, http, kind_api, store",
                      "  sources: ['synth:1000']\n" + INSPECT + API % os.path.abspath("pg"))
        code = start("pg", env={"DATABASE_URL": server.url("", "other")}).wait(timeout=60)
        m = last_stop("pg")
        good = code == 0 and server.stored("other") == there + m["events_stored"] > there
        check(good, "PostgreSQL: the daemon goes on with it", m)
    finally:
        server.remove()


taken_while_it_writes()
without_the_one_that_is_being_made()
broken_ones()
put_in_place()
postgresql()
plan()
