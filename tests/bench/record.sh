#!/bin/sh
# Prints how many events a second are turned into JSON.
exec "$EC_BUILD/tests/bench/bench_record"
