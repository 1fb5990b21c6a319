#!/bin/sh
# Fails if BIND_ADDRESS allows other machines while a secret in the environment has its development value.
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
case "${BIND_ADDRESS:-127.0.0.1}" in 127.* | localhost | ::1) exit 0 ;; esac
known=$(env | sed -n 's/^\([A-Z_]*\)=development.*$/\1/p' | sort | tr '\n' ' ')
[ -n "$known" ] || exit 0
echo "BIND_ADDRESS=$BIND_ADDRESS lets other machines in, and these secrets are known to everybody: $known" >&2
echo 'Run infrastructure/docker/make-env.sh before the first start, or infrastructure/docker/rotate.sh while the system runs.' >&2
exit 1
