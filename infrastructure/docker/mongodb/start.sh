#!/bin/bash
# Starts mongod as a member of the replica set rs0. With authentication, members authenticate by a
# shared key, which mongod accepts only from a file that no other user can read.
set -euo pipefail
# All other options are passed to mongod.
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
# Only an empty server can join a set: mongodb-0 creates the root account, and the other members replicate it.
if [[ $(hostname) =~ -[1-9][0-9]*$ ]]; then unset MONGO_INITDB_ROOT_USERNAME MONGO_INITDB_ROOT_PASSWORD; fi
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile "$key" --bind_ip_all "$@"
