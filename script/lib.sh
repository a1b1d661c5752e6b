# Shared by the scripts of this folder and sourced by them: packages, builds, results. Needs bash.
# shellcheck shell=bash

EC_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
EC_JOBS=$(nproc 2>/dev/null || echo 1)

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# --- packages -------------------------------------------------------------------------------------

# ec_packages build|test: the Debian packages that are needed, one a line. The only list in the tree.
ec_packages() {
    local hs=libhyperscan-dev
    case $(dpkg --print-architecture) in amd64 | i386) ;; *) hs=libvectorscan-dev ;; esac
    printf '%s\n' gcc libc6-dev make autoconf automake libtool pkg-config \
        libevent-dev libfyaml-dev libjson-c-dev libssl-dev libpcap-dev libhtp-dev zlib1g-dev libbrotli-dev libpcre2-dev \
        $hs \
        libsqlite3-dev libpq-dev libcurl4-openssl-dev libarchive-dev libjwt-dev libcrypt-dev libmaxminddb-dev libxgboost-dev \
        libnftables-dev libcap-ng-dev libseccomp-dev libsystemd-dev libwslay-dev
    [ "$1" = build ] || printf '%s\n' check g++ clang libc6-dev-i386 libclang-rt-14-dev python3 iproute2 iputils-ping \
        nftables nmap prometheus xz-utils postgresql python3-socketio python3-aiohttp python3-jsonschema \
        python3-aiosmtpd openssl
}

# ec_extras build|test: what the build and the tests can do without: npm makes the page, Chromium drives it, nginx
# stands before it as a proxy. npm of another origin than Debian's is as good, and the two exclude each other.
ec_extras() {
    { command -v npm && command -v node; } >/dev/null || printf '%s\n' nodejs npm
    [ "$1" = build ] || {
        command -v chromium >/dev/null || printf '%s\n' chromium
        command -v nginx >/dev/null || printf '%s\n' nginx-light
    }
}

# ec_not_installed NAME...: those of them that are not.
ec_not_installed() {
    local name state
    for name in "$@"; do
        # shellcheck disable=SC2016
        state=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)
        [ "$state" = installed ] || printf '%s\n' "$name"
    done
}

# While packages are configured, policy-rc.d says 'start no service'; what stood there before comes back.
ec_policy=/usr/sbin/policy-rc.d
ec_policy_saved=
ec_policy_deny() {
    ec_policy_saved=$(mktemp -d) || die "no temporary folder"
    trap 'ec_policy_restore' EXIT
    trap 'ec_policy_restore; exit 130' INT TERM HUP
    if [ -e $ec_policy ] || [ -L $ec_policy ]; then mv $ec_policy "$ec_policy_saved/before"; fi
    { printf '#!/bin/sh\nexit 101\n' >$ec_policy && chmod 755 $ec_policy; } || die "cannot write $ec_policy"
}
ec_policy_restore() {
    [ -n "$ec_policy_saved" ] || return 0
    rm -f $ec_policy
    if [ -e "$ec_policy_saved/before" ] || [ -L "$ec_policy_saved/before" ]; then
        mv "$ec_policy_saved/before" $ec_policy
    fi
    rm -rf "$ec_policy_saved"
    ec_policy_saved=
    trap - EXIT INT TERM HUP
}

ec_apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" \
        </dev/null >>"$ec_policy_saved/apt.log" 2>&1
}

# ec_fetch NAME...: installs them, as root.
ec_fetch() {
    local rc service
    say "Installing: $*"
    ec_policy_deny
    if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || ! ec_apt install -y --no-install-recommends "$@"; then
        ec_apt update && ec_apt install -y --no-install-recommends "$@"
    fi
    rc=$?
    # Nor are they to run after the next start of the machine: of these the tests want programs, not services.
    for service in prometheus postgresql; do
        case " $* " in *" $service "*) deb-systemd-helper disable $service.service >/dev/null 2>&1 ;; esac
    done
    [ $rc = 0 ] || tail -n 20 "$ec_policy_saved/apt.log" >&2
    ec_policy_restore
    return $rc
}

# ec_require build|test: installs what is missing (root), or prints the line that would and exits 1. The extras are
# only named where they cannot be had.
ec_require() {
    local missing extras
    command -v dpkg-query >/dev/null || return 0 # not Debian: configure names what it lacks
    # shellcheck disable=SC2046
    missing=$(ec_not_installed $(ec_packages "$1") | tr '\n' ' ')
    # shellcheck disable=SC2046
    extras=$(ec_not_installed $(ec_extras "$1") | tr '\n' ' ')
    missing=${missing% } extras=${extras% }
    if [ -n "$missing" ] && [ "$(id -u)" != 0 ]; then
        say "Packages are missing. Install them as root, then run this again:" >&2
        say "    apt-get install -y --no-install-recommends $missing${extras:+ $extras}" >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    [ -z "$missing" ] || ec_fetch $missing || die "apt-get could not install: $missing"
    # shellcheck disable=SC2086
    if [ -n "$extras" ] && { [ "$(id -u)" != 0 ] || ! ec_fetch $extras; }; then
        say "Without $extras the page, or its test, is left out. As root: apt-get install -y --no-install-recommends $extras"
    fi
}

# --- builds ---------------------------------------------------------------------------------------

# ec_build NAME [configure arguments]: builds incrementally in build/NAME with the prefix
# build/NAME/root; EC_MAKE_TARGET (all) is what is made. Quiet; on failure the end of the log.
ec_build() {
    local name=$1 dir=$EC_TOP/build/$1 log
    shift
    log=$dir/build.log
    { mkdir -p "$dir" && [ -w "$dir" ]; } || die "cannot write $dir (made by another user? remove build/)"
    if ! ec_build_steps "$dir" "$@" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        say "Building failed, the whole log: ${log#"$EC_TOP"/}" >&2
        return 1
    fi
}

ec_build_steps() {
    local dir=$1 args
    shift
    [ -x "$EC_TOP/configure" ] || (cd "$EC_TOP" && autoreconf -fi) || return 1
    args=$(printf '%s\n' "$@")
    if [ ! -f "$dir/Makefile" ] || [ "$(cat "$dir/configure.args" 2>/dev/null)" != "$args" ]; then
        (cd "$dir" && "$EC_TOP/configure" --prefix="$dir/root" --sysconfdir="$dir/root/etc" \
            --localstatedir="$dir/root/var" --runstatedir="$dir/root/run" "$@") || return 1
        printf '%s' "$args" >"$dir/configure.args"
    fi
    make -C "$dir" -j"$EC_JOBS" "${EC_MAKE_TARGET:-all}"
}

# ec_install NAME: installs build/NAME into its own prefix, from nothing, so that no file of an
# earlier version stays. State that a run wrote below var/ stays.
ec_install() {
    local dir=$EC_TOP/build/$1
    rm -rf "$dir/root/lib/ecyber" "$dir/root/etc/ecyber" "$dir/root/include/ecyber"
    if ! make -C "$dir" install >"$dir/install.log" 2>&1; then
        tail -n 40 "$dir/install.log" >&2
        return 1
    fi
    mkdir -p "$dir/root/var/lib/ecyber" "$dir/root/run/ecyber"
}
