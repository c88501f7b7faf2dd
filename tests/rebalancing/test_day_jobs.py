"""The jobs of the day: the morning's check and the close, once a session, and told when missed."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from rebalancing.domain.day_jobs import CHECK, CLOSE
from rebalancing.models import RunSchedule
from rebalancing.services import watch
from rebalancing.services.day_jobs import _tell_missed, closing_snapshots, run_day_jobs
from tests.rebalancing.test_schedule_kinds import world_at
from tests.support.world import World
from trading.domain.sessions import KRX, SEOUL
from trading.models import Alert, AuditEntry, Enumeration, ScheduleFire, Snapshot

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def at_minute(world: World, clock: str) -> list[str]:
    """Go to that time, look at the account, and do what is due."""
    now = world.now
    moment = datetime.combine(now.date(), time.fromisoformat(clock), now.tzinfo)
    world.sim.advance((moment - now).total_seconds())
    watch.refresh_accounts()
    return run_day_jobs()


def outcome(job: str) -> str | None:
    return ScheduleFire.objects.filter(job=job).values_list("outcome", flat=True).first()


@pytest.mark.once
def test_the_check_says_that_nothing_will_act_on_a_drift(world: World) -> None:
    name = CHECK.name_for(world.account.pk)
    assert at_minute(world, "09:39") == []
    assert at_minute(world, "09:40") == [name]
    assert run_day_jobs() == [], "once a day"
    assert Alert.objects.get(code="drift_waits").facts["count"] > 0
    assert outcome(name) == "done"


@pytest.mark.once
def test_the_check_is_quiet_where_a_schedule_acts_and_waits_for_a_fresh_look(world: World) -> None:
    name = CHECK.name_for(world.account.pk)
    world.sim.advance(400)
    assert run_day_jobs() == [] and outcome(name) == "started", "nobody has looked yet"
    RunSchedule.objects.create(account=world.account, at=time(10, 0), since=world.now)
    watch.refresh_accounts()
    assert run_day_jobs() == [], "another worker may still be at it"
    world.sim.advance(121)
    watch.refresh_accounts()
    assert run_day_jobs() == [name]
    assert outcome(name) == "quiet"
    assert not Alert.objects.filter(code="drift_waits").exists()


def test_the_close_reads_every_order_and_keeps_the_balance(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "KEPT", 1)
    with world_at("2026-11-20 15:39") as world:
        name = CLOSE.name_for(world.account.pk)
        assert name not in run_day_jobs()
        world.sim.advance(60)
        assert run_day_jobs() == [name]
        assert Enumeration.objects.filter(account=world.account, complete=True).exists()
        (kept,) = closing_snapshots(world.account)
        for _ in range(3):
            world.sim.advance(61)
            watch.refresh_accounts()
        assert Snapshot.objects.filter(pk=kept).exists()
        assert run_day_jobs() == []
        missed = ScheduleFire.objects.get(job=CHECK.name_for(world.account.pk))
        assert missed.outcome == "skipped"
        assert not Alert.objects.filter(code="check_missed").exists(), "it never ran here before"


@pytest.mark.once
def test_a_check_that_can_no_longer_be_made_is_told_once(transactional_db: None) -> None:
    with world_at("2026-11-20 15:20") as world:
        name = CHECK.name_for(world.account.pk)
        ScheduleFire.objects.create(
            job=name,
            slot="2026-11-19T09:40",
            fired_at=world.now - timedelta(days=1),
            account=world.account,
            outcome="quiet",
        )
        assert run_day_jobs() == [] and run_day_jobs() == []
        assert Alert.objects.get(code="check_missed").facts["when"] == "2026-11-20 09:40"
        assert AuditEntry.objects.filter(action="day_job_missed").count() == 1
        assert outcome(name) == "skipped"


def test_a_close_that_was_slept_through_is_told_the_next_morning(world: World) -> None:
    """A real market goes on without us; a simulated one stands still while nobody runs it."""
    account, morning = world.account, datetime(2026, 11, 23, 8, 0, tzinfo=SEOUL)
    ScheduleFire.objects.create(
        job=CLOSE.name_for(account.pk), slot="2026-11-19T15:40", fired_at=morning, account=account
    )
    _tell_missed(account, CLOSE, morning, KRX)
    assert not Alert.objects.exists()
    account.environment = "real"
    for _ in range(2):
        _tell_missed(account, CLOSE, morning, KRX)
    assert Alert.objects.get(code="close_missed").facts["when"] == "2026-11-20 15:40"
