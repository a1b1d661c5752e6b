#!/bin/sh
# Prints how many events a second go into the store, beside a bare loop of prepared inserts of the same rows.
"$EC_BUILD/tests/bench/bench_store" && echo "ok 1 - events into the store"
