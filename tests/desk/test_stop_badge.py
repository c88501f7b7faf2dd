"""The badge of a stop: on every page, asked for again by itself, cheap, and nobody else's business."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.desk.conftest import DeskWorld
from trading.models import Account
from trading.services.releases import ask_release
from trading.services.switches import GLOBAL, account_scope, engage

BADGE = "/trading/switch/badge/"
PAGES = ("/", "/rebalancing/", "/portfolio/", "/health/", "/guide/", "/accounts/tokens/")
QUERIES = 5
"""Who asks, their roles, their accounts, the switches; each open page asks six times a minute."""


def _badge(page: str) -> str:
    found = re.search(r'<div id="stop-badge".*?</div>', page, re.DOTALL)
    assert found, "no badge that could come"
    return found[0]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_the_desk_asks_again_whether_it_is_stopped(
    targeted: DeskWorld, path: str
) -> None:
    before = _badge(targeted.client("viewer").get(path).content.decode())
    assert "긴급 정지 중" not in before
    assert f'hx-get="{BADGE}?account={targeted.account.pk}"' in before and "jeoul:run" in before
    engage(account_scope(targeted.account), "HALTED", "test", "test")
    assert "긴급 정지 중" in _badge(targeted.client("viewer").get(path).content.decode())


def test_a_page_of_a_run_and_one_of_the_admin_ask_too(staff: Client, targeted: DeskWorld) -> None:
    run = targeted.run()
    for path in (f"/rebalancing/runs/{run.pk}/", "/admin/", "/admin/trading/account/"):
        assert "긴급 정지 중" not in _badge(staff.get(path).content.decode())
    engage(GLOBAL, "HALTED", "test", "test")
    for path in (f"/rebalancing/runs/{run.pk}/", "/admin/", "/admin/trading/account/"):
        assert "긴급 정지 중" in _badge(staff.get(path).content.decode())


@pytest.mark.parametrize("query", ["?account=%d", "?place=admin&ignored=%d"])
def test_the_badge_comes_goes_and_is_silent_while_nothing_changes(
    desk: DeskWorld, query: str
) -> None:
    client, url = desk.client("viewer"), BADGE + query % desk.account.pk
    seen = _seen(client.get(url))
    assert client.get(url, {"seen": seen} | _asked(url)).status_code == 204
    engage(account_scope(desk.account), "HALTED", "test", "test")
    stopped = client.get(url, {"seen": seen} | _asked(url))
    assert stopped.status_code == 200 and "긴급 정지 중" in stopped.content.decode()
    ask_release(account_scope(desk.account), "admin", "seen to")
    gone = client.get(url, {"seen": _seen(stopped)} | _asked(url))
    assert gone.status_code == 200 and "긴급 정지 중" not in gone.content.decode()


def test_a_badge_costs_few_queries(desk: DeskWorld) -> None:
    client = desk.client("viewer")
    client.get(BADGE)
    with CaptureQueriesContext(connection) as queries:
        client.get(BADGE)
    assert len(queries) <= QUERIES, [one["sql"][:90] for one in queries]


def test_a_stop_of_another_account_is_not_told(desk: DeskWorld) -> None:
    other = Account.objects.create(
        name="Other", environment="sim", wire="real", account_no="11112222-01", app_key="k"
    )
    engage(account_scope(other), "HALTED", "test", "test")
    for query in ("", "?place=admin"):
        assert "긴급 정지 중" not in desk.client("viewer").get(BADGE + query).content.decode()
    assert desk.client("viewer").get(f"{BADGE}?account={other.pk}").status_code == 404
    assert desk.client("nobody").get(BADGE).status_code == 403


def test_who_is_typing_a_code_is_not_sent_away_by_the_badge(desk: DeskWorld) -> None:
    from tests.support.authenticator import enrolled

    enrolled(desk.people["trader"])
    client = desk.client("trader")
    htmx = {"HX-Request": "true"}
    assert client.get("/health/part/", headers=htmx)["HX-Redirect"].startswith("/accounts/confirm/")
    answer = client.get(BADGE, headers=htmx)
    assert answer.status_code == 200 and "HX-Redirect" not in answer


def _seen(answer: Any) -> str:
    found = re.search(r'name="seen" value="(\w+)"', answer.content.decode())
    assert found
    return found[1]


def _asked(url: str) -> dict[str, str]:
    """A test client's data replaces the query of the address."""
    from urllib.parse import parse_qsl, urlsplit

    return dict(parse_qsl(urlsplit(url).query))
