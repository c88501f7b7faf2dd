"""The environment, read in one place: every setting an operator can change, with its default.

Nothing else in the code base touches `os.environ`. `docs/settings.md` describes each name.
"""

from __future__ import annotations

import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

import environ

__all__ = ["BASE_DIR", "VAR_DIR", "env", "kept_secret", "on_server"]

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

if not env.bool("JEOUL_IGNORE_DOTENV", default=False):
    env.read_env(BASE_DIR / ".env", overwrite=False)

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))


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
