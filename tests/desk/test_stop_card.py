"""The card about the switch says what is stopped, offers what helps, and keeps what was typed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.desk.conftest import DeskWorld
from trading.models import Account, AccountMember, ApprovalPolicy, CredentialChange, ReleaseRequest
from trading.services.switches import GLOBAL, account_scope, engage, switch_state, write_kill_file

ALL, THIS = "모든 계좌가 정지되어 있습니다", "이 계좌가 정지되어 있습니다"
RELEASE_ALL, RELEASE_THIS = "전체 해제</button>", "이 계좌 해제</button>"
STOP_ALL = "모든 계좌 정지</button>"


def _card(desk: DeskWorld, name: str = "admin") -> str:
    text = desk.client(name).get("/health/switch/").content.decode()
    return " ".join(text.split())


def _stop(desk: DeskWorld, *, everything: bool = False, alone: bool = False) -> None:
    if everything:
        engage(GLOBAL, "HALTED", "trader", "looks wrong")
    if alone:
        engage(account_scope(desk.account), "HALTED", "trader", "looks wrong")


@pytest.mark.parametrize(
    ("everything", "alone"), [(True, False), (False, True), (True, True), (False, False)]
)
def test_the_card_says_what_is_stopped_and_offers_only_what_helps(
    desk: DeskWorld, everything: bool, alone: bool
) -> None:
    _stop(desk, everything=everything, alone=alone)
    card = _card(desk)
    assert (ALL in card, THIS in card) == (everything, alone)
    assert (RELEASE_ALL in card, RELEASE_THIS in card) == (everything, alone)
    assert ("둘 다 해제해야" in card) == (everything and alone)
    assert (STOP_ALL in card) == (not everything)
    assert ("…66 긴급 정지</button>" in card) == (not everything and not alone)


def test_a_stop_by_the_file_is_one_of_all_accounts(
    desk: DeskWorld, settings: Any, tmp_path: Any
) -> None:
    settings.KILL_FILE = tmp_path / "KILL"
    write_kill_file("shell", "test")
    card = _card(desk)
    assert ALL in card and THIS not in card and RELEASE_ALL in card


def test_who_is_no_member_of_all_accounts_reads_why_not_and_gets_no_button(
    desk: DeskWorld,
) -> None:
    _stop(desk, everything=True)
    other = Account.objects.create(
        name="other", environment="sim", wire="real", account_no="55556666-01"
    )
    assert "모든 계좌의 구성원만" in _card(desk) and "해제 이유" not in _card(desk)
    AccountMember.objects.create(account=other, user=desk.people["admin"])
    assert "모든 계좌의 구성원만" not in _card(desk) and RELEASE_ALL in _card(desk)


def test_releasing_the_account_under_a_stop_of_all_says_so_and_keeps_the_reason(
    desk: DeskWorld,
) -> None:
    _stop(desk, everything=True)
    data = {"account": desk.account.pk, "scope": "account", "reason": "a <long> & typed reason"}
    client = desk.client("admin")
    page = client.post("/trading/switch/release/", data, follow=True).content.decode()
    assert "이미 거래 가능한 상태입니다" not in page
    assert "모든 계좌가 정지되어 있으니 전체 해제를 하세요" in page
    assert 'value="a &lt;long&gt; &amp; typed reason"' in page
    assert switch_state(desk.account) == "HALTED"
    part = client.get("/health/switch/").content.decode()
    assert "typed reason" in part, "a refresh of the card keeps it too"
    client.post("/trading/switch/release/", data | {"scope": "global"})
    assert switch_state(desk.account) == "ACTIVE"
    _stop(desk, everything=True)
    again = client.get("/health/").content.decode()
    assert 'value="a &lt;' not in again and "해제 이유" in again, "that was another stop"


def test_releasing_all_where_only_the_account_is_stopped_says_so(desk: DeskWorld) -> None:
    _stop(desk, alone=True)
    data = {"scope": "global", "reason": "seen to"}
    page = desk.client("admin").post("/trading/switch/release/", data, follow=True)
    assert "한꺼번에 멈춘 정지는 없습니다" in page.content.decode()
    assert switch_state(desk.account) == "HALTED"


def test_what_trades_already_is_still_called_so(desk: DeskWorld) -> None:
    data = {"account": desk.account.pk, "reason": "seen to"}
    page = desk.client("admin").post("/trading/switch/release/", data, follow=True)
    assert "이미 거래 가능한 상태입니다" in page.content.decode()


def test_who_is_not_independent_of_the_one_who_asked_reads_why_and_gets_no_button(
    desk: DeskWorld,
) -> None:
    Account.objects.update(environment="real")
    desk.policy("four_eyes")
    _stop(desk, alone=True)
    ReleaseRequest.objects.create(
        scope=account_scope(desk.account),
        by="admin",
        reason="seen to",
        at=timezone.now(),
        expires_at=timezone.now() + timedelta(minutes=30),
    )
    ApprovalPolicy.objects.create(
        account=desk.account, kind="four_eyes", automatic=True, created_by="admin"
    )
    approver = desk.proved("approver")
    page = approver.get("/health/").content.decode()
    assert "동의하고 해제" in page and "이 정책에 동의" in page
    CredentialChange.objects.create(
        user=desk.people["approver"], by="admin", kind="password", at=timezone.now()
    )
    page = approver.get("/health/").content.decode()
    assert "동의하고 해제" not in page and "이 정책에 동의" not in page
    assert page.count("두 사람으로 보지 않습니다") == 2
