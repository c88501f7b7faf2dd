"""Nothing hangs in silence: whatever stays longer than it should is paged, again every quarter hour."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from rebalancing.domain.states import RunState
from rebalancing.models import Run
from trading.domain.errors import ConfigurationError
from trading.models import Account, Alert, Attempt, Enumeration, Intent
from trading.services.alerts import alert
from trading.services.brokers import broker_silent_since
from trading.services.clock import market_clock
from trading.services.proposals import expire_proposals

__all__ = ["LONGEST", "page_what_hangs"]

log = structlog.get_logger(__name__)

_SHORT = timedelta(minutes=3)
LONGEST: dict[str, timedelta] = {
    RunState.SELLING: timedelta(minutes=5),
    RunState.SELL_WAIT: timedelta(minutes=6),
    RunState.CASH_CONFIRM: _SHORT,
    RunState.BUYING: timedelta(minutes=5),
    RunState.BUY_WAIT: timedelta(minutes=6),
    RunState.FINAL_RECON: timedelta(minutes=6),
    RunState.HALTED: _SHORT,
    RunState.PAUSED_UNKNOWN: timedelta(minutes=1),
    RunState.PAUSED_EXTERNAL: timedelta(minutes=1),
}
"""How long a state may last before a person should look; the engine's own deadlines are shorter."""
OVERDUE = timedelta(minutes=3)
UNKNOWN_FOR = timedelta(minutes=2)
CANCELING_FOR = timedelta(minutes=2)
UNSEEN_FOR = timedelta(seconds=45)
SILENT_FOR = timedelta(seconds=60)
AGAIN = timedelta(minutes=15)


def page_what_hangs() -> int:
    """Page every run, attempt and cancel that lasts too long; returns how many were found. Proposals that
    hang are put right."""
    found = 0
    with transaction.atomic():
        expire_proposals()
    for account in Account.objects.filter(is_active=True):
        try:
            now = market_clock(account).now()
        except ConfigurationError:
            alert("clock_silent", severity=Alert.Severity.PAGE, account=account, repeat_after=AGAIN)
            found += 1
            continue
        found += (
            _silence(account)
            + _runs(account, now)
            + _attempts(account, now)
            + _cancels(account, now)
        )
    return found


def _page(code: str, account: Account, **about: object) -> int:
    alert(code, severity=Alert.Severity.PAGE, account=account, repeat_after=AGAIN, **about)  # type: ignore[arg-type]
    return 1


def _silence(account: Account) -> int:
    """A host that does not answer: the wall's clock counts, because the broker's may be gone with it."""
    since = broker_silent_since(account)
    if since is None or timezone.now() - since < SILENT_FOR:
        return 0
    return _page("broker_silent", account)


def _runs(account: Account, now: datetime) -> int:
    found = 0
    for run in Run.objects.filter(account=account, terminal_at=None):
        limit = LONGEST.get(run.state)
        late = run.due_at is not None and now - run.due_at > OVERDUE
        if late or (limit is not None and now - run.state_since > limit):
            found += _page("run_hangs", account, run_id=run.pk, state=run.state)
        elif run.state in LONGEST and _is_blind(run, now):
            found += _page("orders_unseen", account, run_id=run.pk, state=run.state)
    return found


def _is_blind(run: Run, now: datetime) -> bool:
    """A run that asks and gets no whole order list: its deadlines go on while nothing can be sent."""
    last = Enumeration.objects.filter(account=run.account_id, complete=True).first()
    seen = max(run.state_since, last.ended_at) if last else run.state_since
    return now - seen > UNSEEN_FOR


def _attempts(account: Account, now: datetime) -> int:
    rows = Attempt.objects.filter(
        intent__account=account,
        state__in=["SENDING", "UNKNOWN"],
        committed_at__lt=now - UNKNOWN_FOR,
    )
    return sum(_page("order_unknown_long", account, intent_id=row.intent_id) for row in rows)


def _cancels(account: Account, now: datetime) -> int:
    rows = Intent.objects.filter(
        account=account, state="CANCELING", state_since__lt=now - CANCELING_FOR
    )
    return sum(_page("cancel_hangs", account, intent_id=row.pk) for row in rows)
