"""`manage.py check_config`: each thing has a case it calls well and one it calls wrong, with what to do."""

from __future__ import annotations

import json
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from config import self_check
from config.self_check import FAIL, OFF, OK, WARN, Finding, findings
from rebalancing.services.heartbeat import beat
from tests.support.world import World
from trading.models import Account
from trading.services.anchors import drop_anchor
from trading.services.audit import audit

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]


def found(name: str, **options: Any) -> Finding:
    options.setdefault("ask_broker", False)
    return next(one for one in findings(**options) if one.name == name)


def said(*words: str) -> tuple[int, str]:
    out, status = StringIO(), 0
    try:
        call_command("check_config", *words, stdout=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, out.getvalue()


def test_a_demo_that_runs_is_called_fit(world: World) -> None:
    beat()
    status, text = said("--json")
    document = json.loads(text)
    assert (status, document["ok"]) == (0, True)
    states = {one["name"]: one["state"] for one in document["findings"]}
    assert states["database"] == states["keys"] == states["worker"] == states["calendar"] == OK
    assert states[f"account {world.account.pk}"] == OK
    assert states["live"] == states["alerts"] == OFF
    assert "8,400,000" in found(f"account {world.account.pk}", ask_broker=True).found


def test_every_wrong_thing_says_what_to_do(world: World, settings: Any) -> None:
    settings.SIM_CLOCK_URL = "http://127.0.0.1:1/__sim/health"
    status, text = said()
    assert status == 1
    assert "start the simulator" in text
    wrong = [one for one in findings(ask_broker=False) if one.state in (WARN, FAIL)]
    assert wrong and all(one.todo for one in wrong)


def test_a_broker_that_refuses_the_keys_is_named(world: World) -> None:
    name = f"account {world.account.pk}"
    assert found(name, ask_broker=True).state == OK
    Account.objects.filter(pk=world.account.pk).update(wire="mock")
    assert found(name, ask_broker=True).state == FAIL


@pytest.mark.parametrize(
    ("change", "name", "state"),
    [
        ({"FIELD_KEYS": ["short"]}, "keys", FAIL),
        ({"AUDIT_KEY": ""}, "keys", FAIL),
        ({"LIVE_TRADING": True, "SERVER": False}, "live", FAIL),
        ({"LIVE_TRADING": True, "SERVER": True}, "live", WARN),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "redis", FAIL),
        ({"REDIS_URL": ""}, "redis", OFF),
    ],
)
def test_settings(settings: Any, change: dict[str, Any], name: str, state: str) -> None:
    for key, value in change.items():
        setattr(settings, key, value)
    assert found(name).state == state


def test_a_record_that_is_not_the_one_anchored(settings: Any) -> None:
    assert found("record").state == OK and "no anchor yet" in found("record").found
    with transaction.atomic():
        audit("tester", "tested", "row:1")
    assert drop_anchor()
    assert found("record").state == OK and "newest" in found("record").found
    path = Path(settings.AUDIT_ANCHORS)
    path.write_text(path.read_text().replace('"seq": 1', '"seq": 2'))
    assert found("record").state == FAIL and "row 2" in found("record").found
    path.write_text("no anchor\n")
    assert found("record").state == FAIL and "cannot be read" in found("record").found


def test_nobody_in_a_role_and_a_worker_that_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "last_beat", lambda: None)
    assert found("people").state == WARN and "admin" in found("people").found
    assert found("worker").state == WARN


def test_a_table_of_sessions_that_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("calendar").state == OK
    monkeypatch.setattr(self_check, "EXAM_DAYS", frozenset({date.today() - timedelta(days=1)}))
    assert found("calendar").state == WARN
    monkeypatch.setattr(self_check, "AHEAD", timedelta(days=36_500))
    assert found("calendar").state == FAIL
