"""One good request for every operation of the API, with the world that it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from rebalancing.models import RebalancingConfig, RunSchedule
from rebalancing.services.keepers import config_change
from tests.support.world import World, make_user
from trading.models import ApprovalPolicy, Intent, ScheduleFire
from trading.services.alerts import alert
from trading.services.limits import add_limits
from trading.services.proposals import propose
from trading.services.switches import engage

__all__ = [
    "BASE",
    "CALLS",
    "Call",
    "Facts",
    "client_for",
    "facts_of",
    "filled",
    "path_of",
    "planned",
    "send",
]

BASE = "/api/macro-trading"
Facts = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One good request: `{names}` of path and body are filled from what the world knows."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    status: int = 200
    query: str = ""
    key: str = ""
    of: str = "run"
    """Which fact `{id}` of the path is."""
    prepare: Callable[[APIClient, Facts], None] = field(default=lambda client, facts: None)


def planned(client: APIClient, facts: Facts) -> None:
    """A run of its own whose plan waits."""
    world: World = facts["world"]
    run = world.drive(world.open(), approve=False)
    facts |= {"run": run.pk, "hash": run.plan_hash}


def scheduled(client: APIClient, facts: Facts) -> None:
    """A schedule that has acted once."""
    made = RunSchedule.objects.create(account_id=facts["account"], at=time(9, 40))
    ScheduleFire.objects.create(
        job=made.job, slot="2026-11-20T09:40", fired_at=facts["world"].now,
        account_id=facts["account"], outcome="opened", facts={"run": 1},
    )  # fmt: skip
    facts["schedule"] = made.pk


def alerted(client: APIClient, facts: Facts) -> None:
    """An alert about the account."""
    facts["alert"] = alert("order_unknown", account=facts["world"].account).pk


def stopped(client: APIClient, facts: Facts) -> None:
    """The account is halted."""
    engage(f"account:{facts['account']}", "HALTED", "owner", "test")


def configured(client: APIClient, facts: Facts) -> None:
    """A row of thresholds."""
    RebalancingConfig.objects.create(updated_by="owner")


def proposed(by: str) -> Callable[[APIClient, Facts], None]:
    """Thresholds that `by` proposed under four eyes."""

    def prepare(client: APIClient, facts: Facts) -> None:
        ApprovalPolicy.objects.create(
            account_id=facts["account"], kind="four_eyes", created_by="owner"
        )
        if not get_user_model().objects.filter(username=by).exists():
            make_user(by, "admin")
        made = propose(config_change({"mp_threshold_percent": "4.0"}), by=by)
        facts["proposal"] = made.pk

    return prepare


def limited(client: APIClient, facts: Facts) -> None:
    """A row of limits."""
    add_limits(facts["world"].account, {"max_day_won": 5_000_000}, by="owner")


def finished(client: APIClient, facts: Facts) -> None:
    """A run of its own with orders and fills."""
    world: World = facts["world"]
    run = world.drive(world.open())
    order = Intent.objects.filter(origin_id=run.pk).values_list("pk", flat=True)[0]
    facts |= {"run": run.pk, "hash": run.plan_hash, "order": order}


CALLS = [
    Call("get", "/rebalancing/config"),
    Call(
        "post",
        "/rebalancing/config",
        {"mp_threshold_percent": "3.5", "sub_mp_threshold_percent": "5.0"},
        201,
    ),
    Call("get", "/rebalancing/status"),
    Call("get", "/rebalancing-status", query="?account={account}"),
    Call("get", "/rebalancing/drift"),
    Call("get", "/rebalancing/runs", query="?state=AWAITING_APPROVAL&page_size=5", prepare=planned),
    Call("post", "/rebalancing/runs", {"account": "{account}"}, 201, key="contract-0001"),
    Call("get", "/rebalancing/runs/{id}", prepare=planned),
    Call("get", "/rebalancing/runs/{id}", prepare=finished),
    Call("get", "/rebalancing/runs/{id}/evidence", prepare=planned),
    Call("post", "/rebalancing/runs/{id}/approve", {"plan_hash": "{hash}"}, prepare=planned),
    Call(
        "post",
        "/rebalancing/runs/{id}/reject",
        {"plan_hash": "{hash}", "reason": "no"},
        prepare=planned,
    ),
    Call("post", "/rebalancing/runs/{id}/cancel", prepare=planned),
    Call("get", "/model-portfolios"),
    Call("put", "/model-portfolios", {"code": "{model}", "weights": "{weights}"}, 201),
    Call("get", "/sub-portfolios"),
    Call("put", "/sub-portfolios", {"code": "{sub}", "weights": "{sub_weights}"}, 201),
    Call("get", "/targets"),
    Call(
        "put",
        "/targets",
        {"account": "{account}", "model_portfolio": "{model}", "sub_portfolios": "{subs}"},
        201,
    ),
    Call("post", "/rebalancing/schedules", {"account": "{account}", "at": "09:40"}, 201),
    Call(
        "patch",
        "/rebalancing/schedules/{id}",
        {"at": "10:20", "kind": "periodic", "inside_bands": True},
        of="schedule",
        prepare=scheduled,
    ),
    Call("post", "/approval-policies", {"account": "{account}", "kind": "four_eyes"}, 201),
    Call("post", "/switches", {"scope": "{scope}", "state": "REDUCING"}, 201),
    Call("post", "/alerts/{id}/acknowledge", of="alert", prepare=alerted),
    Call("get", "/rebalancing/configs", prepare=configured),
    Call("get", "/rebalancing/approvals", query="?verdict=APPROVE", prepare=finished),
    Call("get", "/rebalancing/schedules", query="?account={account}", prepare=scheduled),
    Call("get", "/rebalancing/schedules/{id}", of="schedule", prepare=scheduled),
    Call("get", "/model-portfolios/{code}/versions", of="model"),
    Call("get", "/sub-portfolios/{code}/versions", of="sub"),
    Call("get", "/targets/history", query="?source=person"),
    Call("get", "/accounts"),
    Call("get", "/accounts/{id}", of="account"),
    Call("get", "/approval-policies"),
    Call("get", "/orders", query="?page_size=3", prepare=finished),
    Call("get", "/orders/{id}", of="order", prepare=finished),
    Call("get", "/fills", query="?side=SELL", prepare=finished),
    Call("get", "/positions", query="?held=true", prepare=finished),
    Call("get", "/snapshots", prepare=finished),
    Call("get", "/switches", prepare=stopped),
    Call("get", "/audit", query="?page_size=200", prepare=finished),
    Call("get", "/schedule-fires", prepare=scheduled),
    Call("get", "/alerts", query="?open=true", prepare=alerted),
    Call("get", "/alerts/{id}", of="alert", prepare=alerted),
    Call("get", "/limits"),
    Call("get", "/trading-limits", prepare=limited),
    Call("post", "/trading-limits", {"account": "{account}", "max_day_won": 1_000_000}, 201),
    Call(
        "post",
        "/trading-limits",
        {"account": "{account}", "max_day_won": 1_000_000},
        202,
        prepare=proposed("kim"),
    ),
    Call("get", "/proposals", query="?kind=config", prepare=proposed("kim")),
    Call("get", "/proposals/{id}", of="proposal", prepare=proposed("kim")),
    Call("post", "/proposals/{id}/agree", of="proposal", prepare=proposed("kim")),
    Call(
        "post",
        "/proposals/{id}/refuse",
        {"reason": "too wide"},
        of="proposal",
        prepare=proposed("kim"),
    ),
    Call("post", "/proposals/{id}/withdraw", of="proposal", prepare=proposed("owner")),
    Call(
        "post",
        "/rebalancing/config",
        {"mp_threshold_percent": "3.5", "sub_mp_threshold_percent": "5.0"},
        202,
        prepare=proposed("kim"),
    ),
    Call(
        "put",
        "/targets",
        {"account": "{account}", "model_portfolio": "{model}", "sub_portfolios": "{subs}"},
        202,
        prepare=proposed("kim"),
    ),
]


def client_for(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def filled(value: Any, facts: Facts) -> Any:
    if isinstance(value, dict):
        return {k: filled(v, facts) for k, v in value.items()}
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return facts.get(value[1:-1], "0" * 64)
    return value


def path_of(call: Call, facts: Facts) -> str:
    """Its address: for the row of `facts`, or for one that may not be there."""
    path = call.path.replace("{code}", str(facts.get(call.of, "none")))
    return BASE + path.replace("{id}", str(facts.get(call.of, 1)))


def send(client: Any, call: Call, facts: Facts) -> Any:
    path = path_of(call, facts)
    path += call.query.replace("{account}", str(facts["account"]))
    more = {"HTTP_IDEMPOTENCY_KEY": call.key} if call.key else {}
    if call.method == "get":
        return client.get(path)
    body = filled(call.body, facts) if call.body is not None else {}
    return getattr(client, call.method)(path, body, format="json", **more)


def facts_of(world: World) -> Facts:
    """What calls are filled with: codes, weights and accounts of the world."""
    client = client_for(world.owner)
    models = client.get(f"{BASE}/model-portfolios").json()
    subs = client.get(f"{BASE}/sub-portfolios").json()
    current = client.get(f"{BASE}/targets").json()["current"]
    model = next(m for m in models if current["model"].startswith(m["code"]))
    wanted = [s for s in subs if s["asset_class"] in current["sub"]]
    return {
        "world": world,
        "account": world.account.pk,
        "scope": f"account:{world.account.pk}",
        "model": model["code"],
        "weights": model["versions"][0]["weights"],
        "sub": wanted[0]["code"],
        "sub_weights": wanted[0]["versions"][0]["weights"],
        "subs": [s["code"] for s in wanted],
    }
