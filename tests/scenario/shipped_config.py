#!/usr/bin/env python3
"""The installed ecyber.yaml changes nothing, names every option of the shipped plugins, and gives its default."""
import os
import re
import subprocess

from libtest import check


def ecyberd(*args):
    done = subprocess.run([os.environ["ECYBERD"], *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=50,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def dump(*args):
    """What is in force, without the comments that say where it comes from: {section.option: value}."""
    code, text, error = ecyberd("--dump-config", *args)
    check(code == 0, "dump %s" % " ".join(args), error)
    values, path = {}, []
    for line in text.splitlines():
        found = re.match(r"( *)([a-z0-9_-]+):(?: (.*?))?(?:   # .*)?$", line)
        if not found:
            continue
        del path[len(found[1]) // 2:]
        path.append(found[2])
        if found[3]:
            values[".".join(path)] = found[3]
    return values


shipped = os.environ["EC_CONF"] + "/ecyber.yaml"
open("empty.yaml", "w", encoding="utf-8").close()
code, out, error = ecyberd("-T", "-c", shipped)
check(code == 0, "the shipped configuration is fine", out + error)
defaults = dump("-c", "empty.yaml")
check(dump("-c", shipped) == defaults, "it changes nothing")

with open(shipped, encoding="utf-8") as file:
    text = file.read()
with open("whole.yaml", "w", encoding="utf-8") as file:
    file.write(re.sub(r"(?m)^( *)#([a-z0-9_-]+:)", r"\1\2", text))
# Folders are those of this build.
built = ("core.plugin_dirs", "core.state_dir")
values = dump("-c", "whole.yaml", "--set", "core.plugin_dirs=" + os.environ["EC_PLUGINDIR"], "--set", "core.plugins=")

code, out, error = ecyberd("--list-options")
rows = [line.split("\t") for line in out.splitlines()[1:]]
check(len(rows) > 50, "there are options", error)
named, section, path = set(), None, []
for line in text.splitlines():
    found = re.match(r"( *)#?([a-z0-9_-]+):( |$)", line)
    if found:
        del path[len(found[1]) // 2:]
        path.append(found[2])
        named.add(".".join(path))
missing = [row[0] for row in rows if row[0] not in named]
check(not missing, "every option stands in it", missing)
other = [(row[0], values.get(row[0]), defaults.get(row[0])) for row in rows
         if row[2] and row[0] not in built and values.get(row[0]) != defaults.get(row[0])]
check(not other, "and with its default", other)
