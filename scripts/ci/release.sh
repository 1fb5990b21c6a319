#!/bin/bash
# Tags the tested images with their version and signs them: the same digests, without a rebuild.
# usage: scripts/ci/release.sh VERSION
# Environment: BIGTECH_REGISTRY, BIGTECH_VERSION (the tag that was tested). Needs docker and cosign.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  '' | -*)
    echo "$(basename "$0"): ${1:+unknown option $1; }the version is needed (see --help)" >&2
    exit 2
    ;;
esac
version=$1
: "${BIGTECH_REGISTRY:?}" "${BIGTECH_VERSION:?}"
for image in $(docker compose --file docker-compose.msa.yml config --images | grep "^$BIGTECH_REGISTRY/" | sort -u); do
  name=${image%:*}
  digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image")
  docker buildx imagetools create --tag "$name:$version" "$name@$digest"
  cosign sign --yes "$name@$digest"
done
