#!/bin/bash
# One database per service with two accounts: the service may read and write rows, and nothing else; the owner
# changes tables and is used by migrations only. One more account may read the server's counters.
# Can be run any number of times; a changed password is applied. Needs MYSQL_HOST and the passwords, and
# MYSQL_PREVIOUS_ROOT_PASSWORD to change the one of root.
# --print: prints the statements without connecting.
set -euo pipefail
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  --print) ;;
  -*)
    echo "$(basename "$0"): unknown option $1 (see --help)" >&2
    exit 2
    ;;
esac
services=(user friend chat notification analytics media)

password() { # VARIABLE: its value, which will stand between quotes in SQL and in URLs
  local value=${!1:-}
  [[ $value =~ ^[A-Za-z0-9._-]+$ ]] || { echo "$1 must be set, of letters, digits, dot, dash, underscore" >&2; return 1; }
  printf %s "$value"
}

account() { # NAME VARIABLE
  local secret
  secret=$(password "$2")
  echo "CREATE USER IF NOT EXISTS '$1'@'%' IDENTIFIED BY '$secret';"
  echo "ALTER USER '$1'@'%' IDENTIFIED BY '$secret';"
}

statements() {
  for service in "${services[@]}"; do
    echo "CREATE DATABASE IF NOT EXISTS bigtech_$service CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;"
    account "${service}_service" "MYSQL_${service^^}_PASSWORD"
    account "${service}_service_owner" "MYSQL_${service^^}_OWNER_PASSWORD"
    echo "GRANT SELECT, INSERT, UPDATE, DELETE ON bigtech_$service.* TO '${service}_service'@'%';"
    echo "GRANT ALL PRIVILEGES ON bigtech_$service.* TO '${service}_service_owner'@'%';"
  done
  account exporter MYSQL_EXPORTER_PASSWORD
  echo "GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'exporter'@'%';"
  echo "GRANT SELECT ON performance_schema.* TO 'exporter'@'%';"
}

if [ "${1:-}" = --print ]; then statements; exit; fi
: "${MYSQL_HOST:?}" "${MYSQL_ROOT_PASSWORD:?}"
sql=$(statements)

# Passes the password in the environment, because the process list shows arguments.
as_root() { MYSQL_PWD=$1 mysql --host="$MYSQL_HOST" --user=root --batch; }

if ! as_root "$MYSQL_ROOT_PASSWORD" <<<'' 2>/dev/null && [ -n "${MYSQL_PREVIOUS_ROOT_PASSWORD:-}" ]; then
  secret=$(password MYSQL_ROOT_PASSWORD)
  for host in % localhost; do
    echo "ALTER USER IF EXISTS 'root'@'$host' IDENTIFIED BY '$secret';"
  done | as_root "$MYSQL_PREVIOUS_ROOT_PASSWORD"
fi
as_root "$MYSQL_ROOT_PASSWORD" <<<"$sql"
echo 'databases and accounts are there'
