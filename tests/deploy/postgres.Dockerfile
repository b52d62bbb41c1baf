ARG BASE
FROM ${BASE}
# the numbers that the official image's user has
RUN groupadd --system --gid 999 postgres \
    && useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql postgres \
    && apt-get update && apt-get install -y --no-install-recommends postgresql-15 \
    && ln -s /usr/lib/postgresql/15/bin/* /usr/local/bin/ \
    && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data
COPY postgres.sh /usr/local/bin/start-postgres
ENTRYPOINT ["sh", "/usr/local/bin/start-postgres"]
