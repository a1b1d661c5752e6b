#!/bin/sh
# make installcheck: what a plugin author does. The template is copied out of the installed tree, built with what
# pkg-config says, tested on the fake host, and loaded by the installed daemon.
# usage: installcheck.sh PKGCONFIG-FOLDER SBIN-FOLDER BIN-FOLDER CC
set -e
PKG_CONFIG_PATH=$1${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
daemon=$2/ecyberd
control=$3/ecyberctl
CC=$4
export CC

"$daemon" --version
"$control" --version
work=$(mktemp -d "${TMPDIR:-/tmp}/ecyber.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp -R "$(pkg-config --variable=templatedir ecyber-plugin)/." "$work"
# The make that runs this must not hand its own variables on.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CFLAGS make -C "$work" check hello.so
plugins=$(pkg-config --variable=plugindir ecyber-plugin)
"$daemon" --set "core.plugin_dirs=[$plugins, $work]" --list-plugins | grep '^hello'
