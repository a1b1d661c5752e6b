# The network of the samples: four namespaces, three links, one router.
#
#   ext 198.51.100.0/24  --.
#                           rtr --- srv 10.66.0.0/24   (our servers)
#   cli 10.66.1.0/24     --'
#
# srv and cli are inside (HOME_NET), ext is the rest of the world. Each namespace's own interface
# is lan0; the router's ends are named after the namespace they lead to.

run=ecs$$
zones=(rtr ext cli srv)
pids=()

in_ns()
{
    local zone=$1
    shift
    ip netns exec "$run-$zone" "$@"
}

# Checksums and segment sizes on a veth are real only without offloads.
no_offload()
{
    in_ns "$1" ethtool -K "$2" rx off tx off sg off tso off gso off gro off >/dev/null 2>&1 || true
}

link_zone()
{
    local zone=$1 net4=$2 net6=$3
    shift 3
    ip -n "$run-rtr" link add "$zone" type veth peer name lan0 netns "$run-$zone"
    no_offload rtr "$zone"
    no_offload "$zone" lan0
    ip -n "$run-rtr" addr add "$net4.1/24" dev "$zone"
    ip -n "$run-rtr" addr add "$net6::1/64" dev "$zone" nodad
    ip -n "$run-rtr" link set "$zone" up
    ip -n "$run-$zone" link set lan0 up
    local host
    for host in "$@"; do
        ip -n "$run-$zone" addr add "$net4.$host/24" dev lan0
        ip -n "$run-$zone" addr add "$net6::$host/64" dev lan0 nodad
    done
    ip -n "$run-$zone" route add default via "$net4.1"
    ip -n "$run-$zone" -6 route add default via "$net6::1" dev lan0
}

net_up()
{
    local zone
    for zone in "${zones[@]}"; do
        ip netns add "$run-$zone"
        in_ns "$zone" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.conf.default.router_solicitations=0 net.ipv4.ping_group_range='0 65534'
        ip -n "$run-$zone" link set lo up
    done
    in_ns rtr sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.icmp_ratelimit=0
    # a scan must see its resets and unreachables whole, or the captures differ each time
    in_ns srv sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
    link_zone ext 198.51.100 2001:db8:51 7 9 80
    link_zone cli 10.66.1 fd66:0:0:1 100 101
    link_zone srv 10.66.0 fd66:0:0:0 10 11 12 13 14 53
}

# Ends one process that this script started, and waits for it.
stop_pid()
{
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

stop_servers()
{
    local pid
    for pid in "${pids[@]}"; do
        stop_pid "$pid"
    done
    pids=()
}

clean_up()
{
    local rc=$? zone pid
    trap - EXIT
    set +e
    stop_servers
    for zone in "${zones[@]}"; do
        # workers of a server that was killed hard: only what lives in our own namespace
        for pid in $(ip netns pids "$run-$zone" 2>/dev/null); do
            kill "$pid" 2>/dev/null
        done
        ip netns del "$run-$zone" 2>/dev/null
    done
    rm -rf "$tmp"
    exit "$rc"
}
