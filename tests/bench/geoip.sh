#!/usr/bin/env bash
# What a look-up of geoip costs, in a database of the size that is in use ($GEOIP_DATABASE) and in our own.
set -eu
bench=$EC_BUILD/tests/bench/bench_geoip
"$bench" "$EC_DATA/geoip/places.mmdb"
if [ -n "${GEOIP_DATABASE-}" ]; then
    "$bench" "$GEOIP_DATABASE"
else
    echo "geoip: GEOIP_DATABASE is not set: a large database was not measured"
fi
echo "ok 1 - look-ups of geoip"
