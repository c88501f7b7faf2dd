"""How often somebody may guess a password: per name and address, per address, and per name.

Five wrong ones from one address stop that name there for a quarter of an hour; thirty stop the address. Five
from anywhere make strangers who try that name wait a minute between tries. Its owner is not locked out by
them: a browser that has let them in before does not wait.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache

from trading.services.alerts import alert

__all__ = ["WINDOW_SECONDS", "Guesses"]

WINDOW_SECONDS = 15 * 60
FROM_ONE_PLACE = 5
BY_ONE_ADDRESS = 30
FOR_ONE_NAME = 5
PAUSE_SECONDS = 60


class Guesses:
    """The wrong passwords of one name from one address."""

    def __init__(self, name: str, address: str) -> None:
        self._name = name.strip().lower()[:150]
        self._here = _key("here", f"{self._name}|{address}")
        self._address = _key("address", address)
        self._anywhere = _key("name", self._name)
        self._pause = _key("pause", self._name)

    def wait(self, *, known: bool = False) -> int:
        """Seconds until the next try is looked at; 0 when it may come at once. `known`: this browser has let
        that person in before, and does not pay for what strangers try."""
        counts = cache.get_many([self._here, self._address, self._pause])
        if counts.get(self._here, 0) >= FROM_ONE_PLACE:
            return WINDOW_SECONDS
        if counts.get(self._address, 0) >= BY_ONE_ADDRESS:
            return WINDOW_SECONDS
        return PAUSE_SECONDS if self._pause in counts and not known else 0

    def wrong(self) -> None:
        """One more. Many for one name page somebody, once a quarter of an hour."""
        _count(self._here)
        _count(self._address)
        tries = _count(self._anywhere)
        if tries >= FOR_ONE_NAME:
            cache.set(self._pause, 1, PAUSE_SECONDS)
        if tries == FOR_ONE_NAME:
            alert("password_guessed", tries=tries)

    def right(self) -> None:
        """The person is who they say."""
        cache.delete_many([self._here, self._anywhere, self._pause])


def _key(kind: str, what: str) -> str:
    """A digest, because names are typed by strangers."""
    return f"login:{kind}:" + hashlib.sha256(what.encode()).hexdigest()


def _count(key: str) -> int:
    if cache.add(key, 1, WINDOW_SECONDS):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two
        cache.set(key, 1, WINDOW_SECONDS)
        return 1
