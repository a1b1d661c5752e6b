#!/usr/bin/env python3
"""The inline bridge when the daemon does not run: killed, nothing crosses, or everything with fail: open; offloads are off
while it runs and back when it ends; also under the launcher, and without the power for it."""
import os

import libbridge
from libbridge import CLIENT, MIDDLE, RULES, Daemon, fetch, held, inside, ping, sh
from libtest import check, wait_for


def powerless(wanted):
    """As under the launcher, whose engine has CAP_NET_RAW and no CAP_NET_ADMIN."""
    without = ("setpriv", "--bounding-set=-net_admin")
    libbridge.offloads("eth1", "1")
    d = Daemon(before=without, rules=RULES)
    check(d.ready() and d.logged("WARNING bridge: the offloads of eth1 stay on: CAP_NET_ADMIN is missing"),
          "without CAP_NET_ADMIN it starts, and says that offloads stay on", d.text())
    check(fetch("large") == [wanted["large"]] and held("forbidden"),
          "and bridges, and heeds rules", d.text())
    check(d.end() == 0 and libbridge.offloads("eth1") == "1 1 1", "and has changed nothing", libbridge.offloads("eth1"))
    d = Daemon("--set", "bridge.fail=open", before=without)
    check(d.run.wait(timeout=20) == 1 and d.logged("cannot open bridge:eth1,eth2: bridge.fail: open: CAP_NET_ADMIN is"),
          "fail: open is refused", d.text())


def killed(wanted):
    check(ping() == 0, "without a daemon nothing crosses")
    d = Daemon(rules=RULES)
    check(d.ready() and ping(2) == 2, "with one it does", d.text())
    d.kill()
    check(ping(2) == 0, "killed with SIGKILL, nothing crosses (fail: closed)")
    d = Daemon(rules=RULES)
    check(d.ready() and fetch("large") == [wanted["large"]], "the next one bridges on", d.text())
    other = sh(*inside(MIDDLE), libbridge.ECYBERD, "--alone", "--set", "core.plugins=[bridge]", "--set",
               "core.sources=['bridge:eth1,eth2']", "--set", "core.state_dir=%s/state3" % os.getcwd(), "--set",
               "core.control_socket=%s/s3" % os.getcwd())
    check(other.returncode == 1 and "another eCyber" in other.stdout,
          "a second daemon on the same interfaces is refused", other.stdout)
    d.end()


def offloads(_):
    for dev in ("eth1", "eth2"):
        check(libbridge.offloads(dev, "1") == "1 1 1", "%s has GRO, GSO and TSO" % dev, libbridge.offloads(dev))

    def now():
        return [libbridge.offloads(dev) for dev in ("eth1", "eth2")]

    on, off = ["1 1 1"] * 2, ["0 0 0"] * 2
    d = Daemon(plugins="bridge")
    check(d.ready() and now() == off, "the bridge turns them off", (now(), d.text()))
    d.end()
    check(now() == on, "and puts them back when it ends", (now(), d.text()))
    d = Daemon(plugins="bridge")
    d.ready()
    d.kill()
    check(now() == off, "killed, it cannot", now())
    d = Daemon(plugins="bridge, capture", uri="live:eth1")
    d.ready()
    check(now() == on and d.logged("an earlier run left the offloads of eth1, eth2 off: they are back"),
          "the next start does, whatever it watches", (now(), d.text()))
    d.end()
    d = Daemon("--set", "bridge.offloads=keep", plugins="bridge")
    check(d.ready() and now() == on, "offloads: keep leaves them alone", (now(), d.text()))
    d.end()


def fails_open(wanted):
    """The kernel takes over in the moment in which the daemon is gone, and gives back when it is there again."""
    d = Daemon("--set", "bridge.fail=open", rules=RULES)
    check(d.ready() and ping(3) == 3 and fetch("large") == [wanted["large"]], "fail: open, and it runs", d.text())
    check("DUP" not in sh(*inside(CLIENT), "ping", "-n", "-c", "3", "-i", "0.2", "fd09::2").stdout,
          "each packet crosses once")
    check(held("forbidden"), "a rule's drop takes effect")
    d.kill()
    check(ping(3) == 3 and fetch("large", "forbidden") == [wanted["large"], wanted["forbidden"]],
          "killed with SIGKILL, everything crosses")
    d = Daemon("--set", "bridge.fail=open", rules=RULES)
    check(d.ready() and ping(2) == 2 and held("forbidden"),
          "the next daemon takes over again", d.text())
    check(d.end() == 0 and ping(2) == 2, "after a good end too everything crosses", d.text())
    d = Daemon(rules=RULES)
    check(d.ready() and ping(2) == 2, "with fail: closed again", d.text())
    d.kill()
    check(ping(2) == 0, "nothing crosses once it is killed")
    left = sh(*inside(MIDDLE), "ip", "-d", "link", "show", "eth1").stdout
    check("promiscuity 0" in left, "and nothing of it stays", left)


def launched(wanted):
    """By the launcher, as an ordinary user: offloads and fail: open all the same."""
    def now():
        return [libbridge.offloads(dev) for dev in ("eth1", "eth2")]

    on, off = ["1 1 1"] * 2, ["0 0 0"] * 2
    d = Daemon("--set", "bridge.fail=open", plugins="bridge, traffic", alone=False)
    check(d.ready() and ping(2) == 2 and fetch("large") == [wanted["large"]], "as an ordinary user it bridges", d.text())
    check(now() == off, "and turns offloads off", (now(), d.text()))
    with open("/proc/%d/task/%d/children" % (d.run.pid, d.run.pid), encoding="ascii") as line:
        engine = next(p for p in line.read().split() if not os.readlink("/proc/%s/exe" % p).endswith("-helper"))
    able = {}
    for task in os.listdir("/proc/%s/task" % engine):
        with open("/proc/%s/task/%s/status" % (engine, task), encoding="utf-8") as lines:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in lines)
        if int(fields["CapPrm"], 16):
            able[fields["Name"]] = int(fields["CapPrm"], 16)
    if os.environ["EC_SANITIZER"] == "thread":
        able.pop("ecyberd", None)   # the sanitizer's own thread has the name of the first
    check(able == {"W0": 1 << 12 | 1 << 13}, "only the worker has CAP_NET_RAW and CAP_NET_ADMIN", able)
    d.kill()
    check(wait_for(lambda: not os.path.exists("/proc/%s" % engine), 5) and ping(2) == 2,
          "the launcher killed with SIGKILL, everything crosses")
    d = Daemon("--set", "bridge.fail=open", plugins="bridge, traffic", alone=False)
    check(d.ready() and ping(2) == 2 and d.end() == 0 and now() == on and ping(2) == 2,
          "after a good end too, and offloads are back", (now(), d.text()))
    d = Daemon(plugins="bridge, traffic", alone=False)
    check(d.ready() and d.end() == 0 and ping(2) == 0, "with fail: closed nothing does", d.text())


libbridge.run(powerless, killed, offloads, fails_open, launched)
