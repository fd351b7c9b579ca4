# The bot in a container. Build: docker build --tag lull .
# Pinned by tag, so that a rebuild here brings security fixes. The published images are built from this tag's digest of the
# day, which .github/workflows/image.yml looks up, passes in and writes into the image's labels; it rebuilds them weekly.
ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS build
# Without pip inside: what is not there cannot be misused.
RUN python -m venv --without-pip /venv
COPY requirements/run.txt /run.txt
# Only what has these hashes, and only built packages: there is no compiler here either.
RUN pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --no-deps --only-binary :all: --requirement /run.txt
COPY bot /app/bot
COPY config /app/config
COPY db /app/db
COPY LICENSE /app/LICENSE
# The root is read-only when it runs, so bytecode is made now.
RUN python -m compileall -q /app

FROM ${PYTHON}
ARG VERSION=unknown
ARG REVISION=unknown
ARG PYTHON
LABEL org.opencontainers.image.title="Lull" \
      org.opencontainers.image.description="A Telegram companion that reminds people of their magnesium before bed" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${PYTHON}"

# pg_dump and pg_restore, for backups of a PostgreSQL. Not pinned: the weekly build is there to bring their fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*

# data/ beside the code is where the bot keeps its database and backups by default; here it is a volume.
RUN groupadd --gid 10001 lull \
    && useradd --uid 10001 --gid lull --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin lull \
    && install --directory --owner=lull --group=lull --mode=0700 /data \
    && install --directory /app \
    && ln --symbolic /data /app/data \
    && rm -rf /usr/local/lib/python*/site-packages/pip* /usr/local/lib/python*/ensurepip /usr/local/bin/pip*

# An empty PYTHONTZPATH takes zone rules from the pinned tzdata, which is newer than the system's.
ENV PATH="/venv/bin:${PATH}" \
    PYTHONTZPATH="" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    LOG_FORMAT=json

COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "bot", "healthcheck"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
