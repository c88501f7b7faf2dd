"""An act is done once however often it is asked for: its answer is stored with it and given again.

`once` does act and key in one transaction. `once_apart` is for what waits for the broker: nobody else's write
may wait with it, so that the key is claimed first, and the act must refuse to be done twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from trading.domain.errors import StateConflict
from trading.models import AccountMember, IdempotencyKey
from trading.selectors.moments import told_at
from trading.selectors.people import Person

__all__ = ["CLAIMED", "KEPT", "Answer", "Asked", "answered_before", "once", "once_apart"]

KEPT = timedelta(days=7)
CLAIMED = timedelta(minutes=10)
"""How long a key without an answer is taken: its act still goes on, or its program died over it."""
Act = Callable[[], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what under which key. `body` is what was sent, as it was understood."""

    user: Person
    key: str
    method: str
    path: str
    body: Any

    @property
    def digest(self) -> str:
        text = json.dumps(self.body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is JSON text. `again` says that nothing was done this time."""

    status: int
    body: str
    again: bool = False


def answered_before(asked: Asked) -> Answer | None:
    """What the same request was answered within seven days; None when it is new.

    Raises StateConflict `key_used_for_another_request` when the key went with another body, `key_in_use`
    while the act is still being done, and `key_of_an_account_left` when an account that was the person's then
    is so no longer.
    """
    found = _rows(asked).exclude(_over(timezone.now())).first()
    if found is None:
        return None
    if found.digest != asked.digest:
        raise StateConflict("key_used_for_another_request", request=told_at(found.made_at))
    if not found.status:
        raise StateConflict("key_in_use")
    if not set(found.accounts) <= set(_accounts(asked.user)):
        raise StateConflict("key_of_an_account_left")
    return Answer(found.status, found.body, again=True)


def _accounts(user: Person) -> list[int]:
    return sorted(AccountMember.objects.filter(user=user).values_list("account", flat=True))


def once(asked: Asked, act: Act, refusals: tuple[type[Exception], ...]) -> Answer:
    """Do `act`, which gives a status and a body as JSON text, or give the answer that it had before.

    The key's row is written before the act and in its transaction: whoever asks at the same moment waits for it
    and then reads the answer. A refusal (one of `refusals`) stores no answer, and what the refused act meant to
    keep stays; any other error undoes everything.

    Raises what `act` raises; StateConflict `key_used_for_another_request`, or `key_in_use` when the first
    request takes too long to wait for.
    """
    if before := answered_before(asked):
        return before
    refused: Exception | None = None
    try:
        with transaction.atomic():
            row = _claim(asked)
            try:
                row.status, row.body = act()
            except refusals as error:
                if transaction.get_connection().needs_rollback:
                    raise
                refused = error
                row.delete()
            else:
                row.save(update_fields=["status", "body"])
                transaction.on_commit(_forget_old, robust=True)
    except _Taken:
        before = answered_before(asked)
        if before is None:  # whoever had it first was refused meanwhile
            raise StateConflict("key_in_use") from None
        return before
    if refused is not None:
        raise refused
    return Answer(row.status, row.body)


def once_apart(asked: Asked, act: Act) -> Answer:
    """As `once`, with the act outside any transaction of the key: no write lock is held while it waits.

    Whoever asks meanwhile is told `key_in_use`. An act that raises leaves the key free.
    """
    if before := answered_before(asked):
        return before
    try:
        with transaction.atomic(durable=True):
            row = _claim(asked)
    except _Taken:
        raise StateConflict("key_in_use") from None
    try:
        row.status, row.body = act()
    except Exception:
        row.delete()
        raise
    with transaction.atomic():
        row.save(update_fields=["status", "body"])
        transaction.on_commit(_forget_old, robust=True)
    return Answer(row.status, row.body)


class _Taken(Exception):
    """Somebody else has this key at this moment."""


def _claim(asked: Asked) -> IdempotencyKey:
    now = timezone.now()
    _rows(asked).filter(_over(now)).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                user=asked.user,
                key=asked.key,
                method=asked.method,
                path=asked.path,
                digest=asked.digest,
                accounts=_accounts(asked.user),
                made_at=now,
            )
    except IntegrityError:
        raise _Taken from None
    except OperationalError as error:  # the database waits for the first one no longer
        raise StateConflict("key_in_use") from error


def _rows(asked: Asked) -> Any:
    return IdempotencyKey.objects.filter(
        user=asked.user, key=asked.key, method=asked.method, path=asked.path
    )


def _over(now: datetime) -> Q:
    """Keys that are free again."""
    return Q(made_at__lt=now - KEPT) | Q(status=0, made_at__lt=now - CLAIMED)


def _forget_old() -> None:
    IdempotencyKey.objects.filter(_over(timezone.now())).delete()
