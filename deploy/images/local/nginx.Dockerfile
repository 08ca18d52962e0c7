# Stands in for nginx:alpine with the nginx that Debian carries.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
COPY tree/ /
COPY nginx.conf /etc/nginx/nginx.conf
COPY nginx-default.conf /etc/nginx/conf.d/default.conf
RUN ldconfig && mkdir -p /var/log/nginx /var/lib/nginx \
 && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
