#!/bin/sh
# The cost of a bus hop; see tests/bench/bench_bus.c.
"$EC_BUILD/tests/bench/bench_bus" && echo "ok 1 - bus hop measured"
