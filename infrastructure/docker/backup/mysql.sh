#!/bin/bash
# Dumps every database of the services consistently, with the position in the binary log, or restores a dump.
# usage: mysql.sh backup FILE.sql.gz
#        mysql.sh restore FILE.sql.gz      replaces the databases: stop the services first
# A restore advances every id counter by a million, so that ids assigned after the backup are not reused.
# Environment: MYSQL_HOST, MYSQL_PORT (default 3306), MYSQL_ROOT_PASSWORD
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
server=(--host="$MYSQL_HOST" --port="${MYSQL_PORT:-3306}" --protocol=tcp --user=root --default-character-set=utf8mb4)
databases=(bigtech_user bigtech_friend bigtech_chat bigtech_notification bigtech_analytics bigtech_media)

if [ "$1" = backup ]; then
  position=(--source-data=2 --set-gtid-purged=OFF)
  if [[ $(mysqldump --version) == *MariaDB* ]]; then position=(); fi
  # The final name marks a complete file.
  mysqldump "${server[@]}" --single-transaction "${position[@]}" \
    --routines --triggers --hex-blob --add-drop-database --databases "${databases[@]}" |
    gzip >"$file.part"
  mv "$file.part" "$file"
  echo "$file written: $(du -h "$file" | cut -f1)"
else
  gzip -t "$file"
  gunzip -c "$file" | mysql "${server[@]}"
  mysql "${server[@]}" --batch --skip-column-names --execute="
    /*!80000 SET SESSION information_schema_stats_expiry = 0 */;
    SELECT CONCAT('ALTER TABLE \`', table_schema, '\`.\`', table_name, '\` AUTO_INCREMENT = ', auto_increment + 1000000, ';')
    FROM information_schema.tables WHERE table_schema LIKE 'bigtech\_%' AND auto_increment IS NOT NULL" |
    mysql "${server[@]}"
  echo "$file restored"
fi
