# Stands in for redis:7.2-alpine with the Redis that Debian carries.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
COPY tree/ /
RUN ldconfig \
 && groupadd --system --gid 1000 redis \
 && useradd --system --uid 999 --gid redis --no-create-home --shell /usr/sbin/nologin redis \
 && mkdir -p /data && chown redis:redis /data
WORKDIR /data
VOLUME /data
EXPOSE 6379
USER redis
CMD ["redis-server"]
