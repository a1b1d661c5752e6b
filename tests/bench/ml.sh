#!/bin/sh
# Scoring: our walker's rows a second against XGBoost's in-place predict.
"$EC_BUILD/tests/bench/bench_ml" "$EC_SRC/models/flow-1.json" && echo "ok 1 - bench_ml ran"
