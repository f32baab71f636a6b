#!/usr/bin/env bash
# Runs a command beside a MongoDB server of its own, whose address is in MONGO_URL: run.sh COMMAND ARGUMENTS...
# Without a command it prints the address and serves until it is stopped. The databases are gone afterwards.
# The server is FerretDB over SQLite, built here when there is no newer binary. Needs a Go toolchain for that, once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$here/bin/ferretdb

built() {
  [ -x "$binary" ] || return 1
  for source in main.go front.go go.mod go.sum; do
    [ "$binary" -nt "$here/$source" ] || return 1
  done
}

if ! built; then
  command -v go >/dev/null || { echo 'there is no Go toolchain to build FerretDB with' >&2; exit 69; }
  (cd "$here" && nice -n 19 go build -p 1 -trimpath -tags ferretdb_no_postgresql -o "$binary" .) >&2
fi
[ "${1-}" != '--build' ] || exit 0

data=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  rm -rf "$data"
}
trap finish EXIT
trap 'exit 143' TERM INT

exec {address}< <(exec "$binary" -data "$data")
server=$!
read -r MONGO_URL <&"$address" || { echo 'FerretDB did not start' >&2; exit 1; }
export MONGO_URL

if [ $# -gt 0 ]; then
  "$@"
else
  echo "$MONGO_URL"
  wait "$server"
fi
