"""What proposals, lists and messages are about is said by name."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from portfolio.selectors.targets import weight_lines
from rebalancing.templatetags.run_words import state_name
from tests.desk.conftest import DeskWorld
from trading.admin.subjects import names_of


@pytest.fixture
def request_of_admin(rf: RequestFactory, targeted: DeskWorld) -> Any:
    request = rf.get("/")
    request.user = targeted.people["admin"]
    return request


def test_a_subject_is_named_as_what_it_is_and_whose(
    targeted: DeskWorld, request_of_admin: Any
) -> None:
    pk = targeted.account.pk
    codes = [f"targets:{pk}", f"limits:{pk}", f"account:{pk}", "config"]
    names = names_of(codes, request_of_admin)
    assert "목표 · " in names[codes[0]] and "Main" in names[codes[0]]
    assert "주문 한도 · " in names[codes[1]] and "Main" in names[codes[1]]
    assert "Main" in names[codes[2]] and "목표" not in names[codes[2]]
    assert "리밸런싱 설정" in names["config"] and "<a " in names["config"]
    assert names_of(["nothing:known"], request_of_admin)["nothing:known"] == "nothing:known"


def test_a_decision_lists_its_names_and_a_name_that_is_gone_by_its_code(
    targeted: DeskWorld,
) -> None:
    copy = {"mp": {"STOCK": "100"}, "sub": {"STOCK": {"100000": "60", "999999": "40"}}}
    (line,) = weight_lines(copy)
    assert "Fund 100000 60" in line and "999999 40" in line


def test_a_dry_run_that_did_its_work_is_not_called_cancelled() -> None:
    assert state_name("CANCELED", "dry_run") == "모의 계산 마침"
    assert state_name("CANCELED", "canceled_by_person") == "취소"
