"""What reviewers proved possible and must stay impossible: each with the case that still passes."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from rebalancing.models import Leg, Run, RunSchedule
from rebalancing.selectors.evidence import evidence
from rebalancing.services import cancelling, watchdog
from rebalancing.services import schedule as schedules
from rebalancing.services.advance import run_advance
from rebalancing.services.stages.step import STEPS
from tests.support.orders import Orders
from tests.support.truth import check_truth
from tests.support.world import ACCOUNT_NO, World
from trading.brokers.kis import broker as adapter
from trading.domain.errors import BrokerGarbled, StateConflict
from trading.domain.sessions import KRX
from trading.models import Alert, Attempt, BrokerOrder, Intent, Lane, ScheduleFire, Switch
from trading.services.brokers import broker_for
from trading.services.deciding import decide_unknown
from trading.services.guards import stop_when_too_much_goes_wrong
from trading.services.reconcile import reconcile_account
from trading.services.switches import (
    GLOBAL,
    account_scope,
    engage,
    file_state,
    release,
    switch_state,
    write_kill_file,
)

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def lagging(row: dict[str, Any]) -> dict[str, Any]:
    """A list that has forgotten what was filled and what remains."""
    return row | {"tot_ccld_qty": "0", "tot_ccld_amt": "0", "rmn_qty": "0"}


def test_a_row_that_has_lost_its_numbers_ends_no_order_and_sells_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    real = adapter._order_row
    monkeypatch.setattr(adapter, "_order_row", lambda row: real(lagging(dict(row))))
    for _ in range(4):
        world.sim.advance(4)
        run_advance(run.pk)
    assert not Intent.objects.filter(state="EXPIRED").exists()
    monkeypatch.setattr(adapter, "_order_row", real)
    run = world.drive(run)
    assert run.state == "COMPLETED"
    check_truth(world)


def test_a_row_with_more_than_was_ordered_is_garbled() -> None:
    row = {
        "ord_dt": "20261120",
        "ord_gno_brno": "06010",
        "odno": "1",
        "orgn_odno": "",
        "sll_buy_dvsn_cd": "01",
        "pdno": "069500",
        "ord_qty": "10",
        "ord_unpr": "100",
        "ord_tmd": "100000",
        "tot_ccld_qty": "6",
        "tot_ccld_amt": "600",
        "ord_dvsn_cd": "00",
        "cnc_cfrm_qty": "0",
        "rmn_qty": "4",
        "rjct_qty": "0",
    }
    assert adapter._order_row(row).filled_quantity == 6
    with pytest.raises(BrokerGarbled):
        adapter._order_row(row | {"rmn_qty": "5"})


@pytest.mark.parametrize("sessions", [1, 2, 5], ids=["next", "second", "a week later"])
def test_a_fill_that_shows_after_its_order_seemed_over_is_still_booked(
    world: World, monkeypatch: pytest.MonkeyPatch, sessions: int
) -> None:
    """However long nobody was there: the day is read once more before it counts as settled."""
    run = world.drive(world.open(), until="SELL_WAIT")
    real = adapter._order_row
    stale = {"tot_ccld_qty": "0", "tot_ccld_amt": "0"}
    monkeypatch.setattr(
        adapter,
        "_order_row",
        lambda row: real(dict(row) | stale | {"rmn_qty": row["ord_qty"]}),
    )
    world.sim.advance(8 * 3600)
    reconcile_account(world.account)
    assert BrokerOrder.objects.filter(is_final=True, filled_quantity=0).exists()
    monkeypatch.setattr(adapter, "_order_row", real)
    then = KRX.session_hours(KRX.next_session(world.now.date(), sessions)).open
    world.sim.advance((then - world.now).total_seconds() + 600)
    reconcile_account(world.account)
    world.drive(run)
    check_truth(world)


def test_whatever_hangs_is_paged_and_paged_again(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    assert watchdog.page_what_hangs() == 0
    world.sim.advance(7 * 60)
    assert watchdog.page_what_hangs() == 1
    assert Alert.objects.filter(code="run_hangs", run_id=run.pk, severity="page").count() == 1
    watchdog.page_what_hangs()
    assert Alert.objects.filter(code="run_hangs").count() == 1
    world.sim.advance(16 * 60)
    watchdog.page_what_hangs()
    assert Alert.objects.filter(code="run_hangs").count() == 2


@pytest.mark.once
def test_a_run_that_sees_no_orders_is_paged_and_one_that_does_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_for(world.account)._client, "_sleep", lambda _seconds: None)
    world.sim.arm("E01", match={"side": "sell"}, params={"share": 0.3, "seconds": 300})
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.advance(60)
    run_advance(run.pk)
    assert watchdog.page_what_hangs() == 0, "a list was read a moment ago"
    world.sim.arm("B03", match={}, params={"code": "EGW00002"}, count=500)
    for _ in range(3):
        world.sim.advance(16)
        run_advance(run.pk)
    assert watchdog.page_what_hangs() == 1
    assert Alert.objects.get(code="orders_unseen", severity="page").run_id == run.pk


def test_a_step_that_breaks_is_paged_and_not_tried_every_second(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = world.drive(world.open(), until="DRIFT")
    before = Run.objects.get(pk=run.pk).due_at

    def breaks(*_arguments: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(STEPS, run.state, breaks)
    with pytest.raises(ZeroDivisionError):
        run_advance(run.pk)
    assert Alert.objects.filter(code="run_step_broken", severity="page").exists()
    after = Run.objects.get(pk=run.pk).due_at
    assert before is not None and after is not None and after - before >= timedelta(seconds=30)


def test_the_third_unknown_order_of_a_day_stops_the_account(world: World) -> None:
    for n in (1, 2, 3):
        assert switch_state(world.account) == "ACTIVE"
        world.sim.arm("A05", match={"side": "sell"}, count=1)
        run = world.open()
        run = world.drive(run, until=lambda r, n=n: _unknowns() >= n)
        if n < 3:
            run = world.drive(run)
            _drift_again(world)
    assert switch_state(world.account) == "HALTED"
    assert Alert.objects.filter(code="account_halted").exists()


@pytest.mark.parametrize(
    ("count", "age", "soft", "stops"),
    [(10, 30, False, False), (11, 30, False, True), (11, 601, False, False), (11, 30, True, False)],
    ids=["ten", "eleven", "long ago", "too fast"],
)
def test_more_than_ten_refusals_in_ten_minutes_stop_the_account(
    world: World, count: int, age: int, soft: bool, stops: bool
) -> None:
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    orders = Orders(world, Attempt.objects.get())
    for _ in range(count):
        orders.attempt("REJECTED", age=age)
    Attempt.objects.filter(state="REJECTED").update(soft=soft)
    stop_when_too_much_goes_wrong(world.account)
    assert (switch_state(world.account) == "HALTED") is stops
    assert Alert.objects.filter(code="account_halted", severity="page").exists() is stops


def _unknowns() -> int:
    from trading.models import Transition

    return Transition.objects.filter(object_type="attempt", to_state="UNKNOWN").count()


def _drift_again(world: World) -> None:
    """A person buys enough of one name elsewhere that it must be sold again."""
    world.settle()
    world.sim.move_cash(ACCOUNT_NO, 20_000_000)
    world.sim.manual_order(ACCOUNT_NO, "069500", "buy", 200, None)
    world.settle()
    reconcile_account(world.account)


def test_a_stop_is_only_loosened_by_a_release(world: World) -> None:
    scope = account_scope(world.account)
    engage(scope, "REDUCING", "t", "a")
    engage(scope, "HALTED", "t", "b")
    with pytest.raises(StateConflict, match="already_stricter"):
        engage(scope, "REDUCING", "t", "c")
    assert switch_state(world.account) == "HALTED"
    release(scope, "t", "", "checked", "owner_practice")
    assert switch_state(world.account) == "ACTIVE"


def test_a_stop_has_its_place_among_the_sends_by_time_and_by_commit(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    engage(account_scope(world.account), "HALTED", "t", "stop")
    release(account_scope(world.account), "t", "", "go on", "owner_practice")
    world.drive(run)
    world.drive(world.open())
    rows = [row for row in evidence() if row["view"] in ("attempt", "switch")]
    stop, go_on = (row for row in rows if row["view"] == "switch")
    sends = [row for row in rows if row["view"] == "attempt"]
    before = [row for row in sends if row["seq"] < stop["seq"]]
    after = [row for row in sends if row["seq"] > go_on["seq"]]
    assert before and after and len(before) + len(after) == len(sends)
    assert all(row["committed_at"] < stop["at"] for row in before)
    assert all(row["committed_at"] > go_on["at"] for row in after)


def test_a_kill_file_made_without_a_database_can_be_released(world: World) -> None:
    write_kill_file("t", "the database was down")
    assert not Switch.objects.exists()
    release(GLOBAL, "t", "", "back again", "owner_practice")
    assert file_state() == "ACTIVE"
    with pytest.raises(StateConflict):
        release(GLOBAL, "t", "", "again", "owner_practice")


def test_a_crash_between_the_slot_and_its_run_loses_neither(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunSchedule.objects.create(account=world.account, at=time(9, 36))
    world.sim.advance(90)
    real = schedules.run_open

    def crashes(*_a: Any, **_k: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(schedules, "run_open", crashes)
    with pytest.raises(KeyboardInterrupt):
        schedules.fire_due_schedules()
    assert not ScheduleFire.objects.exists()
    monkeypatch.setattr(schedules, "run_open", real)
    assert len(schedules.fire_due_schedules()) == 1


def test_an_order_that_arrives_after_it_was_declared_absent_stops_the_account(
    world: World,
) -> None:
    world.sim.arm("A02", match={"side": "sell"})
    world.drive(world.open(), until="PAUSED_UNKNOWN")
    attempt = Attempt.objects.get(state="UNKNOWN")
    decide_unknown(attempt.pk, "absent", "owner")
    lane = Lane.objects.get(pk=attempt.lane_id)
    assert lane.late_watch_until is not None
    world.sim.manual_order(
        ACCOUNT_NO, attempt.intent.instrument_id, "sell", attempt.intent.quantity, None
    )
    reconcile_account(world.account)
    assert Alert.objects.filter(code="late_order", severity="page").exists()
    assert switch_state(world.account) == "HALTED"


def test_a_slot_belongs_to_one_scheduler(world: World) -> None:
    ScheduleFire.objects.create(job="x", slot="y", fired_at=world.now)
    with pytest.raises(IntegrityError):
        ScheduleFire.objects.create(job="x", slot="y", fired_at=world.now)


def test_a_stop_cancels_what_a_paused_run_left_at_the_broker(world: World) -> None:
    run = resting_and_paused(world)
    assert cancelling.cancellable_orders(run)
    engage(account_scope(world.account), "HALTED", "t", "drill")
    run = world.drive(run)
    assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "stopped_by_switch")
    assert world.journal("cancel")
    check_truth(world)


def test_a_stop_leaves_a_paused_run_without_resting_orders_to_its_person(world: World) -> None:
    run = resting_and_paused(world)
    world.settle(400)  # the halt ends
    for intent in cancelling.cancellable_orders(run):
        world.sim.set_price(intent.instrument_id, intent.limit_price)
    world.settle(30)  # and the rest of the sells fills
    reconcile_account(world.account)
    assert not cancelling.cancellable_orders(run)
    engage(account_scope(world.account), "HALTED", "t", "drill")
    for _ in range(3):
        world.sim.advance(21)
        run_advance(run.pk)
    run.refresh_from_db()
    assert run.state == "PAUSED_EXTERNAL"


def resting_and_paused(world: World) -> Run:
    """A run whose sells rest at the broker, paused because of somebody else's order."""
    world.sim.arm("E01", match={"side": "sell"}, params={"share": 0.3, "seconds": 300})
    run = world.drive(world.open(), until="SELL_WAIT")
    ticker = Leg.objects.filter(run=run, side="BUY").earliest("pk").instrument_id
    world.sim.manual_order(ACCOUNT_NO, ticker, "buy", 1, None)
    run = world.drive(run, until="PAUSED_EXTERNAL")
    assert run.state == "PAUSED_EXTERNAL"
    return run


@pytest.mark.parametrize("seconds", [1, 4, 8])
def test_a_list_that_takes_long_to_read_never_stops_a_run(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    real = adapter.KisBroker.orders

    def slow(self: Any, *arguments: Any) -> Any:
        world.sim.advance(seconds)
        return real(self, *arguments)

    monkeypatch.setattr(adapter.KisBroker, "orders", slow)
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    check_truth(world)
