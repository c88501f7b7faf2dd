"""While trading is stopped a plan cannot be approved, and its story afterwards names the stop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rebalancing.models import Leg, Run
from rebalancing.selectors.why_card import story_of_run
from tests.desk.conftest import DeskWorld
from trading.models import Switch, Transition
from trading.services.switches import GLOBAL, account_scope, engage, write_kill_file

APPROVE = "승인</button>"


def _page(desk: DeskWorld, run: Run) -> str:
    text = desk.client("approver").get(f"/rebalancing/runs/{run.pk}/").content.decode()
    return " ".join(text.split())


def test_a_plan_offers_its_approval_only_while_trading_goes_on(targeted: DeskWorld) -> None:
    run = targeted.run()
    assert APPROVE in _page(targeted, run) and 'id="why-not-now"' not in _page(targeted, run)
    engage(account_scope(targeted.account), "HALTED", "trader", "호가가 이상함")
    page = _page(targeted, run)
    assert APPROVE not in page and "이 계획 거절</button>" in page
    assert "지금은 승인할 수 없습니다" in page and "trader 정지: 호가가 이상함" in page
    assert f'href="/health/?account={targeted.account.pk}"' in page


@pytest.mark.parametrize(("side", "offered"), [("BUY", False), ("SELL", True)])
def test_only_sells_are_approved_where_only_reducing_is_allowed(
    targeted: DeskWorld, side: str, offered: bool
) -> None:
    run = targeted.run()
    Leg.objects.filter(run=run).update(side=side)
    engage(GLOBAL, "REDUCING", "trader", "손실")
    page = _page(targeted, run)
    assert (APPROVE in page) == offered and ("trader 정지: 손실" in page) != offered


def test_a_stop_by_the_file_alone_names_the_file(
    targeted: DeskWorld, settings: Any, tmp_path: Any
) -> None:
    run = targeted.run()
    settings.KILL_FILE = tmp_path / "KILL"
    write_kill_file("ops", "test")
    page = _page(targeted, run)
    assert APPROVE not in page and "정지 파일이 거래를 멈추고 있습니다." in page


def _ended(desk: DeskWorld, reason: str) -> Run:
    run = desk.run("CANCELED", end_reason=reason)
    Transition.objects.create(
        object_type="run",
        object_id=run.pk,
        from_state="APPROVED",
        to_state="CANCELED",
        at=timezone.now(),
        by="engine",
        reason=reason,
    )
    return run


def test_the_story_names_the_stop_that_ended_the_run_and_no_later_one(targeted: DeskWorld) -> None:
    engage(GLOBAL, "HALTED", "trader", "호가가 이상함")
    run = _ended(targeted, "trading_stopped")
    later = timezone.now() + timedelta(hours=1)
    Switch.objects.create(scope=GLOBAL, state="HALTED", by="admin", reason="훈련", at=later)
    told = [one.text for one in story_of_run(run)]
    assert "trader: 모든 계좌를 정지해서 멈췄습니다 (호가가 이상함)" in told
    assert not any("훈련" in text for text in told)


def test_a_stop_is_not_told_of_a_run_that_ended_otherwise(targeted: DeskWorld) -> None:
    engage(account_scope(targeted.account), "HALTED", "trader", "호가가 이상함")
    told = " ".join(one.text for one in story_of_run(_ended(targeted, "too_late_today")))
    assert "호가가 이상함" not in told
