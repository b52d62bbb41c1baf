#!/bin/sh
# Starts SeaweedFS as an S3-compatible store with one pair of credentials: STORE_KEY and STORE_SECRET.
set -eu
: "${STORE_KEY:?}" "${STORE_SECRET:?Set STORE_SECRET in .env: see .env.example}"
umask 077
cat > /tmp/s3.json <<JSON
{"identities": [{"name": "service", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
  "credentials": [{"accessKey": "$STORE_KEY", "secretKey": "$STORE_SECRET"}]}]}
JSON
exec weed server -dir=/data -ip.bind=0.0.0.0 -master.volumeSizeLimitMB=1024 -volume.max=0 \
  -s3 -s3.port=8333 -s3.config=/tmp/s3.json
