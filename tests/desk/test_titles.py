"""A list is called what it lists and a record what it is, without stock phrases and guessed particles."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils.translation import override

from config.one_names import ONE_COLUMN, ONE_RECORD
from rebalancing.models import RunSchedule
from tests.desk.conftest import DeskWorld
from tests.desk.messages import ROOT
from tests.desk.records import a_sale, pages_of_records
from tests.desk.test_moments import without_raw

STOCK = ("보기위한", "뷰 ", "변경할", "를(을)", "다른 이름으로", "나옴", "(들)", "</h3>")
GUESSED = re.compile(r"(을\(를\)|은\(는\)|이\(가\)|를\(을\)|”가 |\"가 )")


def title_of(client: Client, path: str, language: str) -> str:
    page = client.get(path, headers={"accept-language": language}).content.decode()
    found = re.search(r"<title>(.*?)</title>", page, re.S)
    assert found is not None
    return " ".join(found[1].split("|")[0].split())


@pytest.mark.parametrize(
    ("path", "korean", "english"),
    [
        ("rebalancing/run/", "리밸런싱 실행", "Rebalancing runs"),
        ("portfolio/modelportfolio/", "MP", "MP"),
        ("rebalancing/rebalancingconfig/", "리밸런싱 설정", "Rebalancing settings"),
        ("auth/user/", "사용자와 역할", "Users and roles"),
    ],
)
def test_a_list_has_the_name_of_what_it_lists(
    staff: Client, targeted: DeskWorld, path: str, korean: str, english: str
) -> None:
    assert title_of(staff, f"/admin/{path}", "ko") == korean
    assert title_of(staff, f"/admin/{path}", "en") == english


def test_a_record_is_called_by_its_kind_and_name(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    run = f"/admin/rebalancing/run/{sale.run.pk}/change/"
    assert title_of(staff, run, "ko") == f"리밸런싱 실행 #{sale.run.pk}"
    assert title_of(staff, run, "en") == f"Run #{sale.run.pk}"
    attempt = f"/admin/trading/attempt/{sale.attempt.pk}/change/"
    assert title_of(staff, attempt, "en") == f"Send attempt #{sale.attempt.pk}"


def test_no_page_speaks_in_stock_phrases(staff: Client, targeted: DeskWorld) -> None:
    a_sale(targeted)
    RunSchedule.objects.create(account=targeted.account, at=time(10))
    for path, page in pages_of_records(staff):
        said = without_raw(page) + "".join(re.findall(r"별\s*</h3>", page))
        for phrase in STOCK:
            assert phrase not in said, (path, phrase)


def test_one_column_is_called_like_one(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    staff.cookies["django_language"] = "en"
    order = staff.get(f"/admin/trading/brokerorder/{sale.order.pk}/change/").content.decode()
    assert "Price" in order and "Prices" not in without_raw(order)
    approvals = without_raw(staff.get("/admin/trading/approval/").content.decode())
    assert "Decision" in approvals
    run = staff.get(f"/admin/rebalancing/run/{sale.run.pk}/change/").content.decode()
    assert "A person" in run


def test_every_name_of_one_is_of_something_and_has_its_english() -> None:
    for label, name in ONE_RECORD.items():
        assert apps.get_model(label)._meta.verbose_name == name
        with override("en"):
            assert not re.search("[가-힣]", str(name)), label
    for path in ONE_COLUMN:
        label, _dot, column = path.rpartition(".")
        assert apps.get_model(label)._meta.get_field(column)


def test_a_schedule_is_called_by_what_it_waits_for(staff: Client, targeted: DeskWorld) -> None:
    monthly = RunSchedule(kind="periodic", period="month", edge="last", at=time(10))
    assert str(monthly) == "정기, 매월 마지막 거래일 10:00"
    assert str(RunSchedule(kind="drift", at=time(9, 40))) == "편차, 거래일마다 09:40"
    with override("en"):
        assert "10:00" in str(monthly) and not re.search("[가-힣]", str(monthly))


def test_saving_says_what_was_saved_without_a_particle(staff: Client, targeted: DeskWorld) -> None:
    told = {"kind": "drift", "at": "10:00", "period": "month", "edge": "last"}
    more = {"min_flow_won": "1000000", "planner": "rules", "account": targeted.account.pk}
    answer = staff.post("/admin/rebalancing/runschedule/add/", told | more, follow=True)
    said = [str(one) for one in answer.context["messages"]]
    assert any(one.startswith("추가했습니다: ") and "편차, 거래일마다 10:00" in one for one in said)


def test_no_sentence_of_ours_guesses_a_particle() -> None:
    found = []
    for app in ("trading", "portfolio", "rebalancing/selectors", "rebalancing/admin"):
        for file in (ROOT / app).rglob("*.py"):
            found += [
                f"{file.name}: {line.strip()}"
                for line in file.read_text("utf-8").splitlines()
                if GUESSED.search(line) and '"filter"' not in line
            ]
    assert found == []


class TestEmpty:
    """An empty list offers only what its reader can do."""

    def said(self, client: Client, path: str) -> Any:
        return client.get(path).content.decode()

    def test_what_nobody_can_make_is_not_asked_for(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        page = self.said(staff, "/admin/trading/brokerorder/?q=nothing")
        assert "새로 만" not in page and "필터나 찾는 말을 지우면" in page
        assert "아직 남은 기록이 없습니다" in self.said(staff, "/admin/trading/brokerorder/")

    def test_what_can_be_made_is(self, staff: Client, targeted: DeskWorld) -> None:
        assert "새로 만" in self.said(staff, "/admin/portfolio/modelportfolio/?q=nothing")
