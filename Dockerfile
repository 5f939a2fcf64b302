# SPDX-License-Identifier: Apache-2.0
#
# The release in a container, without root. After mvn -B -DskipTests package:
#   docker build -t telechat .
#   docker run --rm -v /srv/models:/models:ro -p 127.0.0.1:8000:8000 telechat \
#       serve /models/TeleChat2-3B --host 0.0.0.0 --api-key-file /models/keys
FROM eclipse-temurin:25-jdk-noble AS unpacked
WORKDIR /opt
COPY telechat-cli/target/telechat-*.zip /tmp/telechat.zip
RUN jar xf /tmp/telechat.zip && mv telechat-* telechat && chmod +x telechat/bin/telechat

FROM eclipse-temurin:25-jre-noble
COPY --from=unpacked /opt/telechat /opt/telechat
RUN useradd --system --uid 10001 --create-home telechat
USER 10001
# What makes starts fast belongs to this Java, so it is made here.
ENV TELECHAT_CACHE=/home/telechat/cache LANG=C.UTF-8
RUN /opt/telechat/bin/telechat version
EXPOSE 8000
ENTRYPOINT ["/opt/telechat/bin/telechat"]
CMD ["--help"]
