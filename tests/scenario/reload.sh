#!/bin/bash
# Reload, stop and the command line of the real daemon, with one plugin of every kind and a source that never ends.
n=0
mkdir p
cp "$EC_BUILD/tests/plugins/bad/.libs/behave.so" p/

ok() { # RESULT WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else
        echo "not ok $n - $2"
        sed 's/^/#   /' log
    fi
}

within() { # SECONDS COMMAND...: does it succeed in time?
    local tries=$(($1 * 20))
    shift
    until "$@"; do
        [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.05
    done
}

said() { grep -q -- "$1" log; }
times() { [ "$(grep -c -- "$1" log)" -ge "$2" ]; }
gone() { ! kill -0 "$pid" 2>/dev/null; }

start() { # ARGUMENT...
    rm -rf s
    : >log
    "$ECYBERD" --alone -c c.yaml --set "core.plugin_dirs=[$EC_TMP/p]" --set core.state_dir=s --set core.log.rate=0 --set "core.sources=['bad:0']" \
        --set "core.control_socket=$EC_TMP/sock" "$@" 2>log &
    pid=$!
    within 10 said "core: eCyber .* runs" && within 10 test -S sock
}

stop() { # SIGNAL: its exit code is in rc
    kill "-$1" "$pid"
    if ! within 20 gone; then
        kill -KILL "$pid"
        echo "# did not end" >>log
    fi
    wait "$pid"
    rc=$?
}

options() { # N FIXED
    printf 'behave:\n  n: %s\n  fixed: %s\n' "$1" "$2" >c.yaml
}

reloads() { # LABEL ARGUMENT...
    options 1 1
    start "${@:2}"
    ok $? "$1: it runs"
    options 2 1
    kill -HUP "$pid"
    within 10 said "core: reloaded: generation 2$"
    ok $? "$1: SIGHUP makes generation 2"
    options 2 5
    kill -HUP "$pid"
    within 10 said "reload: behave.fixed has changed; it takes effect at the next start$" &&
        within 10 said "core: reloaded: generation 3$"
    ok $? "$1: what needs a restart is listed"
    printf 'behave:\n  nn: 1\n' >c.yaml
    kill -HUP "$pid"
    within 10 said "core: reload failed, generation 3 stays: c.yaml:2:3: section 'behave' has no option 'nn'; the nearest is 'n'$"
    ok $? "$1: a wrong file keeps generation 3 and says where"
    options 1 1
    for i in $(seq 50); do
        "$ECYBERCTL" -s sock reload >/dev/null || break
    done
    [ "$i" = 50 ] && said "core: reloaded: generation 53$"
    ok $? "$1: 50 more reloads"
    "$ECYBERCTL" -s sock -o json status >status.json
    python3 - <<'P'
import json
s = json.load(open("status.json"))
m = s["metrics"]["core"]
assert s["generation"] == m["generation"] == 53, s["generation"]
assert m["reloads"] == 52 and m["reload_failures"] == 1, m
assert s["metrics"]["behave"]["packets"] > 0
for row in s["events"]:
    assert row["in"] == row["out"] + row["queued"] + sum(row["dropped"].values()), row
P
    ok $? "$1: metrics agree, and every event is accounted for"
    stop TERM
    [ "$rc" = 0 ] && said "core: stops: SIGTERM$"
    ok $? "$1: SIGTERM ends it in order"
}

reloads "1 worker"
reloads "2 workers" --workers 2
reloads "no worker" --workers 0

# configure() of the new generation fails: the old one stays.
options 1 1
BAD_DO=fail BAD_IN=configure BAD_AT=2 start
kill -HUP "$pid"
within 10 said "core: reload failed, generation 1 stays: behave: told to fail in configure$"
ok $? "a plugin that refuses keeps the old generation"
kill -HUP "$pid"
within 10 said "core: reloaded: generation 2$"
ok $? "and the next reload takes effect"
stop TERM
[ "$rc" = 0 ]
ok $? "it ends well"

# Somebody holds the old generation over the grace period: he is named, and nothing is freed under him.
BAD_DO=hang BAD_IN=work start --set core.reload_grace=200ms --set core.stop_timeout=1s
kill -HUP "$pid"
within 10 said "reload: generation 1 is still held, after 0.2 s, by a job of plugin behave$"
ok $? "a job that holds the old generation is named"
kill -HUP "$pid"
within 10 said "reload: one is under way, the next follows it$"
ok $? "meanwhile there is no third generation"
stop TERM
[ "$rc" = 1 ] && said "core: thread P[01] is still in plugin behave, work()$"
ok $? "it ends although the job hangs, and names it"
BAD_DO=hang BAD_IN=packet BAD_AT=1000 start --set core.reload_grace=200ms --set core.stop_timeout=1s
sleep 0.5
kill -HUP "$pid"
within 10 said "reload: generation 1 is still held, after 0.2 s, by thread W0$"
ok $? "a worker that holds it is named"
stop TERM
[ "$rc" = 1 ] && said "core: a worker did not end within 1 s: ends at once$" &&
    said "core: thread W0 is still in plugin behave, packet()$"
ok $? "a worker that hangs is named at the end"

# SIGINT, and a second one at once.
start
stop INT
[ "$rc" = 0 ] && said "core: stops: SIGINT$"
ok $? "SIGINT ends it in order"
BAD_DO=hang BAD_IN=packet BAD_AT=1000 start
sleep 0.5
kill -INT "$pid"
within 10 said "core: stops: SIGINT$"
stop INT
[ "$rc" = 1 ] && said "^ecyberd: interrupted twice: ends at once$"
ok $? "a second SIGINT ends it at once"

# By the control socket.
start
"$ECYBERCTL" -s sock stop && within 10 gone && wait "$pid" && said "core: stops: the control socket$"
ok $? "ecyberctl stop ends it in order"
start
"$ECYBERCTL" -s sock config check c.yaml >out && grep -q "c.yaml: the configuration is fine$" out
ok $? "ecyberctl config check takes a good file"
printf 'behave:\n  n: 5000\n' >wrong.yaml
"$ECYBERCTL" -s sock config check wrong.yaml 2>out
[ $? = 6 ] && grep -q "wrong.yaml:2:6: " out
ok $? "and says what is wrong in a bad one, with exit code 6"
stop TERM

# A state folder and a control socket that cannot be made do not stop it.
start --set core.state_dir=/proc/none --set core.control_socket=/proc/none/sock
within 5 said "core.state_dir: /proc/none cannot be written: No such file or directory; nothing outlasts this run$" &&
    within 5 said "there is no control socket$"
ok $? "folders that cannot be made are a sentence each"
stop TERM
[ "$rc" = 0 ]
ok $? "and it ends well"
