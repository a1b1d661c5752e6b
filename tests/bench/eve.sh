#!/bin/sh
# Prints how many events a second the eve writer turns into JSON.
exec "$EC_BUILD/tests/bench/bench_eve"
