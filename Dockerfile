# Tocsin's image: every process of it, and Ray's nodes. Two stages, so that no compiler and no installer
# is in what runs. The base is pinned by tag; pin it by digest where you build (k8s/README.md).

FROM python:3.11.14-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements-image.lock /build/
# versions and hashes are the lock's; wheels only, so that nothing is compiled
RUN python -m venv /opt/tocsin \
    && /opt/tocsin/bin/pip install --require-hashes --only-binary=:all: -r /build/requirements-image.lock \
    && /opt/tocsin/bin/pip uninstall --yes pip \
    && find /opt/tocsin -name '*.pyi' -delete

FROM python:3.11.14-slim-bookworm
ENV PATH=/opt/tocsin/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    RAY_USAGE_STATS_ENABLED=0 \
    TOCSIN_DATA_DIR=/data \
    TOCSIN_METRICS_PORT=9100
# A shell of Ray's operator that sets its own PATH still finds these.
RUN groupadd --system --gid 10001 tocsin \
    && useradd --system --uid 10001 --gid tocsin --home-dir /tmp --no-create-home tocsin \
    && install -d -o tocsin -g tocsin /data /kept \
    && ln -s /opt/tocsin/bin/ray /usr/local/bin/ray \
    && printf '#!/opt/tocsin/bin/python\nfrom tocsin.cli.main import app\n\napp()\n' >/usr/local/bin/tocsin \
    && chmod 0755 /usr/local/bin/tocsin
COPY --from=packages /opt/tocsin /opt/tocsin
WORKDIR /app
COPY LICENSE ./
COPY tocsin tocsin
COPY streams streams
COPY actors actors
COPY api api
COPY analytics analytics
COPY loadtest loadtest
# compiled here, as nothing can be written where it runs
RUN /opt/tocsin/bin/python -m compileall -q /opt/tocsin /app
USER 10001:10001
VOLUME /data
EXPOSE 8080 8081 9100
# Of whichever process runs: does it move (tocsin/observability/progress.py)? Kubernetes has its own.
HEALTHCHECK --interval=20s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"TOCSIN_METRICS_PORT\"]}/livez', timeout=8)"]
CMD ["tocsin", "--help"]
