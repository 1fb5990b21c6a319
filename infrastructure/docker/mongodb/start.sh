#!/bin/bash
# Starts mongod as a member of the replica set rs0. With authentication on, members prove themselves by a
# shared key, which mongod only accepts from a file that nobody else can read.
set -euo pipefail
# Every other option is mongod's.
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
key=/tmp/replica.key
rm -f "$key"
(umask 077 && printf '%s\n' "${MONGO_REPLICA_KEY:?is not set}" >"$key")
if [ "$(id -u)" = 0 ]; then chown mongodb:mongodb "$key"; fi
unset MONGO_REPLICA_KEY
# Only an empty server can join a set: of mongodb-0, -1, -2 the first alone makes the root account, the others copy it.
if [[ $(hostname) =~ -[1-9][0-9]*$ ]]; then unset MONGO_INITDB_ROOT_USERNAME MONGO_INITDB_ROOT_PASSWORD; fi
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile "$key" --bind_ip_all "$@"
