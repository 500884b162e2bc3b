# syntax=docker/dockerfile:1
# Two stages: a builder with Rust and a C compiler (for zstd, bzip2 and xz), and an image that holds the program and
# glibc, no shell and no package manager. The program runs as user 65532 and writes nowhere but to its state volume.
#
#   docker build -t logtally --build-arg REVISION=$(git rev-parse --short=12 HEAD) .
#   docker run -d --read-only --cap-drop ALL -p 127.0.0.1:10474:10474 -v logtally:/var/lib/logtally \
#     -v /var/log:/var/log:ro --group-add "$(stat -c %g /var/log/syslog)" logtally '/var/log/**/*.log'

FROM rust:1.95-bookworm AS build
WORKDIR /src
# Dependencies first, with an empty program: this layer stays until Cargo.lock changes.
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked --bin logtally
COPY src src
COPY rules rules
ARG REVISION=unknown
ENV LOGTALLY_REVISION=$REVISION
# The copied files are older than the empty program's build; cargo goes by time.
RUN touch src/main.rs src/lib.rs build.rs \
    && cargo build --release --locked --bin logtally \
    && strip --strip-debug target/release/logtally \
    && mkdir -p /image/state/logtally \
    && ./target/release/logtally check

FROM gcr.io/distroless/cc-debian12:nonroot
# The folder `logtally` in it becomes the volume's, with its owner.
COPY --from=build --chown=65532:65532 /image/state/ /var/lib/
COPY --from=build /src/target/release/logtally /usr/bin/logtally
COPY LICENSE /usr/share/doc/logtally/
ENV LOGTALLY_STORAGE_PATH=/var/lib/logtally \
    LOGTALLY_WEB_LISTEN_ADDRESS=0.0.0.0:10474
VOLUME /var/lib/logtally
EXPOSE 10474
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/bin/logtally", "healthcheck"]
ENTRYPOINT ["/usr/bin/logtally"]
