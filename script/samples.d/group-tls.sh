# TLS between curl or openssl s_client and nginx or openssl s_server.

tls_server()
{
    local port=$1
    shift
    serve srv "tls-$port" openssl s_server -accept "$port" -www -quiet "$@"
    wait_port srv -t "$port"
}

# tls_client PORT OPTIONS...: one GET, then the end.
tls_client()
{
    local port=$1
    shift
    printf 'GET / HTTP/1.0\r\n\r\n' |
        in_ns cli timeout 3 openssl s_client -connect "10.66.0.10:$port" -ign_eof "$@"
}

tls_names()
{
    local name
    for name in www.shop.test static.shop.test; do
        in_ns cli curl -s -k --resolve "$name:443:10.66.0.10" "https://$name/" -o /dev/null
    done
    in_ns cli curl -s -k https://10.66.0.10/ -o /dev/null
}

tls_sessions()
{
    tls_client 8443 -tls1_2 -no_ticket -sess_out "$tmp/session12"
    tls_client 8443 -tls1_2 -no_ticket -sess_in "$tmp/session12"
    tls_client 8443 -tls1_3 -sess_out "$tmp/session13"
    tls_client 8443 -tls1_3 -sess_in "$tmp/session13"
}

# One real ClientHello cut into small segments.
tls_split()
{
    local pieces=()
    mapfile -t pieces < <(python3 "$lib/hello.py" www.shop.test 40)
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 443 "${pieces[@]}" ?
}

group_tls()
{
    local server="-cert $tmp/tls/www.shop.test.pem -key $tmp/tls/www.shop.test.key"
    local self="-cert $tmp/tls/self.pem -key $tmp/tls/self.key"
    start_nginx srv
    start_victim srv
    tls_server 4430 $self -cipher 'ALL:@SECLEVEL=0'
    tls_server 4431 $server -Verify 1 -CAfile "$tmp/tls/ca.pem"
    tls_server 4432 $server -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384

    record tls12.pcap srv 'TLS 1.2 with SNI' 'openssl, nginx' - \
        tls_client 443 -tls1_2 -servername www.shop.test
    record tls13.pcap srv 'TLS 1.3 with SNI' 'openssl, nginx' - \
        tls_client 443 -tls1_3 -servername www.shop.test
    record tls10.pcap srv 'TLS 1.0, self signed, on port 4430' 'openssl' 1000041,1000042 \
        tls_client 4430 -tls1 -cipher 'ALL:@SECLEVEL=0' -servername old.shop.test
    record tls11.pcap srv 'TLS 1.1, self signed, on port 4430' 'openssl' 1000042 \
        tls_client 4430 -tls1_1 -cipher 'ALL:@SECLEVEL=0' -servername old.shop.test
    record tls-names.pcap srv 'two names, ALPN h2; an address, so no SNI' 'curl, nginx' - tls_names
    record tls-no-sni.pcap srv 'no server name, no ALPN' 'openssl, nginx' - tls_client 443 -noservername
    record tls-alpn.pcap srv 'ALPN with three protocols' 'openssl, nginx' - \
        tls_client 443 -servername www.shop.test -alpn h2,http/1.1,spdy/3
    record tls-client-cert.pcap srv 'a client certificate, TLS 1.2 and odd port' 'openssl' 1000042 \
        tls_client 4431 -tls1_2 -servername www.shop.test -cert "$tmp/tls/client.pem" -key "$tmp/tls/client.key"
    record tls-no-client-cert.pcap srv 'the certificate is missing: alert' 'openssl' 1000042 \
        tls_client 4431 -tls1_2 -servername www.shop.test
    record tls-handshake-failure.pcap srv 'no common cipher, then no common version: alerts' 'openssl' \
        1000042 tls_failures
    record tls-resumed.pcap srv 'a session resumed by id (1.2) and by ticket (1.3)' 'openssl, nginx' - \
        tls_sessions
    record tls-split-hello.pcap srv 'a ClientHello in segments of 40 bytes' 'hello.py, talk.py, nginx' '*' \
        tls_split
    record tls-badhost.pcap cli 'a server name that a rule knows' 'curl, nginx' 1000040 \
        in_ns cli curl -s -k --resolve 'c2.badhost.test:443:10.66.0.10' https://c2.badhost.test/
    record tls-ipv6.pcap srv 'TLS 1.3 over IPv6' 'curl, nginx' - \
        in_ns cli curl -s -k --resolve 'www.shop.test:443:[fd66::10]' https://www.shop.test/
    record tls-plain-on-443.pcap srv 'plain HTTP on the TLS port' 'curl, nginx' - \
        in_ns cli curl -s http://10.66.0.10:443/
    record tls-broken.pcap srv 'a record too long, a hello too short, heartbeat request' \
        'talk.py, nginx' '*' tls_broken
}

tls_failures()
{
    tls_client 4432 -tls1_2 -servername www.shop.test -cipher AES128-SHA256
    tls_client 4432 -tls1_3 -servername www.shop.test
}

tls_broken()
{
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 443 '\x16\x03\x01\xff\xff\x01\x00' '<'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 443 '\x16\x03\x01\x00\x09\x01\x00\x00\x05\x03\x03\x00\x00\x00' ?
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 443 '\x18\x03\x02\x00\x03\x01\x40\x00' ?
}
