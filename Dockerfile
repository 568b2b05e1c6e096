FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

COPY pyproject.toml ./
COPY config config
COPY customers customers
COPY segments segments
COPY dedup dedup
COPY manage.py ./
RUN pip install -e . \
    && SELFSAME_ENV=production SECRET_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(64))") \
       SELFSAME_HASH_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(64))") ALLOWED_HOSTS=localhost \
       DATABASE_URL=postgres:///none REDIS_URL=redis://none EMAIL_URL=consolemail:// STATIC_ROOT=/app/staticfiles \
       python manage.py collectstatic --no-input \
    && useradd --system --home-dir /data selfsame \
    && mkdir -p /data /metrics \
    && chown selfsame /data /metrics

USER selfsame
ENV DATA_DIR=/data PROMETHEUS_MULTIPROC_DIR=/metrics
VOLUME /data
EXPOSE 8000
# Paths without their queries, which may be searches for a person.
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", \
     "--access-logfile", "-", "--access-logformat", "%(h)s %(m)s %(U)s %(s)s %(B)s bytes %(D)s us"]
