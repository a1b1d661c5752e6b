#!/bin/sh
# Every payload of the shared data, and our own, in twenty parameters that stand for all.
EC_HOSTILE=all exec "$EC_SRC/tests/scenario/hostile_api.py"
