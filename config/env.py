"""The environment, read in one place: every setting an operator can change, with its default.

Nothing else in the code base touches `os.environ`. `docs/settings.md` describes each name.
"""

from __future__ import annotations

import math
import os
import re
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

__all__ = [
    "BASE_DIR",
    "VAR_DIR",
    "chosen",
    "database",
    "decimal",
    "env",
    "kept_secret",
    "model_name",
    "on_server",
    "redis",
    "time_zone",
    "web_address",
    "whole",
    "yes",
]

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

if env.str("JEOUL_IGNORE_DOTENV", default="").lower() not in ("1", "true"):
    env.read_env(BASE_DIR / ".env", overwrite=False)

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))


def whole(name: str, default: int, least: int, most: int) -> int:
    """The whole number `name`. Raises ImproperlyConfigured for anything else or outside the bounds."""
    given = env.str(name, default="").strip()
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and least <= int(given[:18]) <= most):
        raise ImproperlyConfigured(
            f"{name} is a whole number from {least} to {most}, not {given[:40]!r}"
        )
    return int(given)


def decimal(name: str, default: float, least: float, most: float) -> float:
    """The number `name`. Raises ImproperlyConfigured for anything else or outside the bounds."""
    given = env.str(name, default="").strip()
    try:
        found = float(given) if given else default
    except ValueError:
        found = math.nan
    if not least <= found <= most:
        raise ImproperlyConfigured(f"{name} is a number from {least} to {most}, not {given[:40]!r}")
    return found


_YES, _NO = frozenset({"true", "1", "yes", "on", "y"}), frozenset({"false", "0", "no", "off", "n"})


def yes(name: str, *, default: bool) -> bool:
    """The switch `name`. A mistyped one is refused, because it would read as off."""
    given = env.str(name, default="").strip().lower()
    if not given:
        return default
    if given not in _YES | _NO:
        raise ImproperlyConfigured(f"{name} is true or false, not {given[:40]!r}")
    return given in _YES


def chosen(name: str, default: str, among: tuple[str, ...]) -> str:
    """The word `name`, one of `among`, in their spelling."""
    given = env.str(name, default="").strip()
    spelt = {word.lower(): word for word in among}
    if not given:
        return default
    if given.lower() not in spelt:
        raise ImproperlyConfigured(f"{name} is one of {', '.join(among)}, not {given[:40]!r}")
    return spelt[given.lower()]


def time_zone(name: str, default: str) -> str:
    """The name of a time zone that this machine knows."""
    given = env.str(name, default="").strip() or default
    try:
        ZoneInfo(given)
    except (ValueError, OSError, KeyError):
        raise ImproperlyConfigured(
            f"{name} is the name of a time zone such as Asia/Seoul, not {given[:40]!r}"
        ) from None
    return given


def web_address(name: str, default: str) -> str:
    """The address `name`, http or https, without a user, a query or a slash at its end."""
    given = env.str(name, default="").strip() or default
    try:
        parts = urlsplit(given)
        sound = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or parts.scheme not in ("http", "https") or "@" in given or "?" in given:
        raise ImproperlyConfigured(f"{name} is an address such as https://host:port")
    return given.rstrip("/")


def model_name(name: str, default: str) -> str:
    """The name of a model as its host spells it; it becomes a part of an address."""
    given = env.str(name, default="").strip() or default
    if given and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", given, re.ASCII):
        raise ImproperlyConfigured(
            f"{name} is the name of a model such as gemini-3-pro-preview, not {given[:40]!r}"
        )
    return given


def database() -> dict[str, Any]:
    """Django's settings of the database `DATABASE_URL`, else of the file in `VAR_DIR`."""
    given = env.str("DATABASE_URL", default="").strip()
    if not given:
        return dict(env.db_url_config(f"sqlite:///{VAR_DIR / 'jeoul.sqlite3'}"))
    if not given.startswith(("postgres://", "postgresql://", "sqlite:///")):
        raise ImproperlyConfigured(
            "DATABASE_URL begins with postgresql:// or sqlite:///; the rest is not shown here"
        )
    return dict(env.db_url_config(given))


def redis() -> str:
    """`REDIS_URL`, empty where there is none."""
    given = env.str("REDIS_URL", default="").strip()
    if given and not given.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured("REDIS_URL begins with redis://, rediss:// or unix://")
    return given


def on_server() -> bool:
    """True when PostgreSQL and Redis are configured: separate processes, several workers."""
    return env.str("DATABASE_URL", default="").startswith("postgres") and bool(
        env.str("REDIS_URL", default="")
    )


def kept_secret(name: str) -> str:
    """The secret `name` from the environment, else one made at first run and kept in `var/secrets`.

    Two processes that start together agree: the file is created exclusively, the loser reads it.
    """
    given = env.str(name, default="")
    if given:
        return given
    path = VAR_DIR / "secrets" / name.lower()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh)
    try:
        os.link(temporary, path)  # atomic: never a half-written secret, never two
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
    return path.read_text().strip()
