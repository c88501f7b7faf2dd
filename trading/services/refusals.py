"""A refusal is believed, and then checked: no list after it may show the order it refused.

What the broker's codes prove was learned from others and stays provisional. Each refusal is verified by
one complete list that was asked for after it; a row that shows up nevertheless, then or later that day,
means that the code proves nothing: the account stops and nothing more is sent for that wish.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from trading.domain.orders import REJECT_CODES, AttemptState, IntentState
from trading.domain.ports import OrderRow
from trading.domain.reconciliation import candidates
from trading.domain.sending import SOFT_RESENDS
from trading.models import Account, Alert, Attempt, BrokerOrder, OrderAction
from trading.models.prepared import Prepared
from trading.selectors.sought import sought_of
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.clock import SEOUL
from trading.services.states import move
from trading.services.switches import account_scope, engage

__all__ = [
    "REFUSED_YET_LISTED",
    "check_refusals",
    "intents_awaiting_a_list",
    "KEPT_OPEN",
    "is_unchecked",
    "unchecked_refusals",
]

SYSTEM = "system"
REFUSED_YET_LISTED = "refused_yet_listed"
KEPT_OPEN = timedelta(days=4)
"""How long a refusal waits for its list; older ones were never listed by anybody."""

_LIST_FIRST = sorted(code for code, rule in REJECT_CODES.items() if rule.enumerate_first)
_PROVISIONAL = sorted(code for code, rule in REJECT_CODES.items() if rule.provisional)


def unchecked_refusals(account: Account, now: datetime) -> QuerySet[Attempt]:
    """Refused orders that no complete list has confirmed yet."""
    return Attempt.objects.filter(is_unchecked(now - KEPT_OPEN), intent__account=account)


def is_unchecked(kept: datetime) -> Q:
    """What makes an attempt one of `unchecked_refusals`; older ones than `kept` are no more."""
    return Q(_is_refused(), last_checked_at=None, committed_at__gt=kept)


def intents_awaiting_a_list(run_id: int) -> set[int]:
    """Orders of the run that may be sent again, but not before a list has shown that nothing came."""
    return set(
        Attempt.objects.filter(
            intent__origin="run",
            intent__origin_id=run_id,
            intent__state=IntentState.REJECTED,
            intent__action=OrderAction.ORDER,
            state=AttemptState.REJECTED,
            soft=True,
            msg_cd__in=_LIST_FIRST,
            last_checked_at=None,
        ).values_list("intent_id", flat=True)
    )


def check_refusals(
    account: Account,
    rows: Sequence[OrderRow],
    since: date,
    asked_at: datetime,
    now: datetime,
    *,
    complete: bool,
) -> None:
    """Compare the list of `rows`, asked for at `asked_at` and already booked, with what was refused
    from the day `since` on. Must run inside the transaction that booked it."""
    start = datetime.combine(since, datetime.min.time(), SEOUL)
    if not (keys := _REFUSED_SINCE(account=account.pk, start=start)):
        return  # as nearly always: what follows reads four tables
    attempts = Attempt.objects.filter(pk__in=keys)
    for attempt in attempts.select_related("intent__account", "intent__target_order"):
        found = candidates(rows, sought_of(attempt))
        if found:
            _was_accepted(attempt, found, now)
        elif complete and attempt.last_checked_at is None and _answered_before(attempt, asked_at):
            _confirmed(attempt, now)


def _is_refused() -> Q:
    return Q(state=AttemptState.REJECTED, action=OrderAction.ORDER, msg_cd__in=_PROVISIONAL)


_REFUSED_SINCE = Prepared(
    lambda value: Attempt.objects.filter(
        _is_refused(), intent__account=value.account, committed_at__gte=value.start
    ).values_list("pk", flat=True),
    account=int,
    start=datetime,
)


def _answered_before(attempt: Attempt, asked_at: datetime) -> bool:
    return attempt.answered_at is not None and attempt.answered_at <= asked_at


def _confirmed(attempt: Attempt, now: datetime) -> None:
    """The list shows nothing of it: what waited for that may be sent again."""
    Attempt.objects.filter(pk=attempt.pk).update(last_checked_at=now, absence_checks=1)
    intent = attempt.intent
    rule = REJECT_CODES[attempt.msg_cd]
    if not (rule.enumerate_first and attempt.soft and intent.state == IntentState.REJECTED):
        return
    if intent.attempts.filter(soft=True).count() <= SOFT_RESENDS and now < intent.deadline_at:
        reason = f"soft {attempt.msg_cd}, not listed"
        move(intent, IntentState.AUTHORIZED, at=now, by=SYSTEM, reason=reason)


def _was_accepted(attempt: Attempt, found: Iterable[OrderRow], now: datetime) -> None:
    """The order exists although it was refused. It is nobody's: a person has to look at it."""
    orders = BrokerOrder.objects.filter(
        account=attempt.intent.account,
        trade_date=attempt.committed_at.astimezone(SEOUL).date(),
        order_no__in=[row.order_no for row in found],
        owner=None,
    ).exclude(flag=REFUSED_YET_LISTED)
    order = orders.first()
    if order is None:
        return  # known already, or its lane still waits for an answer of its own
    orders.update(flag=REFUSED_YET_LISTED)
    Attempt.objects.filter(pk=attempt.pk).update(last_checked_at=now)
    intent = attempt.intent
    if intent.state == IntentState.AUTHORIZED:
        move(intent, IntentState.REVOKED, at=now, by=SYSTEM, reason="accepted after all")
    ticker, why = intent.instrument_id, f"{attempt.msg_cd} was no refusal"
    engage(account_scope(intent.account), "HALTED", SYSTEM, why)
    audit(
        SYSTEM,
        "refusal_was_wrong",
        f"intent:{intent.pk}",
        {"msg_cd": attempt.msg_cd, "ticker": ticker, "order": order.identity},
    )
    alert(
        "refusal_was_wrong",
        severity=Alert.Severity.PAGE,
        account=intent.account,
        intent_id=intent.pk,
        run_id=intent.origin_id if intent.origin == "run" else None,
        order_no=order.order_no,
        msg_cd=attempt.msg_cd,
        ticker=ticker,
    )
