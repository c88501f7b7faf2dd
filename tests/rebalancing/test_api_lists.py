"""Lists of the API: filters are read or refused, rows are one's own, and nothing secret is in them."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from portfolio.services import create_model_version
from rebalancing.models import RebalancingConfig, RunSchedule
from tests.rebalancing.contract_calls import BASE, CALLS, client_for
from tests.support.world import ACCOUNT_NO, World, make_user
from trading.models import (
    Account,
    AccountMember,
    Alert,
    Approval,
    Intent,
    Ledger,
    Position,
    ScheduleFire,
)
from trading.services.alerts import alert
from trading.services.switches import engage

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
EVERYBODYS = (
    "/rebalancing/configs",
    "/model-portfolios/MP-T/versions",
    "/sub-portfolios/S-STO/versions",
    "/audit",
    "/limits",
    "/model-portfolios",
    "/sub-portfolios",
    "/rebalancing/config",
)
"""What concerns nobody in particular; the audit chain is for those who check the others."""
HOSTILE = (
    "",
    " ",
    "１",
    "-1",
    "1;--",
    "9" * 30,
    "null",
    "\u202e",
    "a" * 200,
    "%0d%0a",
    "{}",
    "1.0",
)


def paths() -> list[str]:
    """Every address that answers a GET without naming a row by number."""
    found = {call.path for call in CALLS if call.method == "get" and "{id}" not in call.path}
    named = {
        "/model-portfolios/{code}/versions": "/model-portfolios/MP-T/versions",
        "/sub-portfolios/{code}/versions": "/sub-portfolios/S-STO/versions",
    }
    return sorted(named.get(path, path) for path in found)


def parameters(client: APIClient) -> list[tuple[str, str, dict[str, Any]]]:
    """(path, name, schema) of every declared filter."""
    schema = client.get("/api/schema/?format=json").json()["paths"]
    fill = {"{code}": "MP-T"}
    return [
        (path.replace("{code}", fill["{code}"]), given["name"], given["schema"])
        for path, verbs in schema.items()
        if path.startswith(BASE) and "get" in verbs and "{id}" not in path
        for given in verbs["get"].get("parameters", [])
        if given["in"] == "query" and "sub-portfolios" not in path
    ]


def good_values(schema: dict[str, Any]) -> list[str]:
    if "enum" in schema:
        return list(schema["enum"])
    kinds = {"integer": ["1"], "boolean": ["true", "false"]}
    dated = ["2026-11-20"] if schema.get("format") == "date" else None
    return dated or kinds.get(schema["type"], [])


@pytest.fixture
def traded(world: World) -> World:
    """A run that went all the way, a second account of somebody else, a schedule, a stop, alerts."""
    world.drive(world.open())
    RebalancingConfig.objects.create(updated_by="owner")
    other = Account.objects.create(
        name="남", environment="sim", wire="mock", account_no="11223344-01",
        app_key="K", app_secret="S",
    )  # fmt: skip
    alert("order_unknown", account=world.account)
    alert("order_unknown", account=other)
    alert("password_guessed", tries=5)
    RunSchedule.objects.create(account=world.account, at=time(9, 40))
    RunSchedule.objects.create(account=other, at=time(9, 40))
    ScheduleFire.objects.create(job="check", slot="x", fired_at=world.now, account=other)
    engage(f"account:{other.pk}", "HALTED", "somebody", "test")
    return world


def results(client: APIClient, query: str) -> list[dict[str, Any]]:
    answer = client.get(f"{BASE}{query}")
    assert answer.status_code == 200, answer.content[:300]
    return list(answer.json()["results"])


@pytest.mark.once
def test_a_name_that_no_answer_knows_is_refused_everywhere(traded: World) -> None:
    client = client_for(traded.owner)
    for path in paths():
        answer = client.get(f"{BASE}{path}?nonsense=1")
        assert answer.status_code == 400, path
        assert answer.json()["violations"][0]["code"] == "filter_unknown", path
        assert answer.json()["violations"][0]["name"] == "nonsense"
        assert client.get(f"{BASE}{path}").status_code == 200, path


@pytest.mark.once
def test_a_name_given_twice_is_refused_because_one_of_the_two_would_be_ignored(
    traded: World,
) -> None:
    client = client_for(traded.owner)
    for query in (
        "/orders?side=SELL&side=BUY",
        "/targets?account=1&account=2",
        "/fills?page=1&page=2",
    ):
        assert client.get(BASE + query).json()["violations"][0]["code"] == "filter_twice", query


def test_every_declared_filter_reads_what_it_says_and_refuses_the_rest(traded: World) -> None:
    client = client_for(traded.owner)
    found = parameters(client)
    assert len(found) > 80
    for path, name, schema in found:
        if name == "account" and path.endswith(("status", "drift", "targets")):
            continue  # one account, not a filter: somebody else's is a 404
        for value in good_values(schema):
            answer = client.get(path, {name: value})
            assert answer.status_code == 200, (path, name, value, answer.content[:200])
        strict = bool(good_values(schema))
        for value in HOSTILE:
            answer = client.get(path, {name: value})
            assert answer.status_code in ((400,) if strict else (200, 400)), (path, name, value)
            if answer.status_code == 400:
                (refused,) = answer.json()["violations"]
                assert (refused["code"], refused["name"]) == ("filter", name)
                assert refused["allowed"] and ", ".join(refused["allowed"]) in refused["detail"]


def test_filters_find_what_they_name(traded: World) -> None:
    client = client_for(traded.owner)
    run = client.get(f"{BASE}/rebalancing/runs").json()["results"][0]["run"]
    sells = Intent.objects.filter(side="SELL").count()
    assert len(results(client, "/orders?side=SELL")) == sells > 0
    assert len(results(client, f"/orders?run={run}")) == Intent.objects.count()
    assert results(client, f"/orders?run={run + 1}") == []
    assert results(client, "/orders?origin=manual") == []
    ticker = Intent.objects.first().instrument_id
    assert {row["ticker"] for row in results(client, f"/orders?ticker={ticker}")} == {ticker}
    assert len(results(client, f"/fills?run={run}")) == Ledger.objects.count()
    assert results(client, "/fills?until=2001-01-01") == []
    held = Position.objects.filter(quantity__gt=0).count()
    assert len(results(client, "/positions?held=true")) == held > 0
    assert [row["run"] for row in results(client, f"/rebalancing/approvals?run={run}")] == [run]
    assert results(client, "/rebalancing/approvals?verdict=DENY") == []
    assert len(results(client, "/rebalancing/schedules?enabled=true")) == 1
    assert results(client, "/rebalancing/schedules?kind=periodic") == []
    assert len(results(client, "/targets/history?source=strategy")) == 0
    assert {row["action"] for row in results(client, "/audit?action=run_approved")} == {
        "run_approved"
    }
    day = results(client, "/audit")[0]["at"][:10]
    whole = client.get(f"{BASE}/audit").json()["count"]
    assert client.get(f"{BASE}/audit?since={day}&until={day}").json()["count"] == whole
    assert client.get(f"{BASE}/audit?until=2001-01-01").json()["count"] == 0


def test_an_order_is_told_with_its_number_and_its_fills_lead_back_to_it(traded: World) -> None:
    client = client_for(traded.owner)
    order = next(r for r in results(client, "/orders?action=order") if r["filled_quantity"])
    assert client.get(f"{BASE}/orders/{order['id']}").json() == order
    fills = [row for row in results(client, "/fills") if row["order"] == order["id"]]
    assert sum(row["quantity"] for row in fills) == order["filled_quantity"]
    assert sum(row["amount"] for row in fills) == order["filled_amount"]
    assert {row["order_no"] for row in fills} == {order["order_no"]}


def test_somebody_with_every_role_and_no_account_finds_nothing_of_others(traded: World) -> None:
    stranger = client_for(make_user("stranger", "viewer", "trader", "approver"))
    tried = 0
    for path in paths():
        if path in EVERYBODYS:
            continue
        answer = stranger.get(BASE + path)
        if path.endswith(("status", "drift", "targets")):
            assert answer.status_code == 404, path
            continue
        tried += 1
        assert answer.json()["count"] == 0, path
    assert tried >= 12
    for path in (
        f"/orders/{Intent.objects.first().pk}",
        f"/accounts/{traded.account.pk}",
        f"/rebalancing/schedules/{RunSchedule.objects.first().pk}",
        f"/alerts/{Alert.objects.filter(account=traded.account).first().pk}",
    ):
        assert stranger.get(BASE + path).status_code == 404
        assert client_for(traded.owner).get(BASE + path).status_code == 200


def test_a_members_lists_hold_nothing_of_the_account_beside_theirs(traded: World) -> None:
    member = make_user("member", "viewer", "trader", "approver")
    AccountMember.objects.create(account=traded.account, user=member)
    client = client_for(member)
    for path in paths():
        if path in EVERYBODYS or path.endswith(("status", "drift", "targets")):
            continue
        name = "id" if path == "/accounts" else "account"
        assert {row[name] for row in results(client, path)} <= {traded.account.pk}, path


def test_an_admin_also_reads_what_is_about_no_account_and_stops_of_all(traded: World) -> None:
    admin = client_for(make_user("chief", "admin"))
    assert {row["code"] for row in results(admin, "/alerts")} == {"password_guessed"}
    assert {row["state"] for row in results(admin, "/switches")} == {"HALTED"}
    trader = client_for(make_user("dealer", "trader"))
    assert results(trader, "/alerts") == [] and results(trader, "/switches") == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("role", "audit", "switches", "orders"),
    [
        ("viewer", 403, 403, 200),
        ("trader", 403, 200, 200),
        ("approver", 200, 200, 200),
        ("admin", 200, 200, 200),
        ("", 403, 403, 403),
    ],
)
def test_roles_read_what_their_pages_show(
    world: World, role: str, audit: int, switches: int, orders: int
) -> None:
    client = client_for(make_user("reader", *filter(None, [role])))
    told = [client.get(f"{BASE}/{path}").status_code for path in ("audit", "switches", "orders")]
    assert told == [audit, switches, orders]


def test_no_answer_holds_a_key_a_number_or_what_the_broker_said(traded: World) -> None:
    client = client_for(traded.owner)
    for path in paths():
        text = client.get(f"{BASE}{path}").content.decode()
        assert "CANARY" not in text and ACCOUNT_NO.split("-")[0] not in text, path
        assert not any(name in text for name in ('"raw"', "app_key", "app_secret")), path
    assert results(client, "/accounts")[0]["number"] == traded.account.masked


def test_an_approval_names_its_run_and_who_let_it_out(traded: World) -> None:
    (row,) = results(client_for(traded.owner), "/rebalancing/approvals")
    stored = Approval.objects.get()
    assert (row["approver"], row["plan_hash"]) == (stored.approver, stored.plan_hash)
    assert (row["policy"], row["auth_level"]) == ("owner_practice", "password")


def test_portfolios_come_with_their_newest_twenty_and_the_rest_is_under_versions(
    world: World,
) -> None:
    from portfolio.models import ModelPortfolio

    client = client_for(world.owner)
    portfolio = ModelPortfolio.objects.get(code="MP-T")
    weights = portfolio.versions.get().weights_by_class()
    for _number in range(24):
        create_model_version(portfolio, weights, by="owner")
    (told,) = client.get(f"{BASE}/model-portfolios").json()
    assert [row["number"] for row in told["versions"]] == list(range(25, 5, -1))
    every = client.get(f"{BASE}/model-portfolios/MP-T/versions?page_size=10&page=3").json()
    assert (every["count"], [row["number"] for row in every["results"]]) == (25, [5, 4, 3, 2, 1])
    assert told["versions"][0] == results(client, "/model-portfolios/MP-T/versions")[0]
    assert client.get(f"{BASE}/model-portfolios/none/versions").status_code == 404


def test_the_next_moment_of_a_schedule_is_told_and_none_while_it_is_off(traded: World) -> None:
    client = client_for(traded.owner)
    (row,) = results(client, "/rebalancing/schedules")
    assert row["next_at"] > traded.now.isoformat() and "T09:40:00+09:00" in row["next_at"]
    RunSchedule.objects.update(enabled=False)
    (row,) = results(client, "/rebalancing/schedules")
    assert row["next_at"] is None


def test_the_policy_in_force_is_the_one_the_account_is_told_with(traded: World) -> None:
    client = client_for(traded.owner)
    traded.account.approval_policies.create(kind="four_eyes", created_by="test")
    rows = results(client, "/approval-policies")
    assert [(row["kind"], row["in_force"]) for row in rows] == [
        ("four_eyes", True),
        ("owner_practice", False),
    ]
    (account,) = results(client, "/accounts")
    assert account["policy"]["id"] == rows[0]["id"]


def test_limits_are_those_of_the_page_and_in_the_callers_language(traded: World) -> None:
    client = client_for(traded.owner)
    korean = client.get(f"{BASE}/limits").json()
    english = client.get(f"{BASE}/limits", HTTP_ACCEPT_LANGUAGE="en").json()
    assert "주문 한 건" in {group["title"] for group in korean}
    assert [len(group["limits"]) for group in korean] == [len(g["limits"]) for g in english]
    assert korean[0]["limits"][0]["value"] == english[0]["limits"][0]["value"]
    assert korean[0]["title"] != english[0]["title"]
