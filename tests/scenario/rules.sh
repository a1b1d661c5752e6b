#!/usr/bin/env bash
# Rules and the daemon: where they come from, what -T says of broken ones, what a run does without them.
set -u
n=0
ok() # RESULT WHAT
{
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' out; fi
}

check() # EXIT TEXT WHAT OPTION…: ecyberd -T with these --set
{
    local want=$1 text=$2 what=$3 args=()
    shift 3
    for o in "$@"; do args+=(--set "$o"); done
    "$ECYBERD" -T "${args[@]}" >out 2>&1
    [ $? = "$want" ] && grep -qF -- "$text" out
    ok $? "$what"
}

mkdir -p dir
h='alert tcp any any -> any any'
echo "$h (content:\"GET\"; sid:1;)" >good.rules
echo "$h (content:\"HTTP\"; sid:2;)" >dir/two.rules
printf '%s\n%s\n' "$h (sid:3;)" "$h (content:\"|4|\"; sid:4;)" >broken.rules
echo "$h (byte_wonder:1; sid:5;)" >unknown.rules
echo "include good.rules" >including.rules
echo "config classification: x" >bad.config

check 0 "configuration is fine" "the installed rules are fine"
check 0 "1 rules of 1 files are in use" "a file" "ids.rule_files=[$EC_TMP/good.rules]"
check 0 "2 rules of 2 files are in use" "a file and a folder" "ids.rule_files=[$EC_TMP/good.rules]" "ids.rules_dir=$EC_TMP/dir"
check 0 "1 rules of 1 files are in use" "a pattern" "ids.rule_files=['$EC_TMP/g*.rules']"
check 0 "1 rules of 2 files are in use" "an include" "ids.rule_files=[$EC_TMP/including.rules]"
check 6 "$EC_TMP/none.rules: No such file or directory" "a missing file" "ids.rule_files=[$EC_TMP/none.rules]"
check 6 "no file matches $EC_TMP/z*.rules" "a pattern for nothing" "ids.rule_files=['$EC_TMP/z*.rules']"
check 6 "$EC_TMP/nodir is no folder" "a missing folder" "ids.rules_dir=$EC_TMP/nodir"
check 6 "$EC_TMP/broken.rules:2:42: sid 4: an odd number of hexadecimal digits" "a broken rule has its place" \
    "ids.rule_files=[$EC_TMP/broken.rules]"
check 6 "bad.config:1:1: " "a broken class" "ids.rule_files=[$EC_TMP/good.rules]" "ids.classification_file=$EC_TMP/bad.config"
check 6 "ids.vars: HOME_NET: the prefix length of '10.0.0.0/99' is out of range" "a broken variable" \
    "ids.vars={HOME_NET: 10.0.0.0/99}"
check 0 "1 rule left out for 'byte_wonder': $EC_TMP/unknown.rules:1:31: sid 5: 'byte_wonder' is neither" \
    "an unknown keyword leaves its rule out and is named" "ids.rule_files=[$EC_TMP/unknown.rules]"

printf 'ids:\n  rule_files:\n    - good.rules\n    - none.rules\n' >conf.yaml
"$ECYBERD" -T -c conf.yaml >out 2>&1
[ $? = 6 ] && grep -q "conf.yaml:4:7: .*none.rules: No such file" out
ok $? "a missing file has its place in the configuration, and is looked for beside it"

run() # OPTION…
{
    local args=()
    for o in "$@"; do args+=(--set "$o"); done
    rm -f eve.json
    "$ECYBERD" --workers 0 -r "$EC_DATA/http-get.pcap" --set "eve.file=$EC_TMP/eve.json" --set "core.state_dir=$EC_TMP/s" \
        "${args[@]}" >out 2>&1
}
run "ids.rule_files=[$EC_TMP/broken.rules,$EC_TMP/good.rules]" && grep -q '"signature_id":1,' eve.json && grep -q '"signature_id":3,' eve.json
ok $? "a run goes on without the broken rule"
run "ids.rule_files=[$EC_TMP/broken.rules]" ids.strict=true
[ $? = 6 ]
ok $? "ids.strict stops it"
"$ECYBERD" --list-keywords >out 2>&1 && grep -q "^content	supported" out && grep -q "^http.uri	buffer" out
ok $? "--list-keywords names keywords and buffers"
