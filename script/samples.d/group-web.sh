# HTTP/1 between curl or raw clients and nginx or victim.py, plain requests only (attacks: attack).

www=http://10.66.0.10

web_get()
{
    in_ns cli curl -s $www/ $www/style.css $www/items.json -o /dev/null -o /dev/null -o /dev/null
    in_ns cli curl -s -A 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0' \
        -e $www/ -b 'theme=dark; lang=en' "$www/items.json?page=2&sort=name"
}

web_kinds_of_bodies()
{
    in_ns cli curl -s "$www:8000/chunks?n=12"
    in_ns cli curl -s -H 'Transfer-Encoding: chunked' -d 'a=1&b=2' "$www:8000/form"
    in_ns cli curl -s -d 'name=joe&comment=nice+shop' "$www:8000/form"
}

web_upload()
{
    head -c 30000 "$tmp/nginx-srv/www/files/random.bin" >"$tmp/photo.jpg"
    in_ns cli curl -s -F 'title=a photo' -F "file=@$tmp/photo.jpg;type=image/jpeg" $www/upload
    in_ns cli curl -s -T "$tmp/photo.jpg" "$www:8000/photo.jpg"
}

web_methods()
{
    in_ns cli curl -s -I $www/
    in_ns cli curl -s -X OPTIONS "$www:8000/"
    in_ns cli curl -s -X DELETE $www/items.json
    in_ns cli curl -s -X PROPFIND $www/
    in_ns cli curl -s -X BREW "$www:8000/pot"
}

web_status()
{
    in_ns cli curl -s $www/none $www/old $www/late "$www/private/" $www/status
    in_ns cli curl -s -L $www/old
    in_ns cli curl -s -H 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT' $www/index.html
}

web_pipeline()
{
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 \
        'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /style.css HTTP/1.1\r\nHost: b\r\n\r\nGET /none HTTP/1.1\r\nHost: c\r\n\r\nHEAD /items.json HTTP/1.1\r\nHost: d\r\n\r\nGET /n HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n'
}

web_keepalive()
{
    in_ns cli curl -s $(for i in $(seq 1 25); do echo "$www/n?i=$i -o /dev/null"; done)
}

web_ranges()
{
    in_ns cli curl -s -r 0-99 $www/files/long.txt
    in_ns cli curl -s -r 100-199,400-499 $www/files/long.txt
    in_ns cli curl -s -r 90000000- $www/files/long.txt
}

web_escapes()
{
    local path
    for path in '/a%20b' '/%2e%41%zz' '/%u0041' '/a+b?c=d%26e' '//double//slash/' '/%C3%A9' \
        '/caf%E9' '/q?=&&a=&=b' '/;p=1/x;q=2' '/%00' '/a%0d%0ab' '/%252f' '/./x/./y'; do
        in_ns cli curl -s --path-as-is "$www$path"
    done
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 \
        'GET /tab\there HTTP/1.1\r\nHost: x\r\n\r\n' ?
}

web_long_headers()
{
    local long
    long=$(printf 'a%.0s' $(seq 1 6000))
    in_ns cli curl -s -H "X-Long: $long" -b "c=$long" $www/
    in_ns cli curl -s "$www/?q=$long"
    in_ns cli curl -s $(for i in $(seq 1 60); do echo "-H X-Many-$i:$i"; done) $www/
    in_ns cli curl -s -H "X-Too-Long: $long$long$long$long$long$long" $www/
}

web_old()
{
    in_ns cli curl -s -0 $www/
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'GET /index.html\r\n'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'GET / HTTP/1.0\r\n\r\n'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'GET / HTTP/1.1\nHost: bare-lf\nConnection: close\n\n'
}

web_broken()
{
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'NONSENSE\r\n\r\n'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'GET / HTTP/1.1\r\n\r\n'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 \
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'GET / HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 'GET / HTTP/1.1\r\nHo' '<'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 8000 \
        'POST /form HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n' '<'
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 '\x00\x01\xff\xfe\r\n\r\n'
}

web_slow_pieces()
{
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 80 G ET ' /ind' 'ex.html HT' 'TP/1.1\r' '\nHost: pie' \
        'ces\r\nUser-Agent: one-by' '-one\r\n' '\r' '\n' ? \
        'GET /style.css HTTP/1.1\r\nHost: pieces\r\nConnection: close\r\n\r\n'
}

web_expect()
{
    head -c 4000 /dev/zero | tr '\0' x >"$tmp/body"
    in_ns cli curl -s -H 'Expect: 100-continue' --data-binary @"$tmp/body" "$www:8000/form"
    in_ns cli curl -s --compressed $www/files/long.txt -o /dev/null
    in_ns cli curl -s -H 'Connection: Upgrade, HTTP2-Settings' -H 'Upgrade: h2c' \
        -H 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA' $www/
}

web_websocket()
{
    in_ns cli curl -s -m 1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
        -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
        http://10.66.0.10:8081/chat
}

web_proxy()
{
    in_ns cli curl -s -x $www:3128 http://10.66.0.10/index.html
    in_ns cli curl -s -k -p -x $www:3128 https://10.66.0.10/
    in_ns cli curl -s -p -x $www:3128 http://10.66.0.11:25/
}

web_basic_auth()
{
    in_ns cli curl -s -u joe:wrong $www/private/
    in_ns cli curl -s -u joe:correct $www/private/
    in_ns cli curl -s --digest -u joe:correct $www/private/
}

web_parallel()
{
    local i jobs=()
    for i in $(seq 1 24); do
        in_ns cli curl -s -o /dev/null -r 0-1999 "$www/files/long.txt?$i" &
        jobs+=($!)
    done
    wait "${jobs[@]}"
}

group_web()
{
    start_nginx srv
    start_victim srv
    serve srv proxy python3 "$lib/proxy.py" 3128
    serve srv websocket python3 "$lib/talkback.py" 8081 \
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x05hello\x88\x02\x03\xe8'
    wait_port srv -t 3128
    wait_port srv -t 8081

    record http-get.pcap srv 'GET of four resources, keep-alive, cookie, referer, query' \
        'curl, nginx' - web_get
    record http-bodies.pcap srv 'chunked response with trailer, chunked request, form' \
        'curl, victim.py' - web_kinds_of_bodies
    record http-upload.pcap srv 'multipart POST and PUT of 30 kB' 'curl, nginx, victim.py' - web_upload
    record http-methods.pcap srv 'HEAD OPTIONS DELETE PROPFIND and an unknown method' \
        'curl, nginx, victim.py' - web_methods
    record http-status.pcap srv '404 301 204 401 200 304, a followed redirect' 'curl, nginx' - web_status
    record http-redirect-phish.pcap cli 'redirect to a name that a rule knows' 'curl, nginx' 1000026 \
        in_ns cli curl -s $www/away
    record http-pipeline.pcap srv 'five pipelined requests in one segment' 'talk.py, nginx' - web_pipeline
    record http-keepalive.pcap srv '25 requests in one connection' 'curl, nginx' - web_keepalive
    record http-ranges.pcap srv '206 with one and two ranges, 416' 'curl, nginx' - web_ranges
    record http-escapes.pcap srv 'odd and broken percent-encodings' 'curl, talk.py, nginx' - web_escapes
    record http-long-headers.pcap srv 'headers, cookie and query of 6 kB, 60 headers, 400 for 36 kB' \
        'curl, nginx' - web_long_headers
    record http-old.pcap srv 'HTTP/1.0, HTTP/0.9, bare LF' 'curl, talk.py, nginx' - web_old
    record http-broken.pcap srv 'nonsense, bad version, no Host, two Host, two lengths, half a request' \
        'talk.py, nginx, victim.py' - web_broken
    record http-pieces.pcap srv 'one request in ten small segments' 'talk.py, nginx' - web_slow_pieces
    record http-expect.pcap srv '100-continue, gzip response, Upgrade: h2c' 'curl, nginx, victim.py' - \
        web_expect
    record http-websocket.pcap srv 'upgrade to WebSocket, two frames' 'curl, talkback.py' - web_websocket
    record http-proxy.pcap srv 'absolute URI, CONNECT to 443, CONNECT to port 25 refused' \
        'curl, proxy.py' 1000025 web_proxy
    record http-basic-auth.pcap srv '401, Basic wrong and right' 'curl, nginx' 1000020 web_basic_auth
    record http-big.pcap cli 'a body of 60 kB, random bytes' 'curl, nginx' - \
        in_ns cli curl -s -o /dev/null $www/files/random.bin
    record http-ipv6.pcap srv 'GET and 404 over IPv6' 'curl, nginx' - \
        in_ns cli curl -s -g 'http://[fd66::10]/' 'http://[fd66::10]/none'
    record http-parallel.pcap srv '24 connections at once' 'curl, nginx' - web_parallel
    LISTEN=--nano record http-nanosecond.pcap srv 'GET, nanosecond stamps (other magic)' \
        'curl, nginx, tcpdump --nano' - web_get
    LISTEN='-s 96' record http-snaplen96.pcap srv 'every packet cut after 96 bytes' \
        'curl, nginx, tcpdump -s' - web_get
}
