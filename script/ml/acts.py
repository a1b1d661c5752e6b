"""What happens in a capture: normal(NAME) and attack(NAME) start programs in a laboratory; CAPTURES lists all."""
import os
import sys

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "client.py")


def play(lab, act, who, seconds, *targets):
    return lab.client(sys.executable, CLIENT, act, str(lab.random.randrange(1 << 30)), who, str(seconds), *targets)


def some(lab, n):
    return lab.random.sample(lab.servers, n)


def shell(lab, line):
    return lab.client("sh", "-c", line)


def ssh(lab, who):
    return ("ssh -b %s -i %s/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes "
            "-o ControlMaster=no" % (who, lab.folder))


# --- normal use: from who, for how long -----------------------------------------------------------

def curl(lab, who, seconds):
    host = some(lab, 1)[0]
    urls = " ".join("http://%s/asset%d.bin" % (host, i) for i in lab.random.sample(range(60), 30))
    shell(lab, "end=$(($(date +%%s)+%d)); while [ $(date +%%s) -lt $end ]; do curl -s --interface %s -Z "
          "--parallel-max %d --remote-name-all --output-dir /dev/null %s; sleep %.1f; done"
          % (seconds, who, lab.random.choice([6, 12, 30]), urls, lab.random.uniform(1, 4)))


def wget(lab, who, _):
    shell(lab, "wget -q -O /dev/null --bind-address=%s http://%s/large.bin; wget -q -r -l 2 -P got --bind-address=%s "
          "http://%s/" % (who, some(lab, 1)[0], who, some(lab, 1)[0]))


def https(lab, who, seconds):
    host = some(lab, 1)[0]
    shell(lab, "end=$(($(date +%%s)+%d)); while [ $(date +%%s) -lt $end ]; do curl -sk --interface %s -o /dev/null "
          "https://%s/ -o /dev/null https://%s/asset%d.bin; sleep %.1f; done"
          % (seconds, who, host, host, lab.random.randrange(60), lab.random.uniform(0.5, 3)))


def dig(lab, who, seconds):
    shell(lab, "end=$(($(date +%%s)+%d)); while [ $(date +%%s) -lt $end ]; do dig -b %s +tries=1 +time=1 @%s "
          "www$(date +%%N).lab MX; dig -b %s +tcp @%s a.lab; sleep %.1f; done"
          % (seconds, who, some(lab, 1)[0], who, some(lab, 1)[0], lab.random.uniform(0.2, 2)))


def ssh_work(lab, who, seconds):
    shell(lab, "%s root@%s 'for i in $(seq %d); do echo line $i; sleep 0.%d; done'; %s root@%s 'ls -l /usr/bin'"
          % (ssh(lab, who), some(lab, 1)[0], seconds, lab.random.randrange(2, 9), ssh(lab, who), some(lab, 1)[0]))


def ssh_many(lab, who, seconds):
    """A configuration tool that logs in again and again, with a key."""
    shell(lab, "end=$(($(date +%%s)+%d)); while [ $(date +%%s) -lt $end ]; do %s root@%s 'uname -a; df'; sleep %.1f; "
          "done" % (seconds, ssh(lab, who), some(lab, 1)[0], lab.random.uniform(0.2, 2)))


def backup(lab, who, _):
    shell(lab, "rsync -a -e '%s' root@%s:%s/www/ got/" % (ssh(lab, who), some(lab, 1)[0], lab.folder))


def iperf(lab, who, seconds):
    shell(lab, "iperf3 -B %s -c %s -p 5201 -t 3 -b %dM; sleep 1; iperf3 -B %s -c %s -p 5201 -t 3 -u -b 2M"
          % (who, some(lab, 1)[0], lab.random.choice([1, 5, 20]), who, some(lab, 1)[0]))


def ping(lab, who, seconds):
    for host in some(lab, 2):
        shell(lab, "ping -q -I %s -i 1 -c %d %s" % (who, seconds, host))


def script(act, n):
    return lambda lab, who, seconds: play(lab, act, who, seconds, *some(lab, n))


def mistaken(lab, who, seconds):
    play(lab, "mistaken", who, seconds, some(lab, 1)[0], lab.random.choice(lab.silent))


NORMAL = {
    "curl": curl, "wget": wget, "https": https, "dig": dig, "ssh-work": ssh_work, "ssh-many": ssh_many,
    "backup": backup, "iperf": iperf, "ping": ping, "poll": script("poll", 1), "pages": script("pages", 4),
    "crawl": script("crawl", 2), "typist": script("typist", 2), "monitor": script("monitor", 8),
    "database": script("database", 1), "mail": script("mail", 3), "clock": script("clock", 4),
    "lookups": script("lookups", 1), "mistaken": mistaken, "resolver": script("lookups", 12),
    "proxy": script("pages", 12), "backend": script("backend", 1),
}


# --- attacks --------------------------------------------------------------------------------------

def nmap(options, hosts=1, quick=True):
    def start(lab, seconds):
        wanted = " ".join(some(lab, hosts))
        if hosts == 0:
            wanted = lab.network
        return shell(lab, "timeout %d nmap -n -Pn -S %s -e eth0 %s %s %s" % (
            seconds, lab.attacker, "-T4" if quick else "", options, wanted))
    return start


def connect_scan(options):
    """Without raw sockets nmap takes the address that the route gives: the attacker's alone, then."""
    def start(lab, seconds):
        net = lab.attacker.rsplit(".", 2)[0]
        return shell(lab, "ip route replace %s.1.0/24 dev eth0 src %s; timeout %d nmap -n -Pn %s %s"
                     % (net, lab.attacker, seconds, options, some(lab, 1)[0]))
    return start


def silent_scan(lab, seconds):
    return shell(lab, "timeout %d nmap -n -Pn -sS --send-ip -S %s -e eth0 --max-retries 1 -p 1-400 %s"
                 % (seconds, lab.attacker, lab.random.choice(lab.silent)))


def ping_sweep(lab, seconds):
    return shell(lab, "timeout %d nmap -n -sn -PE -PS443,80 --disable-arp-ping --send-ip -S %s -e eth0 %s"
                 % (seconds, lab.attacker, " ".join(sorted(lab.servers + lab.silent))))


def hydra(service, options):
    def start(lab, seconds):
        words = lab.folder + "/words"
        with open(words, "w", encoding="ascii") as file:
            file.write("".join("word%d\n" % lab.random.randrange(10 ** 6) for _ in range(3000)))
        net = lab.attacker.rsplit(".", 2)[0]
        return shell(lab, "ip route replace %s.1.0/24 dev eth0 src %s; timeout %d hydra -I -l %s -P %s %s %s %s"
                     % (net, lab.attacker, seconds, lab.random.choice(["admin", "oracle", "nobody2"]), words, options,
                        some(lab, 1)[0], service))
    return start


def hping(options, count):
    def start(lab, seconds):
        return shell(lab, "timeout %d hping3 -q -a %s -I eth0 -i u%d -c %d %s %s"
                     % (seconds, lab.attacker, lab.random.choice([500, 1500, 4000]), count, options, some(lab, 1)[0]))
    return start


def hping_spoofed(lab, seconds):
    return shell(lab, "timeout %d hping3 -q --rand-source -I eth0 -i u1000 -c 6000 -S -p 80 %s"
                 % (seconds, some(lab, 1)[0]))


def act(name, n=1):
    return lambda lab, seconds: play(lab, name, lab.attacker, seconds, *some(lab, n))


# name: (class, how, seconds)
ATTACKS = {
    "nmap-syn": ("scan", nmap("-sS"), 40),
    "nmap-syn-all-hosts": ("scan", nmap("-sS -p 22,80,443,445,3389", 0), 40),
    "nmap-connect": ("scan", connect_scan("-sT -T4"), 40),
    "nmap-versions": ("scan", connect_scan("-sV -F -T4"), 60),
    "nmap-fin": ("scan", nmap("-sF -F"), 40),
    "nmap-null": ("scan", nmap("-sN -F"), 40),
    "nmap-xmas": ("scan", nmap("-sX -F"), 40),
    "nmap-ack": ("scan", nmap("-sA -F"), 40),
    "nmap-udp": ("scan", nmap("-sU --top-ports 60 --max-retries 1"), 70),
    "nmap-os": ("scan", nmap("-O -F"), 40),
    "nmap-ping-sweep": ("scan", ping_sweep, 40),
    "nmap-decoys": ("scan", nmap("-sS -F -D 198.51.100.7,198.51.100.9,ME"), 40),
    "nmap-polite": ("scan", nmap("-sS -T2 --top-ports 120", 1, False), 70),
    "nmap-delay-1s": ("slow-scan", nmap("-sS --scan-delay 1s --top-ports 70", 1, False), 80),
    "nmap-delay-3s": ("slow-scan", nmap("-sS --scan-delay 3s --top-ports 40", 2, False), 120),
    "nmap-silent-host": ("scan", silent_scan, 50),
    "script-scan-fast": ("scan", act("scan_fast", 2), 20),
    "script-scan-slow": ("slow-scan", act("scan_slow", 3), 80),
    "script-scan-patient": ("slow-scan", act("scan_patient", 6), 150),
    "hydra-ssh": ("brute-force", hydra("ssh", "-t 4"), 80),
    "hydra-ssh-one": ("brute-force", hydra("ssh", "-t 1"), 90),
    "hydra-http": ("brute-force", hydra("http-get /private/", "-t 8"), 25),
    "hydra-ftp": ("brute-force", hydra("ftp", "-t 8"), 25),
    "script-guess-form": ("brute-force", act("guess_form"), 40),
    "script-guess-basic": ("brute-force", act("guess_basic"), 40),
    "script-guess-slow": ("brute-force", act("guess_slow"), 90),
    "script-guess-ftp": ("brute-force", act("guess_ftp"), 30),
    "hping-syn": ("flood", hping("-S -p 80", 6000), 15),
    "hping-syn-spoofed": ("flood", hping_spoofed, 15),
    "hping-udp": ("flood", hping("--udp -p ++1000 -d 200", 4000), 15),
    "hping-icmp": ("flood", hping("--icmp -d 100", 4000), 15),
    "script-http-flood": ("flood", act("flood_http"), 12),
    "script-connect-flood": ("flood", act("flood_connect"), 15),
    "script-slowloris": ("flood", act("flood_slowloris"), 30),
    "script-dns-flood": ("flood", act("flood_dns"), 12),
}
# Left out of the training in every variant, to see what the model makes of a tool that it never met.
UNSEEN = {"nmap-xmas", "script-scan-patient", "hydra-ftp", "script-connect-flood", "nmap-udp"}
UNSEEN_NORMAL = {"mail", "crawl"}
# Several kinds at once; those of a gateway come from one address, as behind address translation.
MIXES = {
    "office": ["pages", "https", "lookups", "clock", "mail", "ssh-work", "typist"],
    "farm": ["database", "monitor", "poll", "ssh-many", "backup", "clock", "lookups", "mistaken"],
    "gateway": ["pages", "https", "lookups", "mail", "poll", "monitor", "mistaken", "crawl"],
    "gateway-home": ["pages", "https", "lookups", "clock", "poll", "wget"],
    "gateway-school": ["pages", "crawl", "dig", "curl", "ping", "mistaken", "proxy", "ssh-many"],
    "gateway-plant": ["monitor", "database", "mail", "backup", "lookups", "mistaken", "typist", "https"],
    "busy": ["curl", "wget", "dig", "crawl", "monitor", "database", "pages", "ping"],
}
