"""What the scenarios of the store share: a daemon with a configuration of its own, its account, a PostgreSQL server."""
import glob
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from libtest import check, wait_for

LOAD = "  sources: ['rush:100000000']\n"
INSPECT = "kind_inspector:\n  every_packet: true\n"
PG_BIN = (sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [""])[-1]


def configuration(name, plugins, extra=""):
    here = os.path.abspath(name)
    os.makedirs(here, exist_ok=True)
    with open(name + "/ecyber.yaml", "w", encoding="utf-8") as out:
        out.write("core:\n  plugin_dirs: [%s, %s]\n  plugins: [%s]\n  state_dir: %s/state\n  control_socket: %s/s\n%s"
                  % (os.environ["EC_PLUGINDIR"], os.environ["EC_TESTPLUGINS"], plugins, here, here, extra))


def start(name, *args, env=None, before=None):
    """env: more variables; before: is called in the new process."""
    with open(name + "/log", "ab") as log:
        return subprocess.Popen([os.environ["ECYBERD"], "--alone", "-c", name + "/ecyber.yaml", *args], stdout=log,
                                stderr=log, preexec_fn=before, env=dict(os.environ, **(env or {})))


def stop(daemon, name):
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(timeout=60)
    check(code == 0, name + ": the daemon ends well", (code, log_of(name)[-900:]))


def log_of(name):
    with open(name + "/log", encoding="utf-8", errors="replace") as file:
        return file.read()


def last_stop(name):
    with open(name + "/state/last-stop.json", encoding="utf-8") as file:
        return json.load(file)["metrics"]["store"]


def ask(name, *words):
    done = subprocess.run([os.environ["ECYBERCTL"], "-s", name + "/s", "-o", "json", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def now(name):
    """The store's metrics of the running daemon."""
    answer = ask(name, "status")
    return answer["metrics"].get("store", {}) if answer else {}


def stored_now(name):
    return now(name).get("events_stored", 0)


def balanced(m):
    return m["events_in"] == m["events_stored"] + m["spooled"] + sum(m[k] for k in m if k.startswith("dropped."))


class Postgres:
    """A server of its own, on a socket of its own."""

    def __init__(self, data=None, *initdb):
        """data: where its files are, else a folder that goes with it. initdb: more arguments to that."""
        self.folder = tempfile.mkdtemp(prefix="ecyber-pg-", dir="/tmp")     # its user may look into it
        self.data = data or self.folder + "/data"
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.server = None
        for path in (self.folder, data):
            if self.user and path:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        subprocess.run([PG_BIN + "/initdb", "-D", self.data, "-A", "trust", "-U", "ecyber", "-E", "UTF8",
                        "--locale=C.UTF-8", "--no-sync", *initdb], stdout=subprocess.DEVNULL, check=True,
                       preexec_fn=self.become, cwd="/")

    def become(self):
        """The server refuses to be root."""
        if self.user:
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)

    def url(self, driver="", database="postgres"):
        return "postgresql%s://ecyber:hunter2@/%s?host=%s" % (driver, database, self.folder)

    def start(self, *args):
        with open("pg.log", "ab") as log:
            self.server = subprocess.Popen([PG_BIN + "/postgres", "-D", self.data, "-k", self.folder, "-c",
                                            "listen_addresses=", *args], stdout=log, stderr=log, preexec_fn=self.become,
                                           cwd="/")
        check(wait_for(self.answers, 40), "PostgreSQL answers",
              open("pg.log", encoding="utf-8", errors="replace").read()[-900:])

    def answers(self):
        return subprocess.run([PG_BIN + "/pg_isready", "-q", "-h", self.folder], check=False).returncode == 0

    def processes(self):
        if not self.server or self.server.poll() is not None:
            return []
        with open("/proc/%d/task/%d/children" % (self.server.pid, self.server.pid), encoding="ascii") as file:
            return [self.server.pid] + [int(pid) for pid in file.read().split()]

    def signal_all(self, what):
        """To the postmaster first, so that it makes no new ones."""
        for pid in self.processes():
            try:
                os.kill(pid, what)
            except ProcessLookupError:
                pass

    def kill(self):
        """At once, with all its processes, where it runs."""
        if self.processes():
            self.server.send_signal(signal.SIGSTOP)
            self.signal_all(signal.SIGKILL)
            self.server.wait()

    def stop(self):
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait()

    def sql(self, what, database="postgres"):
        done = subprocess.run([PG_BIN + "/psql", "-h", self.folder, "-U", "ecyber", "-Atq", "-c", what, database],
                              stdout=subprocess.PIPE, check=True, cwd="/")
        return done.stdout.decode().splitlines()

    def sql_file(self, file):
        subprocess.run([PG_BIN + "/psql", "-h", self.folder, "-U", "ecyber", "-q", "-v", "ON_ERROR_STOP=1", "postgres"],
                       stdin=file, stdout=subprocess.DEVNULL, check=True, cwd="/")

    def stored(self, database="postgres"):
        return int(self.sql("SELECT count(*) FROM ecyber.event", database)[0])

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)
