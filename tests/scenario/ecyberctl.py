#!/usr/bin/env python3
"""ecyberctl: tables on a terminal, TSV in a pipe, JSON on request; every exit code; the socket and who may use it."""
import json
import os
import pty
import signal
import subprocess
import time

from libtest import check, plan

ECYBERD, ECYBERCTL = os.environ["ECYBERD"], os.environ["ECYBERCTL"]


def ctl(*words, prefix=(), env=None):
    done = subprocess.run([*prefix, ECYBERCTL, "-s", "s", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60, check=False, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def on_terminal(*words, env=None):
    """What it writes to a terminal."""
    master, slave = pty.openpty()
    with subprocess.Popen([ECYBERCTL, "-s", "s", *words], stdout=slave, env={**os.environ, **(env or {})}) as run:
        os.close(slave)
        text = b""
        try:
            while piece := os.read(master, 65536):
                text += piece
        except OSError:             # the other end was closed
            pass
        run.wait()
    os.close(master)
    return text.decode()


def config(extra=""):
    with open("c.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  state_dir: %s/state\n  control_socket: %s/s\n  plugins: [capture]\n%s"
                  % (os.getcwd(), os.getcwd(), extra))


def daemon():
    log = open("log", "a", encoding="utf-8")
    run = subprocess.Popen([ECYBERD, "--alone", "-c", "c.yaml"], stdout=log, stderr=log)
    for _ in range(100):
        if ctl("status")[0] == 0 or run.poll() is not None:
            break
        time.sleep(0.1)
    return run


def forms():
    code, text, _ = ctl("status")
    check(code == 0 and "\nworkers\t" in text and "\nplugins.0.name\tcapture\n" in text, "status in a pipe is TSV", text)
    text = on_terminal("status", env={"TERM": "xterm", "NO_COLOR": ""})
    check("\x1b[1mPlugins\x1b[0m" in text and "capture" in text, "on a terminal it is tables, with headings", text)
    text = on_terminal("status", env={"TERM": "xterm", "NO_COLOR": "1"})
    check("\x1b" not in text and "Plugins" in text, "NO_COLOR takes the colours away", text)
    code, text, _ = ctl("-o", "json", "status")
    check(code == 0 and json.loads(text)["plugins"][0]["status"] == "running", "status as JSON", text)
    code, text, _ = ctl("plugins", "list")
    check(text.split("\n")[0] == "NAME\tVERSION\tSTATUS\tSUMMARY\tWHY" and text.split("\n")[1].startswith("capture\t"),
          "plugins list", text)
    code, text, _ = ctl("-o", "jsonl", "plugins", "list")
    check([json.loads(line)["name"] for line in text.splitlines()] == ["capture"], "plugins list as JSON lines", text)
    code, text, _ = ctl("plugins", "info", "capture")
    check(code == 0 and "\noffers.0.id\tec.source/1" in text and "\nmetrics.files_cut\t0\n" in text, "plugins info", text)
    code, text, _ = ctl("-o", "json", "drops")
    check(code == 0 and json.loads(text)["exact"] is True, "drops is exact", text)


def errors():
    for words, want, says in (
            (("nonsense",), 2, "there is no command 'nonsense'"),
            ((), 2, "no command is given"),
            (("plugins", "info"), 2, "'plugins info' needs an argument"),
            (("status", "now"), 2, "'status' takes fewer arguments"),
            (("-o", "xml", "status"), 2, "there is no output form 'xml'"),
            (("plugins", "info", "nope"), 4, "there is no plugin 'nope'"),
            (("plugins", "info", "a\nb"), 2, "control characters"),
            (("-s", "/nonexistent/s", "status"), 3, "ecyberd is not running"),
            (("-s", "x" * 200, "status"), 2, "a socket's path has at most 107 bytes")):
        code, out, err = ctl(*words)
        check(code == want and says in err and not out, "exit code %d: %s" % (want, says), (code, out, err))


def configuration():
    code, text, _ = ctl("config", "check")
    check(code == 0 and text.endswith("c.yaml: the configuration is fine\n"), "config check", text)
    with open("bad.yaml", "w", encoding="utf-8") as out:
        out.write("capture:\n  snaplen: 5\n  fliter: tcp\n")
    code, _, err = ctl("config", "check", "bad.yaml")
    check(code == 6 and "bad.yaml:2:" in err and "bad.yaml:3:" in err and "'filter'" in err,
          "config check of a bad file: place and nearest name", (code, err))
    code, text, err = ctl("reload")
    check(code == 0 and text == "reloaded: generation 2\n", "reload waits for the new generation", (code, text, err))
    config("  nonsense: 1\n")
    code, text, err = ctl("reload")
    check(code == 6 and "generation 2 stays: " in err and "c.yaml:5:" in err, "a reload that is refused",
          (code, text, err))
    config()


def users():
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if os.geteuid() or subprocess.run([*nobody, "test", "-x", ECYBERCTL, "-a", "-x", "."], check=False).returncode:
        os.chmod(".", 0o755)
    if os.geteuid() or subprocess.run([*nobody, "test", "-x", ECYBERCTL, "-a", "-x", "."], check=False).returncode:
        print("# not tried: another user (not root, or the build is out of that user's reach)")
        return
    code, _, err = ctl("status", prefix=nobody)
    check(code == 5 and "only root and members of the group ecyber may" in err, "another user is kept out by the mode",
          (code, err))
    os.chmod("s", 0o666)
    code, _, err = ctl("status", prefix=nobody)
    check(code == 5 and "user 65534 may not command ecyberd" in err, "and by the credentials", (code, err))


def sockets(first):
    with open("log2", "w", encoding="utf-8") as log:
        second = subprocess.Popen([ECYBERD, "--alone", "-c", "c.yaml"], stdout=log, stderr=log)
    time.sleep(1)
    second.send_signal(signal.SIGTERM)
    second.wait(timeout=30)
    with open("log2", encoding="utf-8") as log:
        text = log.read()
    check("another ecyberd is running: " in text, "a second daemon leaves the socket to the first", text)
    check(ctl("status")[0] == 0, "which still answers")
    first.kill()
    first.wait()
    code, _, err = ctl("status")
    check(code == 3 and "Connection refused" in err, "a socket without a daemon", (code, err))
    again = daemon()
    check(ctl("status")[0] == 0, "is taken over by the next one")
    check(ctl("stop")[0] == 0 and again.wait(timeout=30) == 0 and not os.path.exists("s"),
          "stop ends the daemon and takes the socket away")


def main():
    config()
    run = daemon()
    try:
        forms()
        errors()
        configuration()
        users()
        sockets(run)
    finally:
        run.kill()
    plan()


main()
