#!/usr/bin/env bash
# Looks for known weaknesses: Dockerfiles by hadolint, the images' packages by pip-audit, the images by trivy.
# pip-audit asks PyPI's database of advisories, trivy its own: both need the internet. Fails if anything is found,
# or could not be looked up.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv="${VENV:-.venv}"
failed=0

echo "hadolint: Dockerfile.backend Dockerfile.frontend"
"$venv/bin/hadolint" Dockerfile.backend Dockerfile.frontend || failed=1

echo "pip-audit: deploy/constraints.txt"
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT
"$venv/bin/python" -m venv "$tools" && "$tools/bin/pip" install --quiet pip-audit \
  && "$tools/bin/pip-audit" --requirement deploy/constraints.txt --no-deps --disable-pip --strict || failed=1

if ! command -v trivy >/dev/null; then
  echo "trivy: not installed, so the images are not scanned"
else
  for image in deepfake-backend deepfake-frontend; do
    echo "trivy: $image"
    trivy image --exit-code 1 --severity HIGH,CRITICAL --ignore-unfixed "$image" || failed=1
  done
fi
exit "$failed"
