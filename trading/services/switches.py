"""The kill switch: rows per scope, and a file that works when the database does not."""

from __future__ import annotations

import json
import os
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from trading.domain.errors import InputError, Reason, StateConflict
from trading.models import Account, Switch
from trading.services.audit import audit

__all__ = ["GLOBAL", "account_scope", "engage", "release", "switch_state"]

GLOBAL = "global"
_ORDER = {"ACTIVE": 0, "REDUCING": 1, "HALTED": 2}


def account_scope(account: Account) -> str:
    return f"account:{account.pk}"


def switch_state(account: Account, strategy: str = "") -> str:
    """The strictest of the kill file, the global, the account's and the strategy's switch."""
    scopes = [GLOBAL, account_scope(account), *([f"strategy:{strategy}"] if strategy else [])]
    newest = (
        Switch.objects.filter(scope__in=scopes)
        .order_by()
        .values("scope")
        .annotate(newest=Max("pk"))
    )
    states = Switch.objects.filter(pk__in=newest.values("newest")).values_list("state", flat=True)
    return max([file_state(), *states], key=_ORDER.__getitem__)


def file_state() -> str:
    """HALTED while the kill file exists, whatever it says; unreadable counts as existing."""
    try:
        return "HALTED" if os.path.lexists(settings.KILL_FILE) else "ACTIVE"
    except OSError:
        return "HALTED"


def write_kill_file(by: str, reason: str) -> None:
    """Stop everything on this machine without any database. Written whole or not at all."""
    path = settings.KILL_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump({"by": by, "reason": reason, "at": timezone.now().isoformat()}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def engage(scope: str, state: str, by: str, reason: str, at: datetime | None = None) -> Switch:
    """Make `scope` stricter at once. Never needs a second person."""
    if state not in ("REDUCING", "HALTED"):
        raise InputError(Reason("switch_state", {"allowed": ["REDUCING", "HALTED"]}))
    with transaction.atomic():
        newest = Switch.objects.filter(scope=scope).first()
        if newest is not None and _ORDER[newest.state] > _ORDER[state]:
            # what is already stricter stays: loosening is a release, with its own rules
            raise StateConflict("already_stricter", scope=scope, state=newest.state)
        row = Switch.objects.create(
            scope=scope, state=state, by=by, reason=reason[:300], at=at or timezone.now()
        )
        audit(by, "switch_engage", f"switch:{scope}", {"state": state, "reason": reason})
    return row


def release(scope: str, by: str, second: str, reason: str, policy: str) -> Switch:
    """Back to ACTIVE. Under four_eyes a second, different person must have agreed."""
    problems = []
    if not reason.strip():
        problems.append(Reason("reason_required"))
    if policy == "four_eyes" and (not second or second == by):
        problems.append(Reason("second_person_required"))
    if problems:
        raise InputError(problems)
    with transaction.atomic():
        newest = Switch.objects.filter(scope=scope).first()
        only_file = scope == GLOBAL and file_state() == "HALTED"
        if not only_file and (newest is None or newest.state == "ACTIVE"):
            raise StateConflict("not_engaged", scope=scope)
        row = Switch.objects.create(
            scope=scope,
            state="ACTIVE",
            by=by,
            second=second,
            reason=reason[:300],
            policy=policy,
            at=timezone.now(),
        )
        audit(by, "switch_release", f"switch:{scope}", {"second": second, "reason": reason})
    if scope == GLOBAL and os.path.lexists(settings.KILL_FILE):
        os.unlink(settings.KILL_FILE)
    return row
