#!/bin/sh
# Writes .env in the repository's root with random secrets, once: an existing file is never
# changed; only missing secrets are added. docker-compose.msa.yml reads it.
# usage: infrastructure/docker/make-env.sh [FILE]
set -eu
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  -*)
    echo "$(basename "$0"): unknown option $1 (see --help)" >&2
    exit 2
    ;;
esac
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
file=${1:-$root/.env}
example=$root/.env.example

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
if [ ! -e "$file" ]; then
  while IFS= read -r line; do
    case $line in
      *=generate) printf '%s=%s\n' "${line%%=*}" "$(random)" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done <"$example" >"$file.new"
  mv "$file.new" "$file"
  echo "$file written, with secrets of its own."
  exit 0
fi

added=0
while IFS= read -r line; do
  case $line in
    [A-Z]*=generate)
      grep -q "^${line%%=*}=" "$file" && continue
      printf '%s=%s\n' "${line%%=*}" "$(random)" >>"$file"
      added=$((added + 1))
      ;;
  esac
done <"$example"
echo "$file kept; $added missing secrets added."
