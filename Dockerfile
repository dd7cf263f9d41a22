# Two stages: one builds, one runs. Every RUN line is a script that `make` uses as well.
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /build
COPY .ci .ci
RUN .ci/setup.sh build
COPY . .
RUN .ci/build-image.sh /out

FROM docker.io/library/debian:bookworm-slim
COPY .ci /opt/syncline/ci
RUN /opt/syncline/ci/setup.sh runtime
# The user, by number, so that a cluster of containers can see that it is not root, and its
# working folder: settings and mappings are mounted there, the embedded ledger lives in it.
RUN /opt/syncline/ci/make-user.sh 10001 /var/lib/syncline
COPY --from=build /out/syncline /usr/local/bin/syncline
WORKDIR /var/lib/syncline
USER 10001:10001
VOLUME ["/var/lib/syncline/.syncline"]
EXPOSE 8080
# The first start makes the embedded ledger; recovery after a crash may take some seconds.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["syncline", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["syncline"]
CMD ["run"]
