# Stands in for postgres:17-alpine with the PostgreSQL that Debian carries.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
COPY tree/ /
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN ldconfig \
 && groupadd --system --gid 999 postgres \
 && useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres \
 && mkdir -p /var/lib/postgresql/data /var/run/postgresql \
 && chown -R postgres:postgres /var/lib/postgresql /var/run/postgresql \
 && chmod 755 /usr/local/bin/docker-entrypoint.sh \
 && for program in /usr/lib/postgresql/*/bin/*; do ln -sf "$program" /usr/local/bin/; done
ENV PGDATA=/var/lib/postgresql/data LANG=C.UTF-8
VOLUME /var/lib/postgresql/data
EXPOSE 5432
# A fast shutdown: open sessions are ended, the next start needs no recovery.
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
