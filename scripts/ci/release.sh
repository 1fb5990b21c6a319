#!/bin/bash
# Tags the tested images with their version, signs them and attaches an SBOM of their npm packages: the same digests,
# without a rebuild.
# usage: scripts/ci/release.sh VERSION
# Environment: BIGTECH_REGISTRY, BIGTECH_VERSION (the tag that was tested), COSIGN_ARGS (more options of `cosign sign` and
# `cosign attest`; without them cosign signs with the identity of the workflow). Needs docker, cosign and Node.
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

sbom=$(mktemp)
trap 'rm -f "$sbom"' EXIT
# package_of NAME: the workspace package whose production dependencies are in an image. Migrations consist of dbmate and SQL.
package_of() {
  case "$1" in
    *-migrate) ;;
    media-worker | media-service-seed) echo @bigtech/media-service ;;
    *) echo "@bigtech/$1" ;;
  esac
}

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
  package=$(package_of "${name##*/}")
  [ -n "$package" ] || continue
  npx -y pnpm@12.21.0 --fail-if-no-match --filter "$package" sbom --lockfile-only --prod --sbom-type application \
    --sbom-format cyclonedx --sbom-spec-version 1.6 --out "$sbom" >/dev/null
  cosign attest --yes "${more[@]}" --type cyclonedx --predicate "$sbom" "$name@$digest"
done
