# In the first stage everything is built; the second one gets the result, and nothing that building needs.
FROM python:3.13-slim AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build

# Versions and hashes are locked (.ci/lock), so that an image built again is the same. The locks leave out the
# PostgreSQL and Redis that a development machine gets from packages, and the tools of the tests.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/selfsame \
    && pip --python /opt/selfsame/bin/python install --require-hashes --only-binary :all: -r requirements.lock \
    && pip install --require-hashes --only-binary :all: -r requirements-build.lock

COPY pyproject.toml ./
COPY config config
COPY customers customers
COPY dedup dedup
COPY segments segments
COPY templates templates
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/selfsame/bin/python install --no-deps dist/*.whl

COPY manage.py ./
# Collecting files uses none of these, but nothing starts in production without them.
RUN PATH="/opt/selfsame/bin:$PATH" STATIC_ROOT=/opt/selfsame/static DATA_DIR=/tmp SELFSAME_ENV=production \
    SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    SELFSAME_HASH_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    ALLOWED_HOSTS=localhost DATABASE_URL=postgres:///none REDIS_URL=redis://none EMAIL_URL=consolemail:// \
    python manage.py collectstatic --no-input


FROM python:3.13-slim

RUN useradd --system --user-group --home-dir /data --shell /usr/sbin/nologin selfsame \
    && install --directory --owner selfsame --group selfsame /data

COPY --from=build /opt/selfsame /opt/selfsame
WORKDIR /app
COPY manage.py ./

ENV PATH="/opt/selfsame/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data STATIC_ROOT=/opt/selfsame/static
USER selfsame
VOLUME /data
EXPOSE 8000
# Of the web server; compose.yaml says how the worker and beat are.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz/', timeout=3)"]
CMD ["gunicorn", "--config", "python:config.gunicorn", "config.wsgi"]
