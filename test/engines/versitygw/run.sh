#!/usr/bin/env bash
# Runs a command beside an S3 server of its own, whose bucket is in S3_URL: run.sh COMMAND ARGUMENTS...
# Without a command it prints the address and serves until it is stopped. The bucket is gone afterwards.
# The server is versitygw over a folder, built here when it is not there. Needs a Go toolchain for that, once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$here/bin/versitygw
version=v1.8.0

if [ ! -x "$binary" ]; then
  command -v go >/dev/null || { echo 'there is no Go toolchain to build versitygw with' >&2; exit 69; }
  mkdir -p "$here/bin"
  GOBIN=$here/bin nice -n 19 go install -p 1 -trimpath "github.com/versity/versitygw/cmd/versitygw@$version" >&2
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

export ROOT_ACCESS_KEY=tests ROOT_SECRET_KEY=of-the-tests
mkdir "$data/blobs"
port=$(node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})")
"$binary" --quiet --port "127.0.0.1:$port" posix "$data" >/dev/null 2>&1 &
server=$!
for _ in $(seq 100); do
  kill -0 "$server" 2>/dev/null || { echo 'versitygw did not start' >&2; exit 1; }
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.1
done
S3_URL="s3://$ROOT_ACCESS_KEY:$ROOT_SECRET_KEY@blobs?endpoint=http://127.0.0.1:$port"
export S3_URL

if [ $# -gt 0 ]; then
  "$@"
else
  echo "$S3_URL"
  wait "$server"
fi
