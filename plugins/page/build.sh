#!/bin/sh
# Makes what the page plugin embeds: build.sh SOURCE-FOLDER BUILD-FOLDER (both plugins/page). In BUILD-FOLDER:
#     dist/           the gzipped files
#     assets.inc      a row for each: ASSET(number, path, type, file, bytes)
# A distribution tarball has dist/ beside this file and needs no npm. Without either the page is one that says so: a
# registry that does not answer costs a minute and the page, never the build. The build runs below BUILD-FOLDER/npm.
set -u
LC_ALL=C
export LC_ALL
src=$1/web bld=$2
seconds=${EC_NPM_SECONDS:-60} # for all that npm does
made=$1/dist

whole() { [ -s "$1/app.js.gz" ] && [ -s "$1/index.html.gz" ]; }

# npm_install: node_modules as the lock file says; kept until that changes.
npm_install() {
    cmp -s "$src/package-lock.json" npm/installed.json && return 0
    rm -f npm/installed.json
    (cd npm && timeout -k 5 "$seconds" npm ci --ignore-scripts --no-audit --no-fund --prefer-offline \
        --fetch-retries=1 --fetch-timeout=20000) >npm/log 2>&1 || return 1
    cp "$src/package-lock.json" npm/installed.json
}

# page_build: sets `why` where it fails.
page_build() {
    command -v npm >/dev/null && command -v node >/dev/null || { why="npm or node was not found"; return 1; }
    mkdir -p npm && rm -rf npm/src npm/static && cp -R "$src/." npm/ && chmod -R u+w npm/src npm/static ||
        { why="its build folder cannot be written"; return 1; }
    npm_install || { why="npm could not fetch what it needs within $seconds s (plugins/page/npm/log)"; return 1; }
    (cd npm && timeout 60 node build.mjs ../new) >>npm/log 2>&1 ||
        { why="esbuild failed (plugins/page/npm/log)"; return 1; }
}

type_of() {
    case $1 in
    *.html.gz) echo 'text/html; charset=utf-8' ;;
    *.css.gz) echo 'text/css; charset=utf-8' ;;
    *.js.gz) echo 'text/javascript; charset=utf-8' ;;
    *.svg.gz) echo 'image/svg+xml' ;;
    *) echo 'application/octet-stream' ;;
    esac
}

path_of() {
    case $1 in
    index.html.gz) echo / ;;
    docs/index.html.gz) echo /api/docs ;;
    redoc/index.html.gz) echo /api/redoc ;;
    docs/* | redoc/*) echo "/api/${1%.gz}" ;;
    *) echo "/${1%.gz}" ;;
    esac
}

rows() {
    n=0
    (cd dist && find . -name '*.gz' | sed 's,^\./,,' | sort) | while read -r file; do
        printf 'ASSET(%d, "%s", "%s", "%s", %d)\n' $n "$(path_of "$file")" "$(type_of "$file")" \
            "plugins/page/dist/$file" "$(wc -c <"dist/$file")"
        n=$((n + 1))
    done
}

case $src in /*) ;; *) src=$PWD/$src made=$PWD/$made ;; esac
cd "$bld" || exit 1
rm -rf new
why=
if whole "$made"; then
    cp -R "$made" new && chmod -R u+w new || exit 1
elif ! page_build || ! whole new; then
    rm -rf new
    mkdir new || exit 1
    sed "s|@WHY@|$why|" "$src/static/missing.html" | gzip -9n >new/index.html.gz || exit 1
    echo "page: LEFT OUT of this build: $why. Everything else is built." >&2
fi
rm -rf dist
mv new dist && rows >assets.inc
