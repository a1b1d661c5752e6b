#!/usr/bin/env bash
# Bans a second through the helper, against a bare loop around libnftables, in a network namespace of its own.
set -eu
if [ "$(id -u)" != 0 ]; then
    echo "SKIP: it needs root"
    exit 77
fi
unshare --net "$EC_BUILD/tests/bench/bench_helper" "$EC_ROOT/libexec/ecyber/ecyber-helper" 20000 100000
echo "ok 1 - bans through the helper"
