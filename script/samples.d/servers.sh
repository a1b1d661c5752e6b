# Servers in the namespaces. Each runs in the foreground of a background job, so that its
# process id is known and it ends with its group.

# serve ZONE NAME COMMAND...
serve()
{
    local zone=$1 name=$2
    shift 2
    ip netns exec "$run-$zone" "$@" >"$tmp/$name.log" 2>&1 </dev/null &
    pids+=($!)
}

listens()
{
    in_ns "$1" ss -Hln "$2" "sport = :$3" | grep -q .
}

# wait_port ZONE -t|-u PORT
wait_port()
{
    wait_for "nothing listens on port $3 in $1" listens "$1" "$2" "$3"
}

# A certificate authority, server certificates and one client certificate, once a run.
make_certificates()
{
    local dir=$tmp/tls name
    [ ! -d "$dir" ] || return 0
    mkdir -p "$dir"
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/O=eCyber samples/CN=Sample CA' \
        -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
    for name in www.shop.test client; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
            -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>/dev/null
        openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
            -CAcreateserial -days 3650 -out "$dir/$name.pem" 2>/dev/null \
            -extfile <(printf 'subjectAltName=DNS:%s,DNS:*.shop.test' "$name")
    done
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=self.shop.test' \
        -keyout "$dir/self.key" -out "$dir/self.pem" 2>/dev/null
    chmod 644 "$dir"/*
}

# Web content of nginx: www.shop.test on 80, 443 (TLS) and 8080 (slow, small buffers).
start_nginx()
{
    local zone=$1 dir=$tmp/nginx-$1
    make_certificates
    mkdir -p "$dir/www/private" "$dir/www/files" "$dir/tmp"
    cp "$lib/www/"* "$dir/www/"
    seq -f 'line %06g of a longer text' 1 2000 >"$dir/www/files/long.txt"
    head -c 60000 /dev/urandom >"$dir/www/files/random.bin"
    printf 'joe:%s\n' "$(openssl passwd -apr1 correct)" >"$dir/passwords"
    sed -e "s|@DIR@|$dir|g" -e "s|@TLS@|$tmp/tls|g" "$lib/nginx.conf" >"$dir/nginx.conf"
    chmod -R a+rX "$dir"
    serve "$zone" "nginx-$zone" nginx -e "$dir/error.log" -c "$dir/nginx.conf"
    wait_port "$zone" -t 80
}

start_victim()
{
    serve "$1" "victim-$1" python3 "$lib/victim.py" 8000
    wait_port "$1" -t 8000
}

start_named()
{
    local dir=$tmp/named
    mkdir -p "$dir"
    cp "$lib/zones/"* "$dir/"
    # 120 answers of one name do not fit 512 bytes: truncated over UDP, whole over TCP
    seq -f 'many IN A 10.66.9.%g' 1 120 >>"$dir/shop.test"
    sed -e "s|@DIR@|$dir|g" "$lib/named.conf" >"$dir/named.conf"
    serve srv named named -g -c "$dir/named.conf" -n 1
    wait_port srv -t 53
}

# sshd writes to /run, /var/log and the login records: it gets its own, in memory.
start_sshd()
{
    local dir=$tmp/sshd
    if [ ! -d "$dir" ]; then
        mkdir -p "$dir"
        ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
        ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
        cp "$dir/user.pub" "$dir/authorized"
    fi
    cat >"$dir/config" <<EOF
Port 22
Port 2222
HostKey $dir/host
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
AuthorizedKeysFile $dir/authorized
ForceCommand echo welcome; id -u
MaxAuthTries 3
EOF
    serve srv sshd unshare -m sh -c "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log &&
        mkdir /run/sshd && exec $(command -v sshd) -D -e -f '$dir/config'"
    wait_port srv -t 22
}
