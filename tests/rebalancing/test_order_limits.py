"""Limits of an account as rows: what they stop, what they let through, and what a plan in flight follows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from portfolio.models import ModelPortfolio, SubPortfolio
from portfolio.services import create_model_version
from rebalancing.models import Leg, Run
from rebalancing.selectors.words import end_said
from rebalancing.services.targets import decide_targets
from tests.support.world import World
from trading.domain.errors import InputError
from trading.models import Alert, Intent, RuleCheck, TradingLimits
from trading.selectors.limits import limits_in_force
from trading.services.limits import add_limits

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def vetoed(run: Run) -> set[str]:
    checks = RuleCheck.objects.filter(intent__origin_id=run.pk, verdict="VETO")
    return {row["rule"] for check in checks for row in check.results if not row["passed"]}


CAPS = [
    ({"max_order_won": 1_000_000}, "order_amount"),
    ({"max_ticker_day_won": 1_000_000}, "ticker_amount"),
    ({"max_run_won": 1_000_000}, "run_amount"),
    ({"max_day_won": 1_000_000}, "day_amount"),
    ({}, ""),
]
NAMES = ["order", "name", "run", "day", "none"]


@pytest.mark.parametrize(("limits", "rule"), CAPS, ids=NAMES)
def test_a_plan_beyond_its_accounts_limits_does_not_begin(
    world: World, limits: dict[str, int], rule: str
) -> None:
    if limits:
        add_limits(world.account, limits, by="owner")
    run = world.drive(world.open())
    if not rule:
        assert run.state == "COMPLETED" and world.accepted()
        return
    assert (run.state, run.end_reason) == ("VETOED", f"over_{rule}")
    assert run.end_facts["won"] > run.end_facts["max"] == 1_000_000, run.end_facts
    assert not world.accepted() and "%(" not in end_said(run.end_reason, run.end_facts)


@pytest.mark.parametrize(("limits", "rule"), CAPS, ids=NAMES)
def test_an_order_of_an_approved_plan_is_held_by_what_was_tightened_since(
    world: World, limits: dict[str, int], rule: str
) -> None:
    run = world.drive(world.open(), until="SELLING")
    if limits:
        add_limits(world.account, limits, by="owner")
    run = world.drive(run)
    if not rule:
        assert vetoed(run) == set() and run.state == "COMPLETED"
        return
    assert vetoed(run) == {rule}
    for order in world.accepted():
        assert int(order["qty"]) * int(order["price"] or 0) <= next(iter(limits.values()))
    assert run.state == "COMPLETED_WITH_SHORTFALL"


BEFORE = [
    ({"per_day": 3}, "order_count"),
    ({"per_minute": 0}, "pace"),
    ({"per_minute": 2}, "pace"),
    ({"per_day": 11}, "order_count"),
    ({"collar_percent": Decimal("0.10")}, "price_collar"),
    ({"volume_share_percent": Decimal("0.01")}, "volume_share"),
]


@pytest.mark.parametrize(
    ("limits", "rule"), BEFORE, ids=["orders", "no minute", "minute", "chased", "collar", "volume"]
)
def test_a_plan_that_the_gate_would_stop_half_way_does_not_begin(
    world: World, limits: dict[str, Any], rule: str
) -> None:
    add_limits(world.account, limits, by="owner")
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("VETOED", f"over_{rule}")
    assert not world.accepted() and "%(" not in end_said(run.end_reason, run.end_facts)


@pytest.mark.parametrize(
    "limits",
    [{"per_day": 12}, {"per_minute": 4}, {"collar_percent": Decimal("0.30")}],
    ids=["orders", "minute", "collar"],
)
def test_a_plan_that_just_fits_is_done_whole(world: World, limits: dict[str, Any]) -> None:
    add_limits(world.account, limits, by="owner")
    run = world.drive(world.open())
    assert run.state == "COMPLETED" and vetoed(run) <= {"pace"}


def test_every_limit_that_a_plan_passes_is_told_at_once_and_once_that_nothing_was_sent(
    world: World,
) -> None:
    add_limits(world.account, {"per_day": 3, "max_day_won": 1_000_000, "per_minute": 1}, by="owner")
    run = world.drive(world.open())
    told = end_said(run.end_reason, run.end_facts)
    for said in ("하루 한도 1,000,000원", "하루 한도 3건", "2분 안에 나가지"):
        assert said in told, told
    assert told.count("주문은 나가지 않았습니다.") == 1 and "%(" not in told
    assert end_said("over_day_amount", {"won": 5, "max": 4}).endswith("나가지 않았습니다.")


def spend(world: World) -> Run:
    """A first run trades; then its target stands on its head, so that there is something to do again."""
    first = world.drive(world.open())
    assert first.state == "COMPLETED"
    world.settle()
    other = {"STOCK": 30, "BOND": 50, "ALTERNATIVE": 10, "CASH": 10}
    model = ModelPortfolio.objects.get()
    weights = {name: Decimal(weight).quantize(Decimal("0.01")) for name, weight in other.items()}
    version = create_model_version(model, weights, by="test")
    subs = [sub.versions.order_by("-pk")[0] for sub in SubPortfolio.objects.all()]
    decide_targets(world.account, version, subs, by="test")
    return first


def amount_of(run: Run) -> int:
    return sum(Intent.objects.filter(origin_id=run.pk).values_list("filled_amount", flat=True))


@pytest.mark.parametrize("spent", [True, False], ids=["spent", "room"])
def test_what_the_day_has_spent_is_asked_before_anything_is_sold(world: World, spent: bool) -> None:
    first = spend(world)
    room = 1 if spent else 10**9
    add_limits(world.account, {"max_day_won": amount_of(first) + room}, by="owner")
    before = len(world.accepted())
    run = world.drive(world.open())
    if spent:
        assert (run.state, run.end_reason) == ("VETOED", "over_day_amount")
        assert len(world.accepted()) == before
    else:
        assert run.state == "COMPLETED" and len(world.accepted()) > before


@pytest.mark.parametrize("tightened", [True, False])
def test_tightened_while_a_plan_waited_to_be_sent_ends_it_with_nothing_sent(
    world: World, tightened: bool
) -> None:
    run = world.drive(world.open(), until="APPROVED")
    if tightened:
        add_limits(world.account, {"max_day_won": 1_000_000}, by="owner")
    run = world.drive(run)
    if not tightened:
        assert run.state == "COMPLETED" and world.accepted()
        return
    assert (run.state, run.end_reason) == ("CANCELED", "over_day_amount")
    assert not world.accepted() and not Intent.objects.exists()
    assert Alert.objects.filter(code="run_vetoed", run_id=run.pk).exists()


@pytest.mark.parametrize("limits", [{"per_day": 1}, {"per_minute": 0}], ids=["day", "minute"])
def test_orders_used_up_in_flight_are_final_and_not_waited_for(
    world: World, limits: dict[str, int]
) -> None:
    run = world.drive(world.open(), until=lambda _run: len(world.accepted()) == 1)
    add_limits(world.account, limits, by="owner")
    started = world.now
    ended = world.drive(run)
    assert ended.state == "COMPLETED_WITH_SHORTFALL"
    assert {"order_count"} <= vetoed(ended) <= {"order_count", "pace"}
    legs = Leg.objects.filter(run=run).count()
    assert RuleCheck.objects.filter(verdict="VETO").count() <= legs, "each is asked once"
    assert Intent.objects.filter(origin_id=run.pk).count() <= legs + 2
    assert world.now - started < timedelta(minutes=10)


def test_loosened_in_the_very_moment_of_the_approval_counts_as_loosened_after_it(
    world: World,
) -> None:
    add_limits(world.account, {"max_day_won": 5_000_000}, by="owner")
    now = world.now
    TradingLimits.objects.bulk_create(
        [TradingLimits(account=world.account, created_at=now, created_by="owner")]
    )
    assert limits_in_force(world.account, now).max_day_won == 5_000_000
    world.sim.advance(1)
    assert limits_in_force(world.account, world.now).max_day_won == 20_000_000_000


def test_what_is_spent_counts_and_what_came_to_nothing_does_not(world: World) -> None:
    """The day's cap is on what traded or may trade: exactly that of a whole run lets the run through."""
    run = world.drive(world.open())
    amounts = Intent.objects.filter(origin_id=run.pk, action="order")
    most = max(check.inputs["day_won"] for check in RuleCheck.objects.all())
    traded = sum(amount for amount in amounts.values_list("filled_amount", flat=True))
    assert 0 < most <= traded
    last = RuleCheck.objects.filter(verdict="PASS", intent__action="order").order_by("-pk")[0]
    assert last.inputs["run_won"] == last.inputs["day_won"]
    assert last.inputs["limits"]["max_day_won"] == 20_000_000_000


def test_nobody_loosens_what_a_plan_in_flight_was_approved_under(world: World) -> None:
    planned = world.now
    add_limits(world.account, {"max_day_won": 5_000_000}, by="owner")
    world.sim.advance(60)
    approved = world.now
    world.sim.advance(60)
    add_limits(world.account, {"max_day_won": 9_000_000, "per_day": 50}, by="owner")
    account = world.account
    assert limits_in_force(account, approved).max_day_won == 5_000_000, "looser later: as approved"
    assert limits_in_force(account, approved).per_day == 50, "tighter later: at once"
    world.sim.advance(1)
    assert limits_in_force(account, world.now).max_day_won == 9_000_000, "a plan of now"
    assert limits_in_force(account).max_day_won == 9_000_000
    assert limits_in_force(account, planned - timedelta(hours=1)).max_day_won == 5_000_000


def test_a_stop_by_a_limit_in_flight_ends_the_run_short_and_tells(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    add_limits(world.account, {"max_order_won": 0}, by="owner", reason="stop")
    ended = world.drive(run)
    assert ended.state == "COMPLETED_WITH_SHORTFALL" and not world.accepted()
    assert Leg.objects.filter(run=run).exists()


@pytest.mark.once
@pytest.mark.parametrize(
    "values",
    [{"collar_percent": "3.01"}, {"per_day": 201}, {"max_day_won": -1}, {"per_minute": 61}],
)
def test_a_row_is_never_looser_than_the_code(world: World, values: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        add_limits(world.account, values, by="owner")
    assert not TradingLimits.objects.exists()


@pytest.mark.once
def test_a_row_that_changes_nothing_is_not_made(world: World) -> None:
    add_limits(world.account, {"per_day": 5, "per_minute": 10}, by="owner")
    with pytest.raises(InputError, match="limits_unchanged"):
        add_limits(world.account, {"per_day": 5, "per_minute": 10}, by="owner")
    add_limits(world.account, {"per_day": 5, "per_minute": 9}, by="owner")
    assert TradingLimits.objects.count() == 2


def test_a_row_stays_as_it_was_made(world: World) -> None:
    add_limits(world.account, {"per_day": 5}, by="owner")
    with pytest.raises(DatabaseError), transaction.atomic():
        TradingLimits.objects.update(per_day=200)
