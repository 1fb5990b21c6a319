#!/bin/bash
# Tags the tested images with their version and signs them: the same digests, without a rebuild.
# usage: scripts/ci/release.sh VERSION
# Environment: BIGTECH_REGISTRY, BIGTECH_VERSION (the tag that was tested), COSIGN_ARGS (more options of `cosign sign`; without
# them cosign signs with the identity of the workflow). Needs docker and cosign.
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
read -ra more <<<"${COSIGN_ARGS:-}"
# Any other format that starts with `.Manifest` prints a table.
digest_of() { docker buildx imagetools inspect --format '{{json .Manifest.Digest}}' "$1" | tr -d '"'; }

images=$(docker compose --file docker-compose.msa.yml config --images | grep "^$BIGTECH_REGISTRY/" | sort -u)
for image in $images; do
  name=${image%:*}
  digest=$(digest_of "$image")
  # An index around a single manifest would have another digest.
  docker buildx imagetools create --prefer-index=false --tag "$name:$version" "$name@$digest"
  if [ "$(digest_of "$name:$version")" != "$digest" ]; then
    echo "$name:$version is not $digest, which was tested" >&2
    exit 1
  fi
  cosign sign --yes "${more[@]}" "$name@$digest"
done
