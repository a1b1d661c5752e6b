#!/usr/bin/env bash
# What alerts give as their reason stands in the capture, where they say: judged by a script that reads the capture and
# nothing else. And it is worth judging: most matches do have a place on the wire.
set -u
n=0 right=0
say() # RESULT WHAT
{
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' verdict; fi
}

replay() # CAPTURE
{
    rm -f eve.json
    "$ECYBERD" --workers 0 -r "$1" --set "eve.file=$EC_TMP/eve.json" --set "core.state_dir=$EC_TMP/state" >out 2>&1
}

for name in attack-agents attack-command attack-http-logins attack-log4shell attack-others attack-reverse-shell \
    attack-shellshock attack-sql attack-traversal attack-webshell dns-tcp dns-tunnel http-proxy icmp-canary link-qinq \
    link-vlan order-conflict order-doubled order-swapped plain-ftp plain-smtp-verify plain-tftp scan-http-enum ssh-guess \
    tls-badhost; do
    replay "$EC_DATA/$name.pcap" && python3 "$EC_SRC/tests/scenario/libevidence.py" "$EC_DATA/$name.pcap" eve.json >verdict 2>&1 &&
        grep -q '^[1-9]' verdict
    say $? "$name: $(tail -n 1 verdict)"
    right=$((right + $(sed -n 's/^\([0-9]*\) right.*/\1/p' verdict)))
done
[ $right -ge 70 ]
say $? "$right matches were found again"

# The judge is not blind: evidence that is moved by one byte is refused.
replay "$EC_DATA/attack-traversal.pcap"
sed 's/"direction":"to_server","offset":\([0-9]*\)/"direction":"to_server","offset":1\1/' eve.json >moved.json
! python3 "$EC_SRC/tests/scenario/libevidence.py" "$EC_DATA/attack-traversal.pcap" moved.json >verdict 2>&1
say $? "moved evidence is refused"

# Secrets leave with no alert: not in the match, not in the packet.
replay "$EC_DATA/attack-others.pcap"
python3 - >verdict 2>&1 <<'P'
import base64, json
masked = 0
for line in open("eve.json", encoding="utf-8"):
    event = json.loads(line)
    if event["event_type"] != "alert":
        continue
    why = event["ecyber"]["why"]
    masked += sum(m.get("masked", False) for m in why["matches"])
    packet = base64.b64decode(why["packet"].get("data", ""))
    at = packet.find(b"Cookie: ")
    assert at < 0 or set(packet[at + 8:packet.find(b"\r\n", at)]) == {ord("*")}, packet
    assert all(set(m["printable"]) == {"*"} for m in why["matches"] if m["buffer"] == "http.cookie")
assert masked, "no match was masked"
P
say $? "a cookie is masked in the evidence and in the packet"

# Nor do passwords, whichever way a rule finds them: in the stream, in one packet, in the headers; nor by an alert on
# something else in that packet.
cat >secret.rules <<'R'
alert tcp any any -> any any (msg:"in the stream"; content:"Authorization|3a|"; pcre:"/Basic \S+/R"; sid:1;)
alert tcp-pkt any any -> any any (msg:"in the packet"; content:"Authorization"; content:"Basic "; distance:2; sid:2;)
alert http any any -> any any (msg:"in a buffer"; http.header; content:"Authorization"; pcre:"/Basic \S+/R"; sid:3;)
alert http any any -> any any (msg:"beside it"; http.method; content:"GET"; sid:4;)
R
"$ECYBERD" --workers 0 -r "$EC_DATA/http-basic-auth.pcap" --set "ids.rule_files=[$EC_TMP/secret.rules]" \
    --set "eve.file=$EC_TMP/secret.json" --set "core.state_dir=$EC_TMP/state" >out 2>&1
python3 - "$EC_DATA/http-basic-auth.pcap" >verdict 2>&1 <<'P'
import base64, json, re, sys
secrets = re.findall(rb"Authorization: (Basic \S+)", open(sys.argv[1], "rb").read())
assert len(secrets) == 2, secrets
seen = {}
for line in open("secret.json", encoding="utf-8"):
    event = json.loads(line)
    if event["event_type"] != "alert":
        continue
    why, sid = event["ecyber"]["why"], event["alert"]["signature_id"]
    shown = base64.b64decode(why["packet"]["data"]) + b"".join(bytes.fromhex(m["bytes"]) for m in why["matches"])
    assert b"Host: " in shown, "the rest of the packet stands"
    for secret in secrets:
        for n in range(8, len(secret)):
            assert secret[n - 8:n] not in shown, (sid, secret, shown)
    seen[sid] = seen.get(sid, 0) + any(m.get("masked", False) for m in why["matches"])
assert seen == {1: 2, 2: 2, 3: 2, 4: 0}, seen
P
say $? "a password is masked, whichever rule finds it"
