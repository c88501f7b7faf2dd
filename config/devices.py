"""A browser remembers whom it has let in, so that strangers' guesses do not lock its owner out."""

from __future__ import annotations

from typing import Any, TypeVar

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

__all__ = ["know_device", "known_device"]

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


def known_device(request: HttpRequest, name: str) -> str:
    """What stands for this browser when it has let `name` in during the last half year, else empty.

    Its wrong passwords are counted by themselves, not with those of everybody behind the same address.
    """
    cookie = request.COOKIES.get(COOKIE, "")
    try:
        known = signing.loads(cookie, salt=SALT, max_age=LIFE_SECONDS)
    except signing.BadSignature:
        return ""
    return f"device:{cookie}" if known == name.strip().lower() else ""
