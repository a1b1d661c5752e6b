# QUIC: what Chromium says first to a server that does not answer, or does not know its version.

# chromium_asks NAME: one page over QUIC, until it gives up or the time is over.
chromium_asks()
{
    in_ns cli timeout 6 chromium --headless --no-sandbox --disable-gpu --no-first-run \
        --user-data-dir="$tmp/chromium" --disable-background-networking --disable-component-update \
        --enable-quic --ignore-certificate-errors --origin-to-force-quic-on="$1:443" \
        --host-resolver-rules="MAP $1 10.66.0.10" --dump-dom "https://$1/"
}

group_quic()
{
    # Nobody answers, but somebody listens, so that nothing is refused.
    serve srv quic-silence socat -u udp-recv:443 /dev/null
    wait_port srv -u 443
    FILTER='udp port 443' record quic-hello.pcap srv "a browser's first packets, without an answer" \
        'chromium, socat' - chromium_asks www.shop.test
    stop_servers
    serve srv quic-versions python3 "$lib/quic-versions.py" 443
    wait_port srv -u 443
    FILTER='udp port 443' record quic-negotiation.pcap srv 'a server that speaks no such version' \
        'chromium, quic-versions.py' - chromium_asks www.shop.test
}
