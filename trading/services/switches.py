"""The kill switch: rows per scope, and a file that works when the database does not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from trading.domain.errors import ConfigurationError, InputError, Reason, StateConflict
from trading.domain.proof import OWNER_FRESH, Proof
from trading.models import Account, Switch
from trading.selectors.scopes import GLOBAL, account_scope
from trading.services.audit import audit
from trading.services.clock import market_clock
from trading.services.hints import hint
from trading.services.stop_alerts import end_stop_alerts, tell_stop

__all__ = [
    "GLOBAL",
    "account_scope",
    "accounts_under",
    "engage",
    "is_engaged",
    "release",
    "require_engaged",
    "stops_of",
    "strictest_state",
    "switch_state",
]

log = structlog.get_logger(__name__)

_NEWEST = (
    "SELECT state FROM trading_switch WHERE id IN "
    "(SELECT MAX(id) FROM trading_switch WHERE scope IN ({}) GROUP BY scope)"
)
"""Asked before every step and twice around every send: written out, it costs a tenth of building it anew."""

_ORDER = {"ACTIVE": 0, "REDUCING": 1, "HALTED": 2}


def switch_state(account: Account, strategy: str = "") -> str:
    """The strictest of the kill file, the global, the account's and the strategy's switch."""
    return _strictest(
        [GLOBAL, account_scope(account), *([f"strategy:{strategy}"] if strategy else [])]
    )


def strictest_state(accounts: Iterable[Account]) -> str:
    """The strictest state that any of `accounts` is in."""
    return _strictest([GLOBAL, *map(account_scope, accounts)])


def stops_of(account: Account) -> tuple[str, str]:
    """The state of everything, the kill file counted in, and that of the account alone."""
    rows = Switch.objects.filter(scope__in=(GLOBAL, account_scope(account))).order_by("pk")
    newest = dict(rows.values_list("scope", "state"))
    everything = max(file_state(), newest.get(GLOBAL, "ACTIVE"), key=_ORDER.__getitem__)
    return everything, newest.get(account_scope(account), "ACTIVE")


def _strictest(scopes: list[str]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST.format(", ".join(["%s"] * len(scopes))), scopes)
        states = [state for (state,) in cursor.fetchall()]
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


def accounts_under(scope: str, *, everyone: bool = False) -> QuerySet[Account]:
    """The accounts that a switch of `scope` rules; a strategy's switch rules those of every account.

    `everyone`: those too that are switched off at present.
    """
    accounts = Account.objects.order_by("pk")
    if not everyone:
        accounts = accounts.filter(is_active=True)
    kind, _, number = scope.partition(":")
    return accounts.filter(pk=int(number)) if kind == "account" and number.isdigit() else accounts


def is_engaged(scope: str) -> bool:
    """True when there is something to release: the scope's own switch, or for all the kill file."""
    newest = Switch.objects.filter(scope=scope).first()
    if newest is not None and newest.state != "ACTIVE":
        return True
    return scope == GLOBAL and file_state() == "HALTED"


def require_engaged(scope: str) -> None:
    """Raises StateConflict when `scope` has nothing to release, in other words where something else stops
    its accounts all the same: nobody is to be told that they trade."""
    if is_engaged(scope):
        return
    if scope != GLOBAL and is_engaged(GLOBAL):
        raise StateConflict("only_everything_stopped", scope=scope)
    if scope == GLOBAL and any(is_engaged(account_scope(a)) for a in accounts_under(GLOBAL)):
        raise StateConflict("only_accounts_stopped", scope=scope)
    raise StateConflict("not_engaged", scope=scope)


def engage(scope: str, state: str, by: str, reason: str) -> Switch:
    """Make `scope` stricter at once. Never needs a second person.

    Raises StateConflict when it is stricter already.
    """
    if state not in ("REDUCING", "HALTED"):
        raise InputError(Reason("switch_state", {"allowed": ["REDUCING", "HALTED"]}))
    with transaction.atomic():
        at = _moment(scope)
        newest = Switch.objects.filter(scope=scope).first()
        if newest is not None and _ORDER[newest.state] > _ORDER[state]:
            # what is already stricter stays: loosening is a release, with its own rules
            raise StateConflict("already_stricter", scope=scope, state=newest.state)
        row = Switch.objects.create(scope=scope, state=state, by=by, reason=reason[:300], at=at)
        audit(
            by,
            "switch_engage",
            f"switch:{scope}",
            {"switch": row.pk, "state": state, "reason": reason},
        )
        hint(accounts_under(scope).values_list("pk", flat=True))
    if newest is None or newest.state != state:
        tell_stop(scope, state, by, reason, accounts_under(scope))
    return row


def _moment(scope: str) -> datetime:
    """The market's time of a change, with the accounts it concerns locked. Inside a transaction.

    A promise to send holds its account's row from its own look at the clock to its commit. With the row
    locked here, every promise is either committed before this moment or sees the new switch.
    """
    accounts = _locked(scope)
    simulated = accounts and all(a.environment == Account.Environment.SIM for a in accounts)
    try:
        return market_clock(accounts[0]).now() if simulated else timezone.now()
    except ConfigurationError:
        return timezone.now()  # stopping never waits for a clock


def _locked(scope: str) -> list[Account]:
    """The accounts under `scope`, locked; unlocked when the lock does not come, for a stop must not fail."""
    try:
        with transaction.atomic():
            return list(accounts_under(scope).select_for_update())
    except OperationalError:
        log.warning("switch_without_lock", scope=scope)
        return list(accounts_under(scope))


def release(
    scope: str, by: str, second: str, reason: str, policy: str, proof: Proof | None = None
) -> Switch:
    """Back to ACTIVE. Under four_eyes a second, different person must have agreed; an owner alone has
    shown a code within the last minute.

    Raises InputError with every reason against it; StateConflict when nothing is engaged.
    """
    problems = []
    if policy == "owner" and not (proof and proof.is_fresh(timezone.now(), OWNER_FRESH)):
        problems.append(Reason("release_needs_second_factor"))
    if not reason.strip():
        problems.append(Reason("reason_required"))
    if policy == "four_eyes" and (not second or second == by):
        problems.append(Reason("second_person_required"))
    if problems:
        raise InputError(problems)
    with transaction.atomic():
        require_engaged(scope)
        row = Switch.objects.create(
            scope=scope,
            state="ACTIVE",
            by=by,
            second=second,
            reason=reason[:300],
            policy=policy,
            at=_moment(scope),
        )
        audit(
            by,
            "switch_release",
            f"switch:{scope}",
            {"switch": row.pk, "second": second, "reason": reason},
        )
        if scope == GLOBAL:  # the file goes when the row that explains it is really there
            transaction.on_commit(_remove_kill_file)
        end_stop_alerts(scope, by, accounts_under(scope))
        hint(accounts_under(scope).values_list("pk", flat=True))
    return row


def _remove_kill_file() -> None:
    settings.KILL_FILE.unlink(missing_ok=True)
