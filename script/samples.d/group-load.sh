# Many small things, so that a replay of the folder makes more than ten thousand events.

load_dns()
{
    seq -f 'host%05g.wild.shop.test A' 1 3000 >"$tmp/queries"
    in_ns cli dnsperf -s 10.66.0.53 -d "$tmp/queries" -n 1 -c 8 -Q 1500
}

load_pipeline()
{
    local i
    for i in $(seq 1 1500); do
        printf 'GET /n?i=%d HTTP/1.1\r\nHost: load\r\n\r\n' "$i"
    done >"$tmp/requests"
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 "@$tmp/requests"
}

load_tls()
{
    local i
    for i in $(seq 1 40); do
        in_ns cli curl -s -k -o /dev/null --resolve "host$i.shop.test:8443:10.66.0.10" \
            "https://host$i.shop.test:8443/n"
    done
}

group_load()
{
    start_nginx srv
    start_named
    LISTEN='-B 16384' record load-dns.pcap cli '3000 names asked for' 'dnsperf, named' - load_dns
    LISTEN='-B 16384' record load-http.pcap cli '2500 requests in eight connections' 'ab -k, nginx' - \
        in_ns cli ab -q -k -n 2500 -c 8 http://10.66.0.10/n
    LISTEN='-B 16384' record load-http-pipeline.pcap cli '1500 numbered requests in one connection' \
        'talk.py, nginx' - load_pipeline
    LISTEN='-B 16384' record load-http-short.pcap cli '300 requests, a connection each' 'ab, nginx' - \
        in_ns cli ab -q -n 300 -c 4 http://10.66.0.10/n
    LISTEN='-B 16384' record load-scan.pcap cli 'SYN scan of 3000 ports, from inside' 'nmap -sS' - \
        in_ns cli nmap -n -Pn -sS -T4 --max-retries 1 -p1-3000 10.66.0.11
    record load-tls.pcap cli '40 handshakes with 40 names' 'curl, nginx' - load_tls
}
