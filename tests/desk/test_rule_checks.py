"""The check before a send is read by people: which order, which rules, what each said and what it saw."""

from __future__ import annotations

from dataclasses import fields

import pytest
from django.test import Client
from django.utils.translation import override

from tests.desk.conftest import DeskWorld
from tests.desk.records import Sale, a_sale
from trading.domain import limits
from trading.domain.limits import GateInputs
from trading.selectors.gate_words import INPUT_NAMES, RULE_NAMES, facts_said, rule_numbers


def page_of(client: Client, sale: Sale) -> str:
    path = f"/admin/trading/rulecheck/{sale.check.pk}/change/"
    return client.get(path).content.decode()


def test_every_rule_and_every_fact_has_a_name() -> None:
    assert {*limits._ORDER_RULES, *limits._CANCEL_RULES} == {*RULE_NAMES}
    assert [field.name for field in fields(GateInputs)] == [*INPUT_NAMES]


def test_the_list_names_the_order_its_run_and_the_second(
    staff: Client, targeted: DeskWorld
) -> None:
    sale = a_sale(targeted)
    page = staff.get("/admin/trading/rulecheck/").content.decode()
    row = page.split("<tbody")[1]
    for said in (sale.intent.instrument.name, "매도", "50주", f"리밸런싱 #{sale.run.pk}", "통과"):
        assert said in row, said
    assert sale.intent.key not in row and "gate-3" not in row


def test_the_record_names_each_rule_with_its_result_and_numbers(
    staff: Client, targeted: DeskWorld
) -> None:
    page = page_of(staff, a_sale(targeted))
    for name in RULE_NAMES.values():
        assert str(name) in page, name
    assert "현재가 10,000원" in page and "현재가와의 거리 0.05 %" in page
    assert "팔 수 있는 수량이 있다" in page and "매도 가능 수량 60주" in page
    assert "매도 가능 수량" in page and "상한가" in page and "13,000원" in page


def test_what_is_stored_is_folded_and_its_hash_is_short(staff: Client, targeted: DeskWorld) -> None:
    page = page_of(staff, a_sale(targeted))
    before, _folded, _after = page.partition('<details class="jeoul-raw"')
    assert "lane_free" in page and "lane_free" not in before
    assert f">{'f' * 64}<" not in page and f'title="{"f" * 64}"' in page


def test_a_rule_that_stopped_is_told_from_those_that_passed(
    staff: Client, targeted: DeskWorld
) -> None:
    page = page_of(staff, a_sale(targeted, sellable=10))
    table = page.split("<tbody>")[1].split("</tbody>")[0]
    assert table.count(">막힘<") == 1 and table.count(">통과<") == 27
    stopped = next(row for row in table.split("<tr>") if "막힘" in row)
    assert "팔 수 있는 수량이 있다" in stopped and "매도 가능 수량 10주" in stopped


def test_an_order_a_run_and_their_checks_lead_to_each_other(
    staff: Client, targeted: DeskWorld
) -> None:
    sale = a_sale(targeted)
    checks = f"/admin/trading/rulecheck/?q=run%3A{sale.run.pk}%3A"
    for path in (
        f"rebalancing/run/{sale.run.pk}",
        f"trading/intent/{sale.intent.pk}",
        f"trading/brokerorder/{sale.order.pk}",
    ):
        assert checks in staff.get(f"/admin/{path}/change/").content.decode(), path
    found = staff.get(checks).context["cl"].result_list
    assert [row.pk for row in found] == [sale.check.pk]
    assert f"/admin/trading/intent/{sale.intent.pk}/change/" in page_of(staff, sale)
    assert f"/admin/rebalancing/run/{sale.run.pk}/change/" in page_of(staff, sale)


def test_checks_of_another_run_are_not_among_them(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    path = f"/admin/trading/rulecheck/?q=run:{sale.run.pk}0:"
    assert staff.get(path).context["cl"].result_count == 0


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_fact_and_a_number_that_a_newer_program_added_are_shown_by_their_names(
    language: str,
) -> None:
    with override(language):
        assert ("moon", "full") in facts_said({"moon": "full", "side": "BUY"})
        assert rule_numbers("moon", {"phase": 3}) == "phase 3"
        assert rule_numbers("quantity", {"quantity": 5, "max": 1_000}) != ""
        assert facts_said({"now": "no time", "vi": None})[0][1] == "no time"
