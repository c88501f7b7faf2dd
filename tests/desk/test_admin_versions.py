"""Versions of MP and Sub-MP in the admin: a table of them, and any two side by side."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portfolio.models import ModelPortfolio, SubPortfolio
from portfolio.services import create_model_version, create_sub_version
from tests.desk.conftest import DeskWorld


def _percent(**weights: str) -> dict[str, Decimal]:
    return {name: Decimal(weight) for name, weight in weights.items()}


@pytest.fixture
def model(staff: Client) -> ModelPortfolio:
    """Three versions: 60/30/10, then bonds gone, then back with alternatives."""
    portfolio = ModelPortfolio.objects.get()
    create_model_version(portfolio, _percent(STOCK="85.00", CASH="15.00"), by="admin", note="위험")
    create_model_version(
        portfolio, _percent(STOCK="50.00", ALTERNATIVE="40.00", CASH="10.00"), by="admin2"
    )
    return portfolio


def _page(client: Client, path: str, **query: Any) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", answer.content.decode())


def _compare(portfolio: Any) -> str:
    return f"/admin/portfolio/{portfolio._meta.model_name}/{portfolio.pk}/compare/"


def test_a_portfolio_shows_its_versions_and_leads_to_what_each_changed(
    staff: Client, model: ModelPortfolio
) -> None:
    text = _page(staff, f"/admin/portfolio/modelportfolio/{model.pk}/change/")
    assert "주식 85 % · 현금 15 %" in text and "admin2" in text and "위험" in text
    assert f'href="{_compare(model)}?from=2&amp;to=3"' in text and "v2에서 바뀐 것" in text
    assert f'href="{_compare(model)}"' in text, "and a button for any two"


def test_two_versions_stand_side_by_side_with_sign_and_arrow(
    staff: Client, model: ModelPortfolio
) -> None:
    text = _page(staff, _compare(model), **{"from": 1, "to": 3})
    assert "v1 → v3: 40.00 %p가 옮겨 갔습니다" in text
    rows = re.findall(r'<tr class="jeoul-(\w+)">(.*?)</tr>', text)
    told = [(kind, re.sub(r"<[^>]+>|\s+", " ", row).split()) for kind, row in rows]
    assert [(kind, words[0]) for kind, words in told] == [
        ("CHANGED", "주식"),
        ("REMOVED", "채권"),
        ("ADDED", "대체자산"),
        ("SAME", "현금"),
    ]
    assert told[0][1][1:] == ["60.00", "%", "50.00", "%", "▼", "줄어듦", "−10.00", "%p"]
    assert "빠짐" in rows[1][1] and "–" in rows[1][1] and "−30.00 %p" in rows[1][1]
    assert "추가" in rows[2][1] and "▲" in rows[2][1] and "+40.00 %p" in rows[2][1]
    assert "±0.00 %p" in rows[3][1]


def test_without_numbers_the_newest_stands_beside_the_one_before(
    staff: Client, model: ModelPortfolio
) -> None:
    text = _page(staff, _compare(model))
    assert re.search(r'<option value="2" selected>.*<option value="3" selected>', text)
    assert "v2 → v3: " in text
    assert "v1 → v2: " in _page(staff, _compare(model), to=2)
    assert "v3 → v1: " in _page(staff, _compare(model), **{"from": 3, "to": 1})
    assert "v3 → v3: 비중이 같습니다" in _page(staff, _compare(model), **{"from": 3, "to": 3})


def test_one_version_has_nothing_to_be_compared_with(staff: Client) -> None:
    assert "비교할 버전이 아직 없습니다" in _page(staff, _compare(ModelPortfolio.objects.get()))


@pytest.mark.parametrize(
    "number", ["0", "-1", "4", "9" * 40, "2147483648", "999999999", "1.0", "x", "１", "1 OR 1=1"]
)
@pytest.mark.parametrize("side", ["from", "to"])
def test_a_number_that_is_none_of_its_versions_is_not_found(
    staff: Client, model: ModelPortfolio, side: str, number: str
) -> None:
    assert staff.get(_compare(model), {"from": "1", "to": "2"} | {side: number}).status_code == 404


@pytest.mark.parametrize("key", ["0", "-1", "9" * 40, "x", "1%00", "999999"])
def test_a_portfolio_that_is_none_is_not_found(staff: Client, key: str) -> None:
    assert staff.get(f"/admin/portfolio/modelportfolio/{key}/compare/").status_code in (400, 404)


def test_versions_of_another_portfolio_are_not_its_own(staff: Client) -> None:
    mine, other = SubPortfolio.objects.get(code="S-T"), SubPortfolio.objects.get(code="B-T")
    create_sub_version(other, {"100002": Decimal("70.00"), "100003": Decimal("30.00")}, by="admin")
    assert staff.get(_compare(mine), {"from": 1, "to": 2}).status_code == 404
    text = _page(staff, _compare(other), **{"from": 1, "to": 2})
    assert "Fund 100002" in text and "▲" in text and "+20.00 %p" in text


def test_whoever_may_read_portfolios_may_compare_and_nobody_else(
    staff: Client, targeted: DeskWorld, model: ModelPortfolio
) -> None:
    assert "v2 → v3: " in _page(targeted.client("viewer"), _compare(model))
    assert targeted.client("trader").get(_compare(model)).status_code == 302, "no staff"
    assert Client().get(_compare(model)).status_code == 302


def test_a_page_of_versions_and_a_comparison_stay_light(
    staff: Client, model: ModelPortfolio
) -> None:
    for number in range(20):
        weights = _percent(STOCK=f"{40 + number}.00", CASH=f"{60 - number}.00")
        create_model_version(model, weights, by="admin")
    for path in (_compare(model), f"/admin/portfolio/modelportfolio/{model.pk}/change/"):
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(path).status_code == 200
        assert len(queries) <= 30, (path, [q["sql"][:80] for q in queries])
