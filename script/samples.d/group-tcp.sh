# What TCP does besides carrying bytes in order.

tcp_get()
{
    in_ns cli curl -s -m 8 -o /dev/null "$@"
}

# Every ninth packet between client and server is lost in the router, each way.
tcp_loss()
{
    in_ns rtr iptables -A FORWARD -p tcp -m statistic --mode nth --every 9 --packet 4 -j DROP
    tcp_get http://10.66.0.10/files/random.bin
    in_ns rtr iptables -F FORWARD
}

tcp_reset()
{
    in_ns cli python3 "$lib/talk.py" --reset 10.66.0.10 80 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' ?
    in_ns cli python3 "$lib/talk.py" --reset 10.66.0.10 80 'GET / HT'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 81 x
}

tcp_half_open()
{
    in_ns ext hping3 -q -S -p 80 -c 5 -i u100000 10.66.0.10
    in_ns cli hping3 -q -A -p 80 -c 2 -i u100000 10.66.0.10
}

tcp_half_closed()
{
    in_ns cli sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | socat -t2 - TCP:10.66.0.10:80"
}

# Frames of 9000 bytes from end to end.
tcp_jumbo()
{
    set_mtu 9000
    tcp_get http://10.66.0.10/files/random.bin
    set_mtu 1500
}

set_mtu()
{
    local zone
    for zone in cli srv; do
        ip -n "$run-rtr" link set "$zone" mtu "$1"
        ip -n "$run-$zone" link set lan0 mtu "$1"
    done
}

# The server answers with reset: the router claims that the port is closed.
tcp_rejected()
{
    in_ns rtr iptables -A FORWARD -p tcp --dport 80 -j REJECT --reject-with tcp-reset
    tcp_get http://10.66.0.10/
    in_ns rtr iptables -F FORWARD
    in_ns rtr iptables -A FORWARD -p tcp --dport 80 -j REJECT --reject-with icmp-admin-prohibited
    tcp_get http://10.66.0.10/
    in_ns rtr iptables -F FORWARD
}

# Connections with odd options and flags, by hand.
tcp_options()
{
    in_ns ext hping3 -q -S -F -p 80 -c 2 -i u50000 10.66.0.10
    in_ns ext hping3 -q -S --tcp-mss 100 -p 80 -c 1 10.66.0.10
    in_ns ext hping3 -q -S -p 80 -d 100 -c 1 10.66.0.10
    in_ns ext hping3 -q -S -p 80 --tcp-timestamp -c 1 10.66.0.10
    in_ns ext hping3 -q -S -p 0 -c 1 10.66.0.10
    in_ns ext hping3 -q -S -p 80 -b -c 1 10.66.0.10
}

group_tcp()
{
    start_nginx srv
    serve srv window python3 "$lib/tcp-cases.py" server 9000
    wait_port srv -t 9000
    local self=tcp-cases.py

    record tcp-loss.pcap srv 'lost segments, retransmissions, SACK' 'curl, nginx, iptables' - tcp_loss
    record tcp-reset.pcap srv 'reset by the client, a closed port' 'talk.py, nginx' - tcp_reset
    record tcp-jumbo.pcap srv 'jumbo frames' 'curl, nginx' - tcp_jumbo
    record tcp-half-open.pcap srv 'SYN without the third step, ACK without a connection' \
        'hping3, nginx' - tcp_half_open
    record tcp-half-closed.pcap srv 'the client closes its side first' 'socat, nginx' - tcp_half_closed
    record tcp-rejected.pcap cli 'reset and ICMP from a router between' 'curl, iptables' - tcp_rejected
    record tcp-options.pcap srv 'SYN+FIN, data on SYN, tiny MSS, port 0, bad checksum' 'hping3' - \
        tcp_options
    record tcp-keepalive.pcap srv 'keepalive probes in an idle connection' "$self" - \
        in_ns cli python3 "$lib/tcp-cases.py" keepalive 10.66.0.10 9000
    record tcp-zero-window.pcap srv 'the reader stops: zero window and probes' "$self" - \
        in_ns cli python3 "$lib/tcp-cases.py" zero-window 10.66.0.10 9000
    record tcp-urgent.pcap srv 'urgent data in the middle' "$self" - \
        in_ns cli python3 "$lib/tcp-cases.py" urgent 10.66.0.10 9000
    record tcp-small-segments.pcap srv 'MSS of 88 bytes' "$self" - \
        in_ns cli python3 "$lib/tcp-cases.py" small-segments 10.66.0.10 9000
    record tcp-fast-open.pcap srv 'fast open, data on the second SYN' "$self" - tcp_fast_open
    record tcp-many.pcap srv '120 connections open at once' "$self" - \
        in_ns cli python3 "$lib/tcp-cases.py" many 10.66.0.10 9000
    record tcp-reused-ports.pcap srv 'the same four-tuple three times' "$self" - \
        in_ns cli python3 "$lib/tcp-cases.py" reuse 10.66.0.10 9000
    record tcp-simultaneous-close.pcap srv 'both sides close at once' "$self" - \
        in_ns cli python3 "$lib/tcp-cases.py" close-both 10.66.0.10 9000
}

tcp_fast_open()
{
    in_ns cli sysctl -qw net.ipv4.tcp_fastopen=3
    in_ns srv sysctl -qw net.ipv4.tcp_fastopen=3
    in_ns cli python3 "$lib/tcp-cases.py" fast-open 10.66.0.10 9000
    in_ns cli python3 "$lib/tcp-cases.py" fast-open 10.66.0.10 9000
}
