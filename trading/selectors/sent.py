"""What an account sent lately, with one question: everything the gate counts is counted from it."""

from __future__ import annotations

from datetime import datetime

from trading.domain.sent import Sent
from trading.models import Account, Attempt
from trading.models.prepared import Prepared

__all__ = ["sent_since"]

_COLUMNS = (
    "action",
    "state",
    "committed_at",
    "intent_id",
    "intent__instrument_id",
    "intent__side",
    "intent__quantity",
    "intent__limit_price",
    "intent__reference_price",
    "intent__origin",
    "intent__origin_id",
    "intent__state",
    "intent__filled_quantity",
    "intent__filled_amount",
    "epoch_id",
    "epoch__ended_at",
    "epoch__build_id",
    "intent__account_id",
)


def sent_since(account: Account, since: datetime) -> list[Sent]:
    """Every attempt of `account` since then, cancels too, in no order; at most a few hundred a day.

    Read by their day alone: a database asked for the account as well goes through all its orders there ever
    were, where it has no statistics.
    """
    return [
        Sent(
            action=action,
            state=state,
            at=at,
            intent=intent,
            instrument=instrument,
            side=side,
            quantity=quantity,
            limit_price=limit,
            price=reference if limit is None else limit,
            origin=origin,
            origin_id=origin_id,
            intent_state=intent_state,
            filled_quantity=filled,
            filled_amount=amount,
            epoch=epoch,
            epoch_ended=ended is not None,
            build=build,
        )
        for (
            action,
            state,
            at,
            intent,
            instrument,
            side,
            quantity,
            limit,
            reference,
            origin,
            origin_id,
            intent_state,
            filled,
            amount,
            epoch,
            ended,
            build,
            owner,
        ) in _SENT(since=since)
        if owner == account.pk
    ]


_SENT = Prepared(
    lambda value: (
        Attempt.objects.filter(committed_at__gte=value.since).order_by().values_list(*_COLUMNS)
    ),
    since=datetime,
)
