#!/usr/bin/env python3
"""Plugins that were built against earlier levels of the ABI still load, publish and count."""
import glob
import json
import os
import platform
import shutil
import subprocess

archive = sorted(glob.glob(os.path.join(os.environ["EC_SRC"], "tests/abi/old", "*.%s.so" % platform.machine())))
count = 0
if not archive:
    print("SKIP: no plugins were archived for %s" % platform.machine())
    raise SystemExit(77)
for plugin in archive:
    count += 1
    name = os.path.basename(plugin).split(".")[0]
    os.makedirs(name + "/plugins", 0o755)
    shutil.copyfile(plugin, name + "/plugins/hello.so")
    os.chmod(name + "/plugins/hello.so", 0o755)
    here = os.path.abspath(name)
    run = subprocess.run(
        [os.environ["ECYBERD"], "--workers", "0", "-r", os.path.join(os.environ["EC_DATA"], "sample.pcap"),
         "--set", "core.plugin_dirs=[%s, %s/plugins]" % (os.environ["EC_PLUGINDIR"], here),
         "--set", "core.plugins=[capture, eve, hello]", "--set", "core.state_dir=%s/state" % here,
         "--set", "eve.file=%s/eve.json" % here, "--set", "hello.greeting=from level 1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    events = []
    if os.path.exists(here + "/eve.json"):
        with open(here + "/eve.json", encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines]
    greetings = [e["hello"] for e in events if e["event_type"] == "hello"]
    with open(here + "/state/last-stop.json", encoding="utf-8") as file:
        metric = json.load(file)["metrics"].get("hello", {}).get("greetings")
    good = (run.returncode == 0 and greetings and metric == len(greetings) and
            greetings == [{"count": i + 1, "greeting": "from level 1"} for i in range(len(greetings))])
    print("%sok %d - %s publishes and counts" % ("" if good else "not ", count, name))
    if not good:
        print("# %s" % [run.returncode, greetings[:2], metric, run.stdout[-500:]])
print("1..%d" % count)
