"""Everything we claim, as plain rows: the views that a checker with code of its own can judge.

Shapes: one dictionary a row with `view`; money and counts as whole numbers, Decimals as text, times as
ISO-8601 with offset. The account number is the one the broker sees, so this export is for admins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet, Sum

from rebalancing.models import Leg, Run
from rebalancing.selectors.evidence_scope import Scope
from trading.domain.orders import REJECT_CODES
from trading.models import (
    Account,
    Alert,
    Approval,
    Attempt,
    AuditEntry,
    BrokerOrder,
    Decision,
    Ledger,
    Position,
    Reservation,
    RuleCheck,
    ScheduleFire,
    Switch,
    Transition,
)
from trading.selectors.moments import told_at

__all__ = ["evidence", "recent_evidence"]

Row = dict[str, Any]
A_RUN = timedelta(days=4)
"""What belongs to a thing that is still open was written at most so long before: no run crosses a session, and
no wish outlives its run, but a weekend may lie between."""


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return told_at(value)
    return value


def order_key(order: BrokerOrder, numbers: dict[int, str]) -> str:
    """`account/YYYYMMDD/orgno/odno`."""
    return f"{numbers[order.account_id]}/{order.trade_date:%Y%m%d}/{order.org_no}/{order.order_no}"


def evidence(*, run: Run | None = None, account: Account | None = None) -> Iterator[Row]:
    """Every view, for one run, one account, or everything."""
    accounts = Account.objects.all()
    if run is not None:
        accounts = accounts.filter(pk=run.account_id)
    elif account is not None:
        accounts = accounts.filter(pk=account.pk)
    return _rows(Scope(run, _numbers(accounts)), _VIEWS)


def recent_evidence(since: datetime) -> Iterator[Row]:
    """What began at or after `since` or is not over yet, each thing with its whole history: enough for every
    law that needs neither the chain (watched by its own reader) nor the other side's journal."""
    views = [view for view in _VIEWS if view not in (_cash, _audit)]
    return _rows(Scope(None, _numbers(Account.objects.all()), since), views)


def _numbers(accounts: QuerySet[Account]) -> dict[int, str]:
    return {row.pk: row.account_no for row in accounts}


def _rows(scope: Scope, views: Iterable[Callable[[Scope], Iterator[Row]]]) -> Iterator[Row]:
    yield _environment()
    for view in views:
        for row in view(scope):
            yield {name: _plain(value) for name, value in row.items()}


def _environment() -> Row:
    return {
        "view": "env",
        "build_id": settings.BUILD_ID,
        "reject_whitelist": sorted(REJECT_CODES),
        "w_absent_s": 180,
        "live_trading": settings.LIVE_TRADING,
        "server": settings.SERVER,
    }


def _runs(scope: Scope) -> Iterator[Row]:
    for run in scope.runs.order_by("pk"):
        legs = Leg.objects.filter(run=run, generation=run.generation).order_by("number")
        yield {
            "view": "run",
            "id": run.pk,
            "kind": "rebalancing",
            "account": scope.numbers[run.account_id],
            "strategy": run.strategy,
            "slot": run.slot,
            "state": run.state,
            "generation": run.generation,
            "plan_hash": run.plan_hash,
            "approval_policy": run.approval_policy,
            "planner": run.planner,
            "owner": run.requester,
            "deadline_at": run.deadline_at,
            "terminal_at": run.terminal_at,
            "end_reason": run.end_reason,
            "end_facts": run.end_facts,
            "netted": [
                {"ticker": t["ticker"], "side": t["side"], "qty": t["quantity"]}
                for t in run.outcome.get("trades", [])
            ],
            "legs": [
                {
                    "ticker": leg.instrument_id,
                    "side": leg.side,
                    "qty": leg.quantity,
                    "resized": leg.resized_quantity,
                    "filled": leg.filled_quantity,
                    "amount": leg.filled_amount,
                    "fee": leg.fee,
                    "tax": leg.tax,
                }
                for leg in legs
            ],
        }


def _cash(scope: Scope) -> Iterator[Row]:
    """What a run began with, what its account's fills moved until its end, what the broker showed then:
    `unexplained` is money that no fill accounts for. Until a run has closed its books the last three are
    null."""
    for run in scope.runs.exclude(snapshot=None).select_related("snapshot").order_by("pk"):
        assert run.snapshot is not None
        moved = _moved(run)
        closing = run.end_facts.get("cash") if run.terminal_at is not None else None
        expected = run.snapshot.cash + moved["sold"] - moved["bought"] - moved["fee"] - moved["tax"]
        yield {
            "view": "cash",
            "run_id": run.pk,
            "account": scope.numbers[run.account_id],
            "opened_at": run.snapshot.taken_at,
            "opening": run.snapshot.cash,
            **moved,
            "expected": expected,
            "closed_at": run.terminal_at if closing is not None else None,
            "closing": closing,
            "unexplained": closing - expected if closing is not None else None,
        }


def _moved(run: Run) -> dict[str, int]:
    """Won by kind, of every fill booked on the run's account from its snapshot to its end."""
    assert run.snapshot is not None
    booked = Ledger.objects.filter(
        order__account=run.account_id, posted_at__gt=run.snapshot.taken_at
    )
    if run.terminal_at is not None:
        booked = booked.filter(posted_at__lte=run.terminal_at)
    bought = Q(order__side="BUY")
    sums = booked.aggregate(
        sold=Sum("amount", filter=~bought),
        bought=Sum("amount", filter=bought),
        fee=Sum("fee"),
        tax=Sum("tax"),
    )
    return {name: won or 0 for name, won in sums.items()}


def _approvals(scope: Scope) -> Iterator[Row]:
    rows = Approval.objects.filter(account__in=scope.numbers)
    if scope.run is not None or scope.since is not None:
        rows = rows.filter(subject__in=[run.subject for run in scope.runs])
    for row in rows.order_by("pk"):
        yield {
            "view": "approval",
            "id": row.pk,
            "run_id": int(row.subject.split(":")[1]),
            "plan_hash": row.plan_hash,
            "requester": row.requester,
            "approver": row.approver,
            "decided_at": row.decided_at,
            "expires_at": row.expires_at,
            "verdict": row.verdict,
            "auth_level": row.auth_level,
            "policy": row.policy,
        }


def _intents(scope: Scope) -> Iterator[Row]:
    for row in scope.intents.select_related("reservation", "account").order_by("pk"):
        held = getattr(row, "reservation", None)
        yield {
            "view": "intent",
            "id": row.pk,
            "key": row.key,
            "action": row.action,
            "origin": row.origin,
            "origin_id": row.origin_id,
            "user_id": row.user_id,
            "account": scope.numbers[row.account_id],
            "env": row.account.environment,
            "ticker": row.instrument_id,
            "side": row.side,
            "qty": row.quantity,
            "ord_type": row.order_type,
            "limit_price": row.limit_price,
            "state": row.state,
            "plan_hash": row.plan_hash,
            "reserved_krw": held.won if held else 0,
            "created_at": row.created_at,
        }


def _attempts(scope: Scope) -> Iterator[Row]:
    rows = Attempt.objects.filter(intent__in=scope.intents).select_related("broker_order")
    committed = _sequence(("order_send",), "attempt")
    for row in rows.order_by("pk"):
        order = row.broker_order
        yield {
            "view": "attempt",
            "id": row.pk,
            "seq": committed.get(row.pk),
            "intent_id": row.intent_id,
            "n": row.number,
            "action": row.action,
            "nonce": row.nonce,
            "state": row.state,
            "req_hash": row.body_hash,
            "committed_at": row.committed_at,
            "deadline_at": row.deadline_at,
            "answered_at": row.answered_at,
            "http_status": row.http_status,
            "msg_cd": row.msg_cd,
            "odno_key": order_key(order, scope.numbers) if order else None,
            "baseline_hash": row.baseline_hash,
            "build_id": row.build_id,
        }


def _orders(scope: Scope) -> Iterator[Row]:
    for row in scope.orders.order_by("pk"):
        yield {
            "view": "border",
            "odno_key": order_key(row, scope.numbers),
            "owner_intent": row.owner_id,
            "source": row.source,
            "ticker": row.instrument_id,
            "side": row.side,
            "orgn_odno": row.original_order_no or None,
            "qty": row.quantity,
            "cum_qty": row.filled_quantity,
            "cum_amt": row.filled_amount,
            "cxl_qty": row.cancelled_quantity,
            "rmn_qty": row.remaining_quantity,
            "status": "final" if row.is_final else "working",
            "first_seen": row.first_seen_at,
            "last_seen": row.last_seen_at,
        }


def _ledger(scope: Scope) -> Iterator[Row]:
    rows = Ledger.objects.filter(order__in=scope.orders).select_related("order")
    for row in rows.order_by("pk"):
        yield {
            "view": "ledger",
            "id": row.pk,
            "odno_key": order_key(row.order, scope.numbers),
            "cum_before": row.cum_before,
            "cum_after": row.cum_after,
            "d_qty": row.quantity,
            "d_amt": row.amount,
            "fee": row.fee,
            "tax": row.tax,
            "posted_at": row.posted_at,
        }


def _enumerations(scope: Scope) -> Iterator[Row]:
    for row in scope.enumerations.order_by("pk"):
        yield {
            "view": "enumeration",
            "id": row.pk,
            "account": scope.numbers[row.account_id],
            "trade_date": row.trade_date.isoformat(),
            "scope": row.scope,
            "pages": row.pages,
            "complete": row.complete,
            "rows_hash": row.rows_hash,
            "started": row.started_at,
            "ended": row.ended_at,
        }


def _checks(scope: Scope) -> Iterator[Row]:
    for row in RuleCheck.objects.filter(intent__in=scope.intents).order_by("pk"):
        yield {
            "view": "rulecheck",
            "id": row.pk,
            "intent_id": row.intent_id,
            "attempt_id": row.attempt_id,
            "rule_set_version": row.rule_set_version,
            "inputs_hash": row.inputs_hash,
            "verdict": row.verdict,
            "at": row.at,
            "results": [{"rule": r["rule"], "passed": r["passed"]} for r in row.results],
        }


def _reservations(scope: Scope) -> Iterator[Row]:
    for row in Reservation.objects.filter(intent__in=scope.intents).order_by("pk"):
        yield {
            "view": "reservation",
            "intent_id": row.intent_id,
            "krw": row.won,
            "shares": row.shares,
            "opened": row.opened_at,
            "closed": row.closed_at,
        }


def _decisions(scope: Scope) -> Iterator[Row]:
    for row in Decision.objects.filter(intent__in=scope.intents).order_by("pk"):
        yield {
            "view": "decision",
            "id": row.pk,
            "intent_id": row.intent_id,
            "attempt_id": row.attempt_id,
            "verdict": row.verdict,
            "by": row.by,
            "at": row.at,
            "odno": row.order_no or None,
        }


def _positions(scope: Scope) -> Iterator[Row]:
    for row in Position.objects.filter(account__in=scope.numbers, quantity__gt=0).order_by("pk"):
        yield {
            "view": "position",
            "account": scope.numbers[row.account_id],
            "ticker": row.instrument_id,
            "qty": row.quantity,
        }


def _sequence(actions: tuple[str, ...], key: str) -> dict[int, int]:
    """Which place in the audit chain, and so in the order of commits, a row of ours has. The chain goes by the
    wall's clock: it is not cut by a time of the market's."""
    rows = AuditEntry.objects.filter(action__in=actions).values_list("seq", "payload")
    found = ((json.loads(payload).get(key), seq) for seq, payload in rows.iterator())
    return {int(pk): seq for pk, seq in found if pk is not None}


def _switches(scope: Scope) -> Iterator[Row]:
    committed = _sequence(("switch_engage", "switch_release"), "switch")
    for row in Switch.objects.order_by("pk"):
        yield {
            "view": "switch",
            "id": row.pk,
            "seq": committed.get(row.pk),
            "at": row.at,
            "scope": _scope_name(row.scope, scope.numbers),
            "state": row.state,
            "by": row.by,
            "by2": row.second,
            "reason": row.reason,
            "policy": row.policy,
        }


def _scope_name(name: str, numbers: dict[int, str]) -> str:
    """What a stop holds, an account by the number that the broker sees, as everywhere in this export."""
    kind, _, key = name.partition(":")
    if kind == "account" and key.isdigit() and int(key) in numbers:
        return f"account:{numbers[int(key)]}"
    return name


def _alerts(scope: Scope) -> Iterator[Row]:
    rows = Alert.objects.filter(account__in=scope.numbers)
    if scope.run is not None:
        rows = rows.filter(run_id=scope.run.pk)
    if scope.since is not None:
        rows = rows.filter(created_at__gte=scope.since - A_RUN)
    for row in rows.order_by("pk"):
        yield {
            "view": "alert",
            "id": row.pk,
            "severity": row.severity,
            "subject": row.subject,
            "created": row.created_at,
            "delivered_at": [told_at(row.delivered_at)] if row.delivered_at else [],
            "acked_by": row.acknowledged_by or None,
            "intent_id": row.intent_id,
            "run_id": row.run_id,
            "odno": row.order_no or None,
        }


def _fires(scope: Scope) -> Iterator[Row]:
    rows = ScheduleFire.objects.order_by("pk")
    if scope.since is not None:
        rows = rows.filter(fired_at__gte=scope.since)
    for row in rows:
        yield {
            "view": "schedfire",
            "job": row.job,
            "slot": row.slot,
            "fired_at": row.fired_at,
            "task_id": row.task_id,
        }


def _transitions(scope: Scope) -> Iterator[Row]:
    sent = Attempt.objects.filter(intent__in=scope.intents)
    rows = Transition.objects.filter(
        Q(object_type="run", object_id__in=scope.runs.values("pk"))
        | Q(object_type="intent", object_id__in=scope.intents.values("pk"))
        | Q(object_type="attempt", object_id__in=sent.values("pk"))
    )
    for row in rows.order_by("pk").iterator():
        yield {
            "view": "transition",
            "seq": row.pk,
            "object_type": row.object_type,
            "object_id": row.object_id,
            "from": row.from_state,
            "to": row.to_state,
            "at": row.at,
            "by": row.by,
            "reason": row.reason,
        }


def _audit(scope: Scope) -> Iterator[Row]:
    if scope.run is not None:
        return  # a part of the chain proves nothing; export everything to check it
    for row in AuditEntry.objects.order_by("seq").iterator():
        yield {
            "view": "audit",
            "seq": row.seq,
            "at": row.at,
            "actor": row.actor,
            "action": row.action,
            "object": row.object,
            "payload_hash": row.payload_hash,
            "prev_hash": row.prev_hash,
            "hash": row.hash,
            "key_id": row.key_id,
        }


_VIEWS = (
    _runs,
    _cash,
    _approvals,
    _intents,
    _attempts,
    _orders,
    _ledger,
    _enumerations,
    _checks,
    _reservations,
    _decisions,
    _positions,
    _switches,
    _alerts,
    _fires,
    _transitions,
    _audit,
)
