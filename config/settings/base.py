"""What every environment shares. Values come from `config.env`; this module only arranges them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.admin_site import UNFOLD  # noqa: F401
from config.build import build_id
from config.env import (
    BASE_DIR,
    VAR_DIR,
    chosen,
    database,
    decimal,
    env,
    kept_secret,
    model_name,
    on_server,
    redis,
    time_zone,
    web_address,
    whole,
    yes,
)
from config.logs import LEVELS, logging_config
from config.running import read_running

SERVER = on_server()
BASE_PATH: Path = BASE_DIR
VAR: Path = VAR_DIR
DEMO_PASSWORD = env.str("DEMO_PASSWORD", default="")

SECRET_KEY = kept_secret("SECRET_KEY")
FIELD_KEYS = [key for key in kept_secret("FIELD_KEYS").split(",") if key]
AUDIT_KEY = kept_secret("AUDIT_KEY")
AUDIT_ANCHORS = env.str("AUDIT_ANCHORS", default=str(VAR / "audit-anchors.jsonl"))
"""Where the chain's head is written down every ten minutes; best on another disk or machine."""
DEBUG = False
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
"""Addresses of proxies whose X-Forwarded-For is believed; everybody else's is ignored."""
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "csp",
    "django_htmx",
    "django_celery_beat",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "trading.apps.TradingConfig",
    "portfolio.apps.PortfolioConfig",
    "strategies.apps.StrategiesConfig",
    "rebalancing.apps.RebalancingAppConfig",
    "config.apps.PlatformConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.static_files.WholeStaticFiles",
    "django.middleware.gzip.GZipMiddleware",
    "config.middleware.RequestIdMiddleware",
    "config.session_cookie.PatientSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.PlainQueriesMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.sessions.SessionRulesMiddleware",
    "config.middleware.PrivatePagesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.AdminContentPolicyMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
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
                "django.template.context_processors.i18n",
                "config.context.desk",
            ],
        },
    },
]

# --- database -------------------------------------------------------------------------------
_SQLITE = {
    # Deferred transactions lose racing writers at once; NORMAL may lose the last commit on power
    # loss, which for an order means sending it twice.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
_POSTGRESQL = {
    "pool": {"min_size": 1, "max_size": 12, "timeout": 15},
    "options": "-c lock_timeout=5000 -c statement_timeout=15000"
    " -c idle_in_transaction_session_timeout=30000",
}
DATABASES = {"default": database()}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    _SQLITE if DATABASES["default"]["ENGINE"].endswith("sqlite3") else _POSTGRESQL
)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["ATOMIC_REQUESTS"] = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- queue, channels --------------------------------------------------------------------------
REDIS_URL = redis()
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # redis-py's own 5 s read limit would cut every idle WebSocket: channels blocks for 5 s.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 15}], "capacity": 1000},
    }
    if REDIS_URL
    else {"BACKEND": "config.channel_layer.ThreadSafeInMemoryLayer"}
}
if REDIS_URL:
    # shared by all processes, so that a throttle counts once and not once a process
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    }
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 900, "socket_timeout": 15} if REDIS_URL else {"polling_interval": 0.02}
)
CELERY_RESULT_BACKEND = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "Asia/Seoul"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "rebalancing.tasks.*": {"queue": "runs"},
    "trading.tasks.*": {"queue": "recon"},
}

# --- people -----------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["config.backends.PeopleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

# --- security headers -------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- language, time ---------------------------------------------------------------------------
LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", _("한국어")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True
TIME_ZONE = time_zone("TIME_ZONE", "Asia/Seoul")

# --- static -----------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "config.icon_font.IconFontFinder",
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_files.StaticFiles"},
}

# --- API --------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # first, because the first one decides what an anonymous call is told: 401, not 403
        "config.token_auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.permissions.IsMember"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.StrictJSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_PAGINATION_CLASS": "config.pagination.Pages",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "config.errors.api_exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["config.throttles.WriteThrottle"],
    "DEFAULT_THROTTLE_RATES": {"writes": "60/min"},
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Jeoul API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["config.permissions.IsMember"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "RunStateEnum": "rebalancing.domain.states.RunState",
        "RunPlannerEnum": "rebalancing.models.Run.Planner",
        "AskedPlannerEnum": ["rules", "gemini"],
        "PolicyKindEnum": "trading.models.ApprovalPolicy.Kind",
        "ScheduleKindEnum": "rebalancing.models.RunSchedule.KindChoice",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.schema.tell_problems",
    ],
}

# --- the broker -------------------------------------------------------------------------------
_running = read_running(VAR_DIR)
KIS_HOSTS = {
    "real": env.str("KIS_REAL_REST_URL", default="")
    or _running.get("kis_real", "https://openapi.koreainvestment.com:9443"),
    "mock": env.str("KIS_MOCK_REST_URL", default="")
    or _running.get("kis_mock", "https://openapivts.koreainvestment.com:29443"),
}
KIS_STREAMS = {
    "real": env.str("KIS_REAL_WS_URL", default="")
    or _running.get("kis_real_ws", "ws://ops.koreainvestment.com:21000"),
    "mock": env.str("KIS_MOCK_WS_URL", default="")
    or _running.get("kis_mock_ws", "ws://ops.koreainvestment.com:31000"),
}
KIS_MOCK = yes("KIS_MOCK", default=True)
LIVE_TRADING = yes("LIVE_TRADING", default=False)
SIM_CLOCK_URL = env.str("SIM_CLOCK_URL", default="") or _running.get("sim_clock", "")
KIS_RATE_PER_SECOND = {
    "real": whole("KIS_REAL_RATE", 15, 1, 100),
    "mock": whole("KIS_MOCK_RATE", 1, 1, 100),
}
KIS_TOKEN_INTERVAL_SECONDS = 61
"""The broker issues one token a minute for a key; a second more than that."""
KIS_LEDGER_RATE_PER_SECOND = {
    "real": whole("KIS_REAL_LEDGER_RATE", 4, 1, 100),
    "mock": whole("KIS_MOCK_LEDGER_RATE", 1, 1, 100),
}
MIGRATE_OVER_OPEN_ORDERS = yes("MIGRATE_OVER_OPEN_ORDERS", default=False)
KIS_SIGN_ORDERS = yes("KIS_SIGN_ORDERS", default=False)
"""Ask for the broker's hash of each order's body before its write-ahead record and send it along."""
KILL_FILE = Path(env.str("KILL_FILE", default=str(VAR_DIR / "KILL")))
SPOOL_DIR = VAR_DIR / "spool"
BUILD_ID = build_id(BASE_DIR)
CRASHPOINTS = False
CRASH_AT = ""
"""Named places where a test may end the process; only the test settings switch them on."""

# --- the planner's adviser ----------------------------------------------------------------------
GEMINI_API_KEY = env.str("GEMINI_API_KEY", default="").strip()
GEMINI_BASE_URL = web_address("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
GEMINI_MODELS = {
    "": model_name("GEMINI_MODEL", "gemini-3-pro-preview"),
    "planner": model_name("GEMINI_MODEL_PLANNER", ""),
}
"""Role → model; a role without one of its own has that of the empty role."""
FRED_API_KEY = env.str("FRED_API_KEY", default="").strip()
FRED_BASE_URL = web_address("FRED_BASE_URL", "https://api.stlouisfed.org/fred")
GEMINI_TIMEOUT = decimal("GEMINI_TIMEOUT", 20.0, 1.0, 30.0)
"""Seconds for the whole call. A snapshot is good for sixty, a worker's hold on a run for forty-five."""

# --- logs -------------------------------------------------------------------------------------
LOGGING_CONFIG = None
LOGGING = logging_config(VAR_DIR / "log", chosen("LOG_LEVEL", "INFO", LEVELS))
