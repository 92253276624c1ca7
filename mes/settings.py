"""Django's settings, all derived from the environment (mes/env.py); nothing here is edited per deployment."""

import datetime as dt
import os
from ipaddress import ip_network

import environ
import structlog
from django.core.exceptions import ImproperlyConfigured

from mes import env as environment

ENV = environment.read(os.environ)
REFUSALS = environment.refusals(ENV)
if REFUSALS:
    raise ImproperlyConfigured("Cartulary does not start.\n" + "\n".join(f"  {sentence}" for sentence in REFUSALS))

ROOT = environment.ROOT
CARTULARY_MODE = ENV.mode
#: Whether the record clock may carry an offset; pages and PDFs say so wherever it may.
SIMULATED_CLOCK = ENV.simulated_clock
#: How far this host's clock may be from the database's before nobody signs here.
CLOCK_DRIFT_LIMIT = dt.timedelta(seconds=ENV.clock_drift_seconds)
#: Whether signing in takes a second factor from outside the controlled networks and for duties that administer or release (mes/people/second_factor.py).
SECOND_FACTOR_AT_SIGN_IN = ENV.second_factor_at_sign_in
CONTROLLED_NETWORKS = [ip_network(written) for written in ENV.controlled_networks]
#: Keys of patients, seals and checkpoints: outside the database and its backups.
KEYS_FOLDER = ENV.keys_folder
#: Where signed checkpoints are written once: belongs on another machine or write-once medium.
ANCHORS_FOLDER = ENV.anchors_folder
#: The time-stamp authority (RFC 3161) that is asked for tokens over checkpoints, and whom to believe; "" asks nobody.
TSA_URL = ENV.tsa_url
TSA_CERTIFICATES = ENV.tsa_certificates
#: Whether co-signatures of checkpoints by other sites are expected; those of this deployment are asked for.
COSIGN = ENV.cosign
VAR_FOLDER = ENV.var_folder
APP_VERSION = ENV.app_version

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
SECRET_KEY_FALLBACKS = list(ENV.secret_key_fallbacks)
ALLOWED_HOSTS = list(ENV.hosts)
CSRF_TRUSTED_ORIGINS = [ENV.origin] if ENV.origin else []
#: The address people open, for links in mails and QR codes.
ORIGIN = ENV.origin or "http://127.0.0.1:8000"

INSTALLED_APPS = [
    "mes.apps.MesConfig",
    "batches.apps.BatchesConfig",
    "quality.apps.QualityConfig",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "simple_history",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
]

MIDDLEWARE = [
    "mes.web.csp.SecurityHeaders",  # outermost: static files and redirects carry the headers too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "mes.web.middleware.RequestId",
    "mes.web.limits.Bounds",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "mes.web.middleware.Readable",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "mes.people.middleware.ActorMiddleware",
    "mes.web.middleware.BrokenRules",
]

ROOT_URLCONF = "mes.urls"
#: Served at the root of its host. gunicorn takes a prefix from a header SCRIPT_NAME where its peer is this machine, and not every proxy drops one that a
#: client sent: what is open before a second factor or under a cover is judged by the path that is answered, never by such a prefix.
FORCE_SCRIPT_NAME = ""
WSGI_APPLICATION = "mes.wsgi.application"
ASGI_APPLICATION = "mes.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mes.web.context.page",
            ],
            # The component layer's tags are there in every template; mes.web is a folder, not an app of its own.
            "builtins": ["mes.web.templatetags.ui"],
        },
    },
]

# --- database: one PostgreSQL, two roles ------------------------------------------------------------------------------


def database(url: str, *, options: str = "") -> dict:
    """Django's entry for a PostgreSQL address. Without an address: an entry that names what is missing when used."""
    if not url:
        return {"ENGINE": "django.db.backends.dummy"}
    entry = environ.Env.db_url_config(url, engine="django.db.backends.postgresql")
    given = entry.get("OPTIONS", {})
    # Timeouts: a lost client must not keep a lot locked. Statement times are bounded where people wait.
    words = [
        "-c idle_in_transaction_session_timeout=60s",
        "-c lock_timeout=10s",
        options,
    ]
    given["options"] = " ".join(word for word in words if word)
    given.setdefault("connect_timeout", 5)
    given.setdefault("application_name", "cartulary")
    return entry | {
        "OPTIONS": given,
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }


#: default is the role of the application, which owns nothing; migrator assumes the owner, in a deployment only.
DATABASES = {
    "default": database(ENV.database_url),
    "migrator": database(ENV.migrate_database_url, options="-c role=cartulary_owner") | {"CONN_MAX_AGE": 0},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "mes.User"
AUTHENTICATION_BACKENDS = ["mes.people.backends.PasswordBackend"]
PASSWORD_HASHERS = ["mes.people.hashers.Argon2id19"]
if ENV.mode == environment.Mode.TEST:
    PASSWORD_HASHERS.insert(0, "django.contrib.auth.hashers.MD5PasswordHasher")  # tests sign in thousands of times
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"

SESSION_ENGINE = "mes.people.session_store"  # in the database: the capture path reads nothing from Redis
#: Browsers take a cookie of this prefix over TLS only, for this host alone, and let no neighbour set it (RFC 6265bis, 4.1.3.2).
COOKIE_PREFIX = "__Host-" if ENV.secure_cookies else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}cartulary_session"
STATION_COOKIE_NAME = f"{COOKIE_PREFIX}cartulary_station"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # notes name people: not in a cookie
SESSION_COOKIE_AGE = 12 * 60 * 60  # one long shift
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
IDLE_SECONDS = 5 * 60  # without a touch the page is covered; nobody can change it
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = ENV.secure_cookies
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}cartulary_csrf"
CSRF_COOKIE_SECURE = ENV.secure_cookies
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "mes.web.problems.form_too_old"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}}}

# --- the way here and back --------------------------------------------------------------------------------------------

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = ENV.production
#: Asked from inside, without TLS; and the API, which refuses: a redirect would hide that a client sends its token in the clear (mes/web/limits.py).
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^api/"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if ENV.production else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENV.production
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.behind_proxy else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 2
#: The longest body of a form with a file: the largest raw file (20 MB) and what is beside it. Longer ones are not read at all.
LARGEST_UPLOAD = 21 * 1024 * 1024
#: Requests of one person or device in a minute, counted by each process: no brake on work, an end to a loop that went wild.
REQUESTS_A_MINUTE = 6000

# --- language, time, files --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # pages show times in the site's zone, with the zone

STATIC_URL = "/static/"
STATIC_ROOT = None if ENV.mode == environment.Mode.TEST else ENV.static_folder
STATICFILES_DIRS = [ROOT / "static"]
# Digests in names, so that a browser never mixes two versions; tests read the files where they lie.
STATICFILES_STORAGE_NAME = {
    environment.Mode.TEST: "django.contrib.staticfiles.storage.StaticFilesStorage",
    # Compressing takes a minute and saves nothing on a loopback address.
    environment.Mode.DEMO: "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
}.get(ENV.mode, "whitenoise.storage.CompressedManifestStaticFilesStorage")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATICFILES_STORAGE_NAME},
}
WHITENOISE_USE_FINDERS = ENV.mode == environment.Mode.TEST
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MIMETYPES = {".svg": "image/svg+xml; charset=utf-8"}

# --- mail -------------------------------------------------------------------------------------------------------------

vars().update(environ.Env.email_url_config(ENV.email_url))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from
EMAIL_TIMEOUT = 10

# --- API --------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "mes.people.device_auth.DeviceTokenAuthentication",
        "mes.api.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["mes.people.api_gate.MayCall"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mes.api.parsing.ExactJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "mes.api.openapi.ServiceSchema",
    "EXCEPTION_HANDLER": "mes.api.problems.answer_exception",
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Cartulary API",
    "DESCRIPTION": "The electronic batch record for CAR-T lots: orders, values, results, certificates, evidence.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["mes.people.api_gate.MayCall"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "filter": True},
}

# --- background work --------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = ENV.redis_url or None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": ENV.redis_prefix,
    "visibility_timeout": 3600,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "max_retries": 0,  # publishing never holds up a person: the sweep finds what was not sent
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000  # KiB: a long PDF leaves half a gigabyte behind
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_BEAT_SCHEDULER = "celery.beat.Scheduler"  # keeps nothing: the table in mes/celery.py is all there is
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"

# --- logs: one JSON line per event, without values of records ---------------------------------------------------------

LOG_PROCESSORS = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # By name, for frameworks hang whole requests into their lines, with what people typed.
    structlog.stdlib.ExtraAdder(allow={"path", "error", "task", "method", "view", "ids", "status", "ms"}),
    structlog.processors.format_exc_info,
]
structlog.configure(
    processors=[
        *LOG_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": LOG_PROCESSORS,
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": ENV.log_level},
    "loggers": {
        "django": {"handlers": [], "level": ENV.log_level, "propagate": True},
        # One line for each answer; thousands of them would say nothing in a run of tests.
        "cartulary.answered": {"level": "WARNING" if ENV.mode == environment.Mode.TEST else "INFO"},
        "django.db.backends": {"level": "WARNING"},  # its debug lines hold parameters, which may name patients
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "WARNING"},
    },
}
