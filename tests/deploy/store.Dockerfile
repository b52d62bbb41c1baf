ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends wget \
    && python -m venv /opt/venv && /opt/venv/bin/pip install 'moto[s3]==5.2.*' flask flask-cors
COPY weed.sh /usr/local/bin/weed
RUN chmod 0755 /usr/local/bin/weed
