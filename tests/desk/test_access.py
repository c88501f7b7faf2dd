"""Who gets in: every page and every act, by role, and nobody else's account ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from tests.desk.conftest import HASH, DeskWorld
from trading.models import ApprovalPolicy, ReleaseRequest

PAGES = ("/", "/rebalancing/", "/portfolio/", "/health/", "/health/part/")
CARDS = tuple(f"/rebalancing/cards/{name}/" for name in ("standing", "attention", "alive"))
OPEN_TO_ALL = {"login", "logout", "looks", "set_language", "enter-code"}


@pytest.mark.parametrize("path", (*PAGES, *CARDS))
@pytest.mark.parametrize("role", ["viewer", "trader", "approver", "admin"])
def test_every_role_may_look(targeted: DeskWorld, role: str, path: str) -> None:
    targeted.snapshot()
    assert targeted.client(role).get(path).status_code == 200


@pytest.mark.parametrize("path", (*PAGES, *CARDS, "/rebalancing/start/"))
def test_strangers_are_sent_to_the_door(desk: DeskWorld, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


def test_a_part_asked_for_after_log_out_sends_the_whole_page_to_the_door(desk: DeskWorld) -> None:
    answer = Client().get("/health/part/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", PAGES)
def test_without_a_role_nothing_is_shown(desk: DeskWorld, path: str) -> None:
    assert desk.client("nobody").get(path).status_code == 403


ACTS = {
    "start": {"trader": 303, "viewer": 403, "approver": 403, "admin": 403},
    "approve": {"approver": 303, "viewer": 403, "trader": 403, "admin": 403},
    "reject": {"approver": 303, "viewer": 403, "trader": 403, "admin": 403},
    "cancel": {"trader": 303, "viewer": 403, "approver": 403, "admin": 403},
    "resume": {"trader": 409, "viewer": 403, "approver": 403, "admin": 403},
    "stop": {"trader": 303, "approver": 303, "admin": 303, "viewer": 403},
    "release": {"admin": 303, "trader": 403, "approver": 403, "viewer": 403},
    "agree": {"admin": 303, "approver": 303, "trader": 403, "viewer": 403},
    "agree-policy": {"admin": 403, "approver": 303, "trader": 403, "viewer": 403},
}


@pytest.mark.parametrize(
    ("act", "role", "expected"),
    [(act, role, status) for act, row in ACTS.items() for role, status in row.items()],
)
def test_acts_by_role(targeted: DeskWorld, act: str, role: str, expected: int) -> None:
    path, data = _act(targeted, act)
    assert targeted.client(role).post(path, data).status_code == expected


def _act(desk: DeskWorld, act: str) -> tuple[str, dict[str, Any]]:
    account = {"account": desk.account.pk}
    if act == "start":
        return "/rebalancing/start/", account | {"dry_run": "on"}
    if act in ("stop", "release"):
        return f"/trading/switch/{act}/", account | {"reason": "test"}
    if act == "agree":
        asked = ReleaseRequest.objects.create(
            scope=f"account:{desk.account.pk}",
            by="somebody",
            reason="test",
            at=timezone.now(),
            expires_at=timezone.now() + timedelta(minutes=30),
        )
        return "/trading/switch/agree/", {"request": asked.pk}
    if act == "agree-policy":
        policy = ApprovalPolicy.objects.create(
            account=desk.account, kind="owner", created_by="somebody"
        )
        return "/trading/policy/agree/", account | {"policy": policy.pk}
    run = desk.run(requester="somebody")
    return f"/rebalancing/runs/{run.pk}/{act}/", {"plan_hash": HASH}


@pytest.mark.parametrize(
    "path", ["", "progress/", "action/", "result/"], ids=["page", "progress", "action", "result"]
)
def test_a_run_of_another_account_does_not_exist(
    desk: DeskWorld, instruments: Any, path: str
) -> None:
    instruments(1)
    run = desk.run()
    url = f"/rebalancing/runs/{run.pk}/{path}"
    assert desk.client("stranger").get(url).status_code == 404
    assert desk.client("viewer").get(url).status_code == 200


@pytest.mark.parametrize("act", ["approve", "reject", "cancel", "resume"])
def test_nobody_decides_for_another_account(desk: DeskWorld, instruments: Any, act: str) -> None:
    instruments(1)
    run = desk.run()
    answer = desk.client("stranger").post(f"/rebalancing/runs/{run.pk}/{act}/", {"plan_hash": HASH})
    assert answer.status_code == 404
    run.refresh_from_db()
    assert run.state == "AWAITING_APPROVAL"


@pytest.mark.parametrize(
    "path", ["/", "/portfolio/", "/rebalancing/", "/rebalancing/cards/standing/"]
)
def test_another_account_cannot_be_asked_for(desk: DeskWorld, path: str) -> None:
    answer = desk.client("stranger").get(path, {"account": desk.account.pk})
    assert answer.status_code == 404


def test_another_account_cannot_be_chosen_stopped_or_looked_at(desk: DeskWorld) -> None:
    client, data = desk.client("stranger"), {"account": desk.account.pk}
    for path in ("/trading/account/", "/trading/switch/stop/", "/rebalancing/look/"):
        assert client.post(path, data).status_code == 404


def _patterns(patterns: list[Any], prefix: str = "") -> list[tuple[str, URLPattern]]:
    found = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not route.startswith(("admin/", "api/")):
                found += _patterns(pattern.url_patterns, route)
        else:
            found.append((route, pattern))
    return found


def test_every_view_of_the_desk_names_its_roles() -> None:
    naked = [
        route
        for route, pattern in _patterns(get_resolver().url_patterns)
        if not hasattr(pattern.callback, "desk_roles")
        and pattern.name not in OPEN_TO_ALL
        and not route.startswith(("admin", "api"))
    ]
    assert naked == []
