#!/usr/bin/env bash
# Fetches the Python library for bots from PyPI, with the examples of its source, and prints the python that has both.
# The tests beside this file use it where it is. Needs python3 with venv and pip, and PyPI, once.
set -euo pipefail
version=0.3.7
root=$(cd "$(dirname "$0")/../../.." && pwd)
library=$root/node_modules/.cache/osmium-chat
made=$library.new

cannot() {
  echo "$1" >&2
  exit 69
}

if [ "$(cat "$library/version" 2>/dev/null)" != "$version" ]; then
  command -v python3 >/dev/null || cannot 'there is no python3'
  mkdir -p "$(dirname "$library")"
  rm -rf "$made"
  python3 -m venv "$made" >&2 || cannot 'python3 has no venv with pip'
  pip=("$made/bin/python" -m pip --quiet --disable-pip-version-check --timeout 10 --retries 1)
  # It asks for a newer Python than it needs.
  "${pip[@]}" install --ignore-requires-python "osmium-chat==$version" >&2 || cannot 'PyPI does not give osmium-chat'
  "${pip[@]}" download --ignore-requires-python --no-deps --no-binary osmium-chat --dest "$made/source" \
    "osmium-chat==$version" >&2 || cannot 'PyPI does not give the source of osmium-chat'
  tar -xzf "$made/source/osmium_chat-$version.tar.gz" -C "$made" --strip-components=1 \
    "osmium_chat-$version/examples" || cannot 'the source of osmium-chat has no examples'
  echo "$version" >"$made/version"
  # All at once: tests may look for it meanwhile.
  rm -rf "$library"
  mv "$made" "$library"
fi
echo "$library/bin/python"
