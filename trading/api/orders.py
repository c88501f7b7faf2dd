"""What was ordered and what filled, newest first."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from rest_framework import serializers

from trading.api.filters import (
    Filter,
    by_account,
    choice,
    day_span,
    plain_id,
    ticker,
)
from trading.api.lists import ListDoor, OneDoor
from trading.api.shapes import Shape, market_moment, maybe_number
from trading.domain.orders import IntentState
from trading.models import Intent, Ledger, OrderAction, OrderType, Side
from trading.selectors.moments import told_at

__all__ = ["FillsView", "OrderView", "OrdersView"]


class OrderShape(Shape):
    """A wish of ours. `order_no` is the broker's number, null until it is known; `cancels` is the number of
    the order that a cancel takes back."""

    id = serializers.IntegerField()
    account = serializers.IntegerField()
    action = serializers.ChoiceField(OrderAction.choices)
    origin = serializers.ChoiceField(Intent.Origin.choices)
    run = maybe_number()
    leg = maybe_number()
    slice = serializers.IntegerField()
    generation = serializers.IntegerField()
    ticker = serializers.CharField()
    name = serializers.CharField()
    side = serializers.ChoiceField(Side.choices)
    quantity = serializers.IntegerField()
    order_type = serializers.ChoiceField(OrderType.choices)
    limit_price = maybe_number()
    reference_price = serializers.IntegerField()
    state = serializers.ChoiceField([s.value for s in IntentState])
    reason = serializers.CharField(allow_blank=True)
    filled_quantity = serializers.IntegerField()
    filled_amount = serializers.IntegerField()
    order_no = serializers.CharField(allow_null=True)
    cancels = serializers.CharField(allow_null=True)
    approval = maybe_number()
    plan_hash = serializers.CharField(allow_blank=True)
    state_since = market_moment()
    deadline_at = market_moment()
    created_at = market_moment()


class FillShape(Shape):
    """One step of an order's fills. `order` is our wish, null for an order that somebody else made."""

    id = serializers.IntegerField()
    account = serializers.IntegerField()
    order = maybe_number()
    order_no = serializers.CharField()
    run = maybe_number()
    ticker = serializers.CharField()
    name = serializers.CharField()
    side = serializers.ChoiceField(Side.choices)
    quantity = serializers.IntegerField()
    amount = serializers.IntegerField()
    fee = serializers.IntegerField()
    tax = serializers.IntegerField()
    quantity_before = serializers.IntegerField()
    quantity_after = serializers.IntegerField()
    at = market_moment()


def _by_run(prefix: str = "") -> Filter:
    return Filter(
        "run",
        plain_id,
        lambda rows, number: rows.filter(
            Q(**{f"{prefix}origin": Intent.Origin.RUN, f"{prefix}origin_id": number})
        ),
        {"type": "integer"},
        "the run's id",
    )


def _run_of(intent: Intent | None) -> int | None:
    return intent.origin_id if intent is not None and intent.origin == Intent.Origin.RUN else None


def _order(row: Intent) -> dict[str, Any]:
    order = getattr(row, "broker_order", None)
    return {
        "id": row.pk,
        "account": row.account_id,
        "action": row.action,
        "origin": row.origin,
        "run": _run_of(row),
        "leg": row.leg_id,
        "slice": row.slice_no,
        "generation": row.generation,
        "ticker": row.instrument_id,
        "name": row.instrument.name,
        "side": row.side,
        "quantity": row.quantity,
        "order_type": row.order_type,
        "limit_price": row.limit_price,
        "reference_price": row.reference_price,
        "state": row.state,
        "reason": row.state_reason,
        "filled_quantity": row.filled_quantity,
        "filled_amount": row.filled_amount,
        "order_no": order.order_no if order is not None else None,
        "cancels": row.target_order.order_no if row.target_order is not None else None,
        "approval": row.approval_id,
        "plan_hash": row.plan_hash,
        "state_since": told_at(row.state_since),
        "deadline_at": told_at(row.deadline_at),
        "created_at": told_at(row.created_at),
    }


def _fill(row: Ledger) -> dict[str, Any]:
    order = row.order
    return {
        "id": row.pk,
        "account": order.account_id,
        "order": order.owner_id,
        "order_no": order.order_no,
        "run": _run_of(order.owner),
        "ticker": order.instrument_id,
        "name": order.instrument.name,
        "side": order.side,
        "quantity": row.quantity,
        "amount": row.amount,
        "fee": row.fee,
        "tax": row.tax,
        "quantity_before": row.cum_before,
        "quantity_after": row.cum_after,
        "at": told_at(row.posted_at),
    }


_ORDERS = Intent.objects.select_related("instrument", "broker_order", "target_order").order_by(
    "-pk"
)


class OrdersView(ListDoor):
    """Orders and cancels, each once."""

    queryset = _ORDERS
    serializer_class = OrderShape
    narrowing = (
        by_account(),
        choice("state", [s.value for s in IntentState]),
        choice("side", Side.values),
        choice("action", OrderAction.values),
        choice("origin", Intent.Origin.values),
        ticker(),
        _by_run(),
        *day_span("created_at"),
    )

    told = staticmethod(_order)


class OrderView(OneDoor):
    """One order or cancel."""

    queryset = _ORDERS
    serializer_class = OrderShape

    told = staticmethod(_order)


class FillsView(ListDoor):
    """The ledger: every step of every order's fills."""

    queryset = Ledger.objects.select_related("order__owner", "order__instrument").order_by("-pk")
    account_path = "order__account"
    serializer_class = FillShape
    narrowing = (
        by_account("order__account_id"),
        choice("side", Side.values, "order__side"),
        ticker("order__instrument_id"),
        _by_run("order__owner__"),
        *day_span("posted_at"),
    )
    told = staticmethod(_fill)
