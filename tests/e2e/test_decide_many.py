"""Many plans decided at once in the admin, on a phone: pick two, confirm, both are decided."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rebalancing.models import Run
from tests.desk.conftest import DeskWorld, desk, instruments, staff, targeted
from tests.desk.test_admin_waiting import LIST, Waiting, waiting
from tests.e2e.pages import barriers, under_a_bar
from tests.e2e.phone import phone_of
from trading.models import Approval

__all__ = ["desk", "instruments", "staff", "targeted", "waiting"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_two_plans_are_picked_confirmed_and_decided_and_the_third_goes_on_waiting(
    live_server: Any, targeted: DeskWorld, waiting: Waiting
) -> None:
    runs = [waiting(), waiting(), waiting()]
    with phone_of(targeted.client("approver"), live_server) as (tab, noise):
        tab.goto(LIST)
        for run in runs[:2]:
            tab.get_by_role("checkbox", name=re.compile(rf"#{run.pk}\b")).check()
        assert barriers(tab) == [] and under_a_bar(tab) == []
        tab.get_by_role("button", name="고른 계획 승인").click()
        tab.get_by_role("heading", name="이 계획 2건, 주문 2건을 승인합니다").wait_for()
        shown = tab.locator("main, #content").first.inner_text()
        assert [f"#{run.pk}" in shown for run in runs] == [True, True, False]
        assert barriers(tab) == [] and under_a_bar(tab) == []
        tab.get_by_role("button", name="계획 2건 승인").click()
        tab.get_by_text("계획 2건을 승인했습니다").wait_for()
        assert tab.get_by_role("checkbox").count() == 1
        assert tab.get_by_role("heading", name=f"#{runs[2].pk}").count() == 1
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert noise == []
    states = [Run.objects.get(pk=run.pk).state for run in runs]
    assert states == ["APPROVED", "APPROVED", "AWAITING_APPROVAL"]
    decided = Approval.objects.order_by("pk").values_list("subject", "verdict", "approver")
    assert list(decided) == [(run.subject, "APPROVE", "approver") for run in runs[:2]]
