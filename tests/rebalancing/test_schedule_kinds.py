"""What a schedule waits for: a drift, an edge of the calendar, or money that came or went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from rebalancing.domain.schedules import due_slots
from rebalancing.models import Leg, RebalancingConfig, Run, RunSchedule
from rebalancing.services import schedule as schedules
from rebalancing.services.approvals import decide_run
from rebalancing.services.flows import flow_since
from rebalancing.services.runs import run_cancel
from rebalancing.services.schedule import _fire, fire_due_schedules
from rebalancing.services.watch import refresh_accounts
from tests.support.world import ACCOUNT_NO, World, world_of
from trading.domain.sessions import KRX, SEOUL
from trading.models import Alert, AuditEntry, ScheduleFire, Snapshot
from trading.services.day_overrides import correct_day

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]

PLANNED = "AWAITING_APPROVAL"


@contextmanager
def world_at(start: str) -> Iterator[World]:
    with world_of(start=datetime.fromisoformat(start).replace(tzinfo=SEOUL)) as world:
        yield world


def schedule(world: World, at: time = time(9, 40), **values: Any) -> RunSchedule:
    """A schedule that has been there for an hour."""
    since = values.pop("since", world.now - timedelta(hours=1))
    return RunSchedule.objects.create(account=world.account, at=at, since=since, **values)


def outcomes() -> list[tuple[str, str]]:
    return list(ScheduleFire.objects.order_by("id").values_list("slot", "outcome"))


def fire_at(world: World, clock: str) -> list[int]:
    """Go to that time of the day, look at the account, and at what is due."""
    now = world.now
    moment = datetime.combine(now.date(), time.fromisoformat(clock), now.tzinfo)
    world.sim.advance((moment - now).total_seconds())
    refresh_accounts()
    return fire_due_schedules()


def counting(world: World) -> RunSchedule:
    """A schedule that waits for a million won, and has begun to count."""
    flows = schedule(world, time(9, 37), kind="cash_flow", min_flow_won=1_000_000)
    refresh_accounts()
    assert fire_due_schedules() == []
    return flows


def at_the_next_minute(world: World, flows: RunSchedule, clock: str) -> list[int]:
    RunSchedule.objects.filter(pk=flows.pk).update(at=time.fromisoformat(clock))
    return fire_at(world, clock)


@pytest.mark.once
def test_money_in_is_spread_once_and_nothing_is_sold_for_it(world: World) -> None:
    flows = counting(world)
    world.sim.move_cash(ACCOUNT_NO, 900_000)
    assert fire_at(world, "09:37") == []
    assert outcomes()[-1][1] == "quiet"
    world.sim.move_cash(ACCOUNT_NO, 2_100_000)
    (run_id,) = at_the_next_minute(world, flows, "09:39")
    run = world.drive(Run.objects.get(pk=run_id))
    assert (run.state, run.trigger_kind) == ("COMPLETED", "cash_flow")
    assert run.flow == 3_000_000, "what was too little comes with the rest"
    legs = list(Leg.objects.filter(run=run, generation=run.generation))
    assert {leg.side for leg in legs} == {"BUY"}
    assert 0 < sum(leg.quantity * leg.reference_price for leg in legs) <= 3_000_000
    clock = f"{world.now + timedelta(minutes=2):%H:%M}"
    assert at_the_next_minute(world, flows, clock) == [], "the run's own trades are no flow"
    assert outcomes()[-1][1] == "quiet"


@pytest.mark.once
def test_money_that_nobody_let_be_spread_is_counted_again(world: World) -> None:
    flows = counting(world)
    world.sim.move_cash(ACCOUNT_NO, 3_000_000)
    (run_id,) = fire_at(world, "09:37")
    run = world.drive(Run.objects.get(pk=run_id), approve=False)
    decide_run(run.pk, run.plan_hash, world.owner, "DENY")
    (again,) = at_the_next_minute(world, flows, "09:40")
    assert Run.objects.get(pk=again).flow == 3_000_000


@pytest.mark.once
def test_money_that_is_locked_is_no_money_gone(world: World) -> None:
    flows = counting(world)
    refresh_accounts()
    newest = Snapshot.objects.latest("pk")
    assert newest.deposit is not None
    Snapshot.objects.filter(pk=newest.pk).update(cash=newest.cash - 5_000_000)
    flows.refresh_from_db()
    found = flow_since(flows)
    assert found is not None and found.won == 0


@pytest.mark.once
def test_money_out_is_made_good_by_sales_alone(world: World) -> None:
    counting(world)
    assert world.sim.move_cash(ACCOUNT_NO, -3_000_000) == -3_000_000
    (run_id,) = fire_at(world, "09:37")
    run = world.drive(Run.objects.get(pk=run_id), until=PLANNED)
    assert run.flow == -3_000_000
    legs = list(Leg.objects.filter(run=run, generation=run.generation))
    assert {leg.side for leg in legs} == {"SELL"}
    assert not [c for c in run.outcome["checks"] if c["verdict"] == "FAIL"]


@pytest.mark.once
def test_a_trade_made_elsewhere_is_no_money_from_outside(world: World) -> None:
    counting(world)
    world.sim.manual_order(ACCOUNT_NO, "130730", "buy", 30)
    world.settle()
    assert fire_at(world, "09:37") == [] and outcomes() == []
    world.sim.advance(31)  # a balance that is not what our books say counts when it says so again
    refresh_accounts()
    assert fire_due_schedules() == []
    assert outcomes()[-1][1] == "quiet"


@pytest.mark.once
def test_money_is_not_judged_by_an_old_look(world: World) -> None:
    counting(world)
    world.sim.move_cash(ACCOUNT_NO, 3_000_000)
    world.sim.advance(130)
    assert fire_due_schedules() == [] and outcomes() == []
    refresh_accounts()
    assert len(fire_due_schedules()) == 1


@pytest.mark.once
def test_a_month_end_opens_a_run_that_says_why(transactional_db: None) -> None:
    with world_at("2026-10-30 09:39") as world:
        schedule(world, kind="periodic", period="month", edge="last", inside_bands=True)
        (run_id,) = fire_at(world, "09:40")
        run = world.drive(Run.objects.get(pk=run_id), until=PLANNED)
        assert (run.slot.rpartition(":")[0][-7:], run.trigger_kind) == ("2026-10", "periodic")
        assert run.ignores_bands and run.outcome["trades"]
        assert fire_due_schedules() == []


@pytest.mark.once
def test_inside_its_bands_a_periodic_run_trades_only_where_its_schedule_says_so(
    transactional_db: None,
) -> None:
    """Thresholds nobody reaches: without the setting there is nothing to do, with it there is."""
    with world_at("2026-10-30 09:39") as world:
        RebalancingConfig.objects.create(
            mp_threshold_percent=50, sub_mp_threshold_percent=50, updated_by="test"
        )
        schedule(world, time(9, 40), kind="periodic")
        schedule(world, time(9, 41), kind="periodic", period="quarter", edge="first")
        schedule(world, time(9, 42), kind="periodic", inside_bands=True)
        (first,) = fire_at(world, "09:40")
        assert world.drive(Run.objects.get(pk=first)).end_reason == "inside_bands"
        assert fire_at(world, "09:41") == [], "October's end is no quarter's beginning"
        (second,) = fire_at(world, "09:42")
        assert world.drive(Run.objects.get(pk=second), until=PLANNED).state == PLANNED


@pytest.mark.once
def test_on_the_day_of_the_exam_a_slot_waits_for_the_opening(transactional_db: None) -> None:
    with world_at("2026-11-19 09:41") as world:
        schedule(world)
        assert fire_due_schedules() == [] and outcomes() == []
        (run_id,) = fire_at(world, "10:40")
        assert Run.objects.get(pk=run_id).slot == "2026-11-19T09:40"


def test_a_day_that_a_person_closed_has_no_slot(world: World) -> None:
    schedule(world, time(9, 36))
    correct_day(world.now.date(), "closed", by="kim", reason="임시 휴장")
    assert fire_at(world, "09:36") == [] and outcomes() == []
    assert AuditEntry.objects.filter(action="calendar_corrected").count() == 1
    correct_day(world.now.date(), "", by="kim", reason="철회")
    assert len(fire_due_schedules()) == 1


@pytest.mark.parametrize(("catch_up", "runs"), [(True, 1), (False, 0)])
def test_a_month_end_slept_through_is_made_up_once_or_told_once(
    transactional_db: None, catch_up: bool, runs: int
) -> None:
    with world_at("2026-11-02 09:05") as world:
        schedule(world, kind="periodic", catch_up=catch_up, since=world.now - timedelta(days=5))
        found = fire_due_schedules() + fire_due_schedules()
        assert len(found) == runs
        code, action = ("slot_caught_up", "slot_caught_up") if runs else ("slot_skipped",) * 2
        assert Alert.objects.get(code=code).facts["when"] == "2026-10-30 09:40"
        assert AuditEntry.objects.filter(action=action).count() == 1
        assert outcomes() == [("2026-10:last", "opened" if runs else "skipped")]


@pytest.mark.once
def test_a_slot_is_caught_up_where_the_schedule_says_so(world: World) -> None:
    schedule(world, time(9, 10), catch_up=True)
    (run_id,) = fire_due_schedules()
    assert Run.objects.get(pk=run_id).trigger_kind == "drift"
    assert fire_due_schedules() == []


def test_two_sweepers_that_see_the_same_slot_open_one_run(world: World) -> None:
    made = schedule(world, time(9, 36))
    world.sim.advance(90)
    slots = due_slots(made.rule, world.now, KRX, since=made.since, fired=())
    first = _fire(made, slots[0], world.now)
    assert first is not None
    Run.objects.filter(pk=first.pk).update(state="CANCELED", terminal_at=world.now)
    assert _fire(made, slots[0], world.now) is None, "the row was there first"
    assert Run.objects.count() == ScheduleFire.objects.count() == 1
    assert not Alert.objects.exists()


@pytest.mark.once
def test_a_slot_waits_for_a_run_that_is_under_way(world: World) -> None:
    schedule(world, time(9, 36))
    run = world.open()
    assert fire_at(world, "09:36") == [] and outcomes() == []
    run_cancel(run.pk, "owner")
    assert len(fire_due_schedules()) == 1


@pytest.mark.once
def test_a_schedule_that_breaks_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, _whole = schedule(world, time(9, 35)), schedule(world, time(9, 36))
    follow = schedules._follow

    def breaking(each: RunSchedule, *rest: Any) -> list[int]:
        if each.pk == broken.pk:
            raise KeyError("nobody thought of this")
        return follow(each, *rest)

    monkeypatch.setattr(schedules, "_follow", breaking)
    assert len(fire_at(world, "09:36")) == 1
    assert Alert.objects.get(code="schedule_broken").facts["slot"] == "09:35"
