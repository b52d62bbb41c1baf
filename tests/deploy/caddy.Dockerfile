ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends caddy wget
ENV XDG_DATA_HOME=/data XDG_CONFIG_HOME=/config
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
