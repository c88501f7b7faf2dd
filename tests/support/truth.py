"""The referee: what the journal and the exchange's truth say about a history we booked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from django.db.models import Sum

from tests.support.laws import check_laws
from tests.support.world import World
from trading.models import Attempt, BrokerOrder, Ledger, Lot, Position
from trading.services.reconcile import reconcile_account

__all__ = ["check_truth"]

NUMBER = "99887766-01"


def check_truth(world: World, opening_cash: int = 8_400_000, but: Collection[str] = ()) -> None:
    """What every ended run must satisfy; `but` names laws that the test itself has broken."""
    world.settle()
    reconcile_account(world.account)
    truth = world.truth()
    posts = Counter(
        row["nonce"]
        for row in world.journal("http_req")
        if "/trading/order-" in row["path"] and row.get("replay_of") is None
    )
    assert all(count == 1 for count in posts.values()), "a request left twice"
    assert set(posts) <= set(Attempt.objects.values_list("nonce", flat=True))
    owners = Counter(BrokerOrder.objects.exclude(owner=None).values_list("owner_id", flat=True))
    assert all(count == 1 for count in owners.values())
    booked = {
        order.order_no: (order.filled_quantity, order.filled_amount)
        for order in BrokerOrder.objects.filter(original_order_no="")
    }
    filled = {
        row["odno"]: (row["filled"], row["amount"])
        for row in truth["orders"]
        if not row.get("orgn_odno") and row["account"] == NUMBER
    }
    assert booked == filled
    ours = {p.instrument_id: p.quantity for p in Position.objects.filter(quantity__gt=0)}
    assert ours == truth["positions"][NUMBER]
    lots = Lot.objects.filter(open_quantity__gt=0).values_list("instrument_id")
    assert dict(lots.annotate(held=Sum("open_quantity"))) == ours, "lots and positions differ"
    cash = opening_cash + sum(
        (row.amount if row.order.side == "SELL" else -row.amount) - row.fee - row.tax
        for row in Ledger.objects.select_related("order")
    )
    assert cash == truth["cash"][NUMBER]["d2_cash"]
    check_laws(world, but)
