"""What is held: by our books, and as the broker showed it at each look."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from rest_framework import serializers

from trading.api.filters import by_account, day_span, flag, ticker
from trading.api.lists import ListDoor
from trading.api.shapes import Shape, market_moment, maybe_number
from trading.models import Position, Snapshot
from trading.selectors.moments import told_at

__all__ = ["PositionsView", "SnapshotsView"]


class PositionShape(Shape):
    """`cost` is what the shares cost in won, fees left out."""

    account = serializers.IntegerField()
    ticker = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    cost = serializers.IntegerField()
    updated_at = market_moment()


class SnapshotShape(Shape):
    """One look at the broker's balance in won; `holdings` by ticker in shares."""

    id = serializers.IntegerField()
    account = serializers.IntegerField()
    equity = serializers.IntegerField()
    cash = serializers.IntegerField()
    deposit = maybe_number()
    holdings = serializers.DictField(child=serializers.IntegerField())
    taken_at = market_moment()
    ended_at = market_moment()


def _position(row: Position) -> dict[str, Any]:
    return {
        "account": row.account_id,
        "ticker": row.instrument_id,
        "name": row.instrument.name,
        "quantity": row.quantity,
        "cost": row.cost,
        "updated_at": told_at(row.updated_at),
    }


class PositionsView(ListDoor):
    """Shares by our books; those sold out are there with 0."""

    queryset = Position.objects.select_related("instrument").order_by("account_id", "instrument_id")
    serializer_class = PositionShape
    narrowing = (by_account(), ticker(), flag("held", Q(quantity__gt=0), "more than 0 shares"))
    told = staticmethod(_position)


def _snapshot(row: Snapshot) -> dict[str, Any]:
    return {
        "id": row.pk,
        "account": row.account_id,
        "equity": row.equity,
        "cash": row.cash,
        "deposit": row.deposit,
        "holdings": {code: held["quantity"] for code, held in row.holdings.items()},
        "taken_at": told_at(row.taken_at),
        "ended_at": told_at(row.ended_at),
    }


class SnapshotsView(ListDoor):
    """Looks at the balance, newest first; what the broker answered word by word stays inside."""

    queryset = Snapshot.objects.defer("raw", "quotes").order_by("-pk")
    serializer_class = SnapshotShape
    narrowing = (by_account(), *day_span("taken_at"))
    told = staticmethod(_snapshot)
