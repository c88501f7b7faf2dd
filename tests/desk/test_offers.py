"""Nobody is offered what they may not do: every link and button on the desk, by role."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from rebalancing.models import Run
from tests.desk.conftest import DeskWorld
from tests.desk.test_safety import every_page
from trading.models import CredentialChange
from trading.services.roles import ensure_roles
from trading.services.switches import GLOBAL, account_scope, engage

ROLES = ("viewer", "trader", "approver", "admin")
LINK = re.compile(r'<a [^>]*href="(/[^"#]*)')
ACT = re.compile(r'<form [^>]*action="(/[^"]*)"')


@pytest.fixture
def everybody(targeted: DeskWorld) -> DeskWorld:
    """All of them staff, as in the demo, with the permissions of their roles, and something to decide."""
    ensure_roles()
    for name in ROLES:
        targeted.people[name].is_staff = True
        targeted.people[name].save()
    targeted.snapshot()
    return targeted


def _offered(desk: DeskWorld, name: str, paths: list[str]) -> tuple[set[str], set[str]]:
    client = desk.client(name)
    links: set[str] = set()
    acts: set[str] = set()
    for path in paths:
        answer = client.get(path)
        if answer.status_code == 403:
            continue
        page = answer.content.decode()
        links |= {found.replace("&amp;", "&") for found in LINK.findall(page)}
        acts |= set(ACT.findall(page))
    return links, acts


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("name", ROLES)
def test_no_link_and_no_button_leads_to_a_refusal(
    everybody: DeskWorld, name: str, stopped: bool
) -> None:
    waiting, ended = everybody.run(requester="somebody"), everybody.run("COMPLETED")
    everybody.history(ended)
    if stopped:
        engage(GLOBAL, "HALTED", "test", "test")
        engage(account_scope(everybody.account), "HALTED", "test", "test")
    paths = [*every_page(waiting.pk), *every_page(ended.pk), "/guide/", "/accounts/tokens/"]
    links, acts = _offered(everybody, name, paths)
    client = everybody.client(name)
    refused = [url for url in sorted(links) if client.get(url).status_code == 403]
    roles = {str(group) for group in everybody.people[name].groups.all()}
    for act in acts:
        wanted = getattr(resolve(act).func, "desk_roles", None)
        if wanted is not None and not roles & {str(role) for role in wanted}:
            refused.append(act)
    assert refused == []
    assert links and acts, "there was something to look at"


@pytest.mark.parametrize(("name", "may"), [("trader", False), ("viewer", False), ("admin", True)])
def test_thresholds_and_targets_are_offered_to_whoever_may_change_them(
    everybody: DeskWorld, name: str, may: bool
) -> None:
    client = everybody.client(name)
    assert ("임계값 바꾸기" in client.get("/rebalancing/").content.decode()) == may
    assert ("목표 바꾸기" in client.get("/portfolio/").content.decode()) == may


def _action(desk: DeskWorld, name: str, run: Run, client: Client | None = None) -> str:
    text = (client or desk.client(name)).get(f"/rebalancing/runs/{run.pk}/action/").content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_who_cannot_approve_reads_only_who_is_awaited(everybody: DeskWorld) -> None:
    everybody.policy("owner_practice")
    run = everybody.run()
    trader = _action(everybody, "trader", run)
    assert "승인자 역할이 있는 사람을 기다립니다" in trader and "연습 정책" not in trader
    assert "연습 정책: 요청한 사람도 승인할 수 있습니다" in _action(everybody, "approver", run)
    everybody.policy("four_eyes")
    assert "요청하지 않은 승인자를 기다립니다" in _action(everybody, "trader", run)


def test_under_four_eyes_the_one_who_asked_reads_why_instead_of_a_button(
    everybody: DeskWorld,
) -> None:
    everybody.policy("four_eyes")
    run = everybody.run(requester="owner")
    assert "2차 인증" in _action(everybody, "approver", run), "nobody approves without"
    owner, approver = everybody.proved("owner"), everybody.proved("approver")
    own = _action(everybody, "owner", run, owner)
    assert "건 승인" not in own and "요청한 사람은 승인할 수 없습니다" in own
    assert "이 계획 거절" in own
    assert "건 승인" in _action(everybody, "approver", run, approver)
    CredentialChange.objects.create(
        user=everybody.people["approver"], by="owner", kind="password", at=timezone.now()
    )
    dependent = _action(everybody, "approver", run, approver)
    assert "건 승인" not in dependent and "두 사람으로 보지 않습니다" in dependent


def test_a_step_of_the_guide_that_is_somebody_elses_has_no_button(everybody: DeskWorld) -> None:
    pages = {name: everybody.client(name).get("/guide/").content.decode() for name in ROLES}
    start = {name: "/rebalancing/start/" in page for name, page in pages.items()}
    assert start == {"viewer": False, "trader": True, "approver": False, "admin": False}
    assert "트레이더가 하는 일입니다" in pages["viewer"]
