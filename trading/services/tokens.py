"""One access token per key and host, whoever asks: stored encrypted, issued by one caller at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from trading.domain.errors import BrokerBusy, BrokerError, BrokerGarbled, BrokerMisconfigured
from trading.domain.ports import StoredToken
from trading.models import KisToken

__all__ = ["DatabaseTokenStore"]

log = structlog.get_logger(__name__)

RENEW_BEFORE = timedelta(minutes=10)
LEASE = timedelta(seconds=20)
WAIT_SECONDS = 75.0
MAX_FAILURES = 3
PATIENCE_SECONDS = 5.0
"""A task must not sleep through its own time limit; its step is due again in seconds."""


def _interval() -> timedelta:
    return timedelta(seconds=settings.KIS_TOKEN_INTERVAL_SECONDS)


class DatabaseTokenStore:
    """`TokenStore` on the `KisToken` row.

    The lease is taken by a conditional UPDATE that must hit one row, so ten cold workers issue once.
    The broker allows one issue a minute; a renewal that comes sooner waits. `refused` is told the code and the
    number in a row of answers that hold no token we can use.
    """

    def __init__(
        self,
        key_digest: str,
        host: str,
        issue: Callable[[datetime], StoredToken],
        now: Callable[[], datetime],
        *,
        refused: Callable[[str, int], None] = lambda why, times: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._where: dict[str, Any] = {"key_digest": key_digest, "host": host}
        self._issue = issue
        self._now = now
        self._refused = refused
        self._sleep = sleep
        self._cached: StoredToken | None = None

    def current(self) -> StoredToken | None:
        if self._cached is None or self._cached.expires_at - RENEW_BEFORE <= self._now():
            self._cached = self._stored()
        return self._cached

    def renew(self, dead: str | None) -> StoredToken:
        deadline = time.monotonic() + WAIT_SECONDS
        KisToken.objects.get_or_create(**self._where)
        while True:
            found = self._stored()
            if found is not None and found.token != dead:
                self._cached = found
                return found
            if self._claim():
                # somebody may have issued between our look and our claim
                found = self._stored()
                if found is not None and found.token != dead:
                    KisToken.objects.filter(**self._where).update(issuing_until=None)
                    self._cached = found
                    return found
                return self._issue_and_keep(dead)
            if time.monotonic() > deadline:
                raise BrokerBusy("another process is renewing the token; try again in a minute")
            self._sleep(0.2)

    def drop(self) -> None:
        """Forget the stored token, so that the next call issues one."""
        KisToken.objects.filter(**self._where).update(
            token="", expires_at=None, failures=0, last_attempt_at=None, issuing_until=None
        )
        self._cached = None

    def _stored(self) -> StoredToken | None:
        row = KisToken.objects.filter(**self._where).first()
        if row is None or not row.token or row.expires_at is None:
            return None
        if row.expires_at - RENEW_BEFORE <= self._now():
            return None
        return StoredToken(row.token, row.expires_at)

    def _claim(self) -> bool:
        wall = timezone.now()
        return (
            KisToken.objects.filter(**self._where)
            .filter(Q(issuing_until__isnull=True) | Q(issuing_until__lt=wall))
            .update(issuing_until=wall + LEASE)
            == 1
        )

    def _issue_and_keep(self, dead: str | None) -> StoredToken:
        rows = KisToken.objects.filter(**self._where)
        row = rows.get()
        if (
            row.failures >= MAX_FAILURES
            and row.last_attempt_at
            and (timezone.now() - row.last_attempt_at < _interval())
        ):
            rows.update(issuing_until=None)
            raise BrokerMisconfigured("the broker keeps refusing a token; check the keys")
        self._wait_for_the_minute(row)
        rows.update(last_attempt_at=timezone.now())
        try:
            fresh = self._issue(self._now())
        except BrokerError as error:
            rows.update(failures=row.failures + 1, issuing_until=None)
            if isinstance(error, BrokerGarbled):
                self._refused("token_garbled", row.failures + 1)
            raise
        if fresh.token == dead:
            # Inside six hours the broker repeats the token, even a revoked one.
            rows.update(failures=row.failures + 1, issuing_until=None)
            self._refused("token_dead_again", row.failures + 1)
            raise BrokerMisconfigured("the broker answers with the same dead token")
        rows.update(
            token=fresh.token,
            expires_at=fresh.expires_at,
            issued_at=self._now(),
            issuing_until=None,
            failures=0,
        )
        log.info("token_issued", expires_at=fresh.expires_at.isoformat())
        self._cached = fresh
        return fresh

    def _wait_for_the_minute(self, row: KisToken) -> None:
        if row.last_attempt_at is None:
            return
        wait = (row.last_attempt_at + _interval() - timezone.now()).total_seconds()
        if wait > PATIENCE_SECONDS:
            KisToken.objects.filter(pk=row.pk).update(issuing_until=None)
            raise BrokerBusy("the broker issues one token a minute; try again shortly")
        if wait > 0:
            KisToken.objects.filter(pk=row.pk).update(
                issuing_until=timezone.now() + LEASE + timedelta(seconds=wait)
            )
            self._sleep(wait)
