"""Schedules, policies, stops and alerts by the API: the refusals of the pages, and nothing half done."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from config.throttles import WriteThrottle
from rebalancing.models import RunSchedule
from tests.rebalancing.contract_calls import BASE, client_for
from tests.support.authenticator import enrolled
from tests.support.world import World, make_user
from trading.models import Account, AccountMember, Alert, ApprovalPolicy, AuditEntry, Switch
from trading.selectors.policies import policy_in_force
from trading.services.alerts import alert
from trading.services.switches import switch_state

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
SCHEDULES, POLICIES = f"{BASE}/rebalancing/schedules", f"{BASE}/approval-policies"
SWITCHES = f"{BASE}/switches"


@pytest.fixture
def owner(world: World) -> APIClient:
    return client_for(world.owner)


def member(world: World, *roles: str) -> APIClient:
    user = make_user("-".join(("member", *roles)), *roles)
    AccountMember.objects.create(account=world.account, user=user)
    return client_for(user)


def audits(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


# --- schedules ----------------------------------------------------------------------------------
def test_a_schedule_is_made_counts_from_now_and_is_on_record(
    world: World, owner: APIClient
) -> None:
    body = {"account": world.account.pk, "at": "09:40", "kind": "periodic", "inside_bands": True}
    made = owner.post(SCHEDULES, body, format="json")
    assert made.status_code == 201, made.content
    row = RunSchedule.objects.get()
    assert (row.kind, row.at, row.inside_bands) == ("periodic", time(9, 40), True)
    assert row.since is not None and made.json()["next_at"] is not None
    assert audits("schedule_changed") == 1
    assert owner.get(f"{SCHEDULES}/{row.pk}").json() == made.json()


@pytest.mark.once
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"at": "08:59"}, "schedule_outside_session"),
        ({"at": "15:10"}, "schedule_outside_session"),
        ({"at": "09:40:30"}, "schedule_whole_minutes"),
        ({"kind": "cash_flow", "min_flow_won": 0}, "schedule_needs_minimum"),
        ({"inside_bands": True}, "schedule_bands_only_periodic"),
        ({"at": "０９:４０"}, "at"),
        ({"at": "25:00"}, "at"),
        ({"at": 940}, "at"),
        ({"at": None}, "at"),
        ({"at": "9:40"}, "at"),
        ({"min_flow_won": "1,000"}, "min_flow_won"),
        ({"min_flow_won": True}, "min_flow_won"),
        ({"min_flow_won": -1}, "min_flow_won"),
        ({"min_flow_won": 1.5}, "min_flow_won"),
        ({"min_flow_won": 10**15 + 1}, "min_flow_won"),
        ({"min_flow_won": "１０"}, "min_flow_won"),
        ({"kind": "yearly"}, "kind"),
        ({"planner": "fallback"}, "planner"),
        ({"enabled": "yes"}, "enabled"),
        ({"since": "2026-01-01T00:00:00+09:00"}, "since"),
        ({"account": "1; DROP"}, "account"),
    ],
)
def test_an_impossible_schedule_is_refused_for_a_new_one_and_for_a_change(
    world: World, owner: APIClient, values: dict[str, Any], code: str
) -> None:
    body = {"account": world.account.pk, "at": "09:40"} | values
    refused = owner.post(SCHEDULES, body, format="json")
    assert refused.status_code == 400
    told = refused.json()
    assert code in (told.get("errors") or {each["code"] for each in told["violations"]})
    assert not RunSchedule.objects.exists() and audits("schedule_changed") == 0
    kept = RunSchedule.objects.create(account=world.account, at=time(10))
    changed = owner.patch(f"{SCHEDULES}/{kept.pk}", values, format="json")
    assert changed.status_code == 400
    before = RunSchedule.objects.filter(pk=kept.pk).values().get()
    kept.refresh_from_db()
    assert {k: getattr(kept, k) for k in before} == before and kept.at == time(10)


@pytest.mark.once
def test_two_schedules_at_one_time_are_a_conflict_in_words(world: World, owner: APIClient) -> None:
    RunSchedule.objects.create(account=world.account, at=time(9, 40))
    other = RunSchedule.objects.create(account=world.account, at=time(10))
    body = {"account": world.account.pk, "at": "09:40"}
    for answer in (
        owner.post(SCHEDULES, body, format="json"),
        owner.patch(f"{SCHEDULES}/{other.pk}", {"at": "09:40"}, format="json"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "schedule_time_taken")
        assert answer.json()["detail"] == "이 계좌에는 09:40의 예약이 이미 있습니다."
    assert RunSchedule.objects.count() == 2 and audits("schedule_changed") == 0


def test_a_change_of_its_time_begins_anew_of_its_lateness_does_not_and_of_nothing_is_none(
    world: World, owner: APIClient
) -> None:
    long_ago = timezone.now() - timedelta(days=3000)
    row = RunSchedule.objects.create(account=world.account, at=time(9, 40), since=long_ago)
    path = f"{SCHEDULES}/{row.pk}"
    for body, audited, anew in (
        ({}, 0, False),
        ({"at": "09:40", "enabled": True}, 0, False),
        ({"catch_up": True}, 1, False),
        ({"at": "10:00"}, 2, True),
    ):
        assert owner.patch(path, body, format="json").status_code == 200
        row.refresh_from_db()
        assert audits("schedule_changed") == audited
        assert (row.since != long_ago) is anew
    assert row.catch_up and row.at == time(10)


@pytest.mark.once
def test_schedules_are_made_and_changed_by_admins_for_accounts_of_their_own(world: World) -> None:
    body = {"account": world.account.pk, "at": "09:40"}
    row = RunSchedule.objects.create(account=world.account, at=time(11))
    stranger = client_for(make_user("stranger", "admin"))
    for client, status in ((member(world, "trader", "approver"), 403), (stranger, 404)):
        assert client.post(SCHEDULES, body, format="json").status_code == status
        changed = client.patch(f"{SCHEDULES}/{row.pk}", {"enabled": False}, format="json")
        assert changed.status_code == status
    assert RunSchedule.objects.get().enabled
    assert member(world, "admin").post(SCHEDULES, body, format="json").status_code == 201


# --- approval policies --------------------------------------------------------------------------
def test_a_new_policy_rules_at_once_on_a_practice_account(world: World, owner: APIClient) -> None:
    body = {"account": world.account.pk, "kind": "four_eyes", "max_cost_won": 50_000}
    made = owner.post(POLICIES, body, format="json")
    assert (made.status_code, made.json()["in_force"]) == (201, True)
    assert made.json()["awaits_agreement"] is False
    row = policy_in_force(world.account)
    assert row is not None and (row.pk, row.created_by) == (made.json()["id"], "owner")
    assert row.max_cost_won == 50_000 and audits("approval_policy") == 1
    assert owner.get(POLICIES).json()["results"][0] == made.json()


def test_a_looser_policy_of_a_real_account_rules_nothing_before_a_second_person(
    world: World,
) -> None:
    ApprovalPolicy.objects.create(account=world.account, kind="four_eyes", created_by="test")
    Account.objects.filter(pk=world.account.pk).update(environment="real", wire="real")
    phone = enrolled(world.owner)
    body = {"account": world.account.pk, "kind": "owner", "automatic": True}
    bare = client_for(world.owner).post(POLICIES, body, format="json")
    assert (bare.status_code, bare.json()["code"]) == (403, "code_required")
    made = client_for(world.owner).post(
        POLICIES, body, format="json", HTTP_X_ONE_TIME_CODE=phone.code()
    )
    assert made.status_code == 201
    assert (made.json()["in_force"], made.json()["awaits_agreement"]) == (False, True)
    ruling = policy_in_force(Account.objects.get(pk=world.account.pk))
    assert ruling is not None and ruling.kind == "four_eyes"


@pytest.mark.once
@pytest.mark.parametrize(
    "values",
    [
        {"kind": "nobody"},
        {"kind": None},
        {"max_turnover_percent": "100.01"},
        {"max_turnover_percent": -1},
        {"max_turnover_percent": "3,0"},
        {"max_turnover_percent": "NaN"},
        {"max_turnover_percent": "1e1"},
        {"max_price_move_percent": "2.01"},
        {"max_cost_won": -1},
        {"max_cost_won": "1_000"},
        {"max_cost_won": 10**19},
        {"automatic": 1},
        {"created_by": "somebody"},
        {"agreed_by": "somebody"},
    ],
)
def test_a_policy_out_of_its_bounds_changes_nothing(
    world: World, owner: APIClient, values: dict[str, Any]
) -> None:
    before = ApprovalPolicy.objects.count()
    body = {"account": world.account.pk, "kind": "owner"} | values
    assert owner.post(POLICIES, body, format="json").status_code == 400
    assert ApprovalPolicy.objects.count() == before
    good = {"account": world.account.pk, "kind": "owner", "max_turnover_percent": "100"}
    assert owner.post(POLICIES, good, format="json").status_code == 201


@pytest.mark.once
def test_policies_are_added_by_admins_for_accounts_of_their_own(world: World) -> None:
    body = {"account": world.account.pk, "kind": "owner"}
    assert (
        member(world, "trader", "approver").post(POLICIES, body, format="json").status_code == 403
    )
    stranger = client_for(make_user("stranger", "admin"))
    assert stranger.post(POLICIES, body, format="json").status_code == 404
    assert ApprovalPolicy.objects.count() == 1


# --- stops --------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ["trader", "approver", "admin"])
def test_whoever_may_stop_on_the_desk_stops_an_account_by_the_api(world: World, role: str) -> None:
    body = {"scope": f"account:{world.account.pk}", "state": "HALTED", "reason": "이상함"}
    made = member(world, role).post(SWITCHES, body, format="json")
    assert (made.status_code, made.json()["in_force"]) == (201, True)
    assert switch_state(world.account) == "HALTED"
    assert Switch.objects.get().reason == "이상함" and audits("switch_engage") == 1


def test_a_stop_only_gets_stricter_and_nothing_is_released_here(
    world: World, owner: APIClient
) -> None:
    scope = f"account:{world.account.pk}"
    for state, status in (("REDUCING", 201), ("HALTED", 201), ("REDUCING", 409), ("ACTIVE", 400)):
        answer = owner.post(SWITCHES, {"scope": scope, "state": state}, format="json")
        assert answer.status_code == status, answer.content
    assert switch_state(world.account) == "HALTED" and Switch.objects.count() == 2
    assert (
        owner.post(SWITCHES, {"scope": "global", "state": "HALTED"}, format="json").json()[
            "account"
        ]
        is None
    )


@pytest.mark.once
@pytest.mark.parametrize(
    "body",
    [
        {"state": "HALTED"},
        {"scope": "account:", "state": "HALTED"},
        {"scope": "strategy:mp_core", "state": "HALTED"},
        {"scope": "account:１", "state": "HALTED"},
        {"scope": "account:1\x00", "state": "HALTED"},
        {"scope": "GLOBAL", "state": "HALTED"},
        {"scope": "global", "state": "halted"},
        {"scope": "global", "state": "HALTED", "reason": "x" * 301},
        {"scope": "global", "state": "HALTED", "by": "somebody"},
        {"scope": ["global"], "state": "HALTED"},
    ],
)
def test_a_stop_that_cannot_be_read_stops_nothing(
    world: World, owner: APIClient, body: dict[str, Any]
) -> None:
    assert owner.post(SWITCHES, body, format="json").status_code == 400
    assert not Switch.objects.exists()


@pytest.mark.once
def test_viewers_and_strangers_stop_nothing(world: World) -> None:
    body = {"scope": f"account:{world.account.pk}", "state": "HALTED"}
    stranger = client_for(make_user("stranger", "trader", "admin"))
    assert member(world, "viewer").post(SWITCHES, body, format="json").status_code == 403
    assert stranger.post(SWITCHES, body, format="json").status_code == 404
    assert not Switch.objects.exists()


@pytest.mark.once
def test_a_stop_never_waits_for_a_throttle_and_says_why_in_the_readers_language(
    world: World, owner: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WriteThrottle, "THROTTLE_RATES", {"writes": "1/min"})
    told = [owner.post(POLICIES, {}, format="json").status_code for _ in range(2)]
    assert told == [400, 429]
    for state in ("REDUCING", "HALTED"):
        body = {"scope": "global", "state": state}
        assert owner.post(SWITCHES, body, format="json").status_code == 201
    english = owner.get(SWITCHES, HTTP_ACCEPT_LANGUAGE="en").json()["results"][0]["reason"]
    korean = owner.get(SWITCHES).json()["results"][0]["reason"]
    assert (english, korean) == ("Emergency stop (API)", "긴급 정지 (API)")


# --- alerts -------------------------------------------------------------------------------------
def test_an_alert_is_acknowledged_once_by_name(world: World, owner: APIClient) -> None:
    found = alert("order_unknown", account=world.account)
    path = f"{BASE}/alerts/{found.pk}/acknowledge"
    assert owner.get(f"{BASE}/alerts?open=true").json()["count"] == 1
    said = owner.post(path, {"reason": "seen"}, format="json")
    assert said.status_code == 400 and "reason" in said.content.decode(), "nothing is lost unsaid"
    assert audits("alert_acknowledged") == 0
    first = member(world, "trader").post(path)
    assert (first.status_code, first.json()["open"]) == (200, False)
    second = owner.post(path)
    assert second.json() == first.json(), "whoever said so first stays on record"
    assert first.json()["acknowledged_by"] == "member-trader"
    assert audits("alert_acknowledged") == 1
    assert owner.get(f"{BASE}/alerts?open=true").json()["count"] == 0


@pytest.mark.once
def test_an_alert_is_acknowledged_by_those_it_is_for(world: World) -> None:
    mine = alert("order_unknown", account=world.account)
    nobodys = alert("password_guessed", tries=5)
    trader, viewer, admin = (member(world, role) for role in ("trader", "viewer", "admin"))
    stranger = client_for(make_user("stranger", "trader", "approver"))
    for client, found, status in (
        (viewer, mine, 403),
        (stranger, mine, 404),
        (trader, nobodys, 404),
    ):
        assert client.post(f"{BASE}/alerts/{found.pk}/acknowledge").status_code == status
    assert not Alert.objects.exclude(acknowledged_at=None).exists()
    assert admin.post(f"{BASE}/alerts/{nobodys.pk}/acknowledge").status_code == 200
