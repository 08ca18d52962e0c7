# Stands in for mccutchen/go-httpbin.
ARG BUSYBOX_IMAGE
FROM ${BUSYBOX_IMAGE}
COPY go-httpbin /bin/go-httpbin
EXPOSE 8080
USER nobody
CMD ["/bin/go-httpbin"]
