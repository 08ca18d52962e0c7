# Stands in for traefik:v3.7.
ARG BUSYBOX_IMAGE
FROM ${BUSYBOX_IMAGE}
COPY traefik /usr/local/bin/traefik
EXPOSE 80
CMD ["traefik"]
