# nmap and hping3 against our own servers, from outside.

scan()
{
    in_ns ext nmap -n -Pn -S 198.51.100.7 -e lan0 -T4 --max-retries 1 "$@"
}

group_scan()
{
    start_nginx srv
    start_victim srv
    start_named
    start_sshd

    record scan-syn.pcap srv 'SYN scan of 300 ports' 'nmap -sS' 1000061 scan -sS -p1-300 10.66.0.10
    record scan-connect.pcap srv 'connect scan of 300 ports' 'nmap -sT' 1000061 \
        in_ns ext nmap -n -Pn -T4 -sT -p1-300 10.66.0.10
    record scan-null.pcap srv 'NULL scan of 60 ports' 'nmap -sN' - scan -sN -p20-79 10.66.0.10
    record scan-fin.pcap srv 'FIN scan of 60 ports' 'nmap -sF' - scan -sF -p20-79 10.66.0.10
    record scan-xmas.pcap srv 'XMAS scan of 60 ports' 'nmap -sX' - scan -sX -p20-79 10.66.0.10
    record scan-ack.pcap srv 'ACK scan of 60 ports' 'nmap -sA' - scan -sA -p20-79 10.66.0.10
    record scan-udp.pcap srv 'UDP scan of 100 ports with their protocols' 'nmap -sU' 1000033,1000064 \
        scan -sU -F 10.66.0.10
    record scan-ip-protocols.pcap srv 'scan of IP protocols' 'nmap -sO' - \
        scan -sO -p0-60 10.66.0.10
    record scan-fragments.pcap srv 'SYN scan in IP fragments of 8 bytes' 'nmap -sS -f' - \
        scan -sS -f -p20-60 10.66.0.10
    record scan-decoys.pcap srv 'SYN scan among made-up sources' 'nmap -D' - \
        scan -sS -D 203.0.113.1,203.0.113.2,ME -p20-30 10.66.0.10
    record scan-sweep.pcap ext 'ping sweep of a /24' 'nmap -sn' 1000062 \
        in_ns ext nmap -n -sn -PE --max-retries 0 -T4 10.66.0.0/24
    record scan-os.pcap srv 'detection of the operating system' 'nmap -O' '*' \
        scan -O -p22,80,81 10.66.0.10
    record scan-versions.pcap srv 'detection of services' 'nmap -sV' '*' \
        scan -sV --version-intensity 1 -p22,80,8000 10.66.0.10
    record scan-http-scripts.pcap srv 'web scripts of nmap' 'nmap --script http-*' 1000018 \
        scan -p8000 --script http-title,http-headers,http-methods,http-robots.txt,http-server-header 10.66.0.10
    record scan-http-enum.pcap srv 'thousands of known paths are tried' 'nmap http-enum' 1000001,1000002,1000003,1000004,1000018,1000027 \
        scan_paths
    record scan-tls-ciphers.pcap srv 'every TLS version and cipher is tried' 'nmap ssl-enum-ciphers' '*' \
        scan -p443 --script ssl-enum-ciphers 10.66.0.10
    record scan-ipv6.pcap srv 'SYN scan of 60 ports over IPv6' 'nmap -6' - \
        in_ns ext nmap -6 -n -Pn -T4 -p20-79 fd66::10
    record flood-syn.pcap srv '400 SYN from made-up ports to one port' 'hping3' 1000061 \
        in_ns ext hping3 -q -a 203.0.113.66 -S -p 80 -c 400 -i u2000 10.66.0.10
    record flood-icmp.pcap srv '200 echo requests' 'hping3' 1000062 \
        in_ns ext hping3 -q --icmp -c 200 -i u2000 10.66.0.10
    record flood-udp.pcap srv '200 datagrams to one closed port' 'hping3' 1000064 \
        in_ns ext hping3 -q --udp -p 9999 -d 64 -c 200 -i u2000 10.66.0.10
}

scan_paths()
{
    scan -p8000 --script http-enum --script-args http-enum.category=attacks 10.66.0.10
}
