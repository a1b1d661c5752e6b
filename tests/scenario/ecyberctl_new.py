#!/usr/bin/env python3
"""`ecyberctl plugins new NAME`: the folder that it makes builds with the installed headers, passes its own test, and
the daemon loads the plugin under its name; bad names and folders that are there already are refused."""
import json
import os
import signal
import subprocess

from libtest import check, plan, wait_for

CTL = os.environ["ECYBERCTL"]
NAME = "sum_of_2"


def ctl(*words):
    done = subprocess.run([CTL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def made():
    code, text, error = ctl("plugins", "new", NAME)
    check(code == 0 and "make -C %s check" % NAME in text, "plugins new makes a folder and says what to do",
          text + error)
    check(sorted(os.listdir(NAME)) == ["Makefile", NAME + ".c", "test_%s.c" % NAME], "a plugin, its test, a Makefile",
          os.listdir(NAME))
    left = [line for file in os.listdir(NAME) for line in open(NAME + "/" + file, encoding="utf-8")
            if "hello" in line.replace("hello, world", "").replace("says hello", "")]
    check(not left, "nothing has the template's name any more", left)


def refused():
    before = open(NAME + "/Makefile", "rb").read()
    with open(NAME + "/mine", "w", encoding="utf-8") as out:
        out.write("mine\n")
    code, _, error = ctl("plugins", "new", NAME)
    check(code == 5 and "File exists" in error and open(NAME + "/Makefile", "rb").read() == before and
          os.path.exists(NAME + "/mine"), "a folder that is there stays as it is: exit code 5", error)
    os.unlink(NAME + "/mine")
    for name in ("", "../up", "Upper", "9th", "a-b", "a b", "x" * 33, "int", "ü", "a;b", "a/b"):
        code, _, error = ctl("plugins", "new", name)
        check(code == 2 and error, "no name of a plugin: %r" % name[:12], (code, error))
    code, _, error = ctl("plugins", "new", "eve")
    check(code == 5 and "there is a plugin 'eve' already" in error, "a shipped plugin's name: exit code 5", error)
    check(os.listdir(".") == [NAME], "and nothing is left behind", os.listdir("."))
    check(ctl("plugins", "new")[0] == 2, "without a name: exit code 2")
    os.mkdir("closed")
    os.chdir("closed")
    os.rmdir("../closed")
    code, _, error = ctl("plugins", "new", "late")
    check(code == 1 and "cannot be made" in error, "where nothing can be written: exit code 1", error)


def built():
    env = dict(os.environ, PKG_CONFIG_PATH=os.environ["EC_ROOT"] + "/lib/pkgconfig", CFLAGS="-O1 -Werror")
    env.pop("MAKEFLAGS", None)
    run = subprocess.run(["make", "-C", NAME, "all", "check"], env=env, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    check(run.returncode == 0 and "\nok 1 - %s\n" % NAME in run.stdout, "it builds and passes its test", run.stdout)


def loaded():
    with open("c.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s/%s]\n  plugins: [eve, %s]\n  state_dir: %s/state\n"
                  "  control_socket: %s/s\neve:\n  file: %s/eve.json\n%s:\n  greeting: good evening\n"
                  % (os.environ["EC_PLUGINDIR"], here, NAME, NAME, here, here, here, NAME))
    with open("log", "wb") as log:
        daemon = subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", "c.yaml"], stdout=log, stderr=log)
    try:
        def counts():
            code, text, _ = ctl("-s", "s", "-o", "json", "plugins", "info", NAME)
            return json.loads(text) if code == 0 and json.loads(text)["metrics"].get("greetings") else None
        info = wait_for(counts)
        check(info and info["status"] == "running" and info["id"] == "org.example." + NAME,
              "the daemon runs it, and its metric counts", info or open("log", encoding="utf-8").read())
        code, text, _ = ctl("-s", "s", "-o", "json", "config", "get", NAME + ".greeting")
        check(code == 0 and "good evening" in text, "with its option", text)
    finally:
        daemon.send_signal(signal.SIGTERM)
        check(daemon.wait(timeout=30) == 0, "and ends in order", open("log", encoding="utf-8").read())


here = os.getcwd()
made()
refused()
os.chdir(here)
built()
loaded()
plan()
