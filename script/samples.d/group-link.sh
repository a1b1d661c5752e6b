# Link types, tunnels, orders of packets and forms of files. Where the kernel has no such device,
# rewrite.py makes the capture out of attack-command.pcap: the same rules must fire through it.

link_real()
{
    local base=1000003,1000004,1000011,1000013
    LISTEN='-i any -y LINUX_SLL' record link-cooked.pcap srv 'Linux cooked, version 1' \
        'curl, victim.py, tcpdump -i any' $base attack_command
    LISTEN='-i any -y LINUX_SLL2' record link-cooked2.pcap srv 'Linux cooked, version 2' \
        'curl, victim.py, tcpdump -i any' $base attack_command
    LISTEN='-i lo' record link-loopback.pcap srv "Linux's loopback" 'curl, victim.py' - \
        in_ns srv curl -s http://127.0.0.1:8000/
    in_ns srv iptables -A INPUT -p tcp -j NFLOG --nflog-group 5
    in_ns srv iptables -A OUTPUT -p tcp -j NFLOG --nflog-group 5
    LISTEN='-i nflog:5' record link-nflog.pcap srv "packets of netfilter's log" \
        'curl, victim.py, tcpdump -i nflog' '*' attack_command
    in_ns srv iptables -F
}

link_vxlan()
{
    ip -n "$run-cli" link add vx0 type vxlan id 77 dstport 4789 remote 10.66.0.10 local 10.66.1.100
    ip -n "$run-srv" link add vx0 type vxlan id 77 dstport 4789 remote 10.66.1.100 local 10.66.0.10
    ip -n "$run-cli" addr add 192.168.77.2/24 dev vx0
    ip -n "$run-srv" addr add 192.168.77.1/24 dev vx0
    ip -n "$run-cli" link set vx0 up
    ip -n "$run-srv" link set vx0 up
    no_offload cli vx0
    no_offload srv vx0
    record tunnel-vxlan.pcap srv 'HTTP in Ethernet in VXLAN' 'curl, victim.py, the kernel' '*' \
        in_ns cli curl -s "http://192.168.77.1:8000/ping?host=127.0.0.1;id"
    ip -n "$run-cli" link del vx0
    ip -n "$run-srv" link del vx0
}

link_two_interfaces()
{
    local pid
    printf '   file-two-interfaces.pcapng\n'
    ip netns exec "$run-rtr" dumpcap -q -i ext -i srv -w "$tmp/two" 2>"$tmp/dumpcap.log" &
    pid=$!
    wait_for 'dumpcap did not start' grep -q '^File:' "$tmp/dumpcap.log"
    sleep 0.5
    from_outside "$victim/search?q=two" >/dev/null
    sleep 1
    kill -TERM "$pid"
    wait "$pid" || true
    rewrite bare_pcapng "$tmp/two" "$tmp/bare"
    keep "$tmp/bare" file-two-interfaces.pcapng 'pcapng of two interfaces: the same connection twice' \
        'curl, victim.py, dumpcap' -
}

link_made()
{
    local base=1000003,1000004,1000011,1000013 from=attack-command.pcap by='rewrite.py'
    derive link-vlan.pcap $from 'VLAN 10' $by $base rewrite vlan:10
    derive link-qinq.pcap $from 'QinQ (802.1ad) 100, 20' $by $base rewrite qinq:100,20
    derive link-vlan3.pcap $from 'three VLAN tags' $by '*' rewrite vlan3
    derive link-raw.pcap $from 'raw IP' $by $base rewrite raw
    derive link-raw6.pcap http-ipv6.pcap 'raw IP, IPv6' $by - rewrite raw
    derive link-null.pcap $from "BSD's loopback (host order)" $by $base rewrite null
    derive link-loop.pcap $from "OpenBSD's loopback (network order)" $by $base rewrite loop
    derive link-pppoe.pcap $from 'PPPoE sessions' $by '*' rewrite pppoe
    derive link-mpls.pcap $from 'two MPLS labels' $by '*' rewrite mpls
    derive tunnel-gre.pcap $from 'GRE in IPv4' $by '*' rewrite gre
    derive tunnel-ipip.pcap $from 'IPv4 in IPv4' $by '*' rewrite ipip
    derive tunnel-6in4.pcap http-ipv6.pcap 'IPv6 in IPv4' $by '*' rewrite ipip
    derive order-swapped.pcap $from 'each second data segment before the one ahead of it' $by $base \
        rewrite swapped
    derive order-doubled.pcap $from 'every packet twice' $by $base rewrite doubled
    derive order-conflict.pcap $from 'every data segment again with other bytes' $by $base rewrite conflict
    derive order-holes.pcap http-upload.pcap 'each fifth data segment was never seen' $by '*' rewrite holes:5
    derive order-midstream.pcap http-keepalive.pcap 'begins in the middle of a connection' $by '*' \
        rewrite later:20
    derive order-one-way.pcap $from 'only what the client sent' $by '*' rewrite one_way
    derive order-clock-back.pcap http-get.pcap 'the clock goes back an hour' $by '*' rewrite back_in_time
    derive checksum-bad.pcap $from 'all TCP checksums are wrong' $by '*' rewrite bad_checksums
}

link_files()
{
    local base=1000003,1000004,1000011,1000013 from=attack-command.pcap
    derive file-big-endian.pcap $from 'pcap in big-endian' rewrite.py $base rewrite big_endian
    derive file-cut.pcap $from 'the last packet is cut: 20 bytes are missing' rewrite.py '*' \
        rewrite cut_tail:20
    derive file-stub.pcap $from 'only half of the file header' rewrite.py '*' rewrite first_bytes:12
    derive file-zero.pcap $from 'no bytes at all' rewrite.py '*' rewrite first_bytes:0
    derive file-gzip.pcap.gz $from 'compressed with gzip' rewrite.py '*' rewrite gzipped
    derive file-pcapng.pcapng $from 'pcapng, microseconds' editcap $base editcap -F pcapng
    derive file-nanosecond.pcapng http-nanosecond.pcap 'pcapng, nanoseconds' editcap - editcap -F pcapng
    derive file-mixed.pcapng $from 'pcapng: two sections of both byte orders, two link types, odd units, simple and unknown blocks' \
        rewrite.py '*' rewrite mixed_pcapng
    derive file-other-linktype.pcap $from 'a link type that nobody decodes (USER0)' editcap '*' \
        editcap -F pcap -T user0
    FILTER='tcp port 1' record file-empty.pcap srv 'no packets' tcpdump - true
}

group_link()
{
    . "$lib/group-attack.sh"
    start_victim srv
    link_real
    link_vxlan
    link_two_interfaces
    link_made
    link_files
}
