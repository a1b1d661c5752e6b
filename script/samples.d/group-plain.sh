# Protocols that have no parser (yet): mail, files, others.

plain_mail()
{
    printf 'From: joe@shop.test\r\nTo: ann@shop.test\r\nSubject: order\r\n\r\nOne lamp, please.\r\n' >"$tmp/mail"
    in_ns cli curl -s -m 3 --mail-from joe@shop.test --mail-rcpt ann@shop.test -T "$tmp/mail" smtp://10.66.0.11
    in_ns cli curl -s -m 3 -u ann:secret pop3://10.66.0.11/1
}

plain_verify()
{
    in_ns ext python3 "$lib/talk.py" 10.66.0.11 25 ? 'HELO x\r\n' ? 'VRFY root\r\n' ? 'VRFY admin\r\n' ? \
        'VRFY joe\r\n' ? 'VRFY ann\r\n' ? 'VRFY test\r\n' ? 'VRFY guest\r\n' ? 'QUIT\r\n'
}

plain_ftp()
{
    in_ns cli curl -s ftp://10.66.0.12/file
    in_ns cli curl -s ftp://10.66.0.12/
    in_ns cli curl -s -T "$lib/ftp.py" ftp://10.66.0.12/new
}

plain_tftp()
{
    in_ns cli curl -s -o /dev/null tftp://10.66.0.13/list.txt
    in_ns ext curl -s -o /dev/null tftp://10.66.0.13/passwd
}

plain_others()
{
    in_ns cli sh -c "printf 'PING\r\nSET a 1\r\n' | socat -t1 - TCP4:10.66.0.14:6379"
    in_ns cli sh -c "printf 'login\r\n' | timeout 1 curl -s telnet://10.66.0.14:23"
    in_ns cli timeout 1 curl -s dict://10.66.0.14:2628/d:lamp
    in_ns cli timeout 1 curl -s gopher://10.66.0.14:70/1/menu
    in_ns cli sh -c 'head -c 3000 /dev/urandom | timeout 1 socat -u - TCP4:10.66.0.14:9999'
}

group_plain()
{
    local port
    serve srv smtp python3 "$lib/talkback.py" 25 --first '220 mail.shop.test\r\n' '250 mail.shop.test\r\n' \
        '250 ok\r\n' '250 ok\r\n' '354 go on\r\n' '250 taken\r\n' '250 ok\r\n' '250 ok\r\n' '221 bye\r\n'
    serve srv pop3 python3 "$lib/talkback.py" 110 --first '+OK ready\r\n' '+OK\r\nUSER\r\n.\r\n' '+OK\r\n' \
        '+OK\r\n' '+OK 40 octets\r\nSubject: order\r\n\r\nOne lamp, please.\r\n.\r\n' '+OK bye\r\n'
    serve srv ftp python3 "$lib/ftp.py" 21
    for port in 23 70 2628 6379 9999; do
        serve srv "talk-$port" python3 "$lib/talkback.py" "$port" '+OK\r\n' 'more\r\n'
        wait_port srv -t "$port"
    done
    mkdir -p "$tmp/tftp"
    seq 1 400 >"$tmp/tftp/list.txt"
    chmod -R a+rX "$tmp/tftp"
    serve srv tftp dnsmasq -k -C /dev/null -p 0 -u nobody --enable-tftp --tftp-root="$tmp/tftp" --log-facility=-
    wait_port srv -t 25
    wait_port srv -t 110
    wait_port srv -t 21
    wait_port srv -u 69

    record plain-mail.pcap srv 'SMTP and POP3' 'curl, talkback.py' - plain_mail
    record plain-smtp-verify.pcap srv 'six users asked for with VRFY' 'talk.py, talkback.py' 1000072 \
        plain_verify
    record plain-ftp.pcap srv 'anonymous FTP: get, list, put, passive' 'curl, ftp.py' 1000071 plain_ftp
    record plain-tftp.pcap srv 'TFTP of a list, then of passwd' 'curl, dnsmasq' 1000073 plain_tftp
    record plain-others.pcap srv 'redis, telnet, dict, gopher, random bytes' \
        'socat, curl, talkback.py' - plain_others
}
