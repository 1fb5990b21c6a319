#!/bin/bash
# Dumps the messages, or restores a dump.
# usage: mongodb.sh backup FILE.archive.gz
#        mongodb.sh restore FILE.archive.gz      replaces the collections: stop chat-service first
# Environment: MONGO_URL (an account that may read, or write, every collection of bigtech_chat)
set -euo pipefail
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  backup | restore) ;;
  *)
    echo "$(basename "$0"): unknown command ${1:-} (see --help)" >&2
    exit 2
    ;;
esac
file=${2:?a file is needed}
: "${MONGO_URL:?}"
if [ "$1" = backup ]; then
  # Messages are never overwritten by a later state than the acknowledged one, so a dump needs no oplog.
  mongodump --uri="$MONGO_URL" --archive="$file.part" --gzip
  mv "$file.part" "$file"
  echo "$file written: $(du -h "$file" | cut -f1)"
else
  # mongorestore would notice an incomplete file only after it has dropped the collections.
  gzip -t "$file"
  mongorestore --uri="$MONGO_URL" --archive="$file" --gzip --drop
  echo "$file restored"
fi
