# sample.pcap: a few seconds of a small network: normal use and a few attacks between.

mix_browse()
{
    local i page
    for i in $(seq 1 12); do
        in_ns cli dig +tries=1 +time=1 @10.66.0.53 www.shop.test A www.shop.test AAAA
        for page in / /items.json "/files/long.txt?part=$i"; do
            in_ns cli curl -s -o /dev/null -r 0-4095 -A 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0' \
                -H 'Host: www.shop.test' "http://10.66.0.10$page" http://10.66.0.10/style.css
        done
        in_ns cli curl -s -k -o /dev/null --resolve www.shop.test:443:10.66.0.10 https://www.shop.test/
        sleep 0.3
    done
}

mix_work()
{
    local i
    for i in 1 2; do
        in_ns cli ssh -i "$tmp/sshd/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
            -o LogLevel=ERROR root@10.66.0.10 true
        in_ns cli curl -s -d "order=$i&item=lamp" http://10.66.0.10:8000/order
        in_ns cli dig +tries=1 +time=1 @10.66.0.53 shop.test MX mail.shop.test A
        in_ns cli ping -q -c 3 -i 0.3 10.66.0.11
    done
}

mix_attacks()
{
    sleep 1
    in_ns ext nmap -n -sS -p1-200 -T4 10.66.0.10
    attack_agents
    attack_traversal
    attack_sql
    attack_command
    attack_log4shell
    attack_webshell
    attack_reverse_shell
    in_ns cli dig +tries=1 +time=1 @10.66.0.53 beacon.c2.badhost.test A
    in_ns cli curl -s -k --resolve 'c2.badhost.test:443:10.66.0.10' https://c2.badhost.test/
    in_ns ext ping -q -c 3 -i 0.2 -p 65637962 10.66.0.10
}

mix_all()
{
    local jobs=() part
    for part in browse work attacks; do
        "mix_$part" &
        jobs+=($!)
    done
    wait "${jobs[@]}"
}

group_mix()
{
    . "$lib/group-attack.sh"
    start_nginx srv
    start_victim srv
    start_named
    start_sshd
    serve ext listener python3 "$lib/talkback.py" 4444 'id\n' 'uname -a\n' 'exit\n'
    wait_port ext -t 4444
    LISTEN='-i srv' record sample.pcap rtr \
        'browsing, names, TLS, SSH, ping, and a few attacks from outside' \
        'curl, dig, ssh, ping, nmap, nginx, named, sshd, victim.py' \
        1000001,1000002,1000003,1000004,1000005,1000006,1000008,1000009,1000010,1000011,1000012,1000013,1000014,1000015,1000016,1000017,1000030,1000040,1000061 \
        mix_all
}
