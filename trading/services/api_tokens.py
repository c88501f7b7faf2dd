"""Tokens for programs: made once, shown once, kept as a digest, ended by their day, their owner or an admin.

A token carries its owner's roles and no more, and never replaces a code: what asks a person for one asks the
program, too.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from trading.domain.errors import InputError, Reason, StateConflict
from trading.models import ApiToken
from trading.selectors.people import Person
from trading.services.audit import audit

__all__ = ["DAYS", "MOST", "issue_token", "known_token", "revoke_token", "revoke_tokens_of"]

MARK = "jeoul_"
"""Begins every token, so that scanners of repositories can tell one."""
DAYS = (7, 30, 90, 365)
MOST = 10
USED_EVERY = timedelta(minutes=1)


def issue_token(
    user: Person, name: str, reach: str, days: int, *, by: str = ""
) -> tuple[ApiToken, str]:
    """The row and the token itself, which nobody can read again. `by` is who made it where that is not the
    person: the record says so.

    Raises InputError with every reason, StateConflict when the person has `MOST` of them.
    """
    name, reasons = name.strip(), []
    if not name or len(name) > 60 or not name.isprintable():
        reasons.append(Reason("token_name", {}))
    if reach not in ApiToken.Reach.values:
        reasons.append(Reason("token_reach", {}))
    if days not in DAYS:
        reasons.append(Reason("token_days", {"days": list(DAYS)}))
    if reasons:
        raise InputError(reasons)
    now, text = timezone.now(), MARK + secrets.token_urlsafe(32)
    with transaction.atomic():
        # two clicks count one after the other
        owner = get_user_model().objects.select_for_update().get(pk=user.pk)
        if ApiToken.objects.filter(_living(now), user=user).count() >= MOST:
            raise StateConflict("too_many_tokens", most=MOST)
        row = ApiToken.objects.create(
            user=user,
            name=name,
            digest=_digest(text),
            tail=text[-4:],
            stamp=owner.get_session_auth_hash(),
            reach=reach,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        audit(
            by or user.get_username(),
            "token_made",
            f"token:{row.pk}",
            {
                "who": user.get_username(),
                "name": name,
                "reach": reach,
                "until": row.expires_at.isoformat(),
            },
        )
    return row, text


def known_token(text: str) -> ApiToken | None:
    """The living token of an active person, or None; notes at most once a minute that it was used."""
    if not text.startswith(MARK) or len(text) > 100:
        return None
    now = timezone.now()
    rows = ApiToken.objects.select_related("user").filter(_living(now), user__is_active=True)
    row = rows.filter(digest=_digest(text)).first()
    if row is None or not _same_password(row):
        return None
    if row.last_used_at is None or now - row.last_used_at > USED_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def revoke_token(row: ApiToken, by: str) -> bool:
    """End it now; False when it had ended before."""
    with transaction.atomic():
        ended = ApiToken.objects.filter(pk=row.pk, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        if ended:
            audit(by, "token_revoked", f"token:{row.pk}", {"name": row.name})
    return bool(ended)


def revoke_tokens_of(user: Person, by: str) -> int:
    """End all of somebody's: they left, or lost what proves them. Returns how many lived."""
    return sum(
        revoke_token(row, by) for row in ApiToken.objects.filter(_living(timezone.now()), user=user)
    )


def _same_password(row: ApiToken) -> bool:
    """A renewed secret key keeps tokens alive for as long as the old one is a fallback, as with sessions."""
    user = row.user
    known = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(row.stamp, one) for one in known)


def _living(now: datetime) -> Q:
    return Q(revoked_at=None, expires_at__gt=now)


def _digest(text: str) -> str:
    """A token is 256 random bits: a plain hash cannot be guessed back."""
    return hashlib.sha256(text.encode()).hexdigest()
