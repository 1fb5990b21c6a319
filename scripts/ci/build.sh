#!/bin/bash
# Builds every image of docker-compose.msa.yml and fails if one exceeds its size limit. Runs in CI and locally.
# usage: scripts/ci/build.sh [--push]
#   --push   pushes the images with SBOM and provenance instead of loading them locally
# Environment: BIGTECH_REGISTRY (default bigtech), BIGTECH_VERSION (default dev), BAKE_ARGS (more options of bake)
set -euo pipefail
cd "$(dirname "$0")/../.."
push=
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  --push) push=1 ;;
  '') ;;
  *)
    echo "$(basename "$0"): unknown option $1 (see --help)" >&2
    exit 2
    ;;
esac
read -ra more <<<"${BAKE_ARGS:-}"
if [ -n "$push" ]; then
  docker buildx bake --file docker-compose.msa.yml --push \
    --set '*.attest=type=sbom' --set '*.attest=type=provenance,mode=max' "${more[@]}"
  exit
fi
docker buildx bake --file docker-compose.msa.yml --load "${more[@]}"

prefix="${BIGTECH_REGISTRY:-bigtech}/"
failed=0
images=$(docker compose --file docker-compose.msa.yml config --images | grep "^$prefix" | sort -u)
for image in $images; do
  limit_mb=251
  case "$image" in
    # Static files on Alpine's nginx.
    */web-client:*) limit_mb=81 ;;
    # Contains programs and data for text recognition.
    */media-service:*) limit_mb=361 ;;
    # Based on Debian: espeak-ng, and ffmpeg with its libraries.
    */media-service-seed:*) limit_mb=650 ;;
    */analysis-service:*) limit_mb=1060 ;;
    */media-worker:*) limit_mb=1210 ;;
  esac
  size_mb=$(($(docker image inspect --format '{{.Size}}' "$image") / 1000000))
  echo "$image: $size_mb MB"
  if [ "$size_mb" -gt "$limit_mb" ]; then
    echo "$image is larger than $limit_mb MB" >&2
    failed=1
  fi
done
exit "$failed"
