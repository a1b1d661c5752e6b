#!/usr/bin/env bash
# Each capture of tests/data fires exactly the rules that MANIFEST.tsv expects of it: no other, none less. Alerts
# of models (gid 3) are the matter of ml.py. Only the plugins run that alerts come from: all of them replay the same
# captures elsewhere.
set -u
n=0
while IFS=$'\t' read -r file _ _ _ expect; do
    case $file in '#'*) continue ;; esac
    case $expect in '*') continue ;; -) expect= ;; esac
    n=$((n + 1))
    rm -f eve.json
    "$ECYBERD" --workers 0 -r "$EC_DATA/$file" --set "eve.file=$EC_TMP/eve.json" --set "core.state_dir=$EC_TMP/state" \
        --set "eve.types=[alert]" --set "core.plugins=[capture, traffic, ids, eve]" >out 2>&1
    rc=$?
    touch eve.json
    got=$(sed -n '/"gid":3,/d; s/.*"event_type":"alert".*"signature_id":\([0-9]*\).*/\1/p' eve.json | sort -nu | paste -sd,)
    want=$(echo "$expect" | tr , '\n' | sort -nu | sed '/^$/d' | paste -sd,)
    if [ $rc = 0 ] && [ "$got" = "$want" ]; then
        echo "ok $n - $file: ${want:-nothing}"
    else
        echo "not ok $n - $file: exit $rc, expected ${want:-nothing}, got ${got:-nothing}"
        sed 's/^/# /' out
    fi
done <"$EC_DATA/MANIFEST.tsv"
[ $n -gt 100 ] || echo "not ok $((n + 1)) - only $n captures were tried"
