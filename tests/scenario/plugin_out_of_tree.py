#!/usr/bin/env python3
"""A plugin with made-up names, built outside the tree with the installed headers alone, appears in eve.json and in
`ecyberctl status` without a change to any other file."""
import json
import os
import random
import re
import signal
import subprocess
import time

from libtest import check, plan


def word(n):
    return "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(n))


seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
random.seed(seed)
print("# SEED=%d" % seed)
name, root, number, text, metric = ("x" + word(9) for _ in range(5))
prefix = os.environ["EC_ROOT"]
pkg = dict(os.environ, PKG_CONFIG_PATH=prefix + "/lib/pkgconfig")
template = subprocess.check_output(["pkg-config", "--variable=templatedir", "ecyber-plugin"], env=pkg, text=True).strip()

with open(template + "/hello.c", encoding="utf-8") as source:
    code = source.read()
# The names that reach users; what the C code calls its variables may stay.
for old, new in (('"org.example.hello/1", "hello"', '"org.%s/1", "%s"' % (name, root)),
                 ('"org.example.hello", "hello"', '"org.%s", "%s"' % (name, name)),
                 ('"count", NULL', '"%s.%s", NULL' % (text, number)), ('greeting, "greeting"', 'greeting, "%s"' % text + '"_"'),
                 ('"greetings", "events"', '"%s", "events"' % metric)):
    assert old in code, old
    code = code.replace(old, new)
with open("plugin.c", "w", encoding="utf-8") as out:
    out.write(code)
os.mkdir("plugins", 0o755)
flags = subprocess.check_output(["pkg-config", "--cflags", "ecyber-plugin"], env=pkg, text=True).split()
build = subprocess.run(["gcc", "-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", *flags,
                        "plugin.c", "-o", "plugins/%s.so" % name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, check=False)
check(build.returncode == 0, "it builds with the installed headers alone", build.stdout)

here = os.getcwd()
with open("ecyber.yaml", "w", encoding="utf-8") as out:
    out.write("core:\n  plugin_dirs: [%s, %s/plugins]\n  plugins: [eve, %s]\n  state_dir: %s/state\n"
              "  control_socket: %s/s\neve:\n  file: %s/eve.json\n%s:\n  greeting: 'ein \"Gruß\"'\n"
              % (os.environ["EC_PLUGINDIR"], here, name, here, here, here, name))
with open("log", "wb") as log:
    daemon = subprocess.Popen([os.environ["ECYBERD"], "-c", "ecyber.yaml"], stdout=log, stderr=log)
try:
    found = None
    for _ in range(100):
        time.sleep(0.2)
        status = subprocess.run([os.environ["ECYBERCTL"], "-s", "s", "-o", "json", "status"], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        found = re.search(r'"[^"]*%s"\s*:\s*([1-9]\d*)' % metric, status.stdout) if status.returncode == 0 else None
        if found or daemon.poll() is not None:
            break
    check(found, "its metric counts in ecyberctl status", status.stdout)
finally:
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(timeout=30)
with open("log", encoding="utf-8") as log:
    text_of_log = log.read()
check(code == 0, "the daemon stops well", text_of_log)
with open("eve.json", encoding="utf-8") as lines:
    events = [e for e in map(json.loads, lines) if e["event_type"] == root]
check(events, "its records are in eve.json", text_of_log)
good = [e for e in events if isinstance(e[root].get(text, {}).get(number), int) and e[root].get(text + "_") == 'ein "Gruß"']
check(good and len(good) == len(events), "with its field names and its option's value", events[:1])
plan()
