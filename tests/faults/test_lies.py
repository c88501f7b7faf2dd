"""A broker whose answers are well formed and untrue: nothing is believed that something else contradicts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from rebalancing.models import Leg, Run
from rebalancing.services.advance import run_advance
from rebalancing.services.runs import run_resume
from tests.support.told import fired, paged
from tests.support.truth import check_truth
from tests.support.world import ACCOUNT_NO, START, World, world_of
from trading.domain.errors import StateConflict
from trading.models import Alert, Attempt, BrokerOrder, Enumeration
from trading.services.cancels import something_to_cancel
from trading.services.deciding import decide_unknown
from trading.services.reconcile import reconcile_account
from trading.services.switches import switch_state

pytestmark = [pytest.mark.money, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def mock_world(transactional_db: None, settings: object) -> Iterator[World]:
    with world_of(wire="mock") as made:
        yield made


# --- whose number is it? ----------------------------------------------------------------------


@pytest.mark.parametrize("side", ["sell", "buy"])
def test_the_number_of_an_order_that_has_an_owner_stays_the_owners(world: World, side: str) -> None:
    world.drive(world.open(), until="APPROVED")
    world.sim.arm("A13", match={"side": side})
    run = world.drive(Run.objects.get())
    assert run.state == "COMPLETED"
    assert fired(world) == ["A13"]
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    assert Alert.objects.filter(code="order_unknown").exists()
    check_truth(world)


def test_an_order_seen_before_ours_was_sent_is_not_ours(world: World) -> None:
    """Somebody sold the very same in the morning: the answer's number is that order's."""
    run = world.drive(world.open(), until="SELLING")
    leg = Leg.objects.filter(run=run, side="SELL").earliest("number")
    twin = world.sim.manual_order(ACCOUNT_NO, leg.instrument_id, "sell", leg.slices[0])["odno"]
    world.settle(10)
    reconcile_account(world.account)
    world.sim.arm("A13", match={"side": "sell"}, params={"whose": "foreign"})
    run = world.drive(run, until="PAUSED_EXTERNAL")
    assert fired(world) == ["A13"]
    order = BrokerOrder.objects.get(order_no=twin)
    assert (order.source, order.owner) == ("EXTERNAL", None)
    assert paged("number_not_ours")
    adopted = BrokerOrder.objects.get(source="ADOPTED")
    assert (adopted.instrument_id, adopted.order_no == twin) == (leg.instrument_id, False)
    assert switch_state(world.account) == "ACTIVE"


def test_a_number_that_turns_out_to_be_somebody_elses_is_given_up(world: World) -> None:
    """The order it belongs to was not listed yet when the answer came."""
    run = world.drive(world.open(), until="SELLING")
    theirs = world.sim.manual_order(ACCOUNT_NO, "130730", "buy", 1)
    world.sim.arm("A20", match={"side": "sell"}, params={"whose": "foreign"})
    run = world.drive(run)
    assert fired(world) == ["A20"]
    assert run.state == "COMPLETED"
    order = BrokerOrder.objects.get(order_no=theirs["odno"])
    assert (order.source, order.instrument_id, order.owner) == ("EXTERNAL", "130730", None)
    assert paged("number_not_ours")
    check_truth(world)


def test_no_cancel_goes_to_an_order_that_only_has_our_number(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    low = world.sim.manual_order(ACCOUNT_NO, "005930", "buy", 1, 90_000)
    world.sim.arm("A20", match={"side": "sell"}, params={"whose": "foreign"})
    run_advance(run.pk)
    ours = BrokerOrder.objects.get(order_no=low["odno"])
    world.settle(10)
    assert ours.owner is not None
    assert something_to_cancel(ours, world.now) is False
    BrokerOrder.objects.filter(pk=ours.pk).update(instrument_id="005930", side="BUY")
    ours.refresh_from_db()
    assert something_to_cancel(ours, world.now) is True, "it does rest there"


def test_the_number_of_another_names_order_of_ours_is_not_taken(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm("A20", match={"side": "sell"}, params={"whose": "ours"})
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", ["A20"])
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    check_truth(world)


# --- more or less than was sent ---------------------------------------------------------------


@pytest.mark.parametrize("fault", ["A18", "A26"])
def test_an_order_that_came_twice_stops_the_account(world: World, fault: str) -> None:
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm(fault, match={"side": "sell"})
    run = world.drive(run, until="PAUSED_EXTERNAL")
    assert fired(world) == [fault]
    assert switch_state(world.account) == "HALTED"
    assert paged("order_twice")
    run_resume(run.pk, "owner", close=True)
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    assert {row["side"] for row in world.accepted()} == {"sell"}
    check_truth(world)


def test_an_order_of_somebody_else_on_our_name_is_no_twin(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    leg = Leg.objects.filter(run=run, side="BUY").earliest("pk")
    world.sim.manual_order(ACCOUNT_NO, leg.instrument_id, "buy", leg.quantity + 1, None)
    world.drive(run, until="PAUSED_EXTERNAL")
    assert switch_state(world.account) == "ACTIVE"
    assert not Alert.objects.filter(code="order_twice").exists()


def test_less_accepted_than_was_sent_is_told_and_counted_as_it_is(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm("A28", match={"side": "sell"})
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", ["A28"])
    assert paged("quantity_differs")
    check_truth(world)


def test_more_accepted_than_was_sent_stops_the_account(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    leg = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm("A28", match={"side": "sell"}, params={"quantity": str(leg.slices[0] + 5)})
    run = world.drive(run)
    assert fired(world) == ["A28"]
    assert switch_state(world.account) == "HALTED" and paged("quantity_differs")
    assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "stopped_by_switch")
    order = BrokerOrder.objects.get(flag="quantity_differs")
    assert order.filled_quantity == order.quantity == leg.slices[0] + 5
    check_truth(world, but={"I1"})


@pytest.mark.parametrize("more", [None, 5])
def test_another_quantity_whose_answer_was_lost_is_believed_of_a_person_and_of_nobody_else(
    world: World, more: int | None
) -> None:
    """No rule takes it for ours; who knows that it is names it, and the books follow the broker."""
    run = world.drive(world.open(), until="SELLING")
    leg = Leg.objects.filter(run=run, side="SELL").earliest("number")
    params = {} if more is None else {"quantity": str(leg.slices[0] + more)}
    world.sim.arm("A28", match={"ticker": leg.instrument_id}, params=params)
    world.sim.arm("A03", match={"ticker": leg.instrument_id}, params={"seconds": 0})
    world.drive(run, until=lambda _run: Attempt.objects.filter(state="UNKNOWN").exists())
    world.settle()
    reconcile_account(world.account)
    attempt = Attempt.objects.get(state="UNKNOWN")
    (taken,) = [row for row in world.accepted() if row["ticker"] == leg.instrument_id]
    assert taken["qty"] != attempt.intent.quantity
    with pytest.raises(StateConflict, match="no_such_candidate"):
        decide_unknown(attempt.pk, "adopt", "owner", "0000000001")
    decide_unknown(attempt.pk, "adopt", "owner", taken["odno"])
    order = BrokerOrder.objects.get(owner=attempt.intent)
    assert (order.quantity, order.flag) == (taken["qty"], "quantity_differs")
    assert paged("quantity_differs")
    assert (switch_state(world.account) == "HALTED") is (more is not None)
    world.drive(run)
    check_truth(world, but={"I1"} if more else set())


# --- lists ------------------------------------------------------------------------------------


def lists_of(world: World) -> list[tuple[bool, str]]:
    return list(Enumeration.objects.order_by("pk").values_list("complete", "problem"))


def test_an_order_seen_once_is_never_absent(world: World) -> None:
    run = world.drive(world.open(), until="BUYING")
    seen = BrokerOrder.objects.filter(listed=True).count()
    assert seen
    world.sim.arm("B02", params={"seconds": 40})
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", ["B02"])
    assert (False, "an order seen before is missing") in lists_of(world)
    assert not Alert.objects.filter(code__in=["external_order", "unknown_absent"]).exists()
    check_truth(world)


def test_an_order_without_an_answer_that_was_seen_once_is_not_declared_absent(
    world: World,
) -> None:
    """Its row was on one list of two, and then on none for longer than an absence takes."""
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm("A03", match={"side": "sell"}, params={"seconds": 0})
    world.sim.arm("B02", params={"seconds": 900})
    run = world.drive(run, until=lambda run: world.now > START + timedelta(minutes=8))
    assert fired(world) == ["A03", "B02"]
    attempt = Attempt.objects.get(state="UNKNOWN")
    assert not attempt.absent_presumed
    with pytest.raises(StateConflict, match="list_incomplete"):
        decide_unknown(attempt.pk, "absent", "owner")
    run = world.drive(run)
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    check_truth(world)


@pytest.mark.parametrize("shape", ["repeat", "empty"])
def test_a_list_without_an_end_is_left_and_told(world: World, shape: str) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    before = len(world.journal("http_req"))
    world.sim.arm("B05", match={"tr_id": "TTTC0081R"}, params={"shape": shape}, count=30)
    found = reconcile_account(world.account)
    assert not found.complete and len(world.journal("http_req")) - before < 5
    assert Alert.objects.filter(code="order_list_garbled").exists()
    run = world.drive(run)
    assert run.state == "COMPLETED"
    check_truth(world)


def test_an_answer_that_goes_back_takes_nothing_out_of_the_books(world: World) -> None:
    run = world.drive(world.open(), until="BUYING")
    booked = dict(BrokerOrder.objects.values_list("order_no", "filled_quantity"))
    world.sim.arm("B08", params={"share": 0.4})
    reconcile_account(world.account)
    assert fired(world) == ["B08"]
    assert dict(BrokerOrder.objects.values_list("order_no", "filled_quantity")) == booked
    flagged = BrokerOrder.objects.get(flag="fill_regressed")
    assert paged("fill_regressed")
    run = world.drive(run)
    assert run.state == "COMPLETED"
    flagged.refresh_from_db()
    assert flagged.flag == "", "the next list showed it whole again"
    check_truth(world)


def test_a_fill_that_is_listed_late_is_booked_once(world: World) -> None:
    """Only part of it at first: what a list shows for the first time contradicts nothing."""
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm("B08", params={"share": 0.4}, count=3)
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", ["B08"] * 3)
    check_truth(world)


@pytest.mark.parametrize("value", ["", "0"])
def test_filled_without_an_amount_is_asked_again(world: World, value: str) -> None:
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm("B09", params={"value": value}, count=2)
    run = world.drive(run)
    assert (run.state, fired(world)) == ("COMPLETED", ["B09"] * 2)
    assert Alert.objects.filter(code="order_list_garbled" if not value else "fill_contradicts")
    check_truth(world)


@pytest.mark.parametrize("shape", ["comma", "decimal", "minus", "blank", "wide", "null"])
def test_a_number_nobody_agreed_on_is_no_number(world: World, shape: str) -> None:
    run = world.drive(world.open(), until="BUYING")
    world.sim.arm("B18", match={"tr_id": "TTTC0081R"}, params={"shape": shape})
    found = reconcile_account(world.account)
    assert (fired(world), found.complete) == (["B18"], False)
    assert Alert.objects.filter(code="order_list_garbled").exists()
    run = world.drive(run)
    assert run.state == "COMPLETED"
    check_truth(world)


@pytest.mark.parametrize(
    ("shape", "whole"), [("extra", True), ("missing", False), ("cased", False)]
)
def test_columns_that_drift(world: World, shape: str, whole: bool) -> None:
    run = world.drive(world.open(), until="BUYING")
    world.sim.arm("B17", match={"tr_id": "TTTC0081R"}, params={"shape": shape})
    found = reconcile_account(world.account)
    assert (fired(world), found.complete) == (["B17"], whole)
    assert Alert.objects.filter(code="order_list_garbled").exists() is not whole
    run = world.drive(run)
    assert run.state == "COMPLETED"
    check_truth(world)


@pytest.mark.parametrize("trace", ["", "own"])
def test_another_accounts_orders_are_not_ours(world: World, trace: str) -> None:
    run = world.drive(world.open(), until="BUYING")
    world.sim.manual_order("12345678-01", "069500", "buy", 3)
    world.settle(10)
    known = BrokerOrder.objects.count()
    world.sim.arm("B19", match={"tr_id": "TTTC0081R"}, params={"trace": trace} if trace else {})
    found = reconcile_account(world.account)
    assert (fired(world), found.complete, found.rows) == (["B19"], False, 0)
    assert BrokerOrder.objects.count() == known
    assert paged("foreign_rows") is not bool(trace)
    run = world.drive(run)
    assert run.state == "COMPLETED"
    assert not Alert.objects.filter(code="external_order").exists()
    check_truth(world)


def test_a_page_that_shifted_is_no_whole_list(mock_world: World) -> None:
    world = mock_world
    for _ in range(20):
        assert world.sim.manual_order(ACCOUNT_NO, "130730", "buy", 1)["accepted"]
    world.settle(10)
    world.sim.arm("B07")
    found = reconcile_account(world.account)
    assert (fired(world), found.complete) == (["B07"], False)
    assert reconcile_account(world.account).complete
    assert not Alert.objects.filter(code="order_list_garbled").exists(), "lists do move"
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    check_truth(world)


@pytest.mark.parametrize(("wire", "orders"), [("mock", 18), ("real", 104)])
def test_a_list_of_more_than_a_page_is_read_to_its_end(
    transactional_db: None, wire: str, orders: int
) -> None:
    with world_of(wire=wire) as world:
        for number in range(orders):
            side = "sell" if number % 2 else "buy"
            assert world.sim.manual_order(ACCOUNT_NO, "130730", side, 1)["accepted"]
        world.settle(10)
        found = reconcile_account(world.account)
        assert (found.complete, found.pages, found.rows) == (True, 2, orders)
        assert BrokerOrder.objects.filter(filled_quantity=1, is_final=True).count() == orders
