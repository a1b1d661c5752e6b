# DNS between dig, dnsperf or nmap and named.

ask()
{
    in_ns cli dig +tries=1 +time=1 @10.66.0.53 "$@"
}

dns_types()
{
    local query
    for query in 'www.shop.test A' 'www.shop.test AAAA' 'shop.test MX' 'shop.test TXT' \
        '_http._tcp.shop.test SRV' 'shop.test SOA' 'shop.test NS' 'shop.test CAA' \
        'host.shop.test HINFO' 'naptr.shop.test NAPTR' 'sshfp.shop.test SSHFP' \
        'WwW.ShOp.TeSt A' 'any.wild.shop.test A'; do
        ask $query
    done
    ask -x 10.66.0.10
    ask -x 10.66.0.99
}

dns_any_nsid()
{
    ask shop.test ANY +notcp
    ask shop.test ANY +nsid +subnet=192.0.2.0/24 +cookie=0011223344556677
}

dns_errors()
{
    ask nothere.shop.test A
    ask www.elsewhere.example A
    ask www.shop.test MX
    ask a.sub.shop.test A
    ask +opcode=status www.shop.test
    ask +opcode=notify shop.test SOA
}

dns_edns()
{
    ask +noedns www.shop.test
    ask +bufsize=4096 +dnssec big.shop.test TXT
    ask +ednsopt=65001:aabbccdd www.shop.test
    ask +edns=7 +noednsneg www.shop.test
}

dns_long()
{
    local label
    label=$(printf 'x%.0s' $(seq 1 49))
    ask label.with.many.parts.in.one.long.name.that.goes.on.and.on.to.the.end.of.what.is.allowed.shop.test
    ask "$label.$label.$label.$label.shop.test"
    ask '\000\001\255.shop.test'
    ask 'a\.b.shop.test'
    ask 'sp\032ace.shop.test'
}

dns_tcp()
{
    ask +tcp +keepopen www.shop.test A shop.test MX shop.test TXT many.shop.test A
    ask +tcp shop.test AXFR
}

dns_tunnel()
{
    local i
    for i in $(seq 1 25); do
        ask "$(printf '%s%055d' "$i" "$i" | md5sum | cut -c1-30)$(printf '%s' "$i" | md5sum | cut -c1-28).t.shop.test" TXT
    done
}

dns_broken()
{
    printf 'short' | in_ns cli socat -T0.2 - UDP4:10.66.0.53:53
    # a pointer to itself, a count of 65535, a label that runs over the end
    printf '\1\2\1\0\0\1\0\0\0\0\0\0\300\14\0\1\0\1' | in_ns cli socat -T0.2 - UDP4:10.66.0.53:53
    printf '\1\3\1\0\377\377\0\0\0\0\0\0\1a\0\0\1\0\1' | in_ns cli socat -T0.2 - UDP4:10.66.0.53:53
    printf '\1\4\1\0\0\1\0\0\0\0\0\0\77abc' | in_ns cli socat -T0.2 - UDP4:10.66.0.53:53
    printf '\377\377\1\4\1\0\0\1\0\0\0\0\0\0\77abc' | in_ns cli socat -T0.2 - TCP4:10.66.0.53:53
}

dns_no_server()
{
    in_ns cli dig +tries=2 +time=1 @10.66.0.14 www.shop.test
}

group_dns()
{
    start_named
    record dns-types.pcap cli 'A AAAA MX TXT SRV SOA NS CAA HINFO NAPTR SSHFP PTR, mixed case' \
        'dig, named' - dns_types
    record dns-any.pcap cli 'ANY, NSID, client subnet, cookie' 'dig, named' - dns_any_nsid
    record dns-cname.pcap cli 'a chain of three CNAME' 'dig, named' - ask web.shop.test
    record dns-errors.pcap cli 'NXDOMAIN, REFUSED, no data, referral, other opcodes' 'dig, named' - \
        dns_errors
    record dns-edns.pcap cli 'without EDNS, with 4096 bytes and DO, unknown option, BADVERS' \
        'dig, named' - dns_edns
    record dns-truncated.pcap cli 'TC over UDP, whole over TCP' 'dig, named' - \
        ask +noedns many.shop.test
    record dns-long-names.pcap cli 'names of 95 and 210 bytes, odd bytes in labels' 'dig, named' - dns_long
    record dns-tcp.pcap cli 'four queries in one TCP connection, AXFR' 'dig, named' 1000034 dns_tcp
    record dns-ipv6.pcap cli 'queries over IPv6, UDP and TCP' 'dig, named' - \
        in_ns cli sh -c 'dig @fd66::53 www.shop.test AAAA; dig +tcp @fd66::53 shop.test MX'
    record dns-chaos.pcap cli 'version.bind of class CHAOS' 'dig, named' 1000033 \
        ask version.bind TXT CH
    record dns-badhost.pcap cli 'names that a rule knows' 'dig, named' 1000030 \
        ask c2.badhost.test A beacon.badhost.test AAAA
    record dns-tunnel.pcap cli '25 TXT queries with labels of 58 bytes' 'dig, named' 1000031,1000032 \
        dns_tunnel
    record dns-broken.pcap cli 'too short, pointer loop, false count, label over the end' \
        'socat, named' - dns_broken
    record dns-refused-port.pcap cli 'nobody listens: ICMP port unreachable' 'dig' - dns_no_server
    LISTEN='-s 60' record dns-snaplen60.pcap cli 'every packet cut after 60 bytes' \
        'dig, named, tcpdump -s' - ask www.shop.test A shop.test MX
}
