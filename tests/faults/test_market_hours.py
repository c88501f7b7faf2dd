"""Closed markets, closes and nights: what does not start, what expires and what is found the next day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from rebalancing.models import Leg, Run
from rebalancing.services.advance import run_advance
from rebalancing.services.runs import run_cancel, run_resume
from tests.support.truth import check_truth
from tests.support.world import World, world_of
from trading.domain.errors import RuleViolation
from trading.models import (
    Attempt,
    BrokerOrder,
    Intent,
)
from trading.services.deciding import decide_unknown

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("2026-11-20T16:30:00+09:00", "market_closed"),
        ("2026-11-20T15:11:00+09:00", "too_late_today"),
        ("2026-11-21T10:00:00+09:00", "not_a_trading_day"),
        ("2026-06-03T10:00:00+09:00", "not_a_trading_day"),
        ("2026-11-19T09:35:00+09:00", "market_closed"),
    ],
)
def test_a_run_does_not_start_outside_the_session(
    transactional_db: None, settings: Any, start: str, code: str
) -> None:
    with world_of(start=datetime.fromisoformat(start)) as world:
        with pytest.raises(RuleViolation) as refused:
            world.open()
        assert code in {reason.code for reason in refused.value.reasons}
        assert not Run.objects.exists()


def test_on_the_exam_day_the_hours_are_an_hour_later(transactional_db: None, settings: Any) -> None:
    with world_of(start=datetime.fromisoformat("2026-11-19T15:45:00+09:00")) as world:
        assert world.drive(world.open()).state == "COMPLETED"


def test_an_order_left_open_at_the_close_expires_and_the_run_says_so(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.advance(8 * 3600)
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    left = Intent.objects.filter(action="order").exclude(state="FILLED")
    assert {intent.state for intent in left} <= {"EXPIRED", "REVOKED"}, "nobody cancelled anything"
    check_truth(world)


def test_a_partial_fill_that_is_still_open_at_the_close_is_counted_and_expires(
    world: World,
) -> None:
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm("E01", match={"ticker": sold.instrument_id}, params={"share": 0.4})
    run = world.drive(run, until="SELL_WAIT")
    world.sim.advance(8 * 3600)
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    sold.refresh_from_db()
    assert 0 < sold.filled_quantity < sold.quantity
    assert Intent.objects.filter(leg_id=sold.pk, action="order").latest("pk").state == "EXPIRED"
    check_truth(world)


def test_what_filled_before_yesterdays_close_is_booked_the_next_morning(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    assert not Intent.objects.filter(filled_quantity__gt=0).exists(), "nothing was polled yet"
    world.sim.advance(3 * 24 * 3600)
    run = world.drive(run)
    assert (run.state, run.created_at.date() < world.now.date()) == (
        "COMPLETED_WITH_SHORTFALL",
        True,
    )
    assert {row["side"] for row in world.accepted()} == {"sell"}
    sold = Intent.objects.filter(action="order")
    assert sold.exists() and all(intent.state == "FILLED" for intent in sold)
    check_truth(world)


def test_an_answer_lost_yesterday_is_found_on_its_own_day(world: World) -> None:
    world.sim.arm("A03", match={"side": "sell"}, params={"seconds": 0})
    run = world.drive(
        world.open(), until=lambda r: Attempt.objects.filter(state="UNKNOWN").exists()
    )
    world.sim.advance(3 * 24 * 3600)
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    check_truth(world)


@pytest.mark.parametrize("word", ["absent", "close", "resume"])
def test_a_person_may_decide_about_a_paused_run_on_a_saturday(
    transactional_db: None, word: str
) -> None:
    with world_of(start=datetime.fromisoformat("2026-11-20T14:50:00+09:00")) as world:
        world.sim.arm("A02", match={"side": "sell"})
        run = world.drive(world.open(), until="PAUSED_UNKNOWN")
        world.sim.advance(20 * 3600)
        assert world.now.weekday() == 5
        if word != "absent":
            assert run_resume(run.pk, "owner", close=word == "close").state != "PAUSED_UNKNOWN"
        decide_unknown(Attempt.objects.get(state="UNKNOWN").pk, "absent", "owner")
        run = world.drive(run)
        assert run.state == "COMPLETED_WITH_SHORTFALL"
        assert {row["side"] for row in world.accepted()} == {"sell"}
        check_truth(world)


def test_a_run_that_waits_for_a_person_ends_with_the_next_session_and_the_order_stays_unknown(
    transactional_db: None,
) -> None:
    with world_of(start=datetime.fromisoformat("2026-11-20T14:50:00+09:00")) as world:
        world.sim.arm("A02", match={"side": "sell"})
        run = world.drive(world.open(), until="PAUSED_UNKNOWN")
        world.sim.advance(24 * 3600)
        run_advance(run.pk)
        assert Run.objects.get(pk=run.pk).state == "PAUSED_UNKNOWN", "Saturday is no session"
        world.sim.advance(42 * 3600 + 45 * 60)
        run = world.drive(run)
        assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "unknown_order")
        lost = Attempt.objects.get(state="UNKNOWN")
        with pytest.raises(RuleViolation) as refused:
            world.open()
        assert {reason.code for reason in refused.value.reasons} == {"unknown_orders"}
        decide_unknown(lost.pk, "absent", "owner")
        assert world.drive(world.open()).state == "COMPLETED"
        check_truth(world)


@pytest.mark.parametrize(
    ("start", "state"), [("15:08:30", "COMPLETED_WITH_SHORTFALL"), ("15:10:30", "CANCELED")]
)
def test_a_plan_that_sells_is_not_begun_when_no_sell_may_go_any_more(
    transactional_db: None, start: str, state: str
) -> None:
    """The buys alone would spend the cash that is to stay."""
    with world_of(start=datetime.fromisoformat("2026-11-20T15:08:00+09:00")) as world:
        run = world.drive(world.open(), approve=False)
        until = datetime.fromisoformat(f"2026-11-20T{start}+09:00")
        world.sim.advance((until - world.now).total_seconds())
        run = world.drive(run)
        assert run.state.startswith(state[:9]), run.end_reason
        if state == "CANCELED":
            assert run.end_reason == "too_late_today" and world.accepted() == []
        else:
            assert world.accepted() != []


def test_a_stop_takes_back_what_works_beside_an_order_nobody_can_find(
    transactional_db: None,
) -> None:
    with world_of(start=datetime.fromisoformat("2026-11-20T14:50:00+09:00")) as world:
        run = world.drive(world.open(), until="APPROVED")
        lost, resting = Leg.objects.filter(run=run, side="SELL").order_by("number")[:2]
        world.sim.arm("A02", match={"ticker": lost.instrument_id})
        world.sim.arm("E01", match={"ticker": resting.instrument_id}, params={"share": 0.4})
        run = world.drive(run, until=lambda r: Attempt.objects.filter(state="UNKNOWN").exists())
        run = world.drive(run, until="SELL_WAIT")
        Attempt.objects.filter(state="UNKNOWN").update(absent_presumed=True)
        run = world.drive(run, until="PAUSED_UNKNOWN")
        working = Intent.objects.filter(leg_id=resting.pk, action="order")
        assert working.get().state == "PARTIAL"
        run_cancel(run.pk, "owner")
        run = world.drive(run, until=lambda r: not working.filter(state="PARTIAL").exists())
        run = world.drive(run, until="PAUSED_UNKNOWN")
        assert working.get().state == "CANCELED"
        decide_unknown(Attempt.objects.get(state="UNKNOWN").pk, "absent", "owner")
        run = world.drive(run)
        assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "stopped_by_person")
        check_truth(world, but={"I2"})  # the three looks were said, not made
