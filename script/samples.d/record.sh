# Recording one capture and its line of the manifest.

# record FILE ZONE WHAT BY EXPECT COMMAND...: COMMAND runs while tcpdump listens in ZONE.
# EXPECT: the sids of etc/rules/ecyber.rules that fire, '-' for none, '*' where that depends on
# choices of the engine (tunnels, streams without a beginning).
# LISTEN adds tcpdump options (the interface is lan0 unless it has -i), FILTER is a BPF filter.
record()
{
    local file=$1 zone=$2 what=$3 by=$4 expect=$5 pid
    shift 5
    local options=(-U -w "$tmp/cap" -Z root --immediate-mode ${LISTEN:-})
    if [[ " ${LISTEN:-}" != *" -i "* ]]; then options+=(-i lan0); fi
    printf '   %s\n' "$file"
    rm -f "$tmp/cap"
    : >"$tmp/tcpdump.log"
    ip netns exec "$run-$zone" tcpdump "${options[@]}" ${FILTER:-} 2>"$tmp/tcpdump.log" &
    pid=$!
    wait_for "tcpdump did not start" grep -q 'listening on' "$tmp/tcpdump.log"
    "$@" >"$tmp/command.log" 2>&1 || true
    sleep "${LINGER:-0.3}"
    kill -INT "$pid"
    wait "$pid" || true
    if ! grep -q '^0 packets dropped by kernel' "$tmp/tcpdump.log"; then
        echo "record-samples: $file: tcpdump lost packets, record it again" >&2
    fi
    keep "$tmp/cap" "$file" "$what" "$by" "$expect"
}

# derive FILE FROM WHAT BY EXPECT COMMAND...: COMMAND IN OUT makes FILE out of the capture FROM.
derive()
{
    local file=$1 from=$2 what=$3 by=$4 expect=$5
    shift 5
    printf '   %s\n' "$file"
    "$@" "$out/$from" "$tmp/derived"
    keep "$tmp/derived" "$file" "$what" "$by" "$expect"
}

rewrite()
{
    python3 "$lib/rewrite.py" "$@"
}

# keep PATH FILE WHAT BY EXPECT
keep()
{
    mv "$1" "$out/$2"
    chmod 644 "$out/$2"
    mkdir -p "$tmp/rows"
    printf '%s\t%s\t%s\t%s\t%s\n' "$2" "$(rewrite linktype "$out/$2")" "$3" "$4" "$5" \
        >"$tmp/rows/$2"
}

# Rows of captures that were not recorded this time stay as they are.
write_manifest()
{
    local manifest=$out/MANIFEST.tsv file rest
    [ -e "$manifest" ] || : >"$manifest"
    {
        while IFS=$'\t' read -r file rest; do
            if [[ $file == '#'* ]] || [ -e "$tmp/rows/$file" ] || [ ! -e "$out/$file" ]; then
                continue
            fi
            printf '%s\t%s\n' "$file" "$rest"
        done <"$manifest"
        cat "$tmp"/rows/*
    } | LC_ALL=C sort >"$tmp/manifest"
    {
        printf '# written by script/record-samples; expect: the sids of etc/rules/ecyber.rules that fire,\n'
        printf "# '-' for none, '*' where that depends on choices of the engine\n"
        printf '#file\tlink\tshows\tmade by\texpect\n'
        cat "$tmp/manifest"
    } >"$manifest"
}

# wait_for SENTENCE COMMAND...: until COMMAND succeeds, at most 10 s.
wait_for()
{
    local sentence=$1 i
    shift
    for ((i = 0; i < 200; i++)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    echo "record-samples: $sentence" >&2
    tail -n 3 "$tmp"/*.log >&2
    exit 1
}
