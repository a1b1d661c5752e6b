# The parts that script/test and script/test-long are made of: sourced after the other libraries.
# shellcheck shell=bash

# ec_make_check BUILD LABEL [make arguments]: `make check`, each TAP case counted by its own name.
ec_make_check() {
    local dir=$EC_TOP/build/$1 label=$2 log rc result name
    shift 2
    log=$dir/check.log
    make -k -C "$dir" -j"$EC_JOBS" check "$@" >"$log" 2>&1
    rc=$?
    while IFS=' ' read -r result name; do
        name=${name//"$EC_TOP/"/}
        case $result in
        PASS: | XFAIL:) pass "$label $name" ;;
        SKIP:) skip "${name##*/}" "see ${log#"$EC_TOP"/}" ;;
        FAIL: | ERROR: | XPASS:) fail "$label $name" ;;
        esac
    done < <(grep -E '^(PASS|XFAIL|SKIP|FAIL|ERROR|XPASS): ' "$log")
    [ $rc = 0 ] && grep -q '^PASS: ' "$log" && return 0
    fail "$label make check" "exit code $rc"
    grep -vE '^(PASS|SKIP|  CC|  CCLD|make)' "$log" | tail -n 60 | sed 's/^/      /'
}

# ec_scenarios BUILD LABEL [NAME…]: installs BUILD and runs all scenarios, or those named.
ec_scenarios() {
    local name=$1 label=$2
    shift 2
    if ! ec_install "$name"; then
        fail "$label install"
        return
    fi
    ec_scenario_env "$EC_TOP/build/$name"
    ec_scenarios_run "$label" "$@"
}

# ec_replay BUILD LABEL FOLDER: replays every capture below FOLDER through all plugins at their
# defaults, in one thread. A capture may be refused with a sentence (exit code 1) only where the file
# itself is what is broken: names that begin with file-, or everywhere with EC_REPLAY_MAY_REFUSE=yes.
# A sanitizer's finding is exit code 66.
ec_replay() {
    local label=$2 folder=$3 file
    ec_scenario_env "$EC_TOP/build/$1"
    while IFS= read -r file; do
        ec_slot
        ec_replay_one "$label ${file#"$folder"/}" "$file" &
    done < <(find "$folder" -type f \( -name '*.pcap*' -o -name '*.cap' \) | sort)
    wait
}

ec_replay_one() {
    local name=$1 file=$2 may=${EC_REPLAY_MAY_REFUSE:-} tmp rc tries=3
    tmp=$(mktemp -d "${TMPDIR:-/tmp}/ecyber.XXXXXX") || die "no temporary folder"
    while
        (cd "$tmp" && exec timeout -k 5 "${EC_REPLAY_SECONDS:-120}" "$ECYBERD" -r "$file" --workers 0 \
            --set "core.state_dir=$tmp") </dev/null >"$tmp/log" 2>&1
        rc=$?
        ec_tool_failed "$tmp/log" && [ $((tries -= 1)) -gt 0 ]
    do
        say "again: $name, whose leak checker broke"
    done
    case ${file##*/} in file-*) may=yes ;; esac
    if [ $rc = 0 ] || { [ $rc = 1 ] && [ "$may" = yes ] && [ -s "$tmp/log" ]; }; then
        pass "$name"
    else
        fail "$name" "exit code $rc"
        tail -n 40 "$tmp/log" | sed 's/^/      /'
    fi
    rm -rf "$tmp"
}

# ec_fuzz_build: the fuzz targets, with clang in build/fuzz, and nothing else.
ec_fuzz_build() {
    EC_MAKE_TARGET=fuzz-build ec_build fuzz --enable-werror --enable-fuzzing CC=clang && return
    fail "fuzz build"
    return 1
}

# ec_fuzz_targets BUILD: the targets that were built, without the folder.
ec_fuzz_targets() {
    make -s -C "$EC_TOP/build/$1" fuzz-targets
}

# ec_fuzz BUILD TARGET SECONDS [NEW-CORPUS-FOLDER]: replays the corpus, then fuzzes on from it.
ec_fuzz() {
    local dir=$EC_TOP/build/$1 target=$2 seconds=$3 found=${4:-} name=${2#fuzz_} corpus dict=
    corpus=$EC_TOP/tests/fuzz/corpus/$name
    [ ! -f "$corpus.dict" ] || dict=-dict=$corpus.dict
    ec_check "fuzz $name: corpus" ec_fuzz_replay "$dir/tests/fuzz/$target" "$corpus" || return 0
    if [ -z "$found" ]; then
        found=$dir/fuzz-$name
        rm -rf "$found"
    fi
    mkdir -p "$found"
    ec_check "fuzz $name: $seconds s" nice "$dir/tests/fuzz/$target" $dict -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$dir/crash-$name-" "$found" "$corpus"
}

ec_fuzz_replay() {
    [ -n "$(find "$2" -type f 2>/dev/null | head -n 1)" ] || { say "no corpus: $2"; return 1; }
    "$1" -runs=0 -timeout=10 "$2"
}

# ec_main PHASE… -- ARGUMENT…: runs the functions phase_NAME that the arguments name, or all of them, and
# ends the script with the closing line and its exit code.
ec_main() {
    local known="" phase
    while [ "$1" != -- ]; do
        known="$known $1"
        shift
    done
    shift
    # shellcheck disable=SC2086
    [ $# != 0 ] || set -- $known
    for phase; do
        case "$known " in
        *" $phase "*) ;;
        *) sed -n '2,/^set -u/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
        esac
    done
    ec_require test
    trap 'ec_scenario_kill; kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
    ec_results_open
    for phase; do
        "phase_$phase"
    done
    ec_results_close
    exit
}
