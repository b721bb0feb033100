"""One file of settings; what differs between places comes from the environment through `durable_ops.env`.

Local (no DATABASE_URL, or started by `manage.py serve` on a loopback address): embedded servers, generated secret key.
Production (DATABASE_URL and not DEBUG): every unsafe setting stops the start and is named.
"""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from durable_ops import env
from durable_ops.api.settings import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401
from durable_ops.serve.layout import Layout

BASE_DIR = Path(__file__).resolve().parent.parent
# Installed into another project, this directory is a place for packages: data then stays with the project that is run.
INSTALLED = not (BASE_DIR / "manage.py").exists()
DATA_DIR = env.path("DATA_DIR", (Path.cwd() if INSTALLED else BASE_DIR) / ".data")
LAYOUT = Layout(DATA_DIR)

DEBUG = env.boolean("DEBUG")
DATABASE_URL = env.text("DATABASE_URL")
# `serve` sets DURABLE_LOCAL for its children, whose database address is in the environment like in production.
LOCAL = DEBUG or not DATABASE_URL or env.boolean("DURABLE_LOCAL")

PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{env.integer('PORT', 8000, minimum=0, maximum=65535)}" if LOCAL else "").rstrip("/")
SECURE = PUBLIC_URL.startswith("https://")
SECRET_KEY = env.text("SECRET_KEY") or (LOCAL and (LAYOUT.read_secret_key() or get_random_secret_key())) or ""
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS")  # older keys: what was made with them is still opened
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS") or (["localhost", "127.0.0.1", "[::1]"] if LOCAL else [])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []

if not LOCAL:
    unsafe = [
        (len(SECRET_KEY) < 50, "SECRET_KEY must be a random text of 50 characters or more"),
        (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS, "ALLOWED_HOSTS must name the host names of this site, comma separated, without *"),
        (
            not SECURE and not env.boolean("ALLOW_HTTP"),
            "PUBLIC_URL must be the https:// address of this site (ALLOW_HTTP=1 accepts http://)",
        ),
        (not PUBLIC_URL, "PUBLIC_URL must be set: mailed links start with it"),
        (not env.text("CELERY_BROKER_URL"), "CELERY_BROKER_URL must name a Redis, Valkey or RabbitMQ"),
    ]
    problems = [message for wrong, message in unsafe if wrong]
    if problems:
        raise ImproperlyConfigured("Unsafe settings, not starting:\n- " + "\n- ".join(problems))

INSTALLED_APPS = [
    "durable_ops.django_admin.app.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "template_partials",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "execution_engine",
    "durable_ops",
    *(["durable_ops.examples"] if env.boolean("DURABLE_EXAMPLES", LOCAL and not INSTALLED) else []),
]

MIDDLEWARE = [
    "durable_ops.web.health.HealthMiddleware",
    "durable_ops.metrics.latency.LatencyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "durable_ops.doors.refusals.RefusalMiddleware",
    "durable_ops.lambda_api.shortcut.LambdaShortcutMiddleware",
    "durable_ops.web.static_files.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "durable_ops.web.outage.OutageMiddleware",
]

ROOT_URLCONF = "durable_ops.urls"
WSGI_APPLICATION = "durable_ops.wsgi.application"
# Lambda's paths stand at the root without closing slashes, and a redirected POST loses its body.
APPEND_SLASH = False

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
            ],
            "libraries": {name: f"durable_ops.dashboard.templatetags.{name}" for name in ("dashboard", "costs")},
        },
    },
]

# --- Database: one alias; the pool needs CONN_MAX_AGE 0 and replaces Django's per-thread connections.
database = environ.Env.db_url_config(DATABASE_URL or LAYOUT.database_url)
if "postgresql" not in str(database["ENGINE"]):
    raise ImproperlyConfigured(f"DATABASE_URL must start with postgresql://, not {DATABASE_URL.partition(':')[0]}://.")
database["CONN_MAX_AGE"] = 0
database["CONN_HEALTH_CHECKS"] = True
# A server that vanishes says nothing: without these whoever waits for it keeps a web thread for hours. None counts on a Unix socket.
lost = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
database["OPTIONS"] = {
    **lost,
    **dict(database.get("OPTIONS", {})),
    "pool": {"min_size": 1, "max_size": env.integer("DATABASE_POOL_SIZE", 16, minimum=1, maximum=200), "timeout": 10},
}
DATABASES = {"default": database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Celery: a message is only a hint to look into PostgreSQL, so nothing is acknowledged late, stored or timed by the broker.
# Without a broker workers are called by PostgreSQL's NOTIFY and look by themselves; memory:// lets Celery start.
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL") or (LAYOUT.broker_url if LOCAL and LAYOUT.broker_socket.exists() else "memory://")
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TASK_DEFAULT_QUEUE = "durable"
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# A worker whose broker is away keeps its children, which find work in PostgreSQL, and asks for the broker for ever.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 30} if "redis" in CELERY_BROKER_URL else {}

# --- Engine: read and checked by execution_engine.conf.
DURABLE_EXECUTION: dict[str, object] = {
    "REGION": env.text("DURABLE_REGION", "us-east-1"),
    "ACCOUNT": env.text("DURABLE_ACCOUNT", "000000000000"),
    "FUNCTION_MODULES": env.names("DURABLE_FUNCTION_MODULES"),
    "THREADS": env.integer("DURABLE_THREADS", 64, minimum=1, maximum=1024),
    "DATA_DIR": str(DATA_DIR) if LOCAL or env.text("DATA_DIR") else "",
}

# --- Lambda API: so many callers of one web process may wait for results (Invoke, RequestResponse); each keeps a thread of the server.
LAMBDA_WAITERS = env.integer("LAMBDA_WAITERS", 16, minimum=0, maximum=1000)

# --- REST and Lambda API: what a key may ask for in a minute over all web processes; 0 for any number (durable_ops/doors/rate.py).
API_CALLS_PER_MINUTE = env.integer("API_CALLS_PER_MINUTE", 60_000, minimum=0, maximum=100_000_000)

# --- Metrics: networks whose connections get /metrics without a key, as 10.1.0.0/16 (durable_ops/metrics/view.py).
METRICS_ALLOWED_NETWORKS = env.networks("METRICS_ALLOWED_NETWORKS")

# --- Costs: what one machine of this installation costs a month; a change begins on the day it is seen (durable_ops/costs/ledger.py).
SERVER_MONTHLY_USD = env.money("SERVER_MONTHLY_USD", "40", maximum=1_000_000)

# --- Webhooks: networks beside the public internet that they may be sent to, as 10.1.0.0/16; with 127.0.0.0/8 also plain http there.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS")

# --- People
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SECURE and env.boolean("SSL_REDIRECT")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE and env.boolean("BEHIND_PROXY") else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"  # addresses of decisions must not leak to other sites
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# --- Mail: files below DATA_DIR locally, so that a demo shows what would be sent.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend" if LOCAL else "django.core.mail.backends.smtp.EmailBackend"
EMAIL_FILE_PATH = str(LAYOUT.mail)
if env.text("EMAIL_URL"):
    globals().update({name: value for name, value in environ.Env.email_url_config(env.text("EMAIL_URL")).items() if name != "OPTIONS"})
EMAIL_TIMEOUT = 10  # a mail server that hangs must not hold the outbox
APPROVAL_LINK_DAYS = 30  # how long a mailed link is good at most
APPROVAL_SIGN_IN_ABOVE = env.text("APPROVAL_SIGN_IN_ABOVE")  # from this amount on a mailed link shows, and deciding asks for a sign-in
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "durable-ops@localhost")

# --- Language, time, files
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT") or None
STATICFILES_DIRS = [directory for directory in [BASE_DIR / "static"] if directory.is_dir()]
# Served straight from static/ and the installed packages, compressed on the way: no collectstatic step that somebody forgets.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
# No page takes a file, and Django would write one of any size to the disk for whoever posts it, signed in or not.
FILE_UPLOAD_HANDLERS = ["durable_ops.doors.bodies.RefuseFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024  # an input of 6 MiB, written as JSON inside a JSON body

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"}},
    # A 503 of /healthz is an answer, not an error, and is asked for every few seconds.
    "filters": {
        "links": {"()": "durable_ops.web.redaction.RedactLinks"},
        "lines": {"()": "durable_ops.web.redaction.OneLine"},
        "expected": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: "/healthz" not in record.getMessage()},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["lines", "links"]}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["expected"]},
        "celery.redirected": {"level": "WARNING"},
        # Two lines per doorbell, up to a hundred times a second, would be most of the log.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
