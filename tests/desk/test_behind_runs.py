"""Who stands behind a run, and so does not approve it under four eyes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rebalancing.models import RunSchedule
from rebalancing.services.approvals import decide_run
from rebalancing.services.schedule_changes import make_schedule
from rebalancing.services.targets import decide_targets
from tests.desk.conftest import HASH, DeskWorld
from tests.desk.two_people import LOOSE, STRICT, codes
from tests.support.authenticator import with_code
from trading.domain.errors import RuleViolation

pytestmark = [pytest.mark.money]


def decided(run: Any, person: Any) -> Any:
    return decide_run(run.pk, HASH, person, "APPROVE", proof=with_code(person))


def _scheduled(desk: DeskWorld, by: str) -> Any:
    made = make_schedule(desk.account, {"at": timezone.now().time().replace(
        hour=10, minute=0, second=0, microsecond=0), "kind": "drift"}, by=by)  # fmt: skip
    return desk.run(requester=f"schedule:{made.pk}", set_by=made.changed_by)


@pytest.mark.parametrize(
    ("by", "policy", "expected"),
    [
        ("owner", STRICT, ["scheduler_may_not_approve"]),
        ("admin", STRICT, []),
        ("owner", LOOSE, []),
    ],
)
def test_who_changed_a_schedule_stands_behind_its_runs(
    staff: Client, targeted: DeskWorld, by: str, policy: str, expected: list[str]
) -> None:
    targeted.policy(policy)
    run = _scheduled(targeted, by)
    if not expected:
        decided(run, targeted.people["owner"])
        return
    with pytest.raises(RuleViolation) as error:
        decided(run, targeted.people["owner"])
    assert codes(error) == expected


def test_who_stands_behind_a_run_is_fixed_when_it_opens(staff: Client, targeted: DeskWorld) -> None:
    """Somebody else's touch of the schedule later sets nobody free."""
    targeted.policy(STRICT)
    run = _scheduled(targeted, "owner")
    RunSchedule.objects.update(changed_by="admin")
    with pytest.raises(RuleViolation):
        decided(run, targeted.people["owner"])
    decided(run, targeted.people["approver"])


@pytest.mark.parametrize(("policy", "asked"), [(STRICT, True), ("owner", True), (LOOSE, False)])
def test_outside_of_practice_an_approval_takes_a_second_factor(
    targeted: DeskWorld, policy: str, asked: bool
) -> None:
    """Law I11 asks it of every approval of two, whatever the environment."""
    targeted.policy(policy)
    run, person = targeted.run(requester="trader"), targeted.people["approver"]
    if not asked:
        assert decide_run(run.pk, HASH, person, "APPROVE").state == "APPROVED"
        return
    with pytest.raises(RuleViolation) as error:
        decide_run(run.pk, HASH, person, "APPROVE")
    assert codes(error) == ["second_factor_required"]
    assert decided(run, person).state == "APPROVED"


@pytest.mark.parametrize(("second", "stopped"), [("", True), ("approver", False)])
def test_who_decided_the_targets_alone_stands_behind_a_run_too(
    targeted: DeskWorld, second: str, stopped: bool
) -> None:
    targeted.policy(STRICT)
    old = targeted.extras["decision"]
    decision = decide_targets(
        targeted.account, old.model_version, list(old.sub_versions.all()),
        by="owner", second=second,
    )  # fmt: skip
    run = targeted.run(target=decision)
    if not stopped:
        decided(run, targeted.people["owner"])
        return
    with pytest.raises(RuleViolation) as error:
        decided(run, targeted.people["owner"])
    assert codes(error) == ["target_decider_may_not_approve"]
