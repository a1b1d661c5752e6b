#!/usr/bin/env python3
"""Started by root, the daemon is three processes: a launcher, a helper with CAP_NET_ADMIN, an engine without power. Each
is killed in turn and comes back; each holds the capabilities that it needs and no others; exit codes pass through."""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

from libtest import check, plan, wait_for

ECYBERD, ECYBERCTL, ROOT = os.environ["ECYBERD"], os.environ["ECYBERCTL"], os.environ["EC_ROOT"]
HELPER = ROOT + "/libexec/ecyber/ecyber-helper"
NS = "ecp%d" % os.getpid()
NET_ADMIN, NET_RAW, DAC_READ_SEARCH, SYS_ADMIN = 1 << 12, 1 << 13, 1 << 2, 1 << 21
NOBODY = pwd.getpwnam("nobody")


def status(pid, field, task=None):
    path = "/proc/%d/task/%d/status" % (pid, task) if task else "/proc/%d/status" % pid
    with open(path, encoding="ascii") as lines:
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(field + ":"))


def caps(pid, task=None, which="CapEff"):
    return int(status(pid, which, task), 16)


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as text:
        return [int(n) for n in text.read().split()]


def threads(pid):
    """Thread names and ids."""
    found = {}
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, task), encoding="ascii") as name:
            found[name.read().strip()] = int(task)
    return found


def reaches(path):
    return not subprocess.run(["setpriv", "--reuid=nobody", "--clear-groups", "test", "-r", path], check=False).returncode


# Where nobody may not look into the build (it stands below /root), the engine may read every file.
SEARCH = 0 if reaches(os.environ["EC_PLUGINDIR"]) else DAC_READ_SEARCH


def able(pid):
    """Its threads that have capabilities, and which, beside SEARCH."""
    found = {name: caps(pid, task) for name, task in threads(pid).items()}
    return {name: cap ^ SEARCH for name, cap in found.items() if cap != SEARCH}


def alive(pid):
    try:
        return status(pid, "State")[0] not in "ZX"
    except FileNotFoundError:
        return False


class Daemon:
    """A launcher in the namespace, its state in a folder that nobody may write to."""

    def __init__(self, name, *words, group=False):
        self.folder = os.path.join(os.getcwd(), name)
        os.mkdir(self.folder)
        os.chmod(os.getcwd(), 0o755)
        os.chown(self.folder, NOBODY.pw_uid, NOBODY.pw_gid)
        self.socket = self.folder + "/control.sock"
        self.log = open(name + ".log", "w+", encoding="utf-8")
        command = ["nsenter", "--net=/run/netns/" + NS, ECYBERD, "--set", "core.state_dir=%s/state" % self.folder,
                   "--set", "core.control_socket=" + self.socket, "--set", "core.plugins=[capture, traffic, ids, eve]",
                   "--user", "nobody"]
        self.run = subprocess.Popen([*command, *words], stdout=self.log, stderr=self.log,
                                    preexec_fn=os.setpgrp if group else None)
        self.pid = self.run.pid
        wait_for(lambda: self.run.poll() is not None or (self.engine() and "runs:" in self.text()))
        self.up = self.run.poll() is None and self.engine() and "runs:" in self.text()

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def child(self, helper):
        """By program; a child that is neither yet has still the launcher's user."""
        for pid in children(self.pid) if alive(self.pid) else []:
            try:
                is_helper = os.readlink("/proc/%d/exe" % pid).endswith("/ecyber-helper")
                is_engine = status(pid, "Uid").split()[0] == str(NOBODY.pw_uid)
            except OSError:
                continue
            if is_helper if helper else is_engine:
                return pid
        return None

    def engine(self):
        return self.child(False)

    def helper(self):
        return self.child(True)

    def ask(self):
        done = subprocess.run([ECYBERCTL, "-s", self.socket, "status"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
        return done.returncode == 0

    def stop(self, sig=signal.SIGTERM):
        self.run.send_signal(sig)
        try:
            code = self.run.wait(30)
        except subprocess.TimeoutExpired:
            self.run.kill()
            code = "hangs"
        return code


def who_may_what():
    d = Daemon("live", "-i", "pv0", "--workers", "2")
    check(d.up, "the launcher starts the engine", d.text())
    engine, helper = d.engine(), wait_for(d.helper, 5) if os.path.exists(HELPER) else None
    check(status(engine, "Uid").split() == [str(NOBODY.pw_uid)] * 4 and
          status(engine, "Gid").split() == [str(NOBODY.pw_gid)] * 4, "the engine is the user of --user")
    check(status(engine, "NoNewPrivs") == "1" and caps(engine, which="CapBnd") == 0,
          "nothing that the engine executes gets more")
    check(wait_for(lambda: able(engine) == {"W0": NET_RAW, "W1": NET_RAW}, 5),
          "only the workers that open the interface have a capability, CAP_NET_RAW", able(engine))
    check(not caps(d.pid) & (SYS_ADMIN | 1 << 16 | 1 << 19) and caps(d.pid, which="CapBnd") == caps(d.pid),
          "the launcher has given up what it does not need", hex(caps(d.pid)))
    if helper:
        check(caps(helper) == NET_ADMIN, "the helper has CAP_NET_ADMIN alone", hex(caps(helper)))
        filtered = status(helper, "Seccomp") == "2" or os.environ["EC_SANITIZER"] != "none"
        check(status(helper, "NoNewPrivs") == "1" and filtered, "and a seccomp filter, where no sanitizer asks for more")
    check(d.ask(), "ecyberctl reaches the engine")
    check(d.stop() == 0, "SIGTERM to the launcher: exit code 0", d.text())
    check(not alive(engine) and not (helper and alive(helper)), "nobody is left behind")


def without_live():
    d = Daemon("quiet")
    engine = d.engine()
    check(d.up and wait_for(lambda: not able(engine), 5),
          "without a live source the engine has no capability at all", d.text())
    check(d.stop(signal.SIGINT) == 0, "SIGINT to the launcher: exit code 0", d.text())
    # fim, ids and replay have a thread of their own, which their plugin starts
    d = Daemon("demand", "--workers", "2", "--set", "capture.on_demand=true", "--set", "http.listen=none",
               "--set", "http.socket=%s/demand/api.sock" % os.getcwd(), "--set", "fim.paths=[/etc/hosts]",
               "--set", "core.plugins=[capture, traffic, ids, eve, store, http, jobs, replay, fim]")
    engine = d.engine()
    check(d.up and wait_for(lambda: able(engine) == {"W0": NET_RAW, "W1": NET_RAW}, 5),
          "with capture.on_demand the workers keep CAP_NET_RAW, and nobody else", able(engine))
    check(d.stop() == 0, "SIGTERM to the launcher: exit code 0", d.text())
    d = Daemon("file", "--set", "capture.on_demand=true", "--stay", "-r", os.environ["EC_DATA"] + "/sample.pcap")
    engine = d.engine()
    check(d.up and wait_for(lambda: not able(engine), 5), "not where capture files are read", able(engine))
    check(d.stop() == 0, "SIGTERM to the launcher: exit code 0", d.text())
    d = Daemon("group", group=True)
    os.killpg(d.pid, signal.SIGINT)
    check(d.run.wait(20) == 0 and "interrupted twice" not in d.text(), "a key on the terminal counts once", d.text())


def service():
    """What systemd is told, and what it thinks of the unit."""
    wall = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wall.bind("notify")
    os.chmod("notify", 0o777)
    wall.settimeout(20)
    os.environ["NOTIFY_SOCKET"] = os.path.abspath("notify")
    d = Daemon("service")
    del os.environ["NOTIFY_SOCKET"]
    try:
        first = wall.recv(4096)
        d.stop()
        second = wall.recv(4096)
    except TimeoutError:
        first = second = b"nothing"
        d.stop()
    check(first.startswith(b"READY=1\n") and second.startswith(b"STOPPING=1\n"), "systemd is told", (first, second))
    unit = ROOT + "/lib/systemd/system/ecyber.service"
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=30", unit],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
        check(done.returncode == 0, "the unit's exposure is under 3.0", done.stdout)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
        check("ecyber.service" not in done.stdout, "and nothing in it is wrong", done.stdout)


def killed_in_turn():
    d = Daemon("killed", "-i", "pv0")
    first = d.engine()
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: d.engine() not in (None, first) and d.text().count("runs:") == 2 and d.engine())
    check(second, "the engine is killed: it comes back", d.text())
    check(re.search(r"the engine was ended by signal 9 \(Killed\); starts it again in 0\.1 s", d.text()), "and the log says so")
    check(wait_for(d.ask), "it answers", d.text())
    if os.path.exists(HELPER):
        helper = wait_for(d.helper)
        check(helper, "the helper is there again too", d.text())
        os.kill(helper, signal.SIGKILL)
        check(wait_for(lambda: d.helper() not in (None, helper)), "the helper is killed: it comes back", d.text())
        check(d.engine() == second and alive(second), "and the engine did not notice", d.text())
    engine, helper = d.engine(), d.helper()
    d.run.kill()
    d.run.wait()
    check(wait_for(lambda: not alive(engine) and not (helper and alive(helper))),
          "the launcher is killed: the kernel ends both", d.text())


def exit_codes():
    d = Daemon("wrong", "--set", "core.workers=x")
    check(d.run.wait(20) == 6, "a wrong configuration: exit code 6 and no new start", d.text())
    check(d.text().count("whole number") == 1, "said once", d.text())
    done = subprocess.run([ECYBERD, "--user", "no-such-user"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=20, check=False)
    check(done.returncode == 2 and "there is no user 'no-such-user'" in done.stdout, "an unknown user: exit code 2",
          done.stdout)
    d = Daemon("asked", "--set", "core.plugins=[capture, traffic, ids, eve, store, http, firewall]", "--set",
               "http.listen=none", "--set", "http.socket=" + os.path.join(os.getcwd(), "asked", "api"))
    check(subprocess.run([ECYBERCTL, "-s", d.socket, "stop"], timeout=20, check=False).returncode == 0 and
          d.run.wait(20) == 0, "ecyberctl stop ends the launcher too", d.text())
    check("WARNING" not in d.text().split("stops:")[-1], "and nobody complains of it", d.text())


def crashes():
    """A daemon that dies at once again and again is started later and later; TERM ends it while it waits."""
    d = Daemon("crash")
    for _ in range(4):
        engine = wait_for(d.engine)
        os.kill(engine, signal.SIGABRT)
        wait_for(lambda: d.engine() not in (None, engine))
    pattern = r"the engine was ended .* starts it again in ([0-9.]+) s"
    waits = wait_for(lambda: [w for w in [re.findall(pattern, d.text())] if len(w) == 4], 5)
    waits = waits and waits[0]
    check(waits == ["0.1", "0.2", "0.4", "0.8"], "each new start comes later", waits)
    engine = wait_for(d.engine)
    os.kill(engine, signal.SIGABRT)
    wait_for(lambda: not alive(engine))
    start = time.monotonic()
    check(d.stop() in (0, 1) and time.monotonic() - start < 5, "SIGTERM between two starts ends it", d.text())


def ordinary_user():
    folder = os.path.join(os.getcwd(), "user")
    os.mkdir(folder)
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    reach = subprocess.run(["setpriv", "--reuid=nobody", "--clear-groups", "test", "-x", ECYBERD], check=False)
    if reach.returncode:
        check(True, "an ordinary user: the programs stand where nobody may not look # SKIP")
        return
    done = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", ECYBERD, "-r",
                           os.environ["EC_DATA"] + "/sample.pcap", "--set", "core.state_dir=%s/state" % folder],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
    check(done.returncode == 0 and os.path.getsize(folder + "/state/eve/eve.json") > 1000,
          "an ordinary user replays: the engine alone", done.stdout)


def number_as_user():
    """--user takes a number that no account has; a replay that ends by itself then is that user's as well."""
    n = 61300
    os.mkdir("closed", 0o700)
    shutil.copy(os.environ["EC_DATA"] + "/sample.pcap", "closed")
    os.mkdir("free")
    os.chown("free", n, n)
    done = subprocess.run([ECYBERD, "--user", str(n), "-r", "closed/sample.pcap", "--set", "core.state_dir=free/state"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
    made = os.stat("free/state/eve/eve.json") if os.path.exists("free/state/eve/eve.json") else None
    check(done.returncode == 0 and made and (made.st_uid, made.st_gid) == (n, n) and made.st_size > 1000,
          "a number as the user: a replay is its own", done.stdout)
    check("keeps CAP_DAC_READ_SEARCH: it may read every file" in done.stdout, "what only root may read it reads, and says so",
          done.stdout)
    done = subprocess.run([ECYBERD, "--user", "4294967295"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=20, check=False)
    check(done.returncode == 2, "the number that means 'unchanged' is no user", done.stdout)


if os.geteuid() != 0:
    print("SKIP: needs root")
    raise SystemExit(77)
subprocess.run(["ip", "netns", "add", NS], check=True)
try:
    subprocess.run(["nsenter", "--net=/run/netns/" + NS, "sh", "-c",
                    "ip link add pv0 type veth peer name pv1 && ip link set pv0 up && ip link set pv1 up"], check=True)
    for part in (who_may_what, without_live, service, killed_in_turn, exit_codes, crashes, ordinary_user, number_as_user):
        part()
finally:
    subprocess.run(["ip", "netns", "del", NS], check=False)
plan()
