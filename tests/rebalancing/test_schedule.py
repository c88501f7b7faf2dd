"""Runs nobody asked for: a slot fires once, and a policy approves only inside its limits."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from rebalancing.models import Leg, Run, RunSchedule
from rebalancing.services.advance import run_advance
from rebalancing.services.approvals import _require_allowed, automatic_grounds, decide_run
from rebalancing.services.schedule import fire_due_schedules
from tests.support.orders import Orders
from tests.support.world import World, world_of
from trading.domain.errors import RuleViolation
from trading.models import Alert, Approval, ApprovalPolicy, Attempt, AuditEntry, ScheduleFire
from trading.services.alerts import alert
from trading.services.switches import account_scope, engage

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def scheduled(world: World, at: time = time(9, 36), **policy: Any) -> RunSchedule:
    ApprovalPolicy.objects.create(
        account=world.account,
        kind="owner_practice",
        created_by="test",
        **({"automatic": True, "max_turnover_percent": 60, "max_cost_won": 500_000} | policy),
    )
    return RunSchedule.objects.create(account=world.account, at=at)


def fired(world: World) -> Run:
    world.sim.advance(90)
    (run_id,) = fire_due_schedules()
    return Run.objects.get(pk=run_id)


def test_a_scheduled_run_finishes_with_nobody_logged_in(world: World) -> None:
    schedule = scheduled(world)
    run = world.drive(fired(world), approve=False)
    assert run.state == "COMPLETED"
    approval = Approval.objects.get()
    assert approval.approver.startswith("policy:") and approval.policy == "automatic"
    assert run.requester == f"schedule:{schedule.pk}"
    entry = AuditEntry.objects.get(action="run_approved")
    assert (entry.actor, entry.object) == (approval.approver, f"run:{run.pk}")


def test_a_slot_fires_once_whoever_looks(world: World) -> None:
    scheduled(world)
    world.sim.advance(90)
    assert len(fire_due_schedules()) == 1
    assert fire_due_schedules() == []
    assert ScheduleFire.objects.count() == 1


def test_a_slot_that_is_too_late_is_skipped_with_a_record(world: World) -> None:
    scheduled(world, at=time(9, 10))
    assert fire_due_schedules() == []
    assert AuditEntry.objects.filter(action="slot_skipped").count() == 1
    assert Alert.objects.get(code="slot_skipped").account == world.account
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("policy", "ground"),
    [
        ({"automatic": False}, "automatic_off"),
        ({"max_turnover_percent": 1}, "turnover"),
        ({"max_cost_won": 10}, "cost"),
    ],
)
def test_outside_its_limits_the_policy_leaves_it_to_a_person(
    world: World, policy: dict[str, Any], ground: str
) -> None:
    scheduled(world, **policy)
    run = world.drive(fired(world), approve=False)
    assert run.state == "AWAITING_APPROVAL"
    assert ground in {row["code"] for row in run.outcome["not_automatic"]}
    assert world.accepted() == []


def test_a_person_who_asks_also_approves(world: World) -> None:
    scheduled(world)
    run = world.drive(world.open(), approve=False)
    assert run.state == "AWAITING_APPROVAL"
    assert {row["code"] for row in run.outcome["not_automatic"]} == {"a_person_asked"}


def test_first_funding_is_never_automatic(transactional_db: None, settings: Any) -> None:
    with world_of(holdings={}, cash=100_000_000) as world:
        scheduled(world, max_turnover_percent=100, max_cost_won=10_000_000)
        run = world.drive(fired(world), approve=False)
        assert run.state == "AWAITING_APPROVAL"
        assert "first_funding" in {row["code"] for row in run.outcome["not_automatic"]}


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "Pacific/Kiritimati"])
def test_after_an_unknown_order_nothing_is_automatic(
    world: World, settings: Any, zone: str
) -> None:
    settings.TIME_ZONE = zone  # the pages' zone decides nothing
    scheduled(world)
    alert("order_unknown", account=world.account, intent_id=1)
    run = world.drive(fired(world), approve=False)
    assert "unknown_today" in {row["code"] for row in run.outcome["not_automatic"]}


@pytest.mark.parametrize(
    ("state", "age", "doubtful"),
    [
        ("UNKNOWN", 30, True),
        ("ABSENT", 30, True),
        ("ABSENT", 24 * 3600, False),
        ("REJECTED", 30, False),
    ],
)
def test_an_order_without_a_known_end_today_leaves_it_to_a_person(
    world: World, state: str, age: int, doubtful: bool
) -> None:
    run = world.drive(
        world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists()
    )
    Orders(world, Attempt.objects.get()).attempt(state, age=age)
    grounds = {reason.code for reason in automatic_grounds(run, needs_person=False)}
    assert ("unknown_today" in grounds) is doubtful


@pytest.mark.parametrize(("percent", "state"), [("1.00", "STALE"), ("2.00", "SELLING")])
def test_what_a_policy_approved_keeps_to_the_policys_own_price_limit(
    world: World, percent: str, state: str
) -> None:
    scheduled(world, max_price_move_percent=percent)
    run = world.drive(fired(world), until="APPROVED", approve=False)
    leg = Leg.objects.filter(run=run).order_by("quantity").first()
    assert leg is not None
    tick = 100 if leg.instrument_id == "005930" else 5
    world.sim.set_price(leg.instrument_id, leg.reference_price * 1015 // 1000 // tick * tick)
    run_advance(run.pk)
    assert Run.objects.get(pk=run.pk).state == state


@pytest.mark.parametrize(
    ("environment", "codes"),
    [("sim", []), ("real", ["second_factor_required", "practice_policy_on_real_account"])],
)
def test_a_practice_policy_approves_nothing_on_a_real_account(
    world: World, environment: str, codes: list[str]
) -> None:
    run = world.drive(world.open(), approve=False)
    ApprovalPolicy.objects.filter(account=world.account).update(agreed_by="second")
    run.account.environment = environment
    found: list[str] = []
    try:
        _require_allowed(run, world.owner, "APPROVE")
    except RuleViolation as refused:
        found = [reason.code for reason in refused.reasons]
    assert found == codes


def test_an_owners_plan_waits_for_a_second_factor_and_may_be_rejected_without_one(
    world: World,
) -> None:
    run = world.drive(world.open(), approve=False)
    ApprovalPolicy.objects.create(
        account=world.account, kind="owner", created_by="kim", agreed_by="lee"
    )
    with pytest.raises(RuleViolation) as refused:
        decide_run(run.pk, run.plan_hash, world.owner, "APPROVE")
    assert [reason.code for reason in refused.value.reasons] == ["second_factor_required"]
    assert decide_run(run.pk, run.plan_hash, world.owner, "DENY").state == "DENIED"


def test_a_plan_nobody_decides_expires_with_an_alert(world: World) -> None:
    scheduled(world, automatic=False)
    run = world.drive(fired(world), approve=False)
    world.sim.advance(601)
    run_advance(run.pk)
    assert Run.objects.get(pk=run.pk).state == "APPROVAL_EXPIRED"
    assert Alert.objects.filter(code="approval_expired").exists()


def test_a_stopped_account_is_not_scheduled(world: World) -> None:
    scheduled(world)
    engage(account_scope(world.account), "HALTED", "t", "drill")
    world.sim.advance(90)
    assert fire_due_schedules() == []
    assert Alert.objects.filter(code="schedule_refused").exists()
