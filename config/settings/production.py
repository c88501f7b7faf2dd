"""Behind TLS: secure cookies, HSTS, and no start without secrets given from outside."""

from config.env import env
from config.settings.base import *

for _name in ("SECRET_KEY", "FIELD_KEYS", "AUDIT_KEY", "DATABASE_URL", "REDIS_URL"):
    env.str(_name)  # raises ImproperlyConfigured and names what is missing

SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
