"""The demo account by itself: its schedule switched on as a person would, and nobody there afterwards."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from rebalancing.models import Run, RunSchedule
from rebalancing.services.demo import DEMO_USER, demo_files, load_demo
from rebalancing.services.wakeups import make_wakeups
from rebalancing.services.watch import refresh_accounts
from rebalancing.tasks import sweep
from tests.support.world import World, _restored
from trading.domain.sessions import SEOUL
from trading.models import Account, Alert, Approval, ScheduleFire
from trading.services.clock import simulated_clock
from trading.simulator import Simulator

pytestmark = [pytest.mark.money, pytest.mark.once, pytest.mark.django_db(transaction=True)]

START = datetime(2026, 11, 20, 9, 35, tzinfo=SEOUL)


def as_a_newcomer(account: Account, **limits: str) -> None:
    """In the admin: a policy with these limits, and the demo's own schedule switched on."""
    client = Client()
    client.force_login(get_user_model().objects.get(username=DEMO_USER))
    policy = {"account": str(account.pk), "kind": "owner_practice", "automatic": "on"}
    made = client.post("/admin/trading/approvalpolicy/add/", policy | limits)
    assert made.status_code == 302, made.content.decode()
    schedule = RunSchedule.objects.get(account=account)
    assert (f"{schedule.at:%H:%M}", schedule.kind, schedule.enabled) == ("09:40", "drift", False)
    answer = client.post(
        f"/admin/rebalancing/runschedule/{schedule.pk}/change/",
        {
            "account": str(account.pk),
            "kind": "drift",
            "at": "09:40",
            "period": "month",
            "edge": "last",
            "min_flow_won": "1000000",
            "planner": "rules",
            "enabled": "on",
        },
    )
    assert answer.status_code == 302, answer.content.decode()


def test_an_unattended_run_on_the_demo_account_finishes_by_policy(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr("rebalancing.tasks.advance.delay", woken.append)
    make_wakeups()
    account = Account.objects.get(pk=load_demo()["account"])
    rows: list[dict[str, Any]] = json.loads(demo_files().accounts.read_text(encoding="utf-8"))
    names = ("KIS_HOSTS", "SIM_CLOCK_URL", "KIS_TOKEN_INTERVAL_SECONDS", "KIS_RATE_PER_SECOND")
    before = {name: getattr(settings, name) for name in names}
    with (
        Simulator(accounts=rows, seed=11, tame=True, throttled=False, start=START) as sim,
        _restored(before),
    ):
        settings.KIS_HOSTS = settings.KIS_HOSTS | {"real": sim.base_url}
        settings.SIM_CLOCK_URL = f"{sim.control_url}/__sim/health"
        settings.KIS_TOKEN_INTERVAL_SECONDS = 0
        settings.KIS_RATE_PER_SECOND = {"real": 500, "mock": 500}
        simulated_clock.cache_clear()
        world = World(sim, account, None)
        as_a_newcomer(
            account,
            max_turnover_percent="60",
            max_cost_won="500000",
            max_price_move_percent="2",
        )
        sim.advance(295)
        sweep()
        assert woken == [], "it is not yet 09:40"
        sim.advance(6)
        refresh_accounts()
        sweep()
        (run_id,) = woken
        run = world.drive(Run.objects.get(pk=run_id), approve=False)
        assert run.state == "COMPLETED"
        assert (run.requester_kind, run.trigger_kind) == ("schedule", "drift")
        assert Approval.objects.get().policy == "automatic"
        assert ScheduleFire.objects.get().facts["run"] == run.pk
        assert not Alert.objects.filter(severity="page").exists()
