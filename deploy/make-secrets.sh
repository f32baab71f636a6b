#!/bin/sh
# Makes the secrets that docker-compose.yml mounts: make-secrets.sh [FOLDER], deploy/secrets without one.
# What is there already is left as it is. The folder is closed to others; the files in it are open, because they are
# read by users of the containers that the host does not know.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

# missing NAME: whether it is still to be made.
missing() { [ ! -s "$1" ]; }
random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# Wraps the vault's keys. Keep a copy apart from everything else: without it nothing personal can be read.
if missing master.key; then head -c 32 /dev/urandom >master.key; fi
# What the members of the replica set know each other by.
if missing mongo.key; then head -c 96 /dev/urandom | od -An -tx1 | tr -d ' \n' >mongo.key; fi
for name in mongo_root_password mongo_password redis_password; do
  if missing "$name"; then random >"$name"; fi
done
# In a private network of containers, without TLS and without users.
if missing event_log; then echo 'esdb://event-log:2113?tls=false' >event_log; fi
if missing documents; then
  echo "mongodb://osmium:$(cat mongo_password)@documents:27017/osmium?replicaSet=rs0&authSource=admin" >documents
fi
if missing pubsub; then echo "redis://:$(cat redis_password)@pubsub:6379" >pubsub; fi
chmod 644 ./*
