# SSH between OpenSSH's client, or nmap, and a sshd of our own.

ssh_login()
{
    in_ns cli ssh -i "$tmp/sshd/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o LogLevel=ERROR "$@" true
}

ssh_guess()
{
    local i
    for i in $(seq 1 8); do
        in_ns ext sshpass -p "guess$i" ssh -b 198.51.100.7 -o StrictHostKeyChecking=no \
            -o UserKnownHostsFile=/dev/null -o PreferredAuthentications=password \
            -o NumberOfPasswordPrompts=1 -o LogLevel=ERROR root@10.66.0.10 true
    done
}

ssh_banners()
{
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 22 'SSH-1.5-old\r\n' ?
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 22 'GET / HTTP/1.1\r\n\r\n' ?
    in_ns cli python3 "$lib/talk.py" 10.66.0.10 22 ? '<'
}

group_ssh()
{
    start_sshd
    record ssh-login.pcap srv 'one login by key, one command' 'ssh, sshd' - ssh_login root@10.66.0.10
    record ssh-guess.pcap srv 'eight wrong passwords, a connection each' 'sshpass, ssh, sshd' 1000050 \
        ssh_guess
    record ssh-odd-port.pcap srv 'sshd on port 2222' 'ssh, sshd' 1000051 \
        ssh_login -p 2222 root@10.66.0.10
    record ssh-banners.pcap srv 'protocol 1, HTTP on the SSH port, no client banner' \
        'talk.py, sshd' - ssh_banners
    record ssh-algorithms.pcap srv "nmap's list of algorithms" 'nmap, sshd' - \
        in_ns cli nmap -n -Pn -p22 --script ssh2-enum-algos 10.66.0.10
    record ssh-ipv6.pcap srv 'a login over IPv6' 'ssh, sshd' - ssh_login root@fd66::10
}
