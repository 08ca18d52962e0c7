# Stands in for eclipse-mosquitto:2.0 with the Mosquitto that Debian carries.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
COPY tree/ /
RUN ldconfig \
 && groupadd --system --gid 1883 mosquitto \
 && useradd --system --uid 1883 --gid mosquitto --no-create-home --shell /usr/sbin/nologin mosquitto \
 && ln -sf /usr/sbin/mosquitto /usr/local/bin/mosquitto \
 && mkdir -p /mosquitto/data && chown mosquitto:mosquitto /mosquitto/data
VOLUME /mosquitto/data
EXPOSE 1883
USER mosquitto
CMD ["mosquitto"]
