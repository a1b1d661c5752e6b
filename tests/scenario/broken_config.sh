#!/usr/bin/env bash
# A broken configuration stops `ecyberd -T` with exit code 6, its place and the nearest valid name; so it does the start.
set -u
n=0
result() # OK? WHAT
{
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else
        echo "not ok $n - $2"
        sed 's/^/# /' out
    fi
}

# The start of the sentence (a whole place) and something that it says; then the variables and arguments.
refuses() # WHAT PLACE SAYS [NAME=VALUE…] [-- ARGUMENT…]
{
    local what=$1 place=$2 says=$3 code
    local -a variables=()
    shift 3
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        variables+=("$1")
        shift
    done
    [ $# -gt 0 ] && shift
    env "${variables[@]}" "$ECYBERD" -T -c conf/ecyber.yaml --set core.state_dir="$PWD/state" "$@" >out 2>&1
    code=$?
    [ $code = 6 ] && grep -F -- "$place" out | grep -F -q -- "$says"
    result $? "$what"
}

yaml() { mkdir -p conf && rm -rf conf/.[a-z]* conf/* && printf "$1" >conf/ecyber.yaml; }

yaml 'core:\n  workers: 2\n'
"$ECYBERD" -T -c conf/ecyber.yaml --set core.state_dir="$PWD/state" >out 2>&1
result $? "a sound configuration is fine"

yaml 'core:\n  wrokers: 2\n'
refuses "unknown option" "conf/ecyber.yaml:2:3: " "the nearest is 'workers'"
yaml 'cores:\n  workers: 2\n'
refuses "unknown section" "conf/ecyber.yaml:1:1: " "the nearest is 'core'"
yaml 'eve:\n  rotate-size: 1G\n'
refuses "unknown option of a plugin" "conf/ecyber.yaml:2:3: " "the nearest is 'rotate_size'"
yaml 'core:\n  log:\n    leval: info\n'
refuses "unknown nested option" "conf/ecyber.yaml:3:5: " "the nearest is 'log.level'"
yaml 'core:\n  workers: 1\n  workers: 2\n'
refuses "duplicate key" "conf/ecyber.yaml:3:3: " "duplicate key 'workers'"
yaml 'core:\n  workers: many\n'
refuses "wrong type" "conf/ecyber.yaml:2:12: " "core.workers: 'many' is not a whole number"
yaml 'core:\n  plugin_dirs: /tmp\n'
refuses "a text for a list" "conf/ecyber.yaml:2:16: " "a list is expected"
yaml 'core:\n  plugin_dirs: [/no/such/folder]\n'
refuses "a plugin folder that is missing" "conf/ecyber.yaml:2:17: " "/no/such/folder: the plugin folder cannot be read"
yaml 'core:\n  stages: [trafic]\n'
refuses "a packet stage that nobody is" "conf/ecyber.yaml:2:12: " "no plugin 'trafic'; the nearest is 'traffic'"
yaml 'core:\n  log:\n    levels: {idss: debug}\n'
refuses "a log level for nobody" "conf/ecyber.yaml:3:20: " "no plugin 'idss'; the nearest is 'ids'"
yaml 'core:\n  providers: {ec.traffic/1: traffik}\n'
refuses "a provider that nobody is" "conf/ecyber.yaml:2:29: " "no plugin 'traffik'; the nearest is 'traffic'"
yaml 'core:\n  providers: {ec.nothing/1: traffic}\n'
refuses "a provider of what it does not offer" "conf/ecyber.yaml:2:29: " "plugin 'traffic' does not offer ec.nothing/1"
yaml 'core:\n  sources: ["fiel:x.pcap"]\n'
refuses "a source of a kind that nobody opens" "no plugin opens" "fiel:x.pcap"
yaml 'core:\n  batch: 65\n'
refuses "out of range" "conf/ecyber.yaml:2:10: " "1 to 64"
yaml 'core:\n  stop_timeout: 11m\n'
refuses "a duration out of range" "conf/ecyber.yaml:2:17: " "0ns to 10m"
yaml 'core:\n  arena: 64MB\n'
refuses "a unit that is none" "conf/ecyber.yaml:2:10: " "64MiB"
yaml 'core:\n  log:\n    level: loud\n'
refuses "an unknown word" "conf/ecyber.yaml:3:12: " "the nearest is"
yaml 'core:\n  workers: [1\n'
refuses "bad YAML" "conf/ecyber.yaml:" "bracket"
yaml 'core:\n\tworkers: 1\n'
refuses "a tab" "conf/ecyber.yaml:2:" ""
yaml 'core: &a {}\neve: *a\n'
refuses "an alias" "conf/ecyber.yaml:1:" "anchors"
yaml 'eve:\n  types: [alert, alret]\n'
refuses "an event type that nobody has" "conf/ecyber.yaml:2:" "of type 'al"
yaml 'eve:\n  file: /no/such/folder/eve.json\n'
refuses "a folder that does not exist" "conf/ecyber.yaml:2:9: " "/no/such/folder/eve.json"
yaml ''
refuses "a missing file" "conf/ecyber.yml: " "no such file; the nearest in that folder is 'ecyber.yaml'" -- -c conf/ecyber.yml
yaml ''
mkdir -p conf/conf.d && printf 'core:\n  lanes: 0\n' >conf/conf.d/10-x.yaml
refuses "a file of conf.d" "conf/conf.d/10-x.yaml:2:10: " "1 to 16"
yaml ''
printf '# x\nECYBER_CORE__LANES=0\n' >conf/.env
refuses "the .env file" "conf/.env:2:1: ECYBER_CORE__LANES=0: " "1 to 16"
yaml ''
refuses "an environment value" "environment variable ECYBER_CORE__LANES=99: " "1 to 16" ECYBER_CORE__LANES=99
refuses "an environment name" "environment variable ECYBER_CORE__LNAES=1: " "ECYBER_CORE__LANES" ECYBER_CORE__LNAES=1
refuses "an environment section" "environment variable ECYBER_CRE__LANES=1: " "ECYBER_CORE__LANES" ECYBER_CRE__LANES=1
refuses "--set" "--set core.lanes=x: " "whole number" -- --set core.lanes=x
refuses "--set of an unknown option" "--set eve.fil=x: " "'eve.file'" -- --set eve.fil=x

# Every error is told, each once.
yaml 'core:\n  lanes: 0\n  batch: x\neve:\n  mode: 9\n'
refuses "all errors at once" "conf/ecyber.yaml:2:10: " "" ECYBER_CORE__RING=1
[ "$(grep -c "ecyber.yaml:[0-9]*:[0-9]*: \|environment variable" out)" = 4 ]
result $? "four errors, four sentences"

"$ECYBERD" -c conf/ecyber.yaml -r /dev/null --set core.state_dir="$PWD/state" >out 2>&1
[ $? = 6 ]
result $? "the start is refused as well"

yaml 'core:\n  workers: 2\n'
"$ECYBERD" -T -c conf/ecyber.yaml --set core.state_dir=/dev/null/state >out 2>&1
grep -q 'core.state_dir: /dev/null/state cannot be written by who runs this check: ' out
result $? "a state folder that cannot be made is a warning"
"$ECYBERD" -T -c conf/ecyber.yaml --set core.state_dir="$PWD/not/yet" >out 2>&1
! grep -q 'state_dir' out && [ ! -e not ]
result $? "one that can be made is fine, and is not made"

# What is dumped loads again and gives the same.
yaml 'core:\n  log: {level: debug, levels: {eve: warning}}\neve:\n  types: []\n  rotate_every: 1.5h\n'
"$ECYBERD" --dump-config -c conf/ecyber.yaml >first 2>out && mv first conf/ecyber.yaml &&
    "$ECYBERD" --dump-config -c conf/ecyber.yaml >second 2>out &&
    diff <(sed 's/   # .*//' conf/ecyber.yaml) <(sed 's/   # .*//' second) >>out
result $? "a dump loads again to the same configuration"
