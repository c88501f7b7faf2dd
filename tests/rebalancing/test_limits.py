"""What the page of limits says of a limit is what happens beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from config.limit_shapes import Limit
from config.limits import limit_groups
from rebalancing.models import Leg, Run
from rebalancing.services.advance import run_advance
from tests.rebalancing.test_schedule import fired, scheduled
from tests.support.world import World, world_of

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def limit(world: World, name: str) -> Limit:
    (found,) = (
        row for group in limit_groups([world.account]) for row in group.limits if row.name == name
    )
    return found


def test_a_price_that_moved_after_an_automatic_approval_has_the_plan_made_anew(
    world: World,
) -> None:
    scheduled(world, max_price_move_percent="1.00")
    told = limit(world, "자동 승인 뒤 한 종목의 가격 변동")
    assert (told.value, told.stops) == ("1", "계획을 버리고 새로 세웁니다.")
    run = world.drive(fired(world), until="APPROVED", approve=False)
    leg = Leg.objects.filter(run=run).order_by("quantity")[0]
    tick = 100 if leg.instrument_id == "005930" else 5
    world.sim.set_price(leg.instrument_id, leg.reference_price * 1015 // 1000 // tick * tick)
    run_advance(run.pk)
    assert Run.objects.get(pk=run.pk).state == "STALE", "and no person is asked for this price"
    run_advance(run.pk)
    anew = Run.objects.get(pk=run.pk)
    assert (anew.generation, anew.plan_hash) == (2, "") and not world.accepted()


@pytest.mark.parametrize(
    ("cash", "holdings", "state", "verdict"),
    [
        (0, {"114260": 500}, "VETOED", "FAIL"),
        (50_000_000, {}, "AWAITING_APPROVAL", "NEEDS_PERSON"),
    ],
    ids=["a running account", "first purchases"],
)
def test_one_trade_beyond_half_of_the_account(
    transactional_db: None,
    settings: Any,
    cash: int,
    holdings: dict[str, int],
    state: str,
    verdict: str,
) -> None:
    one = {"STOCK": {"069500": 100}}
    with world_of(cash=cash, holdings=holdings, mp={"STOCK": 90, "CASH": 10}, sub=one) as world:
        told = limit(world, "한 종목의 한 번 거래 금액")
        assert told.value == "50" and "주문 없이 끝납니다" in told.stops
        assert "첫 매수는 사람이 판단합니다" in told.stops
        run = world.drive(world.open(), approve=False)
        assert run.state == state and not world.accepted()
        assert verdict in {c["verdict"] for c in run.outcome["checks"] if c["rule"] == "V3"}


def test_a_large_holding_that_is_hardly_traded_is_no_matter_of_that_limit(
    transactional_db: None, settings: Any
) -> None:
    one = {"STOCK": {"069500": 100}}
    with world_of(
        cash=10_000_000, holdings={"069500": 600}, mp={"STOCK": 90, "CASH": 10}, sub=one
    ) as world:
        run = world.drive(world.open(), approve=False)
        checks = run.outcome.get("checks", [])
        assert run.state in ("AWAITING_APPROVAL", "NO_ACTION")
        assert not [c for c in checks if c["rule"] == "V3" and c["verdict"] != "PASS"]
