# ICMP, fragments and paths.

# The link to the servers takes 1280 bytes: the router says so to whoever sends more.
icmp_small_mtu()
{
    ip -n "$run-rtr" link set srv mtu 1280
    in_ns cli ping -q -c 2 -i 0.2 -W 1 -M "do" -s 1400 10.66.0.10
    in_ns cli ping -6 -q -c 2 -i 0.2 -W 1 -s 1400 fd66::10
    in_ns cli curl -s -m 4 -H "X-Long: $(head -c 4000 /dev/zero | tr '\0' x)" http://10.66.0.10/
    ip -n "$run-rtr" link set srv mtu 1500
}

icmp_unreachable()
{
    in_ns cli sh -c 'echo x | socat -T0.3 - UDP4:10.66.0.10:9; echo x | socat -T0.3 - UDP6:[fd66::10]:9'
    in_ns cli ping -q -c 1 -W 1 192.0.2.1
    in_ns cli ping -q -c 1 -t 1 -W 1 10.66.0.10
    in_ns cli ping -6 -q -c 1 -t 1 -W 1 fd66::10
}

icmp_types()
{
    in_ns ext hping3 -q --icmp --icmptype 13 -c 2 -i u100000 10.66.0.10
    in_ns ext hping3 -q --icmp --icmptype 17 -c 2 -i u100000 10.66.0.10
    in_ns ext hping3 -q --icmp --icmptype 8 --icmpcode 7 -c 1 10.66.0.10
    in_ns ext hping3 -q --icmp --icmptype 42 --force-icmp -c 1 10.66.0.10
    in_ns ext hping3 -q --icmp --icmptype 5 --icmpcode 1 -c 1 10.66.0.10
}

ip_odd_fragments()
{
    in_ns ext hping3 -q --udp -p 9 -d 600 -f -m 64 -c 3 -i u100000 10.66.0.10
    in_ns ext hping3 -q --udp -p 9 -d 100 -x -c 2 -i u100000 10.66.0.10
    in_ns ext hping3 -q --udp -p 9 -d 100 -g 64 -c 2 -i u100000 10.66.0.10
    in_ns ext hping3 -q -S -p 80 -x -g 8 -d 40 -c 2 -i u100000 10.66.0.10
}

udp_fragments()
{
    in_ns cli sh -c "head -c 4000 /dev/zero | tr '\0' x | socat -b 5000 -T0.5 - UDP4:10.66.0.10:7777"
    in_ns cli sh -c "head -c 4000 /dev/zero | tr '\0' x | socat -b 5000 -T0.5 - UDP6:[fd66::10]:7777"
}

group_icmp()
{
    start_nginx srv
    serve srv sink socat -u UDP6-RECVFROM:7777,fork,ipv6only=0 /dev/null
    wait_port srv -u 7777

    record icmp-ping.pcap srv 'echo' 'ping' - in_ns cli ping -q -c 5 -i 0.2 10.66.0.10
    record icmp-ping6.pcap srv 'echo and neighbour discovery, IPv6' 'ping -6' - icmp_ping6
    record icmp-canary.pcap srv "echo filled with the canary's text" 'ping -p' 1000080 \
        in_ns cli ping -q -c 2 -i 0.2 -s 64 -p 6563796265722d63616e61727920 10.66.0.10
    record icmp-large.pcap srv 'echo of 4000 bytes in three IPv4 fragments' 'ping -s' 1000063 \
        in_ns cli ping -q -c 3 -i 0.2 -s 4000 10.66.0.10
    record icmp-large6.pcap srv 'echo of 4000 bytes in three IPv6 fragments' 'ping -6 -s' 1000063 \
        in_ns cli ping -6 -q -c 3 -i 0.2 -s 4000 fd66::10
    record icmp-unreachable.pcap cli 'port and network unreachable, time exceeded, v4 and v6' \
        'socat, ping' - icmp_unreachable
    record icmp-mtu.pcap cli 'fragmentation needed, packet too big, a connection that adapts' \
        'ping, curl, nginx' 1000063 icmp_small_mtu
    record icmp-types.pcap srv 'timestamp, mask, redirect, unknown type and code' 'hping3' - icmp_types
    record icmp-traceroute.pcap cli 'UDP, ICMP and TCP traceroute' 'traceroute' - icmp_traceroute
    record ip-fragments-udp.pcap srv 'datagrams of 4000 bytes, v4 and v6' 'socat' - udp_fragments
    record ip-fragments-odd.pcap srv 'small, lonely and shifted fragments' 'hping3' - ip_odd_fragments
    record ip-record-route.pcap srv 'record route and timestamp options' 'ping -R -T' - ip_options
}

icmp_ping6()
{
    ip -n "$run-cli" -6 neigh flush dev lan0
    ip -n "$run-srv" -6 neigh flush dev lan0
    in_ns cli ping -6 -q -c 5 -i 0.2 fd66::10
    in_ns srv ping -6 -q -c 1 -I lan0 ff02::1
}

ip_options()
{
    in_ns cli ping -q -c 2 -i 0.2 -R 10.66.0.10
    in_ns cli ping -q -c 2 -i 0.2 -T tsandaddr 10.66.0.10
}

icmp_traceroute()
{
    in_ns cli traceroute -n -w 1 10.66.0.10
    in_ns cli traceroute -n -w 1 -I 10.66.0.10
    in_ns cli traceroute -n -w 1 -T -p 80 10.66.0.10
    in_ns cli traceroute -6 -n -w 1 fd66::10
}
