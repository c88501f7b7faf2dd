"""An authenticator app for tests: it knows a seed and shows the next code that was not used yet."""

from __future__ import annotations

import re
import time
from typing import Any

from django.test import Client
from django.utils import timezone

from trading.domain.proof import Proof
from trading.domain.totp import STEP_SECONDS, code_at
from trading.models import SecondFactor

__all__ = ["Phone", "enrolled", "with_code"]


class Phone:
    """`code()` is a code that the platform will take now; asked again it is the next one."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self._last = 0

    @classmethod
    def scanning(cls, page: str) -> Phone:
        """The phone that typed in the key which the page shows."""
        found = re.search(r'class="seed">([A-Z2-7]+)<', page)
        assert found, "the page shows no key"
        return cls(found[1])

    def code(self) -> str:
        """Steps are taken in order; one step of slack lets two codes follow each other at once.

        The first is of the step before, but not when the present one is about to end: it would be two behind.
        """
        now, passed = divmod(time.time(), STEP_SECONDS)
        first = int(now) - (passed < STEP_SECONDS - 1)
        self._last = max(first, self._last + 1)
        return code_at(self.seed, self._last)


def enrolled(user: Any) -> Phone:
    """A person who has set up a second factor some time ago."""
    phone = Phone("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    SecondFactor.objects.create(
        user=user, seed=phone.seed, created_at=timezone.now(), confirmed_at=timezone.now()
    )
    return phone


def signed_in(client: Client, name: str, password: str, phone: Phone) -> Any:
    """Through the door as a person goes: password, then code."""
    client.post("/accounts/login/", {"username": name, "password": password})
    return client.post("/accounts/code/", {"code": phone.code()})


def with_code(user: Any) -> Proof:
    """What somebody with a second factor has who has just shown a code."""
    if not SecondFactor.objects.filter(user=user).exists():
        enrolled(user)
        user._state.fields_cache.pop("second_factor", None)
    return Proof(timezone.now(), "totp")
