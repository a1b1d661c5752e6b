#!/bin/sh
# The programs say what they are, and refuse what they do not know with exit code 2.
n=0
check() { # WHAT COMMAND...
    what=$1
    shift
    n=$((n + 1))
    if "$@"; then echo "ok $n - $what"; else echo "not ok $n - $what"; fi
}

says() { # PATTERN COMMAND...
    pattern=$1
    shift
    "$@" | grep -qx "$pattern"
}

is_usage_error() {
    "$@" 2>/dev/null
    [ $? = 2 ]
}

check "ecyberd --version" says 'ecyberd [0-9.]*' "$ECYBERD" --version
check "ecyberctl --version" says 'ecyberctl [0-9.]*' "$ECYBERCTL" --version
check "an unknown option is a usage error" is_usage_error "$ECYBERD" --no-such-option
check "the plugin folder is the installed one" says "plugins: $EC_PLUGINDIR" "$ECYBERD" --build-info
