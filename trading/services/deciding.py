"""A person's word on an order that nobody knows about, weighed against the list of this very moment."""

from __future__ import annotations

from django.db import transaction

from trading.domain.errors import StateConflict
from trading.domain.orders import AttemptState
from trading.domain.ports import OrderRow
from trading.domain.reconciliation import candidates, could_be
from trading.models import Attempt, Decision, Enumeration
from trading.selectors.sought import sought_of
from trading.services import epochs
from trading.services.account_lock import lock_account
from trading.services.clock import market_clock
from trading.services.reconcile import read_orders
from trading.services.unanswered import adopt, declare_absent, record_decision

__all__ = ["decide_unknown"]


def decide_unknown(
    attempt_id: int, verdict: str, by: str, order_no: str = "", *, proposed_by: str = ""
) -> Attempt:
    """A person's word on an UNKNOWN attempt: adopt `order_no`, declare it absent, or leave it.

    Adopted is what the person names, even with another quantity than was sent: the books follow the broker,
    and more than was sent stops the account. `proposed_by` is who said so first, where it takes two.

    Raises StateConflict when the evidence of this very moment does not allow it.
    """
    attempt = Attempt.objects.select_related(
        "intent__account", "intent__instrument", "intent__target_order", "lane"
    ).get(pk=attempt_id)
    if attempt.state != AttemptState.UNKNOWN:
        raise StateConflict("not_unknown", attempt=attempt.pk, state=attempt.state)
    intent = attempt.intent
    record, listing = read_orders(intent.account)
    found = candidates(listing.rows, sought_of(attempt))
    now = market_clock(intent.account).now()
    evidence: dict[str, object] = {
        "enumeration": record.pk,
        "candidates": [row.order_no for row in found],
    }
    if proposed_by:
        evidence["proposed_by"] = proposed_by
    with transaction.atomic():
        lock_account(intent.account_id)
        if verdict == Decision.Verdict.ADOPT:
            sought, number = sought_of(attempt), order_no.zfill(10)
            chosen = [r for r in listing.rows if r.order_no == number and could_be(r, sought)]
            if not chosen:
                raise StateConflict("no_such_candidate", order_no=order_no)
            record_decision(attempt, verdict, by, now, evidence, chosen[0].order_no)
            adopt(attempt, intent, chosen[0], now, by)
        elif verdict == Decision.Verdict.ABSENT:
            _require_absence(attempt, record, found)
            declare_absent(attempt, intent, now, by, evidence)
        else:
            record_decision(attempt, Decision.Verdict.LEAVE, by, now, evidence)
    attempt.refresh_from_db()
    return attempt


def _require_absence(attempt: Attempt, record: Enumeration, found: list[OrderRow]) -> None:
    if not record.complete:
        raise StateConflict("list_incomplete", problem=record.problem)
    if found:
        raise StateConflict("candidate_exists", orders=[row.order_no for row in found])
    if not attempt.absent_presumed:
        raise StateConflict("too_early", checks=attempt.absence_checks)
    if (
        attempt.answered_at is None
        and not attempt.message
        and not epochs.has_ended(attempt.epoch_id)
    ):
        raise StateConflict("sender_alive", attempt=attempt.pk)
