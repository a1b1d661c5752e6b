# Running tests/scenario/* against an installed build: sourced after lib.sh and results.sh.
# shellcheck shell=bash

# ec_scenario_env BUILD-FOLDER: what a scenario finds in its environment.
ec_scenario_env() {
    export EC_SRC=$EC_TOP EC_BUILD=$1 EC_ROOT=$1/root EC_DATA=$EC_TOP/tests/data
    export ECYBERD=$EC_ROOT/sbin/ecyberd ECYBERCTL=$EC_ROOT/bin/ecyberctl
    export EC_PLUGINDIR=$EC_ROOT/lib/ecyber/plugins EC_CONF=$EC_ROOT/etc/ecyber
    export EC_TESTPLUGINS=$1/tests/plugins/.libs
    EC_SANITIZER=$("$ECYBERD" --build-info | sed -n 's/^sanitizer: //p')
    export EC_SANITIZER
    export PYTHONDONTWRITEBYTECODE=1
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export TSAN_OPTIONS=second_deadlock_stack=1:exitcode=66
    # gcc 12's leak checker reads wild memory when it follows the dynamic thread-local storage of plugins.
    export ASAN_OPTIONS=detect_leaks=1:exitcode=66:intercept_tls_get_addr=0
}

EC_SCENARIO_FOLDER=$EC_TOP/tests/scenario
EC_GROUP=
EC_APART=

# ec_scenario_list: the names, without those of helper files.
ec_scenario_list() {
    [ ! -d "$EC_SCENARIO_FOLDER" ] || find "$EC_SCENARIO_FOLDER" -maxdepth 1 -type f \( -name '*.sh' -o -name '*.py' \) ! -name 'lib*' \
        -printf '%f\n' | sort
}

# ec_tool_failed LOG: did the leak checker itself break? It says nothing of the program then, so the test is run again.
ec_tool_failed() {
    grep -q 'LeakSanitizer has encountered a fatal error' "$1"
}

# ec_scenarios_run LABEL [NAME…]: all of them, or those named: as many at a time as there are cores, then those with a
# line '# alone' (fixed ports, the machine's own network, or short times) one by one.
ec_scenarios_run() {
    local label=$1 file alone=
    shift
    for file in $(ec_scenario_list); do
        if [ $# != 0 ]; then
            case " $* " in *" ${file%.*} "*) ;; *) continue ;; esac
        fi
        if grep -q '^# alone' "$EC_SCENARIO_FOLDER/$file"; then
            alone="$alone $file"
        else
            ec_slot
            ec_scenario_apart "$file" "$label" &
        fi
    done
    wait
    for file in $alone; do
        ec_scenario_run "$file" "$label"
    done
}

# Returns when a background job can be added: there is one for each core at most.
ec_slot() {
    while [ "$(jobs -rp | wc -l)" -ge "$EC_JOBS" ]; do wait -n; done
}

# ec_scenario_apart FILE LABEL: beside others: as root in a network of its own, and what it says comes in one piece.
ec_scenario_apart() {
    trap 'ec_scenario_kill; exit 130' INT TERM
    EC_APART=
    ! unshare --net true 2>/dev/null || [ "$(id -u)" != 0 ] || EC_APART=yes
    ec_scenario_run "$1" "$2" >"$EC_RESULTS.$1"
    cat "$EC_RESULTS.$1"
    rm -f "$EC_RESULTS.$1"
}

# ec_scenario_run FILE LABEL: runs one, and counts its TAP lines or, when it prints none, its exit code.
ec_scenario_run() {
    local file=$1 name=${1%.*} log rc tries=3 begin=$SECONDS
    mkdir -p "$EC_BUILD/log"
    log=$EC_BUILD/log/${EC_SCENARIO_FOLDER##*/}-$name.log
    while ec_scenario_once "$file" "$log"; rc=$?; ec_tool_failed "$log" && [ $((tries -= 1)) -gt 0 ]; do
        say "again: $name, whose leak checker broke"
    done
    ec_scenario_count "$2/$name" "$name" "$log" "$rc"
    took "$2/$name" $((SECONDS - begin))
}

# ec_scenario_once FILE LOG: in an empty folder and a process group of its own; sees that no process of it is left.
# Returns its exit code.
ec_scenario_once() {
    local file=$1 log=$2 pid rc
    EC_TMP=$(mktemp -d "${TMPDIR:-/tmp}/ecyber.XXXXXX") || die "no temporary folder"
    export EC_TMP
    (cd "$EC_TMP" && exec timeout -k 10 "${EC_SCENARIO_SECONDS:-300}" \
        ${EC_APART:+unshare --net sh -c 'ip link set lo up && exec "$0"'} "$EC_SCENARIO_FOLDER/$file") \
        </dev/null >"$log" 2>&1 &
    pid=$!
    EC_GROUP=$pid
    wait "$pid"
    rc=$?
    if ec_group_lingers "$pid"; then
        printf 'not ok - leaves processes behind\n' >>"$log"
        ec_group_list "$pid" >>"$log"
        kill -KILL -- "-$pid" 2>/dev/null
    fi
    EC_GROUP=
    rm -rf "$EC_TMP"
    return $rc
}

# What Ctrl-C has to end.
ec_scenario_kill() {
    [ -z "$EC_GROUP" ] || kill -KILL -- "-$EC_GROUP"
}

# timeout(1) leads the scenario's process group. A daemon that is just ending gets two seconds.
ec_group_lingers() {
    local tries=20
    while kill -0 -- "-$1" 2>/dev/null; do
        [ $((tries -= 1)) -gt 0 ] || return 0
        sleep 0.1
    done
    return 1
}

# The command lines of a process group, without ps (a minimal system has none).
ec_group_list() {
    local stat fields
    for stat in /proc/[0-9]*/stat; do
        fields=$(sed 's/.*) //' "$stat" 2>/dev/null) || continue
        # shellcheck disable=SC2086
        set -- "$1" $fields
        [ "${4:-}" != "$1" ] || tr '\0' ' ' <"${stat%stat}cmdline"
    done
    say ""
}

ec_scenario_count() {
    local label=$1 name=$2 log=$3 rc=$4 why
    if [ "$rc" = 77 ]; then
        why=$(sed -n 's/^SKIP: *//p' "$log" | tail -n 1)
        skip "$name" "${why:-no reason given}"
        return
    fi
    if ! ec_count_tap "$label" "$log"; then
        [ "$rc" != 0 ] || pass "$label"
    fi
    if [ "$rc" != 0 ]; then
        fail "$label" "exit code $rc"
    fi
    if [ "$rc" != 0 ] || grep -q '^not ok' "$log"; then
        grep -v '^ok ' "$log" | tail -n 40 | sed 's/^/      /'
    fi
}
