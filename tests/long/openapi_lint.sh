#!/usr/bin/env bash
# redocly lint finds no error, spectral lint not even a warning, in the document of all shipped plugins. Both come from npm, by version.
set -u
n=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { n=$((n + 1)); echo "not ok $n - $1"; }

npm install --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000 \
    @redocly/cli@1.34.20 @stoplight/spectral-cli@6 >npm.log 2>&1 || { echo "SKIP: npm could not fetch the linters"; exit 77; }
cat >ecyber.yaml <<END
core:
  plugin_dirs: [$EC_PLUGINDIR]
  state_dir: $PWD/state
  control_socket: $PWD/c.sock
http:
  listen: none
  socket: $PWD/a.sock
END
"$ECYBERD" --alone -c ecyber.yaml >log 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
for _ in $(seq 200); do [ -S a.sock ] && break; sleep 0.1; done
python3 - <<'END' || exit 1
import http.client
import socket


class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("a.sock")


c = Local("local")
c.request("GET", "/api/openapi.json")
open("openapi.json", "wb").write(c.getresponse().read())
END
echo 'extends: ["spectral:oas"]' >.spectral.yaml
if npx --no-install redocly lint openapi.json >redocly.log 2>&1; then ok "redocly finds no error"; else
    not_ok "redocly finds no error"; sed 's/^/# /' redocly.log | tail -40; fi
if npx --no-install spectral lint -r .spectral.yaml --fail-severity=warn openapi.json >spectral.log 2>&1; then
    ok "spectral finds nothing, not even a warning"; else
    not_ok "spectral finds nothing, not even a warning"; grep -w -e error -e warning spectral.log | sed 's/^/# /'; fi
kill $pid
wait $pid && ok "the daemon ends well" || not_ok "the daemon ends well"
echo "1..$n"
