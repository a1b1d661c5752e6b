# Counting: sourced after lib.sh by the scripts that test. Each result is one line of a file, so that
# functions in pipes and subshells can add to it.
# shellcheck shell=bash

ec_results_open() {
    EC_RESULTS=$(mktemp) || die "no temporary file"
    EC_STARTED=$SECONDS
}

pass() { printf 'pass\t%s\n' "$1" >>"$EC_RESULTS"; }
fail() {
    printf 'fail\t%s\n' "$1" >>"$EC_RESULTS"
    say "FAIL  $1${2:+: $2}"
}

# took NAME SECONDS: for the list of the slowest.
took() { printf 'took\t%s\t%s\n' "$2" "$1" >>"$EC_RESULTS"; }

# skip NAME WHY: allowed only for the names in tests/skips.list.
skip() {
    if grep -q "^$1:" "$EC_TOP/tests/skips.list"; then
        printf 'skip\t%s\n' "$1" >>"$EC_RESULTS"
        say "SKIP  $1: $2"
    else
        fail "$1" "skipped ($2), but tests/skips.list does not allow it"
    fi
}

# ec_check NAME COMMAND…: one test; its output is kept in build/log and shown when it fails.
ec_check() {
    local name=$1 log
    shift
    log=$EC_TOP/build/log/$(printf '%s' "$name" | tr -c 'A-Za-z0-9._\n-' _).log
    mkdir -p "$EC_TOP/build/log"
    if "$@" >"$log" 2>&1; then
        pass "$name"
    else
        local rc=$?
        fail "$name" "exit code $rc"
        tail -n 40 "$log" | sed 's/^/      /'
        return $rc
    fi
}

# ec_count_tap LABEL/NAME FILE: takes over each 'ok', 'not ok', '# SKIP' line; tests/skips.list allows skips
# by NAME. Returns 1 when there is no such line.
ec_count_tap() {
    local line what seen=1
    while IFS= read -r line; do
        what=${line#*ok }
        what=${what#*- }
        case $line in
        "ok "*"# SKIP"* | "ok "*"# skip"*) skip "${1##*/}" "${what%% # *}:${line##*# [sS][kK][iI][pP]}" ;;
        "ok "*) pass "$1 $what" ;;
        "not ok "*) fail "$1 $what" ;;
        *) continue ;;
        esac
        seen=0
    done <"$2"
    return $seen
}

ec_phase() {
    say ""
    say "== $* ($((SECONDS - EC_STARTED)) s)"
}

# The closing line, and the exit code.
ec_results_close() {
    local passed failed skipped
    passed=$(grep -c '^pass' "$EC_RESULTS")
    failed=$(grep -c '^fail' "$EC_RESULTS")
    skipped=$(grep -c '^skip' "$EC_RESULTS")
    say ""
    if [ "$failed" != 0 ]; then
        say "Failed:"
        sed -n 's/^fail\t/  /p' "$EC_RESULTS"
    fi
    sed -n 's/^took\t//p' "$EC_RESULTS" | sort -rn | awk '$1 > 20 && NR <= 10 { print "  " $1 " s: " $2 }'
    say "$((SECONDS - EC_STARTED)) s"
    rm -f "$EC_RESULTS"
    [ "$((passed + failed))" != 0 ] || failed=1
    say "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}
