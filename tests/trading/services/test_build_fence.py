"""Old and new code together send nothing: one build at a time, and the next when nothing of it is left."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from tests.support.orders import Orders
from tests.support.past import made_late
from tests.support.world import World
from trading.models import Attempt, ProcessEpoch, RuleCheck
from trading.selectors.sent import sent_since
from trading.services import epochs
from trading.services.build_fence import build_in_the_way

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
OLD = "the build of yesterday"


@pytest.fixture
def orders(world: World) -> Orders:
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    return Orders(world, Attempt.objects.get())


def life(build: str, *, host: str = "elsewhere", ended: bool = False) -> ProcessEpoch:
    here = epochs.current_epoch()
    now = timezone.now()
    return ProcessEpoch.objects.create(
        host=here.host if host == "here" else host,
        pid=4_000_000 if host == "here" else 1,
        role="worker",
        build_id=build,
        started_at=now,
        ended_at=now if ended else None,
    )


def in_the_way_now(orders: Orders, now: datetime) -> str:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return build_in_the_way(sent_since(orders.world.account, midnight), now)


@pytest.mark.parametrize(
    ("build", "host", "ended", "state", "age", "in_the_way"),
    [
        (OLD, "elsewhere", False, "ACKED", 60, True),
        (OLD, "elsewhere", False, "REJECTED", 540, True),
        (OLD, "elsewhere", False, "ACKED", 660, False),
        (OLD, "elsewhere", True, "ACKED", 1, False),
        (OLD, "elsewhere", True, "UNKNOWN", 1, True),
        (OLD, "elsewhere", False, "UNKNOWN", 660, True),
        (OLD, "here", False, "ACKED", 1, False),
        (OLD, "here", False, "SENDING", 1, True),
        ("ours", "elsewhere", False, "ACKED", 1, False),
        ("ours", "elsewhere", False, "UNKNOWN", 1, False),
    ],
)
def test_what_another_build_sent_today_bars_this_one_until_it_is_over(
    orders: Orders, build: str, host: str, ended: bool, state: str, age: int, in_the_way: bool
) -> None:
    """`here` is a process of this machine that is gone without having said so."""
    build = settings.BUILD_ID if build == "ours" else build
    orders.pattern.epoch = life(build, host=host, ended=ended)
    orders.attempt(state, age=age)
    found = in_the_way_now(orders, orders.world.now)
    assert found == (build if in_the_way else "")


def test_yesterdays_build_and_another_accounts_bar_nothing(orders: Orders) -> None:
    orders.pattern.epoch = life(OLD)
    orders.attempt("ACKED")
    tomorrow = orders.world.now + timedelta(days=1)
    assert in_the_way_now(orders, tomorrow) == ""


def test_a_run_waits_for_the_other_build_to_end_and_then_goes_on(world: World) -> None:
    run = world.drive(
        world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists()
    )
    old = life(OLD)
    with made_late("trading_attempt"):
        Attempt.objects.update(epoch=old)
    sent = Attempt.objects.filter(action="order").count()
    world.drive(run, until=lambda _run: RuleCheck.objects.filter(verdict="VETO").count() >= 2)
    assert Attempt.objects.filter(action="order").count() == sent
    refused = {
        one["rule"]
        for check in RuleCheck.objects.filter(verdict="VETO")
        for one in check.results
        if not one["passed"]
    }
    assert refused == {"one_build"}
    ProcessEpoch.objects.filter(pk=old.pk).update(ended_at=timezone.now())
    assert world.drive(run).state == "COMPLETED"
