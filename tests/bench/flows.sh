#!/bin/sh
# The traffic engine alone: memory of a million idle flows, new flows, packets of flows at random.
"$EC_BUILD/tests/bench/bench_flows" && echo "ok 1 - bench_flows ran"
