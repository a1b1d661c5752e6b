#!/usr/bin/env python3
"""The traffic engine beside Suricata and a bare loop of libpcap: packets per CPU second (user and system, all threads
of the process) and peak memory, medians of several runs that take turns. Same records on both sides, no rules.

usage: engine.py [speed] [store] [scaling] [memory] [flat] [found]     (default: all but the last)

'found' measures nothing: it compares what both find, once for each capture. A row of 'speed' counts where they found the
same (same.py), and says so.

SURICATA names the program where it is not in PATH; without one its rows say 'not run'. EC_BENCH_MIX is the capture of
the mix (default: bench/mix.pcap.zst of EC_SHARED_DATA), EC_BENCH_RUNS the number of runs (3), EC_BENCH_SIZE multiplies
the captures (1). EC_BUILD, ECYBERD and EC_TMP as for scenarios."""
import os
import shutil
import statistics
import subprocess
import sys

import same

BUILD, TMP = os.environ["EC_BUILD"], os.environ["EC_TMP"]
ECYBERD = os.environ.get("ECYBERD", BUILD + "/root/sbin/ecyberd")
SHARED = os.environ.get("EC_SHARED_DATA", os.path.dirname(os.path.abspath(__file__)) + "/../../../shared/data")
RUNS, SIZE = int(os.environ.get("EC_BENCH_RUNS", "3")), float(os.environ.get("EC_BENCH_SIZE", "1"))
SURICATA = os.environ.get("SURICATA") or shutil.which("suricata")

SURICATA_YAML = """%YAML 1.1
---
vars: {address-groups: {HOME_NET: any, EXTERNAL_NET: any}}
outputs:
  - eve-log:
      enabled: yes
      filename: eve.json
      community-id: true
      types: [anomaly: {types: {applayer: yes}}, http: {extended: yes}, dns, tls: {extended: yes}, quic, ssh, files, flow,
              mdns]
logging: {default-log-level: error, outputs: [{console: {enabled: yes}}]}
app-layer:
  protocols:
    http:
      enabled: yes
      libhtp: {default-config: {personality: IDS, request-body-limit: 100 KiB, response-body-limit: 100 KiB}}
    dns: {tcp: {enabled: yes, detection-ports: {dp: 53}}, udp: {enabled: yes, detection-ports: {dp: 53}}}
    tls: {enabled: yes, detection-ports: {dp: 443}, ja3-fingerprints: yes, ja4-fingerprints: yes}
    quic: {enabled: yes}
    ssh: {enabled: yes, hassh: yes}
    http2: {enabled: no}
    smb: {enabled: no}
    ftp: {enabled: no}
    smtp: {enabled: no}
stream: {memcap: 64 MiB, checksum-validation: no, reassembly: {memcap: 256 MiB, depth: 1 MiB}}
flow: {memcap: 128 MiB, hash-size: 65536, prealloc: 10000, emergency-recovery: 30}
defrag: {memcap: 32 MiB, hash-size: 65536, trackers: 65535, max-frags: 65535, prealloc: yes, timeout: 60}
pcap-file: {checksum-checks: no}
decoder:
  teredo: {enabled: yes, ports: 3544}
  vxlan: {enabled: yes, ports: 4789}
  geneve: {enabled: yes, ports: 6081}
flow-timeouts:
  default: {new: 30, established: 300, closed: 0}
  tcp: {new: 60, established: 600, closed: 60}
  udp: {new: 30, established: 300}
  icmp: {new: 30, established: 300}
"""


def finish(processes):
    """CPU seconds and peak MiB of the processes, when all have ended."""
    used, peak = 0.0, 0
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit("%s ended with exit code %d" % (process.args[0], process.returncode))
        used += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss / 1024)
    return used, peak


def start(command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def fresh(name):
    folder = os.path.join(TMP, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    return folder


def ecyberd(captures, workers, name, plugins="capture, traffic, eve"):
    """The engine and EVE to a file, nothing else."""
    folder = fresh(name)
    command = [ECYBERD, "--workers", str(workers), "--set", "core.plugins=[%s]" % plugins,
               "--set", "core.state_dir=" + folder, "--set", "eve.file=" + folder + "/eve.json"]
    for capture in captures:
        command += ["-r", capture]
    return command


def suricata(capture):
    folder = fresh("suricata")
    with open(folder + "/suricata.yaml", "w", encoding="utf-8") as out:
        out.write(SURICATA_YAML)
    return [SURICATA, "-c", folder + "/suricata.yaml", "-S", "/dev/null", "--runmode", "single", "-r", capture,
            "-l", folder]


def compared():
    print("  %-14s %9s %9s" % ("records", "ecyberd", "suricata"))
    folders = [os.path.join(TMP, who) for who in ("ecyberd", "suricata")]
    void = same.compare(*(same.Found(folder) for folder in folders))
    same.compare_packets(*folders)
    print("  found: %s" % (", ".join(void) + " differ by more than 1 %: the row is void" if void else "the same"))
    return not void


def found():
    """What the last run of each found. True: the same. In a process of its own, for what is started later begins with
    the peak memory of this one."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        good = compared()
        sys.stdout.flush()
        os._exit(not good)
    return os.waitpid(child, 0)[1] == 0


def make(name, *args):
    """A capture of make_load; its path and number of packets."""
    path = os.path.join(TMP, name + ".pcap")
    with open(path, "wb") as out:
        done = subprocess.run([BUILD + "/tests/bench/make_load", *args], stdout=out, stderr=subprocess.PIPE, check=True)
    return path, int(done.stderr)


def mix():
    base = os.environ.get("EC_BENCH_MIX", SHARED + "/bench/mix.pcap.zst")
    if not os.path.exists(base):
        print("mix: not run, for %s is not here" % base)
        return None
    if base.endswith(".zst"):
        plain = os.path.join(TMP, "base.pcap")
        subprocess.run(["zstd", "-dqf", base, "-o", plain], check=True)
        base = plain
    return make("mix", "repeat", base, str(int(4 * SIZE) or 1))


LOADS = {
    "mix": mix,
    "http": lambda: make("http", "http", str(int(20000 * SIZE))),
    "dns": lambda: make("dns", "dns", str(int(500000 * SIZE))),
    "udp": lambda: make("udp", "udp", str(int(1000000 * SIZE))),
}


def speed_of(name, capture, packets):
    runs = {"libpcap loop": lambda: [BUILD + "/tests/bench/read_loop", capture],
            "ecyberd, one worker": lambda: ecyberd([capture], 1, "ecyberd")}
    if SURICATA:
        runs["suricata, single"] = lambda: suricata(capture)
    got = {who: [] for who in runs}
    for _ in range(RUNS):
        for who, command in runs.items():
            got[who].append(finish([start(command())]))
    print("%s: %d packets, %.0f MB" % (name, packets, os.path.getsize(capture) / 1e6))
    for who, figures in got.items():
        used, peak = (statistics.median(column) for column in zip(*figures))
        print("  %-20s %8.2f CPU s %10.0f packets/CPU s %8.1f MiB" % (who, used, packets / used, peak))
    if not SURICATA:
        print("  suricata: not run, for it is not here")
        return
    found()
    ours, theirs = got["ecyberd, one worker"], got["suricata, single"]
    print("  speed %.2f of suricata's, memory 1/%.2f" % (
        statistics.median(b[0] / a[0] for a, b in zip(ours, theirs)),
        statistics.median(b[1] / a[1] for a, b in zip(ours, theirs))))


def speed():
    for name, load in LOADS.items():
        made = load()
        if made:
            speed_of(name, *made)
            os.unlink(made[0])


def find():
    if not SURICATA:
        print("found: not run, for suricata is not here")
        return
    for name, load in LOADS.items():
        made = load()
        if not made:
            continue
        finish([start(ecyberd([made[0]], 1, "ecyberd"))])
        finish([start(suricata(made[0]))])
        print("%s: %d packets" % (name, made[1]))
        found()
        os.unlink(made[0])


def store():
    """The same with every event in SQLite, too."""
    for name, load in LOADS.items():
        capture, packets = load() or (None, 0)
        if not capture:
            continue
        ratios = []
        for _ in range(RUNS):
            without, _ = finish([start(ecyberd([capture], 1, "without"))])
            stored, _ = finish([start(ecyberd([capture], 1, "with", "capture, traffic, eve, store"))])
            ratios.append(without / stored)
        size = sum(os.path.getsize(os.path.join(path, file)) for path, _, files in os.walk(os.path.join(TMP, "with"))
                   for file in files if ".db" in file)
        print("%s with the store: %.0f packets/CPU s, %.2f of what they are without (median of %s); %.0f MB in SQLite" % (
            name, packets / stored, statistics.median(ratios), " ".join("%.2f" % r for r in ratios), size / 1e6))
        os.unlink(capture)


def scaling():
    """Two workers against two processes of one worker each, at once; pairs that take turns."""
    capture, packets = mix() or LOADS["http"]()
    ratios = []
    for _ in range(5):
        two, _ = finish([start(ecyberd([capture], 2, "two"))])
        apart, _ = finish([start(ecyberd([capture], 1, "one" + str(i))) for i in range(2)])
        ratios.append((packets / two) / (2 * packets / apart))
    print("two workers: %.2f of two processes' packets/CPU s (median of %s)" % (
        statistics.median(ratios), " ".join("%.2f" % r for r in ratios)))


def memory():
    for flows in ("1000000", "10000000"):
        subprocess.run([BUILD + "/tests/bench/bench_flows", flows], check=True)


def flat():
    """Peak memory of one replay and of ten, one behind the other, in one process."""
    capture = LOADS["http"]()[0]
    once = statistics.median(finish([start(ecyberd([capture], 1, "flat"))])[1] for _ in range(3))
    ten = finish([start(ecyberd([capture] * 10, 1, "flat"))])[1]
    print("http replayed once: %.1f MiB, ten times in one process: %.1f MiB" % (once, ten))


def main():
    parts = {"speed": speed, "store": store, "scaling": scaling, "memory": memory, "flat": flat, "found": find}
    for part in sys.argv[1:] or ("speed", "store", "scaling", "memory", "flat"):
        parts[part]()
        sys.stdout.flush()
    print("ok 1 - measured")
    return 0


if __name__ == "__main__":
    sys.exit(main())
