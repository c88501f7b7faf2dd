"""One run's history and the simulator's journal as its referee."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "COMPLETED",
    "Outcome",
    "declare_absent",
    "hold_prices",
    "is_for_a_person",
    "judge",
    "open_run",
    "outcome",
    "sent_once",
]

NUMBER = "99887766-01"
PRICES = {
    "069500": 55_500,
    "360750": 24_500,
    "005930": 98_000,
    "114260": 61_500,
    "148070": 115_000,
    "411060": 28_500,
}


@dataclass(frozen=True)
class Outcome:
    """How one run ended: its state and the holdings that the exchange knows. `recovered` is how many seconds
    after a death the run went on, where a worker died and another one was started."""

    state: str
    holdings: dict[str, int]
    recovered: float | None = field(default=None, compare=False)


COMPLETED = Outcome(
    "COMPLETED",
    {
        "005930": 102,
        "069500": 360,
        "114260": 244,
        "148070": 130,
        "360750": 816,
        "411060": 351,
    },
)


def hold_prices(world: Any) -> None:
    for ticker, price in PRICES.items():
        world.sim.set_price(ticker, price)


def open_run(world: Any) -> Any:
    """A run on prices that stand still, so that every history may end the same."""
    hold_prices(world)
    return world.open()


def outcome(world: Any, run: Any) -> Outcome:
    world.settle()
    run.refresh_from_db()
    return Outcome(run.state, world.truth()["positions"][NUMBER])


def is_for_a_person(run: Any) -> bool:
    """The record says SENDING, the sender is dead and nothing was ever seen."""
    from trading.models import Attempt

    doubtful = Attempt.objects.filter(state="UNKNOWN", absent_presumed=True)
    return run.state == "PAUSED_UNKNOWN" and doubtful.exists()


def declare_absent(world: Any) -> None:
    """What that person does, and is right to do."""
    from trading.models import Attempt
    from trading.services.deciding import decide_unknown

    (attempt,) = Attempt.objects.filter(state="UNKNOWN")
    assert attempt.nonce not in {row["nonce"] for row in world.journal("http_req")}
    decide_unknown(attempt.pk, "absent", "owner")


def sent_once(world: Any) -> None:
    """No request left twice, and none without its record."""
    from trading.models import Attempt

    posts = [row for row in world.journal("http_req") if "/trading/order-" in row["path"]]
    twice = [nonce for nonce, n in Counter(row["nonce"] for row in posts).items() if n > 1]
    assert not twice, f"sent twice: {twice}"
    unknown = {row["nonce"] for row in posts} - set(Attempt.objects.values_list("nonce", flat=True))
    assert not unknown, f"sent without a record: {unknown}"


def judge(world: Any) -> None:
    """The journal's verdict on one history."""
    from trading.models import BrokerOrder, Ledger, Position

    sent_once(world)
    accepted = [row["odno"] for row in world.accepted()]
    ours = set(BrokerOrder.objects.exclude(owner=None).values_list("order_no", flat=True))
    assert set(accepted) <= ours, "an accepted order was lost"
    intents = BrokerOrder.objects.exclude(owner=None).values_list("owner_id", flat=True)
    assert len(set(intents)) == len(intents), "one wish, two orders"
    truth = world.truth()
    held = {p.instrument_id: p.quantity for p in Position.objects.filter(quantity__gt=0)}
    assert held == truth["positions"][NUMBER]
    cash = 8_400_000 + sum(
        (row.amount if row.order.side == "SELL" else -row.amount) - row.fee - row.tax
        for row in Ledger.objects.select_related("order")
    )
    assert cash == truth["cash"][NUMBER]["d2_cash"]
