"""A browser remembers whom it has let in, so that strangers' guesses do not lock its owner out."""

from __future__ import annotations

from typing import Any, TypeVar

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

__all__ = ["know_device", "knows_device"]

COOKIE = "known"
LIFE_SECONDS = 180 * 24 * 3600
SALT = "known device"
Answer = TypeVar("Answer", bound=HttpResponse)


def know_device(response: Answer, user: Any) -> Answer:
    """Set the cookie. It is signed and opens nothing: it only ends a wait between wrong passwords."""
    value = signing.dumps(user.get_username().lower(), salt=SALT)
    response.set_cookie(
        COOKIE,
        value,
        max_age=LIFE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def knows_device(request: HttpRequest, name: str) -> bool:
    """True when this browser has let `name` in during the last half year."""
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LIFE_SECONDS)
    except signing.BadSignature:
        return False
    return bool(known == name.strip().lower())
