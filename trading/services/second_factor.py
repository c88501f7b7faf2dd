"""A person's authenticator app: set up, asked for, lost. Codes are judged by the wall's clock.

Whoever has set one up gives a code at every log-in and before every dangerous act. A real account asks it
of everybody who decides; nobody else has to have one.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from trading.domain.errors import InputError, Reason, StateConflict
from trading.domain.proof import Proof
from trading.domain.totp import matching_step
from trading.models import CredentialChange, RecoveryCode, SecondFactor
from trading.selectors.people import Person
from trading.services.alerts import alert
from trading.services.api_tokens import revoke_tokens_of
from trading.services.audit import audit
from trading.services.credentials import note_credentials

__all__ = [
    "LOCK",
    "TRIES",
    "begin_factor",
    "check_code",
    "confirm_factor",
    "new_recovery_codes",
    "remove_factor",
]

log = structlog.get_logger(__name__)
TRIES = 5
LOCK = timedelta(minutes=15)
CODES = 10
SEED_BYTES = 20


def begin_factor(user: Person) -> SecondFactor:
    """A new seed that waits for its first code. Raises StateConflict when one is in force already."""
    with transaction.atomic():
        known = SecondFactor.objects.select_for_update().filter(user=user).first()
        if known is not None and known.confirmed_at is not None:
            raise StateConflict("factor_in_force")
        SecondFactor.objects.filter(user=user).delete()
        seed = base64.b32encode(secrets.token_bytes(SEED_BYTES)).decode()
        return SecondFactor.objects.create(user=user, seed=seed, created_at=timezone.now())


def confirm_factor(user: Person, code: str) -> list[str]:
    """The app showed the right code: from now on it is asked for. Returns the recovery codes, once.

    Raises InputError for a wrong code, StateConflict when nothing waits for one.
    """
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=user).first()
        if factor is None or factor.confirmed_at is not None:
            raise StateConflict("factor_not_waiting")
        now = timezone.now()
        step = matching_step(factor.seed, _plain(code), now.timestamp(), factor.last_step)
        if step is None:
            raise InputError(Reason("code_wrong"))
        factor.confirmed_at, factor.last_step = now, step
        factor.save(update_fields=["confirmed_at", "last_step"])
        audit(user.get_username(), "second_factor_added", f"user:{user.pk}")
        return _fresh_codes(factor)


def check_code(user: Person, code: str) -> Proof:
    """Take a code of the app, or a recovery code.

    A code is taken once. Raises InputError `code_wrong`, or `code_locked` after five wrong ones in a row;
    StateConflict when the person has no second factor.
    """
    wrong = False
    with transaction.atomic():
        factor = (
            SecondFactor.objects.select_for_update()
            .filter(user=user, confirmed_at__isnull=False)
            .first()
        )
        if factor is None:
            raise StateConflict("factor_missing")
        now = timezone.now()
        locked = factor.locked_until is not None and now < factor.locked_until
        # a recovery code is too long to be guessed: whoever has one is not kept out by strangers
        level = (
            _recovery(factor, _plain(code), now) if locked else _level(factor, _plain(code), now)
        )
        if locked and level is None:
            raise InputError(Reason("code_locked", {"minutes": LOCK.seconds // 60}))
        if level is None:
            wrong = _count_failure(factor, now)
        elif factor.failures:
            SecondFactor.objects.filter(pk=factor.pk).update(failures=0, locked_until=None)
    if level is None:
        log.warning("second_factor_wrong", user=user.pk, locked=wrong)
        if wrong:
            alert("code_locked", user=user.get_username())
        raise InputError(Reason("code_wrong"))
    return Proof(now, level)


def _level(factor: SecondFactor, code: str, now: datetime) -> str | None:
    step = matching_step(factor.seed, code, now.timestamp(), factor.last_step)
    if step is not None:
        SecondFactor.objects.filter(pk=factor.pk).update(last_step=step)
        return "totp"
    return _recovery(factor, code, now)


def _recovery(factor: SecondFactor, code: str, now: datetime) -> str | None:
    used = RecoveryCode.objects.filter(
        factor=factor, digest=_digest(factor, code), used_at__isnull=True
    ).update(used_at=now)
    if used:
        name = factor.user.get_username()
        audit(name, "recovery_code_used", f"user:{factor.user_id}")
        return "recovery"
    return None


def _count_failure(factor: SecondFactor, now: datetime) -> bool:
    """True when this one locks it."""
    failures = factor.failures + 1
    locks = failures >= TRIES
    SecondFactor.objects.filter(pk=factor.pk).update(
        failures=0 if locks else failures, locked_until=now + LOCK if locks else None
    )
    return locks


def new_recovery_codes(user: Person) -> list[str]:
    """Ten new codes; those before are worth nothing. Raises StateConflict without a second factor."""
    with transaction.atomic():
        factor = (
            SecondFactor.objects.select_for_update()
            .filter(user=user, confirmed_at__isnull=False)
            .first()
        )
        if factor is None:
            raise StateConflict("factor_missing")
        audit(user.get_username(), "recovery_codes_renewed", f"user:{user.pk}")
        return _fresh_codes(factor)


def remove_factor(user: Person, by: str) -> None:
    """The person has no second factor any more; `by` is who took it away.

    When that is somebody else, they are not two people for a day, see `note_credentials`.
    """
    with transaction.atomic():
        gone, _rows = SecondFactor.objects.filter(user=user).delete()
        if gone:
            audit(by, "second_factor_removed", f"user:{user.pk}")
            revoke_tokens_of(user, by)
            note_credentials(user, by, CredentialChange.Kind.FACTOR)


def _fresh_codes(factor: SecondFactor) -> list[str]:
    factor.recovery_codes.all().delete()
    codes = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(factor=factor, digest=_digest(factor, code)) for code in codes
    )
    return ["-".join(code[i : i + 4] for i in range(0, len(code), 4)) for code in codes]


def _digest(factor: SecondFactor, code: str) -> str:
    return salted_hmac(f"recovery:{factor.pk}", code, algorithm="sha256").hexdigest()


def _plain(code: str) -> str:
    """What was typed without the spaces and dashes that make it readable."""
    return "".join(code.split()).replace("-", "").lower()[:64]
