# What hosts of one link say to each other.

lan_arp()
{
    ip -n "$run-cli" neigh flush dev lan0
    ip -n "$run-rtr" neigh flush dev cli
    in_ns cli ping -q -c 1 10.66.1.1
    in_ns cli busybox arping -c 2 -w 2 -I lan0 10.66.1.1
    in_ns cli busybox arping -U -c 2 -w 2 -I lan0 10.66.1.100
    in_ns cli ping -q -c 1 -W 1 10.66.1.200
}

# The lease is taken and given back; the interface keeps the addresses it has.
lan_dhcp()
{
    in_ns cli busybox udhcpc -f -n -q -R -t 2 -T 1 -i lan0 -s /bin/true -x hostname:desk
    in_ns cli busybox udhcpc -f -n -q -t 2 -T 1 -i lan0 -s /bin/true -r 10.66.1.222
}

lan_mdns()
{
    in_ns cli dig +tries=1 +time=1 -p 5353 @224.0.0.251 desk.local A
    in_ns cli dig +tries=1 +time=1 -p 5353 @224.0.0.251 _http._tcp.local PTR
    in_ns cli dig +tries=1 +time=1 -p 5353 @ff02::fb%lan0 desk.local AAAA
}

lan_stp()
{
    ip -n "$run-rtr" link add bridge type bridge stp_state 1 hello_time 100
    ip -n "$run-rtr" link set stp0 master bridge
    ip -n "$run-rtr" link set stp0 up
    ip -n "$run-rtr" link set bridge up
    sleep 3
    ip -n "$run-rtr" link del bridge
}

lan_syslog()
{
    local to='logger -n 10.66.0.10 -P 514 -d -t door'
    in_ns cli unshare -u sh -c "hostname desk; $to 'opened by joe'; $to --rfc3164 closed"
}

group_lan()
{
    serve rtr dhcp dnsmasq -k -C /dev/null -p 0 -i cli --bind-interfaces -u nobody \
        --dhcp-range=10.66.1.210,10.66.1.230,1h --dhcp-leasefile="$tmp/leases" --dhcp-authoritative --no-ping \
        --log-facility=-
    wait_port rtr -u 67
    serve srv syslog socat -u UDP4-RECV:514 /dev/null
    wait_port srv -u 514

    FILTER=arp record lan-arp.pcap cli 'ARP requests, answers, announcements' 'ping, busybox arping' - lan_arp
    record lan-dhcp.pcap cli 'a lease, its release, a wish for another address' \
        'busybox udhcpc, dnsmasq' - lan_dhcp
    FILTER='port 5353' record lan-mdns.pcap cli 'multicast DNS questions, v4 and v6' 'dig' - lan_mdns
    record lan-syslog.pcap srv 'syslog over UDP' 'logger' - lan_syslog
    record_stp
}

# The interface must exist before tcpdump listens on it.
record_stp()
{
    ip -n "$run-rtr" link add stp0 type veth peer name stp1
    ip -n "$run-rtr" link set stp1 up
    LISTEN='-i stp1' FILTER=stp record lan-stp.pcap rtr 'spanning tree, LLC instead of an EtherType' \
        "the kernel's bridge" - lan_stp
    ip -n "$run-rtr" link del stp0
}
