"""Amounts have units and stand in tables that a phone can read; what is only not so is no fault."""

from __future__ import annotations

from django.test import Client

from rebalancing.models import Leg
from tests.desk.conftest import DeskWorld
from tests.desk.records import a_sale
from tests.desk.test_moments import without_raw
from trading.admin.tables import record_table


def test_the_trades_of_a_run_have_names_units_and_a_card_each(
    staff: Client, targeted: DeskWorld
) -> None:
    sale = a_sale(targeted)
    leg = Leg.objects.get(run=sale.run)
    page = staff.get(f"/admin/rebalancing/run/{sale.run.pk}/change/").content.decode()
    table = page.split("jeoul-record")[1].split("</table>")[0]
    assert f'/leg/{leg.pk}/change/">{leg.instrument.name}</a></th>' in table
    for said in ("50주", "9,995원", "매도", 'data-label="지정가"', 'class="num"'):
        assert said in table, said
    assert "owner_practice" not in page and "approver" in page, "who decided"


def test_a_run_says_who_decided_and_under_which_policy(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    said = without_raw(staff.get(f"/admin/rebalancing/run/{sale.run.pk}/change/").content.decode())
    assert "승인 · approver · " in said and "본인 (연습)" in said


def test_a_snapshot_is_a_table_with_units(staff: Client, targeted: DeskWorld) -> None:
    row = targeted.snapshot()
    page = staff.get(f"/admin/trading/snapshot/{row.pk}/change/").content.decode()
    assert "1,000,000원" in page and "10주" in page and "13,000원" in page
    assert "Fund 100000 100000" in page and "&quot;quantity&quot;" not in page


def test_an_order_of_a_list_has_its_price_its_time_and_its_account(
    staff: Client, targeted: DeskWorld
) -> None:
    sale = a_sale(targeted)
    page = without_raw(staff.get("/admin/trading/brokerorder/").content.decode())
    for said in ("9,995원", "09:37:14", targeted.account.masked, "50주"):
        assert said in page, said
    one = staff.get(f"/admin/trading/brokerorder/{sale.order.pk}/change/").content.decode()
    assert "09:37:14" in one and "093714" not in without_raw(one)


def test_a_part_of_a_code_finds_the_instrument(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    begins = sale.intent.instrument_id[:4]
    for path in ("brokerorder", "intent", "rulecheck", "ledger", "position"):
        found = staff.get(f"/admin/trading/{path}/?q={begins}").context["cl"].result_count
        none = staff.get(f"/admin/trading/{path}/?q=9{begins}").context["cl"].result_count
        assert found >= 1 and none == 0, path


def test_weights_have_their_sign(staff: Client, targeted: DeskWorld) -> None:
    models = staff.get("/admin/portfolio/modelportfolio/").content.decode()
    assert "주식 60 % · 채권 30 % · 현금 10 %" in models
    subs = staff.get("/admin/portfolio/subportfolio/").content.decode()
    assert "Fund 100000 50 % · Fund 100001 50 %" in subs
    form = staff.get("/admin/portfolio/targetdecision/add/").content.decode()
    assert "60 %" in form and "Fund 100000 50 %" in form


def test_no_is_a_word_and_no_red_cross(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    for path in (
        "auth/user/",
        "rebalancing/runschedule/",
        f"rebalancing/run/{sale.run.pk}/change/",
    ):
        page = staff.get(f"/admin/{path}").content.decode()
        assert "close_small" not in page, path
    assert "아니요" in staff.get("/admin/auth/user/").content.decode()


def test_roles_are_ticked(staff: Client, targeted: DeskWorld) -> None:
    person = targeted.people["viewer"].pk
    page = staff.get(f"/admin/auth/user/{person}/change/").content.decode()
    boxes = page.count('type="checkbox" name="groups"') + page.count('name="groups"')
    assert boxes >= 4 and "<select" not in page.split('name="groups"')[0][-400:]
    assert "Control" not in page and "&quot;Command&quot;" not in page
    own = staff.get(f"/admin/auth/user/{targeted.people['admin'].pk}/change/")
    assert own.status_code == 200 and 'name="groups"' not in own.content.decode()


def test_a_table_of_nothing_is_a_dash_and_escapes_what_it_shows() -> None:
    assert record_table(("a", "b"), []) == "–"
    table = record_table(("a", "b"), [("<b>", "")])
    assert "&lt;b&gt;" in table and "jeoul-bare" in table and "–" in table


def test_the_button_with_three_dots_has_a_name(staff: Client, targeted: DeskWorld) -> None:
    run = targeted.run()
    page = staff.get(f"/admin/rebalancing/run/{run.pk}/change/").content.decode()
    assert '<span class="jeoul-more">더 보기</span>' in page
