"""Records call people, orders, policies and programs by their names, and lead to them."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin import site
from django.db import transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.desk.conftest import DeskWorld
from tests.desk.records import a_sale, pages_of_records
from tests.desk.test_moments import without_raw
from trading.admin.subjects import MOST_NAMED
from trading.models import Account, AccountMember, AuditEntry, Switch
from trading.selectors.said import (
    actor_said,
    order_time_said,
    policy_said,
    proof_said,
    slot_said,
    version_said,
)
from trading.services.audit import audit

AUDIT = "/admin/trading/auditentry/"
CODES = (
    r"owner_practice",
    r"person:\d",
    r"\brun:\d+:\d",
    r"\b(intent|user|mp|sub|account|token|switch|run|schedule):(\d|global)",
    r"MINUS_TICKS|PLUS_TICKS|BID_MINUS|\bLIMIT\b",
    r"\bgate-\d",
    r"\b[0-9a-f]{64}\b",
    r"\bengine\b|\bdefaults\b|\bsystem\b",
    r"\bCOMPLETED\b|\bHALTED\b|\bCANCELED\b",
)


def rows_of(client: Client, query: str) -> list[AuditEntry]:
    return list(client.get(AUDIT + query).context["cl"].result_list)


def body_of(page: str) -> str:
    """What a page says of records: without the frame, the filters and the help of its search."""
    main = page.split('id="content"')[-1] if 'id="content"' in page else page
    main = re.sub(r"<(script|select|option)\b.*?</\1>", "", main, flags=re.S)
    main = re.sub(r'<div id="changelist-filter.*', "", main, flags=re.S)
    return without_raw(main)


def test_no_page_of_a_record_speaks_in_codes(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    with transaction.atomic():
        slot = {"slot": "person:20261201T093615:7f83caf9", "plan_hash": "ab" * 32}
        audit("engine", "run_approved", f"run:{sale.run.pk}", slot)
    history = f"/admin/rebalancing/run/{sale.run.pk}/history/"
    pages = [*pages_of_records(staff), (history, staff.get(history).content.decode())]
    for path, page in pages:
        for code in CODES:
            found = re.search(f".*(?:{code}).*", body_of(page))
            assert found is None, (path, code, found and found[0].strip())


class TestAudit:
    """The chain keeps codes; its list says who and what, and the way there."""

    def test_people_orders_and_switches_are_named_and_lead_to_their_pages(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        sale, person = a_sale(targeted), targeted.people["approver"]
        page = staff.get(AUDIT).content.decode()
        assert f'href="/admin/auth/user/{person.pk}/change/">사용자 approver<' in page
        assert f'href="/admin/trading/intent/{sale.intent.pk}/change/">' in page
        assert f"리밸런싱 #{sale.run.pk} · {sale.intent.instrument.name} 매도 50주" in page
        assert "거래 스위치 · 모든 계좌" in page

    def test_who_may_not_open_a_row_reads_its_name_without_a_way(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        a_sale(targeted)
        person = targeted.people["approver"]
        person.is_staff = True
        person.save()
        page = targeted.client("approver").get(AUDIT).content.decode()
        assert "사용자 approver" in page and "/admin/auth/user/" not in body_of(page)

    def test_a_row_that_is_gone_keeps_its_kind_and_number(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        with transaction.atomic():
            audit("admin", "run_cancel", "run:987654", {})
            audit("admin", "wakeup_changed", "wakeup:some.task", {})
        page = staff.get(AUDIT).content.decode()
        assert "#987654" in page and "/run/987654/" not in page and "wakeup:some.task" in page

    def test_a_person_is_found_by_name_in_what_was_done_to_them(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        a_sale(targeted)
        person = targeted.people["approver"].pk
        assert f"user:{person}" in {row.object for row in rows_of(staff, "?q=approver")}
        assert f"user:{person}" not in {row.object for row in rows_of(staff, "?q=viewer")}

    def test_an_act_is_found_by_what_it_is_called(self, staff: Client, targeted: DeskWorld) -> None:
        a_sale(targeted)
        assert {row.action for row in rows_of(staff, "?q=비밀번호")} == {"password_set"}

    def test_a_foreign_account_is_not_found_by_its_name(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        person = targeted.people["approver"]
        person.is_staff = True
        person.save()
        foreign = Account.objects.create(
            name="Secret", environment="sim", wire="real", account_no="12345678-01", app_key="k"
        )
        with transaction.atomic():
            audit("admin", "account_changed", f"account:{foreign.pk}", {})
        assert rows_of(targeted.client("approver"), "?q=Secret") == []
        AccountMember.objects.create(account=foreign, user=targeted.people["admin"])
        assert len(rows_of(staff, "?q=Secret")) == 1

    @pytest.mark.django_db
    def test_its_list_asks_for_kinds_and_not_for_rows(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        from django.db import connection

        sale = a_sale(targeted)
        staff.get(AUDIT)
        counts = []
        for more in (0, 30):
            with transaction.atomic():
                for _ in range(more):
                    audit("engine", "order_send", f"intent:{sale.intent.pk}", {})
            with CaptureQueriesContext(
                connection,
            ) as asked:
                staff.get(AUDIT)
            counts.append(len(asked))
        assert counts[0] == counts[1]
        assert MOST_NAMED <= 50


def test_words_for_codes_keep_what_they_do_not_know() -> None:
    assert slot_said("person:20261201T093615:7f83caf9") == "사람이 시작함 (2026-12-01 09:36:15)"
    assert slot_said("api:5:abc") == "API로 시작함"
    assert slot_said("rebalance:3:2026-12:last") == "2026-12 마지막 거래일"
    assert slot_said("2026-12-01T10:00") == "2026-12-01 10:00"
    assert slot_said("person:soon") == "person:soon" and slot_said("moon") == "moon"
    assert policy_said("owner_practice") == "본인 (연습)" and policy_said("new") == "new"
    assert actor_said("engine") == "Jeoul" and actor_said("kim") == "kim"
    assert actor_said("policy:7") == "승인 정책 v7"
    assert proof_said("password") == "비밀번호" and proof_said("") == "–"
    assert version_said("gate-3") == "3판" and version_said("other-3") == "other-3"
    assert order_time_said("093714") == "09:37:14" and order_time_said("9:37") == "9:37"


def test_a_switch_says_what_it_stops(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    Switch.objects.create(
        scope=f"account:{targeted.account.pk}",
        state="ACTIVE",
        by="admin",
        reason="x",
        at=sale.check.at,
    )
    page = body_of(staff.get("/admin/trading/switch/").content.decode())
    assert "모든 계좌" in page and str(targeted.account) in page


def test_every_kind_of_the_chain_is_named_by_at_most_one_admin() -> None:
    kinds = [one.past_as for one in site._registry.values() if getattr(one, "past_as", "")]
    assert len(kinds) == len(set(kinds)) > 8
