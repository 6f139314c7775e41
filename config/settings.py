"""All settings, driven by the environment; docs/configuration.md lists the variables."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from config.chat import chat_schemas
from config.env import (
    BASE_DIR,
    TESTING,
    base_url,
    data_dir,
    database,
    database_url,
    env,
    generated_secret,
    signing_keys,
)
from config.ldap import ldap_server
from config.logs import logging_config
from config.rest import REST_FRAMEWORK as REST_FRAMEWORK
from config.rest import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS

DEBUG: bool = env.bool("PLUMBLINE_DEBUG", default=False)
SECRET_KEY = generated_secret("SECRET_KEY")
HOST: str = env.str("PLUMBLINE_HOST", default="127.0.0.1")
PORT: int = env.int("PLUMBLINE_PORT", default=8000)
BASE_URL = base_url("PLUMBLINE_BASE_URL", default=f"http://127.0.0.1:{PORT}")
ALLOWED_HOSTS: list[str] = env.list("PLUMBLINE_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("PLUMBLINE_TRUSTED_ORIGINS", default=[])
DATA_DIR = data_dir()
# Where the YAML of policies and profiles is, by default the demo groups'.
CONFIGURATION_DIR = Path(env.str("PLUMBLINE_CONFIG_DIR", default=str(BASE_DIR / "config" / "version")))

INSTALLED_APPS = [
    "config",
    "audit",
    "tenants",
    "governance",
    "demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "django_structlog",
    "csp",
    "axes",
    "django_typer",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "tenants.middleware.AccessMiddleware",
    "config.problems.TransitionErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "tenants.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: a door that is shut asks for no password
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Against guessing passwords. By name and address together: a name alone would let anyone lock its owner out.
AXES_FAILURE_LIMIT: int = env.int("PLUMBLINE_LOGIN_ATTEMPTS", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("PLUMBLINE_LOGIN_PAUSE_MINUTES", default=15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "tenants.views.home.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the page says how long; it is to be true
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
if TESTING:
    # A slow hash protects real passwords; in tests it only costs time.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.rendering.page_context",
                "tenants.context.groups_context",
                "governance.context.unread_context",
            ],
            "builtins": [
                "config.templatetags.plumbline",
                "django.contrib.humanize.templatetags.humanize",
                "django.templatetags.static",
                "django_htmx.templatetags.django_htmx",
            ],
        },
    }
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # no other: a browser's wish would mix languages and number formats on a page
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# Database

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **database(),
        # Not zero: every job and every request would open a connection of its own.
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": env.str("PLUMBLINE_TEST_DB", default="test_plumbline")},
    }
}

# Background work. The rows of our own tables are the truth; the queue only wakes the work up, so a job may
# run twice and a lost one is found again by the next schedule.

JOB_TIMEOUT: int = env.int("PLUMBLINE_JOB_TIMEOUT", default=600)
Q_CLUSTER: dict[str, Any] = {
    "name": "plumbline",
    "label": "Background work",
    "orm": "default",
    "workers": env.int("PLUMBLINE_WORKERS", default=2),
    "timeout": JOB_TIMEOUT,
    "retry": JOB_TIMEOUT + 60,  # not below the timeout, or a job would be given out while it still runs
    "max_attempts": 5,
    "ack_failures": False,
    "poll": 0.2,
    "bulk": 4,
    "save_limit": -1,  # any positive value costs most of the throughput; failures are kept all the same
    "scheduler": False,  # config.schedules does that
    "recycle": 500,
}

# Up to so many processes decide together where one process evaluates much: each worker may do so at a time.
DECIDERS: int = env.int("PLUMBLINE_DECIDERS", default=min(len(os.sched_getaffinity(0)), 4))

# Config stands below the other packages, so it knows what they declare by name only.
SCHEDULES = "governance.schedules.SCHEDULES"
# How often the whole loop runs by itself; snapshots and drift are every five minutes anyway.
LOOP_MINUTES: int = env.int("PLUMBLINE_LOOP_MINUTES", default=60)
# How often a worker sees to tasks and messages under way where nobody tells it to, as callbacks do.
FOLLOW_UP_EVERY = timedelta(seconds=env.float("PLUMBLINE_FOLLOW_UP_SECONDS", default=10))
# How long an upgrade that the orchestrator calls done waits for the manifest that shows it.
VERIFY_WITHIN = timedelta(minutes=env.float("PLUMBLINE_VERIFY_MINUTES", default=24 * 60))
# How long what nobody asks for again is kept: delivered messages, and answers to repeated requests.
KEEP = timedelta(days=env.int("PLUMBLINE_KEEP_DAYS", default=30))
# How long the links in messages lead to their page; each asks for a login in any case.
LINKS_VALID = timedelta(days=env.int("PLUMBLINE_LINK_DAYS", default=30))
# At most so many messages to one person by one channel in an hour, and to everybody by one in a minute.
MESSAGES_PER_PERSON: int = env.int("PLUMBLINE_MESSAGES_PER_PERSON", default=12)
MESSAGES_PER_CHANNEL: int = env.int("PLUMBLINE_MESSAGES_PER_CHANNEL", default=1000)
WELCOME = "demo.accounts.welcome"

# What others call and what calls others. Empty stands for Plumbline's own endpoint; for the orchestrator,
# `sandbox` stands for the sandbox orchestrator that `manage.py run` supervises.

SANDBOX_PORT: int = env.int("PLUMBLINE_SANDBOX_PORT", default=8010)
ORCHESTRATOR: str = env.str("PLUMBLINE_ORCHESTRATOR_URL", default="" if database_url() else "sandbox")
USES_SANDBOX = ORCHESTRATOR == "sandbox"
ORCHESTRATOR_URL = (
    f"http://127.0.0.1:{SANDBOX_PORT}" if USES_SANDBOX else base_url("PLUMBLINE_ORCHESTRATOR_URL", default="")
)
# Seconds that a call to another service may take, and after how many without a callback to ask for one.
CALL_TIMEOUT: float = env.float("PLUMBLINE_CALL_TIMEOUT_SECONDS", default=10)
POLL_AFTER = timedelta(seconds=env.float("PLUMBLINE_POLL_SECONDS", default=20))
ORCHESTRATOR_TOKEN = generated_secret("ORCHESTRATOR_TOKEN")
MANIFESTS_TOKEN: str = env.str("PLUMBLINE_MANIFESTS_TOKEN", default="")  # for other sources over HTTP
NOTIFY_URL = base_url("PLUMBLINE_NOTIFY_URL", default="")
NOTIFY_TOKEN: str = env.str("PLUMBLINE_NOTIFY_TOKEN", default="")
AUDIT_URL = base_url("PLUMBLINE_AUDIT_URL", default="")
AUDIT_TOKEN: str = env.str("PLUMBLINE_AUDIT_TOKEN", default="")
CALLBACK_SECRETS = signing_keys("CALLBACK_SECRET")  # the newest, which signs, first; all are accepted
CALLBACK_SECRET = CALLBACK_SECRETS[0]

# E-mail: real with EMAIL_URL, else as files, so that a trial sends nothing by mistake.

EMAIL_CONFIG: dict[str, Any] = env.email_url("EMAIL_URL", default="filemail://")
EMAIL_BACKEND: str = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST: str = EMAIL_CONFIG["EMAIL_HOST"] or "localhost"
EMAIL_PORT: int = EMAIL_CONFIG["EMAIL_PORT"] or 25
EMAIL_HOST_USER: str = EMAIL_CONFIG["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD: str = EMAIL_CONFIG["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS: bool = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL: bool = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = EMAIL_CONFIG.get("EMAIL_FILE_PATH") or str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL: str = env.str("PLUMBLINE_MAIL_FROM", default="Plumbline <plumbline@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Chat: which of apprise's services, and the hosts of those that people run themselves; no other is called.
CHAT_SCHEMAS = chat_schemas("PLUMBLINE_CHAT_SERVICES")
CHAT_HOSTS: list[str] = env.list("PLUMBLINE_CHAT_HOSTS", default=[])  # "chat.example.org", "10.0.0.5:8065"

LDAP = ldap_server()  # who is responsible for what, where a directory knows it
LDAP_MINUTES: int = env.int("PLUMBLINE_LDAP_MINUTES", default=60)

# Static files

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
_HASHED = not (DEBUG or TESTING)  # these two serve the sources as they are, with nothing collected
WHITENOISE_USE_FINDERS = not _HASHED
WHITENOISE_AUTOREFRESH = not _HASHED  # nor looks for all of them at every start
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Compressed already, or, like the maps, wanted by nobody but a developer.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["png", "jpg", "webp", "gz", "br", "woff", "woff2", "map", "zip"]
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Security

SECURE = BASE_URL.startswith("https://")
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # the CSS kit's icons are data addresses
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # a load balancer asks from inside, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
# Only a proxy can tell that a request came by https, and only one that overwrites this header may say so.
if env.bool("PLUMBLINE_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in their body element, scripts never read the cookie
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024  # a batch of manifests, or a whole catalogue
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # whether sub-domains of the host are https only is not Plumbline's to say
    "security.W021",  # nor is entry into the browsers' preload list
]
DT_RICH_TRACEBACK_CONFIG = False  # a plain one can be read in a log, too, and shows no values

# The log: one JSON object a line, on standard error. On a terminal it would drown a command's own words.
_AT_A_TERMINAL = sys.stderr.isatty() and not TESTING
_COMMAND_LOG = DATA_DIR / "logs" / "commands.log"
if _AT_A_TERMINAL:
    _COMMAND_LOG.parent.mkdir(parents=True, exist_ok=True)
LOGGING = logging_config(
    env.str("PLUMBLINE_LOG_LEVEL", default="WARNING" if TESTING else "INFO"),
    beside=_COMMAND_LOG if _AT_A_TERMINAL else None,
)
LOGGING_CONFIG = "config.logs.configure"
