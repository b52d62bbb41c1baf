#!/bin/sh
# Takes the place of SeaweedFS's program: moto's server on the same port. It keeps objects in memory, takes every key,
# and knows no /status: a bucket of that name answers instead.
/opt/venv/bin/moto_server -H 0.0.0.0 -p 8333 &
until wget -q -O /dev/null --method=PUT http://127.0.0.1:8333/status; do sleep 0.3; done
wait
