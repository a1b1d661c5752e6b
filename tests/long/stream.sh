#!/bin/sh
# TCP reassembly against its model: a million random cases.
EC_STREAM_CASES=1000000 exec "$EC_BUILD/tests/unit/test_stream"
