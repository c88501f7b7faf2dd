"""The legs of a run as its records tell them: what was ordered, what is filled, what is not answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Count, Sum

from rebalancing.domain.execution import CHECKING, Cancels, LegView, OrderView, fit_slices
from rebalancing.models import Leg, Run
from trading.domain.orders import IntentState
from trading.models import Attempt, Intent, OrderAction
from trading.models.prepared import Prepared
from trading.services.refusals import intents_awaiting_a_list

__all__ = [
    "cancels_of",
    "leg_views",
    "only_unanswered",
    "open_legs",
    "sync_legs",
    "unanswered",
    "working_orders",
]


def open_legs(run: Run, side: str) -> list[Leg]:
    return _OPEN_LEGS(run=run.pk, generation=run.generation, side=side)


_OPEN_LEGS = Prepared(
    lambda value: (
        Leg.objects.filter(run=value.run, generation=value.generation, side=value.side, done=False)
        .select_related("instrument")
        .order_by("number")
    ),
    run=int,
    generation=int,
    side=str,
)


_INTENTS = Prepared(
    lambda value: Intent.objects.filter(origin=Intent.Origin.RUN, origin_id=value.run).order_by(
        "pk"
    ),
    run=int,
)


def leg_views(run: Run, legs: Iterable[Leg]) -> dict[int, LegView]:
    intents: list[Intent] = _INTENTS(run=run.pk)
    cancels = cancels_of(run) if any(i.action == OrderAction.CANCEL for i in intents) else {}
    orders: dict[int, list[OrderView]] = defaultdict(list)
    doubtful = {
        _cancelled_intent(i)
        for i in intents
        if i.action == OrderAction.CANCEL and i.state in ("SENDING", "UNKNOWN")
    }
    refused = any(i.state == IntentState.REJECTED for i in intents)
    checking = intents_awaiting_a_list(run.pk) if refused else set()
    for intent in intents:
        if intent.action == OrderAction.ORDER and intent.leg_id is not None:
            # an unanswered cancel freezes the lane just as an unanswered order does
            state = "UNKNOWN" if intent.pk in doubtful else intent.state
            orders[intent.leg_id].append(
                OrderView(
                    intent_id=intent.pk,
                    slice_no=intent.slice_no,
                    generation=intent.generation,
                    quantity=intent.quantity,
                    filled=intent.filled_quantity,
                    state=CHECKING if intent.pk in checking else state,
                    since=intent.state_since,
                    resting=intent.limit_price is not None,
                    cancels=cancels.get(intent.pk, Cancels()),
                )
            )
    return {
        leg.pk: LegView(fit_slices(leg.slices, leg.wanted), tuple(orders[leg.pk])) for leg in legs
    }


def cancels_of(run: Run) -> dict[int, Cancels]:
    """The cancels of the run's orders, by the order's intent. One that was not sent, because there was
    nothing left to cancel, counts as a try too; one that the door has not been asked about yet does not."""
    found: dict[int, Cancels] = {}
    rows = Intent.objects.filter(
        origin=Intent.Origin.RUN, origin_id=run.pk, action=OrderAction.CANCEL
    ).annotate(sent=Count("attempts", distinct=True), refused=Count("rule_checks", distinct=True))
    for cancel in rows.order_by("pk"):
        order = _cancelled_intent(cancel)
        before = found.get(order, Cancels())
        untried = cancel.state == IntentState.AUTHORIZED and not cancel.sent + cancel.refused
        tried = 0 if untried else max(1, cancel.sent)
        found[order] = Cancels(
            before.tried + tried, before.last_at if untried else cancel.state_since
        )
    return found


def _cancelled_intent(cancel: Intent) -> int:
    """The order intent a cancel aims at, as its key says."""
    return int(cancel.key.rsplit(":cancel:", 1)[0].rsplit("@", 1)[1])


def sync_legs(run: Run, legs: Iterable[Leg]) -> None:
    """Bring the legs' fills and costs up to their orders' booked numbers."""
    legs = list(legs)
    rows = (
        Intent.objects.filter(
            leg_id__in=[leg.pk for leg in legs], origin_id=run.pk, action=OrderAction.ORDER
        )
        .values("leg_id")
        .annotate(
            quantity=Sum("broker_order__ledger__quantity"),
            amount=Sum("broker_order__ledger__amount"),
            fee=Sum("broker_order__ledger__fee"),
            tax=Sum("broker_order__ledger__tax"),
        )
        .order_by("leg_id")
    )
    by_id = {leg.pk: leg for leg in legs}
    changed = []
    for row in rows:
        leg = by_id[row["leg_id"] or 0]
        seen = tuple(row[name] or 0 for name in ("quantity", "amount", "fee", "tax"))
        seen = (min(seen[0], leg.quantity), *seen[1:])  # the broker may have made an order larger
        if seen != (leg.filled_quantity, leg.filled_amount, leg.fee, leg.tax):
            leg.filled_quantity, leg.filled_amount, leg.fee, leg.tax = seen
            changed.append(leg)
    if changed:
        Leg.objects.bulk_update(changed, ["filled_quantity", "filled_amount", "fee", "tax"])


def working_orders(run: Run) -> list[Intent]:
    """Orders of the run that may still fill."""
    return list(
        Intent.objects.filter(
            origin=Intent.Origin.RUN,
            origin_id=run.pk,
            action=OrderAction.ORDER,
            state__in=["SENDING", "UNKNOWN", "ACKED", "PARTIAL", "CANCELING"],
        )
    )


def only_unanswered(run: Run) -> bool:
    """Nothing of the run is known to work any more, but the fate of an order is not known."""
    working = working_orders(run)
    return bool(working) and all(intent.state == IntentState.UNKNOWN for intent in working)


def unanswered(run: Run):  # type: ignore[no-untyped-def]
    """Attempts of the run whose outcome is not known."""
    return Attempt.objects.filter(
        intent__origin=Intent.Origin.RUN, intent__origin_id=run.pk, state__in=["SENDING", "UNKNOWN"]
    )
