"""What people and programs type into the admin by mistake: a sentence beside the field, never a crash."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from portfolio.models import SubPortfolio
from rebalancing.models import RunSchedule
from tests.desk.conftest import DeskWorld
from trading.models import Account, ApprovalPolicy


def _page(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def _new_account(**values: str) -> dict[str, str]:
    empty = {
        f"{prefix}-{part}_FORMS": "0"
        for prefix in ("accountmember_set", "approval_policies")
        for part in ("TOTAL", "INITIAL")
    }
    return empty | {
        "name": "Second",
        "environment": "sim",
        "wire": "real",
        "wrapper": "general",
        "account_no": "11112222-01",
        "app_key": "k" * 36,
        "app_secret": "s" * 180,
        "commission_stock": "0.00015",
        "commission_fund": "0.00015",
        "is_active": "on",
        "paused_reason": "",
        **values,
    }


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"account_no": "99887766-01"}, "이 환경에 이미 등록된 계좌번호입니다."),
        ({"account_no": "９９８８７７６６-01"}, "12345678-01 형식으로"),
        ({"account_no": "1234"}, "12345678-01 형식으로"),
        ({"commission_stock": "0.02"}, "0.009999999"),
        ({"commission_stock": "1e-4"}, "숫자와 점만 쓰세요"),
        ({"wire": "mock", "environment": "real"}, "환경과 같아야 합니다"),
    ],
)
def test_a_wrong_account_is_refused_beside_its_field(
    staff: Client, typed: dict[str, str], sentence: str
) -> None:
    answer = staff.post("/admin/trading/account/add/", _new_account(**typed))
    assert answer.status_code == 200
    assert sentence in _page(answer)
    assert Account.objects.count() == 1


def test_a_right_account_is_added_with_its_commission(staff: Client) -> None:
    answer = staff.post("/admin/trading/account/add/", _new_account(commission_fund="0.0002"))
    assert answer.status_code == 302
    assert str(Account.objects.get(name="Second").commission_fund) == "0.000200000"


def test_the_same_number_may_be_added_in_another_environment(staff: Client) -> None:
    data = _new_account(account_no="99887766-01", environment="mock", wire="mock")
    assert staff.post("/admin/trading/account/add/", data).status_code == 302


def _policy(desk: DeskWorld, **values: str) -> dict[str, Any]:
    return {
        "account": desk.account.pk,
        "kind": "owner_practice",
        "max_turnover_percent": "30.00",
        "max_cost_won": "200000",
        "max_price_move_percent": "2.00",
        **values,
    }


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("max_cost_won", "2_00000"),
        ("max_cost_won", "２０００００"),
        ("max_cost_won", "200,000"),
        ("max_cost_won", "-1"),
        ("max_turnover_percent", "101"),
        ("max_turnover_percent", "3_0"),
        ("max_turnover_percent", "３０"),
        ("max_price_move_percent", "2.01"),
        ("max_price_move_percent", "NaN"),
    ],
)
def test_a_limit_is_typed_plainly_and_inside_its_bounds(
    staff: Client, targeted: DeskWorld, name: str, typed: str
) -> None:
    answer = staff.post("/admin/trading/approvalpolicy/add/", _policy(targeted, **{name: typed}))
    assert answer.status_code == 200
    assert not ApprovalPolicy.objects.exists()
    page = _page(answer)
    assert "approval_policy_" not in page, "the name of a constraint is nobody's word"
    assert "errorlist" in page or "text-red" in page


def test_a_plain_limit_is_taken(staff: Client, targeted: DeskWorld) -> None:
    data = _policy(targeted, max_turnover_percent="100", max_cost_won="0")
    assert staff.post("/admin/trading/approvalpolicy/add/", data).status_code == 302
    assert ApprovalPolicy.objects.get().max_cost_won == 0


def test_a_weight_without_an_instrument_is_not_dropped(staff: Client) -> None:
    portfolio = SubPortfolio.objects.get(code="S-T")
    data = {
        "code": "S-T",
        "name": "S",
        "note": "",
        "instrument_1": "100000",
        "weight_1": "100",
        "instrument_2": "",
        "weight_2": "25",
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
    }
    path = f"/admin/portfolio/subportfolio/{portfolio.pk}/change/"
    answer = staff.post(path, data)
    assert "비중 25 %의 종목을 고르세요" in _page(answer)
    assert portfolio.versions.count() == 1
    assert staff.post(path, data | {"weight_2": ""}).status_code == 302, "an empty row is no row"


@pytest.mark.parametrize(
    "query", ["trade_date__year=" + "9" * 30, "trade_date__month=x", "trade_date__year=２０２６"]
)
def test_a_year_that_is_none_opens_the_list_without_it(staff: Client, query: str) -> None:
    answer = staff.get(f"/admin/trading/brokerorder/?{query}")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/trading/brokerorder/?e=1")
    assert staff.get("/admin/trading/brokerorder/?e=1").status_code == 200


@pytest.mark.parametrize("query", ["trade_date__year=2026", "is_final__exact=0", "q=0001", "p=9"])
def test_a_filter_that_means_something_stays(staff: Client, query: str) -> None:
    assert staff.get(f"/admin/trading/brokerorder/?{query}").status_code in (200, 302)
    answer = staff.get(f"/admin/trading/brokerorder/?{query}")
    assert query.startswith("p=") or answer.status_code == 200


def test_what_only_the_database_notices_is_told_and_nothing_is_saved(
    staff: Client, targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people press the button together: the second one's form saw no rival yet."""

    def rival(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("UNIQUE constraint failed")

    monkeypatch.setattr(RunSchedule, "save", rival)
    data = {"account": targeted.account.pk, "at": "10:10", "planner": "rules", "enabled": "on"}
    data |= {"kind": "drift", "period": "month", "edge": "last", "min_flow_won": "1000000"}
    answer = staff.post("/admin/rebalancing/runschedule/add/", data, follow=True)
    assert answer.status_code == 200
    assert "저장하지 않았습니다" in _page(answer)
    assert not RunSchedule.objects.exists()
