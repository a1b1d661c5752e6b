#!/usr/bin/env python3
"""Replay speed, as packets per CPU second of the whole process, against a loop that only reads the packets with
libpcap. Sinks: EVE to a file. Beside the rate stand the events by type, without which it means nothing."""
import collections
import json
import os
import resource
import statistics
import subprocess
import sys

import libtraffic

RUNS = 5


def cpu_seconds(command, **kwargs):
    """The median of RUNS runs, user and system."""
    runs = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, **kwargs)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        runs.append(used)
    return statistics.median(runs)


def main():
    tmp, build = os.environ["EC_TMP"], os.environ["EC_BUILD"]
    capture = os.environ.get("EC_BENCH_CAPTURE")
    if not capture:
        capture = os.path.join(tmp, "large.pcap")
        libtraffic.write_large(os.environ["EC_DATA"], capture, 500000)
    floor_program = [os.path.join(build, "tests/bench/read_loop"), capture]
    packets = int(subprocess.run(floor_program, check=True, capture_output=True, text=True).stdout.split()[0])
    floor = cpu_seconds(floor_program, stdout=subprocess.DEVNULL)
    print("%d packets, %.1f MB" % (packets, os.path.getsize(capture) / 1e6))
    print("%-22s %8.3f CPU s %12.0f packets/CPU s" % ("libpcap loop", floor, packets / floor))
    for workers in ("0", "1", "2"):
        state = os.path.join(tmp, "state" + workers)
        os.mkdir(state)
        eve = os.path.join(state, "eve/eve.json")
        command = [os.environ["ECYBERD"], "-r", capture, "--workers", workers, "--set", "core.state_dir=" + state]
        used = cpu_seconds(["sh", "-c", 'rm -f "$0"; exec "$@" 2>/dev/null', eve] + command)
        print("%-22s %8.3f CPU s %12.0f packets/CPU s, %.1f times the loop's time" % (
            "ecyberd --workers " + workers, used, packets / used, used / floor))
        with open(eve, encoding="utf-8") as lines:
            kinds = collections.Counter(json.loads(line)["event_type"] for line in lines)
        print("    events: " + " ".join("%s %d" % kind for kind in sorted(kinds.items())))
        if not kinds:
            print("not ok - no event with --workers " + workers)
            return 1
    print("ok 1 - replay measured")
    return 0


if __name__ == "__main__":
    sys.exit(main())
