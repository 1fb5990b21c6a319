#!/bin/bash
# Dumps every database of the services, consistent in itself and with the position in the binary log, or restores a dump.
# usage: mysql.sh backup FILE.sql.gz
#        mysql.sh restore FILE.sql.gz      replaces the databases: stop the services first
# Environment: MYSQL_HOST, MYSQL_ROOT_PASSWORD
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
: "${MYSQL_HOST:?}" "${MYSQL_ROOT_PASSWORD:?}"
export MYSQL_PWD=$MYSQL_ROOT_PASSWORD
databases=(bigtech_user bigtech_friend bigtech_chat bigtech_notification bigtech_analytics bigtech_media)

if [ "$1" = backup ]; then
  # A file that has its name is whole.
  mysqldump --host="$MYSQL_HOST" --user=root --single-transaction --source-data=2 --set-gtid-purged=OFF \
    --routines --triggers --hex-blob --default-character-set=utf8mb4 --add-drop-database --databases "${databases[@]}" |
    gzip >"$file.part"
  mv "$file.part" "$file"
  echo "$file written: $(du -h "$file" | cut -f1)"
else
  gzip -t "$file"
  gunzip -c "$file" | mysql --host="$MYSQL_HOST" --user=root --default-character-set=utf8mb4
  echo "$file restored"
fi
