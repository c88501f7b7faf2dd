"""What a leg does next, as a table: nothing is sent while an earlier order may still be alive."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from rebalancing.domain.execution import (
    CHECKING,
    Cancels,
    LegView,
    MoveKind,
    OrderView,
    fit_slices,
    next_move,
)
from rebalancing.models import Leg
from rebalancing.services import wishes
from tests.support.world import World
from trading.models import Intent

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=timezone(timedelta(hours=9)))
DEADLINE = T0 + timedelta(minutes=3)


def order(
    state: str, filled: int = 0, *, quantity: int = 10, age: int = 0, **more: Any
) -> OrderView:
    facts = {"slice_no": 0, "generation": 0, "resting": True} | more
    return OrderView(
        intent_id=more.pop("intent_id", 1) if "intent_id" in more else 1,
        quantity=quantity,
        filled=filled,
        state=state,
        since=T0 - timedelta(seconds=age),
        **{k: v for k, v in facts.items() if k != "intent_id"},
    )


@pytest.mark.parametrize(
    ("orders", "kind", "why"),
    [
        ((), MoveKind.NEW, ""),
        ((order("AUTHORIZED"),), MoveKind.SEND, ""),
        ((order("SENDING"),), MoveKind.WAIT, "unknown"),
        ((order("UNKNOWN"),), MoveKind.WAIT, "unknown"),
        ((order("ACKED", age=14),), MoveKind.WAIT, "working"),
        ((order("ACKED", age=15),), MoveKind.CANCEL, "chase"),
        ((order("PARTIAL", 4, age=20),), MoveKind.CANCEL, "chase"),
        ((order("ACKED", age=60, resting=False),), MoveKind.WAIT, "working"),
        ((order("CANCELING", age=29),), MoveKind.WAIT, "canceling"),
        ((order("CANCELING", age=30),), MoveKind.CANCEL, ""),
        ((order("FILLED", 10),), MoveKind.DONE, ""),
        ((order("CANCELED", 4),), MoveKind.NEW, ""),
        ((order("EXPIRED", 0),), MoveKind.NEW, ""),
        ((order("ABANDONED"),), MoveKind.NEW, ""),
        ((order("SUPERSEDED"),), MoveKind.NEW, ""),
        ((order("REJECTED"),), MoveKind.DONE, "rejected"),
        ((order("REJECTED_LATE"),), MoveKind.DONE, "rejected_late"),
        ((order(CHECKING),), MoveKind.WAIT, "refusal_unchecked"),
        ((order("ACKED", age=60), order("UNKNOWN")), MoveKind.WAIT, "unknown"),
        ((order("AUTHORIZED"), order("SENDING")), MoveKind.WAIT, "unknown"),
        ((order("VETOED"),), MoveKind.DONE, "vetoed"),
        ((order("REVOKED"),), MoveKind.DONE, "revoked"),
    ],
)
def test_next_move(orders: tuple[OrderView, ...], kind: MoveKind, why: str) -> None:
    found = next_move(LegView((10,), orders), T0, DEADLINE)
    assert (found.kind, found.why) == (kind, why)


def test_what_is_left_after_a_cancel_is_ordered_anew_and_names_its_predecessor() -> None:
    found = next_move(LegView((10,), (order("CANCELED", 4),)), T0, DEADLINE)
    assert (found.quantity, found.generation, found.supersedes) == (6, 1, 1)
    chased = (order("CANCELED", 4), order("CANCELED", 1, quantity=6, generation=1))
    found = next_move(LegView((10,), chased), T0, DEADLINE)
    assert (found.quantity, found.generation) == (5, 2)


def test_the_next_slice_waits_for_the_one_before() -> None:
    leg = (order("PARTIAL", 3, quantity=5),)
    assert next_move(LegView((5, 5), leg), T0, DEADLINE).kind is MoveKind.WAIT
    found = next_move(LegView((5, 5), (order("FILLED", 5, quantity=5),)), T0, DEADLINE)
    assert (found.kind, found.slice_no, found.quantity) == (MoveKind.NEW, 1, 5)


def test_what_is_left_of_a_slice_is_what_that_slice_did_not_fill() -> None:
    orders = (order("FILLED", 5, quantity=5), order("CANCELED", 2, quantity=5, slice_no=1))
    found = next_move(LegView((5, 5, 5), orders), T0, DEADLINE)
    assert (found.kind, found.slice_no, found.quantity) == (MoveKind.NEW, 1, 3)


@pytest.mark.parametrize("stopping", [False, True])
def test_past_the_deadline_nothing_new_goes_out_and_what_works_is_cancelled(stopping: bool) -> None:
    now = T0 if stopping else DEADLINE
    over = {"stopping": stopping}
    assert next_move(LegView((10,), ()), now, DEADLINE, **over).kind is MoveKind.DONE
    assert (
        next_move(LegView((10,), (order("CANCELED", 4),)), now, DEADLINE, **over).why == "deadline"
    )
    cancel = next_move(LegView((10,), (order("ACKED"),)), now, DEADLINE, **over)
    assert (cancel.kind, cancel.why) == (MoveKind.CANCEL, ""), "whatever its place in the queue"
    waiting = next_move(LegView((10,), (order("AUTHORIZED"),)), now, DEADLINE, **over)
    assert (waiting.kind, waiting.intent_id) == (MoveKind.DONE, 1)


@pytest.mark.parametrize(
    ("tried", "seconds"), [(1, 6), (2, 12), (3, 24), (4, 48), (5, 60), (50, 60), (5000, 60)]
)
def test_a_cancel_that_did_not_take_is_tried_again_later_each_time(
    tried: int, seconds: int
) -> None:
    cancels = Cancels(tried, T0 - timedelta(seconds=seconds - 1))
    busy = order("ACKED", age=30, cancels=cancels)
    assert next_move(LegView((10,), (busy,)), T0, DEADLINE).kind is MoveKind.WAIT
    later = T0 + timedelta(seconds=1)
    assert next_move(LegView((10,), (busy,)), later, DEADLINE).kind is MoveKind.CANCEL


def test_a_cancel_that_was_taken_is_repeated_after_half_a_minute() -> None:
    asked = order("CANCELING", cancels=Cancels(1, T0 - timedelta(seconds=29)))
    assert next_move(LegView((10,), (asked,)), T0, DEADLINE).kind is MoveKind.WAIT
    later = T0 + timedelta(seconds=1)
    assert next_move(LegView((10,), (asked,)), later, DEADLINE).kind is MoveKind.CANCEL


@pytest.mark.parametrize(
    ("slices", "wanted", "fitted"),
    [((10,), 10, (10,)), ((4, 3, 3), 5, (4, 1)), ((4, 3, 3), 4, (4,)), ((4, 3), 0, ())],
)
def test_slices_shrink_from_the_end(slices: Any, wanted: int, fitted: Any) -> None:
    assert fit_slices(slices, wanted) == fitted


def test_slices_never_grow() -> None:
    with pytest.raises(ValueError, match="only shrinks"):
        fit_slices((4, 3), 8)


@pytest.mark.django_db(transaction=True)
@pytest.mark.once
@pytest.mark.parametrize(("liquid", "order_type"), [(True, "MARKET"), (False, "LIMIT")])
def test_a_sale_at_market_is_one_only_while_the_book_can_take_it(
    world: World, monkeypatch: pytest.MonkeyPatch, liquid: bool, order_type: str
) -> None:
    """The plan's permission is of its minute; an approval may come ten minutes later."""
    run = world.drive(world.open(), until="SELLING")
    leg = Leg.objects.filter(run=run, side="SELL").first()
    assert leg is not None
    Leg.objects.filter(pk=leg.pk).update(order_type="MARKET", price_strategy="", limit_price=None)
    monkeypatch.setattr(wishes, "is_liquid", lambda *_given: liquid)
    world.drive(run)
    first = Intent.objects.filter(leg_id=leg.pk, action="order").earliest("pk")
    assert first.order_type == order_type
