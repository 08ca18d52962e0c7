# Stands in for nats:2.12-alpine. Busybox brings the wget of the health check.
ARG BUSYBOX_IMAGE
FROM ${BUSYBOX_IMAGE}
COPY nats-server /usr/local/bin/nats-server
EXPOSE 4222 8222 6222
CMD ["nats-server"]
