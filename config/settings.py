"""Settings, from the environment only.

There are two environments, and SELFSAME_ENV chooses one. *development* is the default where DATABASE_URL and
REDIS_URL name no other machine; it answers to this machine's own names only, and creates its secrets once and
keeps them under DATA_DIR. *production* is the default as soon as a server elsewhere is named; it refuses to
start while anything is missing that would be unsafe to guess.
"""

from typing import Any

import django_stubs_ext
import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import installation
from config.logs import logging_config
from config.navigation import UNFOLD  # noqa: F401 - a setting

# Lets models and admin pages declare their generic types.
django_stubs_ext.monkeypatch()

env = environ.Env()

BASE_DIR = installation.BASE_DIR
DATA_DIR = installation.data_dir()

ENVIRONMENT = installation.environment()
PRODUCTION = ENVIRONMENT == "production"

REQUIRED_IN_PRODUCTION = {
    "SECRET_KEY": "a random text of at least 50 characters",
    "SELFSAME_HASH_KEY": "another random text of at least 50 characters, which never changes again",
    "ALLOWED_HOSTS": "the names this server answers to, separated by commas",
    "DATABASE_URL": "the PostgreSQL server, as postgres://user:password@host:5432/name",
    "REDIS_URL": "the Redis server, as redis://host:6379/0",
    "EMAIL_URL": "the mail server, as smtp+tls://user:password@host:587",
}


def is_guessable(key: str) -> bool:
    return len(key) < 50 or len(set(key)) < 10 or key.startswith("django-insecure-")


def faults() -> list[str]:
    """What keeps a production environment from starting, one sentence each."""
    given = {name: env.str(name, "") for name in REQUIRED_IN_PRODUCTION}
    guessable = {name for name in ("SECRET_KEY", "SELFSAME_HASH_KEY") if is_guessable(given[name])}
    found = [
        f"set {name}: {meaning}"
        for name, meaning in REQUIRED_IN_PRODUCTION.items()
        if not given[name] or name in guessable
    ]
    if "*" in env.list("ALLOWED_HOSTS", default=[]):
        found.append("name the hosts in ALLOWED_HOSTS: '*' lets anybody choose the links in your mails")
    if env.str("SELFSAME_SMS_SENDER", "").endswith(".print_to_console"):
        found.append("name another SELFSAME_SMS_SENDER: this one writes confirmation codes into the log")
    if env.bool("DEBUG", False):
        found.append("unset DEBUG: its error pages show customers' data")
    return found


if PRODUCTION and faults():
    raise ImproperlyConfigured(
        "Selfsame does not start in production like this:\n  - "
        + "\n  - ".join(faults())
        + "\nOn a development machine set SELFSAME_ENV=development instead."
    )

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or installation.kept_secret("secret_key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Keys the HMAC of payment card hashes (R10) and of the suppression list (R54).
HASH_KEY = (env.str("SELFSAME_HASH_KEY", "") or installation.kept_secret("hash_key")).encode()

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where links in messages lead.
OWN_URL = f"https://{ALLOWED_HOSTS[0].lstrip('.')}" if PRODUCTION else "http://127.0.0.1:8000"
PUBLIC_URL = (env.str("PUBLIC_URL", "") or OWN_URL).rstrip("/")

INSTALLED_APPS = [
    "config",
    "dedup",
    "segments",
    "customers",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.humanize",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "csp",
    "axes",
    "django_prometheus",
    # Its widgets, which the renderer of forms looks for among the apps.
    "django.forms",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "config.middleware.HealthMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.WhiteNoiseMiddleware",
    "config.middleware.CorsMiddleware",
    "config.middleware.ContentPolicyMiddleware",
    "config.middleware.BodyLimitMiddleware",
    "config.middleware.TimeZoneMiddleware",
    "config.middleware.SessionMiddleware",
    "config.middleware.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.AuthenticationMiddleware",
    "config.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.middleware.ProjectConfigMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# Our own widgets have their templates there too.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Data ---------------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Without a database a process can still load the settings (--help, checks).
DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url("DATABASE_URL", "postgres:///selfsame")}
# Connections that a process keeps open; 0 opens one for each request. The pool opens with the first query,
# after any fork.
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", 8)
DATABASES["default"]["ENGINE"] = "config.postgresql"
OPTIONS = DATABASES["default"].get("OPTIONS", {})
# The folder of a Unix socket is named in the query: postgres://user@/name?host=/folder
DATABASES["default"]["HOST"] = OPTIONS.pop("host", DATABASES["default"]["HOST"])
DATABASES["default"]["OPTIONS"] = {
    **OPTIONS,
    "application_name": "selfsame",
}
if DATABASE_POOL_SIZE and env.str("DATABASE_URL", ""):
    # After an outage each request tries anew, instead of waiting for the pool's growing pauses.
    POOL = {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 5, "reconnect_timeout": 5}
    DATABASES["default"]["OPTIONS"]["pool"] = POOL

REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "selfsame",
        # No request waits for the cache: without it the answer is only slower.
        "OPTIONS": {"socket_timeout": 2, "retry": Retry(NoBackoff(), 0)},
    }
}

# Kombu's name for a Redis on a Unix socket differs from redis-py's.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": "selfsame:",
    # No request waits for a Redis that does not answer. A worker waits for work a second at a time.
    "socket_timeout": 3,
    "socket_connect_timeout": 3,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "confirmations": {"task": "dedup.tasks.send_confirmations", "schedule": 15.0},
    "imports": {"task": "dedup.tasks.work_imports", "schedule": 5.0, "options": {"expires": 5}},
    "rows of imports": {"task": "dedup.tasks.drop_import_rows", "schedule": crontab(hour=3, minute=31)},
    "idempotency keys": {"task": "dedup.tasks.purge_idempotency_keys", "schedule": crontab(minute=17)},
    "waiting recalculations": {"task": "segments.tasks.recalculate", "schedule": 60.0},
    "recalculations": {"task": "segments.tasks.recalculate_all", "schedule": crontab(minute=41)},
    "events": {"task": "dedup.tasks.resolve_events", "schedule": 5.0},
    "old events": {"task": "dedup.tasks.purge_events", "schedule": crontab(hour=3, minute=37)},
    "anonymous activity": {
        "task": "dedup.tasks.forget_anonymous_activity",
        "schedule": crontab(hour=4, minute=7),
    },
    "activity months": {
        "task": "customers.tasks.make_activity_months",
        "schedule": crontab(hour=3, minute=7),
    },
}

# --- Language and time --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
USE_I18N = True
# For translators: `manage.py texts` writes the catalogue.
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Files --------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = not PRODUCTION

# Bytes of a request: of an uploaded file, of anything else, and of one record. Above → `too_large`.
MAX_UPLOAD_SIZE = env.int("MAX_UPLOAD_SIZE", 500 * 1024 * 1024)
MAX_BODY_SIZE = env.int("MAX_BODY_SIZE", 10 * 1024 * 1024)
MAX_RECORD_SIZE = env.int("MAX_RECORD_SIZE", 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_SIZE
# Rows of an imported file that are decided and stored in one transaction, and how long row data is kept.
IMPORT_CHUNK_ROWS = env.int("IMPORT_CHUNK_ROWS", 1000)
IMPORT_ROWS_KEPT_DAYS = env.int("IMPORT_ROWS_KEPT_DAYS", 30)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- Messages to customers ----------------------------------------------------------------------------------

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"selfsame@{ALLOWED_HOSTS[0].lstrip('.')}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# A callable (phone: str, text: str) -> None; none by default in production (`dedup.confirmation.sms`).
PRINTED = "dedup.confirmation.sms.print_to_console"
SMS_SENDER = env.str("SELFSAME_SMS_SENDER", "" if PRODUCTION else PRINTED)

# --- Authentication and security ----------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
AXES_HANDLER = "config.sign_in.Handler"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "customers.client_address.client_address"
AXES_VERBOSE = False

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_AGE = 12 * 3600
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)
# Only behind a proxy that always sets the header itself.
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
# How many proxies of ours add to X-Forwarded-For.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", int(BEHIND_TLS_PROXY))
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Pages load from this server alone; config.middleware makes exceptions for pages that need them.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# The API is for servers. Only the tracker is called from other pages, those of registered sites.
CORS_URLS_REGEX = r"^/track/"

# --- API ----------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["customers.api.json_body.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.problems.LenientNegotiation",
    "EXCEPTION_HANDLER": "config.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": True,
}
# What a scraper of /metrics that is not on this machine sends as its bearer token; empty: there is none.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# Parameters of pages' addresses whose values are not stored, in lower case.
SENSITIVE_PARAMETERS = frozenset(
    name.strip().lower()
    for name in env.list(
        "SENSITIVE_PARAMETERS",
        default=[
            *("email", "e-mail", "e_mail", "mail", "email_address", "user_email", "phone", "mobile", "tel"),
            *(
                "token",
                "access_token",
                "id_token",
                "refresh_token",
                "auth",
                "session",
                "sid",
                "key",
                "api_key",
            ),
            *("password", "passwd", "pwd", "pass", "secret", "code", "otp", "pin", "sig", "signature"),
        ],
    )
)
# Of each key; 0 for no limit.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", 0)
# Of each address that pages send activity from; 0 for no limit.
TRACK_REQUESTS_PER_MINUTE = env.int("TRACK_REQUESTS_PER_MINUTE", 600)
# Months after which the activity of anonymous visitors is dropped; 0 keeps it for ever.
ANONYMOUS_ACTIVITY_MONTHS = env.int("ANONYMOUS_ACTIVITY_MONTHS", 13)
SPECTACULAR_SETTINGS = {
    "TITLE": "Selfsame",
    "DESCRIPTION": "One profile per person, and anybody can see why.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "TAGS": [
        {"name": "Operations", "description": "What happens to customers."},
        {"name": "Reading", "description": "What is known of them."},
        {"name": "Merging", "description": "Two who are one, and why."},
        {"name": "Orders and loyalty", "description": "What they bought and earned."},
        {"name": "Imports", "description": "Customers, orders, segments and merges by file."},
        {"name": "Activity", "description": "What they do on the site and in the app."},
        {"name": "Privacy", "description": "Opt-out, export, erasure."},
    ],
    "POSTPROCESSING_HOOKS": [],  # choices stand where they are used, not as components with made-up names
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Operations ---------------------------------------------------------------------------------------------

SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(level=env.str("LOG_LEVEL", "INFO"), as_json=PRODUCTION)
