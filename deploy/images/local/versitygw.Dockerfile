# Stands in for versity/versitygw. Busybox brings the shell and the wget of the health check.
ARG BUSYBOX_IMAGE
FROM ${BUSYBOX_IMAGE}
COPY versitygw /usr/local/bin/versitygw
RUN mkdir -p /data
VOLUME /data
EXPOSE 7070
CMD ["versitygw"]
