#!/usr/bin/env bash
# The SDK headers compile alone and together as pedantic C11 and C++17, and their layout is the recorded one on LP64 and
# ILP32.
set -u
n=0
check() # WHAT COMMAND…
{
    local what=$1
    shift
    n=$((n + 1))
    if "$@" >out 2>&1; then echo "ok $n - $what"; else echo "not ok $n - $what"; sed 's/^/# /' out; fi
}

include=$EC_SRC/sdk/include
strict="-pedantic -Wall -Wextra -Werror -c -o /dev/null -I$include"
for header in plugin.h thread.h $(cd "$include/ecyber" && echo ext/*.h); do
    printf '#define EC_API_LEVEL 1\n#include <ecyber/%s>\n' "$header" >one.c
    check "$header alone, C11" gcc -std=c11 $strict one.c
    check "$header alone, C++17" g++ -std=c++17 $strict -x c++ one.c
done
for compiler in "gcc -std=c11" "gcc -m32 -std=c11" "g++ -x c++ -std=c++17" "clang -std=c11" "clang -x c++ -std=c++17"; do
    check "layout: $compiler" $compiler $strict "$EC_SRC/tests/abi/layout.c"
done
printf '#include <ecyber/plugin.h>\n' >nolevel.c
check "a plugin must name its level" sh -c "! gcc -std=c11 $strict nolevel.c"
for line in $(sed -n 's/^#include <ecyber\/\(ext\/.*\)>/\1/p' "$EC_SRC/tests/abi/layout.c"); do echo "$line"; done | sort >have
(cd "$include/ecyber" && ls ext/*.h) | sort >want
check "every extension header is in the layout test" diff have want
