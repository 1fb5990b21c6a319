#!/bin/bash
# Creates every topic of topics.txt that is missing and sets its retention. Partitions are never changed:
# more of them would send a key's later records elsewhere and break its order.
# Needs KAFKA_BROKERS; KAFKA_REPLICATION (default 3).
set -euo pipefail
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
brokers=${KAFKA_BROKERS:?}
replication=${KAFKA_REPLICATION:-3}
in_sync=$((replication > 1 ? 2 : 1))
bin=${KAFKA_BIN:-/opt/kafka/bin}

existing=$("$bin/kafka-topics.sh" --bootstrap-server "$brokers" --list)
while read -r topic partitions retention_ms; do
  case $topic in '' | '#'*) continue ;; esac
  if grep -qxF "$topic" <<<"$existing"; then
    "$bin/kafka-configs.sh" --bootstrap-server "$brokers" --alter --entity-type topics --entity-name "$topic" \
      --add-config "retention.ms=$retention_ms,min.insync.replicas=$in_sync" >/dev/null
    echo "$topic is there"
  else
    "$bin/kafka-topics.sh" --bootstrap-server "$brokers" --create --if-not-exists --topic "$topic" \
      --partitions "$partitions" --replication-factor "$replication" \
      --config "retention.ms=$retention_ms" --config "min.insync.replicas=$in_sync" >/dev/null
    echo "$topic created: $partitions partitions, $replication copies"
  fi
done <"$(dirname "$0")/topics.txt"
