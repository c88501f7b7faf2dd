"""One driver at a time: a living holder keeps the run, a dead or late one loses it for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from rebalancing.models import Run
from rebalancing.services.lease import lease
from tests.support.world import World
from trading.domain.errors import StateConflict
from trading.models import ProcessEpoch
from trading.services import epochs

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def test_whom_nobody_holds_up_drives_and_whom_somebody_does_gets_nothing(world: World) -> None:
    run = world.open()
    with lease(run.pk) as first:
        assert first is not None
        with lease(run.pk) as second:
            assert second is None
        first.update(due_at=world.now)
    with lease(run.pk) as third:
        assert third is not None


def test_a_driver_who_was_too_slow_can_move_nothing_and_frees_nothing(world: World) -> None:
    run = world.open()
    with lease(run.pk) as late:
        assert late is not None
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        taken = lease(run.pk)
        now_driving = taken.__enter__()
        assert now_driving is not None
        with pytest.raises(StateConflict), transaction.atomic():
            late.move("SNAPSHOT", at=world.now)
    with lease(run.pk) as somebody:
        assert somebody is None, "the late one's end freed what it no longer held"
    with transaction.atomic():
        now_driving.move("SNAPSHOT", at=world.now)
    taken.__exit__(None, None, None)
    assert Run.objects.get(pk=run.pk).lease == ""


@pytest.mark.parametrize("ended", [True, False])
def test_only_a_dead_holders_lease_is_taken_before_its_time(world: World, ended: bool) -> None:
    run = world.open()
    holder = ProcessEpoch.objects.create(
        host="elsewhere",
        pid=1,
        role="worker",
        started_at=timezone.now(),
        ended_at=timezone.now() if ended else None,
        build_id=epochs.current_epoch().build_id,
    )
    until = timezone.now() + timedelta(seconds=40)
    Run.objects.filter(pk=run.pk).update(lease="x", lease_until=until, lease_epoch=holder.pk)
    with lease(run.pk) as driver:
        assert (driver is not None) is ended


def test_an_ended_run_has_no_driver(world: World) -> None:
    run = world.drive(world.open(dry_run=True))
    with lease(run.pk) as driver:
        assert driver is None
