"""Each page with nothing, with a target, with data, with old data, and with a silent broker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.desk.conftest import DeskWorld
from trading.domain.errors import BrokerUnavailable, ConfigurationError
from trading.models import Account, AccountMember, Alert, AuditEntry


def text_of(desk: DeskWorld, path: str, role: str = "owner") -> str:
    answer = desk.client(role).get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/rebalancing/", "/portfolio/", "/health/"])
def test_without_an_account(desk: DeskWorld, path: str) -> None:
    AccountMember.objects.all().delete()
    assert "볼 수 있는 계좌가 없습니다" in text_of(desk, path)


def test_without_a_target_or_a_look(desk: DeskWorld) -> None:
    text = text_of(desk, "/")
    assert "아직 조회한 값이 없습니다" in text
    assert "목표가 없습니다" in text
    assert "지금 결정할 것이 없습니다" in text


def test_with_a_target_and_no_look(targeted: DeskWorld) -> None:
    assert "비교할 값이 없습니다" in text_of(targeted, "/")


def test_with_values(targeted: DeskWorld) -> None:
    snapshot = targeted.snapshot()
    text = text_of(targeted, "/")
    assert f"{snapshot.equity:,}원" in text
    assert "임계값을 넘은 곳" in text
    assert "오래된 값" not in text
    assert "▲" in text


def test_old_values_say_so(targeted: DeskWorld) -> None:
    targeted.snapshot(age=timedelta(hours=3))
    text = text_of(targeted, "/")
    assert "오래된 값" in text
    assert "3시간 전" in text


def test_an_unpriced_account_is_not_compared(targeted: DeskWorld) -> None:
    snapshot = targeted.snapshot()
    type(snapshot).objects.filter(pk=snapshot.pk).update(cash=0, holdings={})
    assert "비교할 수 없습니다" in text_of(targeted, "/")


def test_a_silent_clock_is_said_and_the_page_stands(
    targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(account: Account) -> Any:
        raise ConfigurationError("no clock")

    monkeypatch.setattr("trading.views.moments.market_clock", silent)
    targeted.snapshot()
    assert "시계가 응답하지 않음" in text_of(targeted, "/")
    assert "시뮬레이터를 다시 켜세요" in text_of(targeted, "/health/")


def test_a_silent_broker_is_said_politely(
    targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*args: Any) -> Any:
        raise BrokerUnavailable("timeout")

    monkeypatch.setattr("rebalancing.views.looks.take_snapshot", silent)
    answer = targeted.client("trader").post(
        "/rebalancing/look/", {"account": targeted.account.pk}, follow=True
    )
    assert "증권사가 응답하지 않습니다" in answer.content.decode()


def test_nobody_looks_while_orders_work(
    targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("rebalancing.views.looks.take_snapshot", lambda *a: asked.append(a))
    targeted.run("SELLING")
    targeted.client("trader").post("/rebalancing/look/", {"account": targeted.account.pk})
    assert asked == []


def test_a_working_order_of_somebody_else_also_blocks_the_look(
    targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("rebalancing.views.looks.take_snapshot", lambda *a: asked.append(a))
    snapshot = targeted.snapshot()
    targeted.order(snapshot.taken_at)
    targeted.client("trader").post("/rebalancing/look/", {"account": targeted.account.pk})
    assert asked == []


def test_what_needs_me(targeted: DeskWorld) -> None:
    run = targeted.run()
    Alert.objects.create(
        severity="warning",
        code="schedule_refused",
        subject="x",
        account=targeted.account,
        created_at=run.created_at,
    )
    text = text_of(targeted, "/rebalancing/cards/attention/")
    assert f"리밸런싱 #{run.pk} 승인 대기" in text
    assert "예약 리밸런싱을 시작하지 못했습니다." in text


def test_an_acknowledged_alert_is_gone_and_kept(targeted: DeskWorld) -> None:
    run = targeted.run("COMPLETED")
    found = Alert.objects.create(
        severity="warning",
        code="run_paused",
        subject="x",
        account=targeted.account,
        created_at=run.created_at,
    )
    targeted.client("trader").post(f"/rebalancing/alerts/{found.pk}/acknowledge/")
    found.refresh_from_db()
    assert found.acknowledged_by == "trader"
    assert "리밸런싱이 멈췄습니다" not in text_of(targeted, "/rebalancing/cards/attention/")


def test_a_pause_by_an_outside_order_is_lifted_by_a_trader_and_by_nobody_else(
    targeted: DeskWorld,
) -> None:
    paused = {"paused_reason": "external_order"}
    rows = Account.objects.filter(pk=targeted.account.pk)
    rows.update(**paused)
    path = f"/rebalancing/accounts/{targeted.account.pk}/resume/"
    assert "외부 주문으로 매수 중지" in text_of(targeted, "/rebalancing/cards/attention/")
    assert targeted.client("viewer").post(path).status_code in (403, 404)
    assert rows.filter(**paused).exists()
    targeted.client("trader").post(path)
    assert not rows.filter(**paused).exists()
    assert AuditEntry.objects.filter(action="account_resumed", actor="trader").count() == 1
    assert "외부 주문으로 매수 중지" not in text_of(targeted, "/rebalancing/cards/attention/")
