#!/bin/bash
# The folder of bad plugins in the real daemon: it starts without each, says why in one exact sentence, and ends or stays
# as docs/operations.md says.
n=0
touch conf.yaml
bad=$EC_BUILD/tests/plugins/bad/.libs

ok() { # RESULT WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else
        echo "not ok $n - $2"
        sed 's/^/#   /' err
    fi
}

# Files that stand in the plugin folder, with `behave`, which brings a source of its own.
folder() { # FILE...
    rm -rf p
    mkdir p
    cp "$bad/behave.so" p/
    for f in "$@"; do cp "$bad/$f.so" p/; done
}

run() { # ARGUMENT...: 2000 packets through the daemon; its exit code is in rc, what it said in err
    timeout 30 "$ECYBERD" --alone -c conf.yaml --set "core.plugin_dirs=[$EC_TMP/p]" --set "core.state_dir=$EC_TMP/s" \
        --set "core.sources=['bad:2000']" "$@" >out 2>err
    rc=$?
}

# Does one line of err end with exactly this sentence?
says() { # SENTENCE
    awk -v want="$1" 'BEGIN { rc = 1 } { at = length($0) - length(want); if (at >= 0 && substr($0, at + 1) == want &&
        (at == 0 || substr($0, at - 1, 2) == ": " || substr($0, at, 1) == " ")) rc = 0 } END { exit rc }' err
}

refused() { # FILE SENTENCE: the daemon does its work without it
    folder "$1"
    run
    [ "$rc" = 0 ] && says "core: $EC_TMP/p/$1.so: $2" && says "core: runs degraded: 1 plugin is left out: ${3:-$1}"
    ok $? "$1 is left out: $2"
}

sdk="rebuild it against this daemon's SDK"
refused no_symbol "refused: it has no symbol ec_plugin_entry_1, so it is no plugin for ABI 1 level 1; remove it, or $sdk"
refused wrong_major "refused: built for ABI 2, this daemon speaks ABI 1 level 1; $sdk"
refused future_level "refused: built for ABI 1 level 99, this daemon speaks ABI 1 level 1; update the daemon, or $sdk"
refused short_struct "refused: its descriptor has 40 bytes, that of ABI 1 level 1 has 192; $sdk"
refused null_table "refused: it announces 3 uses and its table is NULL; $sdk"
refused null_callback "left out: its ec.stage/1-draft.1 has no packet(); correct it"
refused null_descriptor "refused: its entry gave no descriptor; correct it, and $sdk"
refused unnamed "refused: its name 'Un-Named' is not [a-z][a-z0-9_]{0,31}, or is 'core'; give it another"
refused orphan "left out: it needs org.example.nowhere/1, which no plugin offers; load one that does"

folder a_twin same_id same_name
run
[ "$rc" = 0 ] && says "$EC_TMP/p/same_id.so: refused: its id 'org.example.twin' is that of $EC_TMP/p/a_twin.so already; remove one of them"
ok $? "an id that stands twice"
says "$EC_TMP/p/same_name.so: refused: its name 'twin' is that of $EC_TMP/p/a_twin.so already; remove one of them"
ok $? "a name that stands twice"

folder cycle_a cycle_b
run
[ "$rc" = 0 ] && says "$EC_TMP/p/cycle_a.so: left out: its RUN uses form a cycle: cycle_a -> cycle_b -> cycle_a; make one of them a SETUP use"
ok $? "a cycle is refused by name"

folder provider_a provider_b client
run
[ "$rc" = 0 ] && says "$EC_TMP/p/provider_b.so: left out: org.example.store/1 is offered by provider_a and by provider_b; name one of them in core.providers" &&
    says "$EC_TMP/p/client.so: left out: it needs org.example.store/1, and provider_a, which offers it, is left out"
ok $? "two providers are refused, and who needs them is left out"
run --set "core.providers={'org.example.store/1': provider_b}"
[ "$rc" = 0 ] && ! grep -q 'left out' err
ok $? "unless the configuration names one"

folder a_twin
chmod 757 p/a_twin.so
run
[ "$rc" = 0 ] && says "$EC_TMP/p/a_twin.so: refused: others can write to it (mode 0757); chmod go-w $EC_TMP/p/a_twin.so"
ok $? "a file that others can write"
chmod 755 p/a_twin.so
chmod 777 p
run
says "$EC_TMP/p/a_twin.so: refused: others can write to its folder (mode 0777); chmod go-w $EC_TMP/p"
ok $? "a folder that others can write"

# Failing: create, setup and start leave the plugin out; then nobody opens its source, so the daemon fails.
folder a_twin
for callback in create setup start; do
    BAD_DO=fail BAD_IN=$callback run
    [ "$rc" = 1 ] && says "core: $EC_TMP/p/behave.so: left out: $callback() failed: told to fail in $callback" &&
        says "core: no plugin opens \"bad:2000\""
    ok $? "failing in $callback() leaves it out"
done
BAD_DO=fail BAD_IN=configure run
[ "$rc" = 6 ] && grep -qx "behave: told to fail in configure" err
ok $? "failing in configure() is a wrong configuration"
BAD_DO=fail BAD_IN=configure run -T
[ "$rc" = 6 ] && grep -qx "behave: told to fail in configure" err
ok $? "and -T says so as well"
for callback in worker_init open fetch; do
    BAD_DO=fail BAD_IN=$callback run
    [ "$rc" = 1 ] && grep -q "told to fail in $callback\$" err
    ok $? "failing in $callback() ends the daemon with its sentence"
done
run --list-deeds
[ "$rc" = 0 ] && [ "$(cat out)" = "$(printf 'deed\thelp\none\tthe first deed')" ]
ok $? "a plugin's list is printed"
BAD_DO=fail BAD_IN=list run --list-deeds
[ "$rc" = 1 ] && grep -qx "ecyberd: behave: told to fail in list" err
ok $? "failing in a list is an error"

# Crashing: one exact sentence, the signal as the exit code, and a record that is counted.
crashes() { # CALLBACK MARK THREAD [N]: at its Nth call
    rm -rf s
    BAD_DO=crash BAD_IN=$1 BAD_AT=${4:-1} run
    [ "$rc" = 139 ] && grep -qx "ecyberd: crashed (SIGSEGV) in plugin behave, callback $2, thread $3; crash 1 in a row of this plugin, which is left out after 3" err
    ok $? "a crash in $1${4:+ at call $4} is attributed"
}
for callback in load entry create setup configure start stop state_free destroy; do
    crashes $callback $callback control
done
for callback in worker_init open fetch prepare packet finish idle stats close worker_fini; do
    crashes $callback $callback W0
done
crashes end finish W0
crashes packet packet W0 1000
crashes event event B0
crashes empty idle B0
crashes lookup lookup W0
BAD_DO=crash BAD_IN=work run
[ "$rc" = 139 ] && grep -q "in plugin behave, callback work, thread " err
ok $? "a crash in work is attributed"

# Three in a row.
rm -rf s
for i in 1 2 3; do BAD_DO=crash BAD_IN=create run; done
says "crash 3 in a row of this plugin, which is left out at the next start"
ok $? "the third crash in a row says what follows"
run
[ "$rc" = 1 ] && says "core: $EC_TMP/p/behave.so: left out: it crashed the daemon 3 times in a row; replace it, then remove $EC_TMP/s/crash to try again"
ok $? "then it is left out"
says "core: runs degraded: 1 plugin is left out: behave"
ok $? "and the daemon says that it runs degraded"
rm s/crash
run
[ "$rc" = 0 ] && ! grep -q 'left out' err
ok $? "until its record is removed"
for i in 1 2; do BAD_DO=crash BAD_IN=packet run; done
run
BAD_DO=crash BAD_IN=packet run
says "crash 1 in a row of this plugin, which is left out after 3"
ok $? "a clean run between them ends the row"

# Hanging at the start: the deadline names it and ends the daemon as a crash of that plugin.
for callback in load entry create setup configure start; do
    rm -rf s
    BAD_DO=hang BAD_IN=$callback run --set core.start_timeout=300ms
    [ "$rc" = 134 ] && grep -qx "ecyberd: crashed (it did not return within 0.3 s, core.start_timeout) in plugin behave, callback $callback, thread control; crash 1 in a row of this plugin, which is left out after 3" err
    ok $? "a hang in $callback() is named"
done
for callback in stop state_free destroy; do
    rm -rf s
    BAD_DO=hang BAD_IN=$callback run --set core.stop_timeout=1s
    [ "$rc" = 134 ] && grep -q "^ecyberd: crashed (it did not return within 1.0 s, core.stop_timeout) in plugin behave, callback $callback, thread control; " err
    ok $? "a hang in $callback() is named at the end"
done

# Hanging while it runs: at the end the daemon names it, stops the others and ends, and frees nothing under its feet.
for callback in work event; do
    rm -rf s
    BAD_DO=hang BAD_IN=$callback run --set core.stop_timeout=300ms
    [ "$rc" = 1 ] && grep -q "CRITICAL core: thread [A-Z][0-9] is still in plugin behave, $callback()\$" err
    ok $? "a hang in $callback() is named at the end"
done
