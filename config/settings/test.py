"""For the suite: crash points on, plain static storage, fast hashes; the database as configured."""

from config.env import env
from config.settings.base import *
from config.settings.base import DATABASES, STORAGES, VAR

CRASHPOINTS = True
CRASH_AT = env.str("JEOUL_CRASH_AT", default="")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # a file, as in production: an in-memory database shares one cache and hides locking
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    )
else:
    DATABASES["default"]["OPTIONS"].pop("pool", None)

# people of one test are not people of the next, though their numbers are the same
REST_FRAMEWORK = REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"writes": None}}
