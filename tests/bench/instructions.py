#!/usr/bin/env python3
"""Instructions a packet of the whole daemon (capture, traffic, EVE to a file, one thread), counted by callgrind: a figure
that noise does not move. Compared with those in instructions.txt, within 3 %: a change that costs more has to say why, and
to renew them.

usage: instructions.py [--write]        --write: make instructions.txt anew

Each load is replayed in two sizes; the difference leaves out the start. Counts depend on the compiler and the libraries:
where the compiler is another one, nothing is compared. EC_BUILD, ECYBERD and EC_TMP as for scenarios."""
import os
import re
import shutil
import subprocess
import sys

from engine import ECYBERD, fresh, make

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.txt")
LOADS = {"http": ("http", 200), "dns": ("dns", 5000), "udp": ("udp", 10000)}
WITHIN = 3                          # percent


def compiler():
    info = subprocess.run([ECYBERD, "--build-info"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(r"^compiler: *(.*)", info, re.M).group(1) + ", " + os.uname().machine


def instructions(capture):
    folder = fresh("counted")
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", ECYBERD, "--workers", "0", "-r", capture,
         "--set", "core.plugins=[capture, traffic, eve]", "--set", "core.state_dir=" + folder,
         "--set", "eve.file=" + folder + "/eve.json", "--set", "traffic.hash_key=" + "7" * 32],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stdout)
    if done.returncode or not found:
        raise SystemExit("callgrind: exit code %d\n%s" % (done.returncode, done.stdout[-2000:]))
    return int(found.group(1))


def count(kind, size):
    """Of one packet more."""
    small, few = make("small", kind, str(size))
    large, many = make("large", kind, str(3 * size))
    return (instructions(large) - instructions(small)) / (many - few)


def committed():
    """{"compiler": …, load: instructions}"""
    with open(FILE, encoding="utf-8") as lines:
        return dict(line.rstrip("\n").split(": ", 1) for line in lines if not line.startswith("#"))


def main():
    if not shutil.which("valgrind"):
        print("SKIP: instructions are not counted, for valgrind is not here")
        return 77
    now = {name: count(*load) for name, load in LOADS.items()}
    if sys.argv[1:] == ["--write"]:
        with open(FILE, "w", encoding="utf-8") as out:
            out.write("# Instructions a packet; made by instructions.py --write.\ncompiler: %s\n" % compiler())
            out.writelines("%s: %.0f\n" % row for row in now.items())
        return 0
    before, bad = committed(), 0
    same = before["compiler"] == compiler()
    if not same:
        print("made by %s, and this is %s: not compared" % (before["compiler"], compiler()))
    for i, (name, n) in enumerate(now.items()):
        more = 100 * (n / float(before[name]) - 1)
        good = not same or more <= WITHIN
        bad += not good
        print("%sok %d - %s: %.0f instructions a packet, %+.1f %%" % ("" if good else "not ", i + 1, name, n, more))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
