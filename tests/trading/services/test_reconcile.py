"""Not knowing ends only with evidence: looks apart, no candidate, a sender that is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.support.truth import NUMBER
from tests.support.world import World, world_of
from trading.brokers.kis.broker import KisBroker
from trading.domain.errors import StateConflict
from trading.domain.ports import OrderRow
from trading.domain.sessions import SEOUL
from trading.models import Alert, Attempt, BrokerOrder, Intent, Lane, Reservation
from trading.selectors.order_lists import newest_whole_list
from trading.services import epochs
from trading.services.booking import book_rows
from trading.services.brokers import broker_for
from trading.services.cancels import something_to_cancel
from trading.services.deciding import decide_unknown
from trading.services.reconcile import reconcile_account
from trading.services.switches import switch_state

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def unknown(world: World) -> Attempt:
    """An order that was cut off before the broker took it."""
    world.sim.arm("A02", match={"side": "sell"})
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="UNKNOWN").exists())
    return Attempt.objects.get(state="UNKNOWN")


def half_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no list of orders is read to its end."""
    real = KisBroker.orders

    def cut(self: Any, *days: Any) -> Any:
        return replace(real(self, *days), complete=False, problem="cut")

    monkeypatch.setattr(KisBroker, "orders", cut)


class Lagging:
    """Lists that show each order half filled and its rest taken back, until they catch up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.behind, self.cut, self._real = True, False, KisBroker.orders
        monkeypatch.setattr(KisBroker, "orders", lambda broker, *days: self.told(broker, *days))

    def told(self, broker: Any, *days: Any) -> Any:
        whole = self._real(broker, *days)
        rows = tuple(map(self._half, whole.rows)) if self.behind else whole.rows
        return replace(whole, rows=rows, complete=not self.cut, problem="cut" if self.cut else "")

    @staticmethod
    def _half(row: OrderRow) -> OrderRow:
        filled = row.quantity // 2
        amount = row.filled_amount * filled // row.filled_quantity
        rest = {"cancelled_quantity": row.quantity - filled, "remaining_quantity": 0}
        return replace(row, filled_quantity=filled, filled_amount=amount, **rest)


@pytest.mark.parametrize(
    ("between", "days", "booked"),
    [
        ("nothing", 3, True),
        ("nothing", 4, True),
        ("a cut list", 4, True),
        ("a whole list", 4, False),
    ],
    ids=[
        "the next session",
        "after a longer absence",
        "after a look that was cut",
        "its day was read once more before",
    ],
)
def test_a_fill_that_shows_up_late_is_booked_until_its_day_was_read_on_a_later_one(
    transactional_db: None,
    monkeypatch: pytest.MonkeyPatch,
    between: str,
    days: int,
    booked: bool,
) -> None:
    with world_of(start=datetime.fromisoformat("2026-11-20T10:00:00+09:00")) as world:
        world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
        world.settle(5)
        lists = Lagging(monkeypatch)
        reconcile_account(world.account)
        order = BrokerOrder.objects.get()
        assert order.is_final and 0 < order.filled_quantity < order.quantity
        world.sim.advance(3 * 24 * 3600)
        lists.cut = between == "a cut list"
        if between != "nothing":
            assert reconcile_account(world.account).complete is not lists.cut
        world.sim.advance((days - 3) * 24 * 3600)
        lists.behind = lists.cut = False
        reconcile_account(world.account)
        order.refresh_from_db()
        assert (order.filled_quantity == order.quantity) is booked


@pytest.mark.parametrize(
    ("first", "apart", "presumed"),
    [(203, 21, True), (203, 1, False), (100, 21, False)],
    ids=["three looks apart", "three looks at once", "too early"],
)
def test_an_absence_is_presumed_after_three_looks_apart(
    world: World, first: int, apart: int, presumed: bool
) -> None:
    attempt = unknown(world)
    world.sim.advance(first)
    for _ in range(3):
        reconcile_account(world.account)
        world.sim.advance(apart)
    attempt.refresh_from_db()
    assert attempt.absent_presumed is presumed
    assert Alert.objects.filter(code="unknown_absent").exists() is presumed


def test_nobody_declares_absent_what_the_list_may_show(world: World) -> None:
    attempt = unknown(world)
    Attempt.objects.filter(pk=attempt.pk).update(absent_presumed=True)
    wish = attempt.intent
    terms = (wish.instrument_id, "sell", wish.quantity, wish.limit_price)
    world.sim.manual_order(NUMBER, *terms)
    world.settle(5)
    with pytest.raises(StateConflict, match="candidate_exists"):
        decide_unknown(attempt.pk, "absent", "owner")
    assert Attempt.objects.get(pk=attempt.pk).state == "UNKNOWN"
    (shown,) = broker_for(world.account).orders(world.now.date(), world.now.date()).rows[-1:]
    decide_unknown(attempt.pk, "adopt", "owner", shown.order_no)
    assert Attempt.objects.get(pk=attempt.pk).state == "ACKED"


def test_two_orders_that_could_be_the_lost_one_are_left_to_a_person(world: World) -> None:
    attempt = unknown(world)
    wish = attempt.intent
    for _ in range(2):
        world.sim.manual_order(NUMBER, wish.instrument_id, "sell", wish.quantity, wish.limit_price)
    world.settle(5)
    reconcile_account(world.account)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.broker_order) == ("UNKNOWN", None)
    assert len(Alert.objects.get(code="unknown_ambiguous", severity="page").facts["orders"]) == 2
    assert not BrokerOrder.objects.filter(source="ADOPTED").exists()


def test_two_looks_that_differ_settle_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = unknown(world)
    wish, real, looks = attempt.intent, KisBroker.orders, []

    def grows(self: Any, *days: Any) -> Any:
        shown = real(self, *days)
        if not looks:
            terms = (wish.instrument_id, "sell", wish.quantity, wish.limit_price)
            world.sim.manual_order(NUMBER, *terms)
            world.settle(5)
        looks.append(len(shown.rows))
        return shown

    monkeypatch.setattr(KisBroker, "orders", grows)
    reconcile_account(world.account)
    assert looks[1] == looks[0] + 1
    assert Attempt.objects.get(pk=attempt.pk).state == "UNKNOWN"
    reconcile_account(world.account)
    assert Attempt.objects.get(pk=attempt.pk).state == "ACKED"


def test_nobody_declares_absent_what_half_a_list_does_not_show(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = unknown(world)
    Attempt.objects.filter(pk=attempt.pk).update(absent_presumed=True)
    half_lists(monkeypatch)
    with pytest.raises(StateConflict, match="list_incomplete"):
        decide_unknown(attempt.pk, "absent", "owner")
    assert Attempt.objects.get(pk=attempt.pk).state == "UNKNOWN"


def test_nobody_declares_absent_what_a_living_sender_may_still_post(world: World) -> None:
    attempt = unknown(world)
    Attempt.objects.filter(pk=attempt.pk).update(absent_presumed=True, message="")
    with pytest.raises(StateConflict, match="sender_alive"):
        decide_unknown(attempt.pk, "absent", "owner")
    epochs.end_epoch()
    decide_unknown(attempt.pk, "absent", "owner")
    assert Attempt.objects.get(pk=attempt.pk).state == "ABSENT"
    assert not Reservation.objects.filter(intent=attempt.intent, closed_at=None).exists()


@pytest.mark.parametrize(
    ("more", "watched", "stops"),
    [(0, True, True), (1, True, False), (0, False, False)],
    ids=["the very order", "another quantity", "the watch is over"],
)
def test_only_the_order_that_was_declared_absent_stops_the_account_when_it_comes(
    world: World, more: int, watched: bool, stops: bool
) -> None:
    attempt = unknown(world)
    Attempt.objects.filter(pk=attempt.pk).update(absent_presumed=True)
    decide_unknown(attempt.pk, "absent", "owner")
    if not watched:
        Lane.objects.filter(pk=attempt.lane_id).update(late_watch_until=world.now)
    wish = attempt.intent
    world.sim.manual_order(NUMBER, wish.instrument_id, "sell", wish.quantity + more, None)
    world.settle(5)
    reconcile_account(world.account)
    assert BrokerOrder.objects.filter(source="EXTERNAL").count() == 1
    assert (switch_state(world.account) == "HALTED") is stops
    assert Alert.objects.filter(code="late_order").exists() is stops


def test_the_watch_for_a_late_order_lasts_to_the_end_of_the_next_session_and_reads_its_day(
    world: World,
) -> None:
    """Declared absent on a Friday, listed on the Monday under Friday's date."""
    attempt = unknown(world)
    Attempt.objects.filter(pk=attempt.pk).update(absent_presumed=True)
    decide_unknown(attempt.pk, "absent", "owner")
    friday = attempt.committed_at.astimezone(SEOUL)
    assert friday.isoweekday() == 5
    until = Lane.objects.get(pk=attempt.lane_id).late_watch_until
    assert until.astimezone(SEOUL).strftime("%a %H:%M") == "Mon 15:31"
    wish = attempt.intent
    world.sim.manual_order(NUMBER, wish.instrument_id, "sell", wish.quantity, None)
    monday = friday.replace(hour=10, minute=0) + timedelta(days=3)
    world.sim.advance((monday - world.now).total_seconds())
    reconcile_account(world.account)
    assert BrokerOrder.objects.get(source="EXTERNAL").trade_date == friday.date()
    assert switch_state(world.account) == "HALTED"


@pytest.mark.parametrize(("more", "flag"), [(0, ""), (1, "quantity_differs")])
def test_an_order_listed_with_another_quantity_is_flagged(
    world: World, more: int, flag: str
) -> None:
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    world.settle(5)
    (row,) = broker_for(world.account).orders(world.now.date(), world.now.date()).rows
    with transaction.atomic():
        shown = replace(row, quantity=row.quantity + more)
        book_rows(world.account, [shown], world.now, session_over=False)
    assert BrokerOrder.objects.get().flag == flag
    assert Alert.objects.filter(code="quantity_differs", severity="page").exists() is bool(flag)


@pytest.mark.parametrize("wire", ["real", "mock"])
def test_only_what_still_works_is_something_to_cancel(transactional_db: None, wire: str) -> None:
    with world_of(wire=wire) as world:
        run = world.drive(world.open(), until="APPROVED")
        world.sim.arm("E01", match={"side": "sell"}, params={"share": 0.4})
        world.drive(run, until=lambda _run: Attempt.objects.filter(state="ACKED").count() == 2)
        stuck, filled = (intent.broker_order for intent in Intent.objects.order_by("pk")[:2])
        world.settle()
        wished = world.now
        if wire == "mock":  # there the list answers, and the step that reads it sends nothing
            assert something_to_cancel(stuck, wished) is None
        assert something_to_cancel(stuck, wished) is True
        assert something_to_cancel(filled, wished) is False


def test_a_list_read_for_a_cancel_answers_it_however_fast_the_clock_runs(
    transactional_db: None,
) -> None:
    with world_of(wire="mock") as world:
        run = world.drive(world.open(), until="APPROVED")
        world.sim.arm("E01", match={"side": "sell"}, params={"share": 0.4})
        world.drive(run, until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
        stuck = Intent.objects.earliest("pk").broker_order
        world.settle()
        wished = world.now
        assert something_to_cancel(stuck, wished) is None
        world.settle(20)
        assert something_to_cancel(stuck, wished) is True
        assert something_to_cancel(stuck, world.now) is None, "wished later: that list is too old"
        world.settle(60)
        assert something_to_cancel(stuck, wished) is None, "a minute old: read again"


@pytest.mark.parametrize(
    ("fault", "params", "stops"),
    [
        ("A27", {}, True),
        ("A14", {"code": "EGW00206"}, True),
        ("A14", {"code": "APBK0400"}, False),
    ],
    ids=["the wrong environment", "a key that may not", "an order it does not want"],
)
def test_a_refusal_of_the_whole_account_stops_it(
    world: World, fault: str, params: dict[str, Any], stops: bool
) -> None:
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm(fault, match={"tr_id": "TTTC0011U"}, params=params)
    world.drive(run, until=lambda _run: Attempt.objects.filter(state="REJECTED").exists())
    refused = Attempt.objects.get(state="REJECTED").intent
    assert refused.state == "REJECTED" and refused.reservation.closed_at is not None
    assert (switch_state(world.account) == "HALTED") is stops
    assert Alert.objects.filter(code="broker_refuses_account", severity="page").exists() is stops


@pytest.mark.parametrize(
    ("late", "state"), [(timedelta(seconds=5), "AUTHORIZED"), (timedelta(minutes=10), "REJECTED")]
)
def test_a_refusal_confirmed_after_the_deadline_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, late: timedelta, state: str
) -> None:
    run = world.drive(world.open(), until="SELLING")
    monkeypatch.setattr("trading.services.answers._verify", lambda _account: None)
    world.sim.arm("A10", match={"tr_id": "TTTC0011U"})
    world.drive(run, until=lambda _run: Attempt.objects.filter(state="REJECTED").exists())
    refused = Attempt.objects.get(state="REJECTED")
    assert refused.intent.state == "REJECTED"
    world.sim.advance(late.total_seconds())
    reconcile_account(world.account)
    refused.refresh_from_db()
    assert refused.last_checked_at is not None, "the list has confirmed it either way"
    assert Intent.objects.get(pk=refused.intent_id).state == state


def test_half_a_list_is_never_the_newest_whole_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reconcile_account(world.account)
    world.sim.advance(10)
    half_lists(monkeypatch)
    later = reconcile_account(world.account)
    assert whole.complete and not later.complete and later.ended_at > whole.ended_at
    assert newest_whole_list(world.account.pk, world.now) == whole.ended_at


def test_an_order_that_is_refused_after_it_was_taken_is_over_and_holds_nothing(
    world: World,
) -> None:
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    world.settle(5)
    (row,) = broker_for(world.account).orders(world.now.date(), world.now.date()).rows
    nothing = {"filled_quantity": 0, "filled_amount": 0, "remaining_quantity": 0}
    late = replace(row, rejected_quantity=row.quantity, **nothing)
    with transaction.atomic():
        book_rows(world.account, [late], world.now, session_over=False)
    order = BrokerOrder.objects.get()
    assert order.is_final and order.owner is not None and order.owner.state == "REJECTED_LATE"
    assert not Reservation.objects.filter(closed_at=None).exists()
