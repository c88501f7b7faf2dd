"""Every record has a list that can be narrowed and searched, and a past that can be read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.utils import timezone

from config.field_names import OURS
from portfolio.services import create_sub_version
from tests.desk.conftest import DeskWorld
from trading.admin.search import searched
from trading.models import (
    Account,
    AccountMember,
    AuditEntry,
    Intent,
    KisToken,
    Snapshot,
    Transition,
)
from trading.selectors.audit_words import ACTION_NAMES
from trading.services.audit import audit

ROOT = Path(__file__).resolve().parents[2]
INSIDE = {
    "AccountMember": "on the page of its account",
    "ModelPortfolioVersion": "on the page of its MP",
    "ModelPortfolioWeight": "in its version",
    "SubPortfolioVersion": "on the page of its Sub-MP",
    "SubPortfolioWeight": "in its version",
    "AuditHead": "the end of the chain, one row without a meaning of its own",
    "ReconciledEpoch": "told by the process it belongs to",
    "IdempotencyKey": "answers of the API, kept for a week to be repeated",
    "SecondFactor": "a secret; whether there is one stands with the person",
    "RecoveryCode": "a secret",
}
"""What has no list of its own, and where it is told."""


def ours() -> list[Any]:
    return [m for m in apps.get_models() if m._meta.app_label in OURS]


def lists() -> list[Any]:
    return [one for model, one in admin.site._registry.items() if model in ours()]


def test_every_record_has_a_list_or_a_place() -> None:
    missing = {m.__name__ for m in ours() if m not in admin.site._registry}
    assert missing - set(INSIDE) == set()


@pytest.mark.parametrize("one", lists(), ids=lambda one: one.model.__name__)
def test_every_list_can_be_narrowed_and_searched(one: Any) -> None:
    assert one.list_filter, "no filter"
    assert one.search_fields, "no search"


@pytest.mark.parametrize("one", lists(), ids=lambda one: one.model.__name__)
def test_every_filter_and_search_answers(one: Any, staff: Client, targeted: DeskWorld) -> None:
    targeted.snapshot()
    targeted.run()
    path = f"/admin/{one.opts.app_label}/{one.opts.model_name}/"
    for query in (
        "?q=1",
        "?q=가'\"",
        "?span=7",
        "?account=1",
        "?state=COMPLETED",
        "?ruling=yes",
    ):
        answer = staff.get(path + query, follow=True)
        assert answer.status_code == 200, path + query


@pytest.mark.parametrize("one", lists(), ids=lambda one: one.model.__name__)
def test_what_searches_more_than_names_says_what_it_searches(one: Any) -> None:
    """A search by the beginning of a word finds nothing for whoever types its middle."""
    beginnings = [name for name in one.search_fields if name[0] in "^="]
    if len(beginnings) == len(one.search_fields) > 1 and one.opts.model_name not in (
        "transition",
        "decision",
        "reservation",
        "releaserequest",
        "alert",
        "apitoken",
        "processepoch",
    ):
        assert one.search_help_text


class TestOwnAccounts:
    """The filter by account offers one's own accounts, and names no other."""

    @pytest.fixture
    def other(self, targeted: DeskWorld) -> Account:
        other = Account.objects.create(
            name="아무개", environment="mock", wire="mock", app_key="k", app_secret="s"
        )
        for account in (targeted.account, other):
            Snapshot.objects.create(
                account=account,
                taken_at=timezone.now(),
                ended_at=timezone.now(),
                equity=1,
                cash=1,
                holdings={},
                quotes={},
                raw={},
                raw_hash="0" * 64,
            )
        return other

    def page(self, client: Client, query: str = "") -> Any:
        return client.get("/admin/trading/snapshot/" + query)

    def test_of_somebody_with_one_there_is_no_choice(
        self, staff: Client, other: Account, targeted: DeskWorld
    ) -> None:
        assert "아무개" not in self.page(staff).content.decode()
        narrowed = self.page(staff, f"?account={other.pk}").context["cl"]
        assert all(row.account_id == targeted.account.pk for row in narrowed.result_list)

    def test_of_somebody_with_two_each_can_be_chosen(
        self, staff: Client, other: Account, targeted: DeskWorld
    ) -> None:
        AccountMember.objects.create(account=other, user=targeted.people["admin"])
        assert "아무개" in self.page(staff).content.decode()
        rows = self.page(staff, f"?account={other.pk}").context["cl"].result_list
        assert [row.account_id for row in rows] == [other.pk]


class TestPast:
    """The history of a row is its whole past."""

    def acts(self, client: Client, model: str, key: Any) -> list[Any]:
        answer = client.get(f"/admin/{model}/{key}/history/")
        assert answer.status_code == 200
        return [one["act"] for _title, acts in answer.context["parts"] for one in acts]

    def test_of_a_run_its_states_and_what_people_did(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        run = targeted.run()
        Transition.objects.create(
            object_type="run",
            object_id=run.pk,
            from_state="CREATED",
            to_state="SNAPSHOT",
            at=timezone.now() - timedelta(minutes=5),
            by="worker",
        )
        with transaction.atomic():
            audit("trader", "run_opened", f"run:{run.pk}", {"slot": "api:1", "dry_run": False})
            audit("trader", "run_opened", f"run:{run.pk}0", {})
        acts = self.acts(staff, "rebalancing/run", run.pk)
        told = [(act.by, act.what) for act in acts]
        assert ("trader", "리밸런싱을 시작함") in told
        assert ("worker", "시작 → 계좌 조회") in told
        assert len([one for one in told if one[1] == "리밸런싱을 시작함"]) == 1, "another run's"
        assert [act.at for act in acts] == sorted((act.at for act in acts), reverse=True)

    def test_of_a_sub_portfolio_that_a_program_changed(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        version = targeted.account.target_decisions.first().sub_versions.first()
        create_sub_version(version.portfolio, version.weights_by_ticker(), by="robot", note="")
        acts = self.acts(staff, "portfolio/subportfolio", version.portfolio_id)
        assert ("robot", "Sub-MP 버전 추가") in [(act.by, act.what) for act in acts]
        assert "버전: 2" in acts[0].facts

    def test_of_a_decision_that_stands_under_its_account(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        decision = targeted.account.target_decisions.first()
        subject = f"account:{targeted.account.pk}"
        with transaction.atomic():
            audit("x", "targets_decided", subject, {"decision": int(f"{decision.pk}0")})
        acts = self.acts(staff, "portfolio/targetdecision", decision.pk)
        assert [act.what for act in acts] == ["목표를 정함"]

    def test_of_a_person_what_was_done_to_them(self, staff: Client, targeted: DeskWorld) -> None:
        person = targeted.people["viewer"]
        with transaction.atomic():
            audit("admin", "second_factor_removed", f"user:{person.pk}")
        acts = self.acts(staff, "auth/user", person.pk)
        assert ("admin", "2차 인증 초기화") in [(act.by, act.what) for act in acts]

    def test_nothing_is_a_past_too(self, staff: Client, targeted: DeskWorld) -> None:
        row = targeted.snapshot()
        answer = staff.get(f"/admin/trading/snapshot/{row.pk}/history/")
        assert "바뀐 적이 없습니다" in answer.content.decode()
        assert staff.get("/admin/trading/snapshot/999999/history/").status_code == 404

    def test_the_chain_is_not_told_to_who_may_not_read_it(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        with transaction.atomic():
            audit("admin", "account_changed", f"account:{targeted.account.pk}", {"keys": True})
        viewer = targeted.people["viewer"]
        viewer.is_staff = True
        viewer.save()
        model, key = "trading/account", targeted.account.pk
        assert "계좌 변경" in [act.what for act in self.acts(staff, model, key)]
        looked = targeted.client("viewer").get(f"/admin/{model}/{key}/history/")
        assert looked.status_code == 200 and looked.context["parts"] == [("", [])]
        AccountMember.objects.filter(user=viewer).delete()
        hidden = targeted.client("viewer").get(f"/admin/{model}/{key}/history/")
        assert hidden.status_code == 404


def audited() -> Iterator[str]:
    """Every action that the code writes into the chain."""
    for app in ("config", "trading", "portfolio", "rebalancing"):
        for file in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "audit":
                    for part in ast.walk(node.args[1]):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            yield part.value


def test_every_act_of_the_chain_has_a_name_and_every_name_an_act() -> None:
    found = {name for name in audited() if "_" in name}
    assert len(found) > 40
    assert found - set(ACTION_NAMES) == set()
    assert set(ACTION_NAMES) - found == set()


def test_the_audit_list_is_read_in_korean_time_and_words(
    staff: Client, targeted: DeskWorld
) -> None:
    AuditEntry.objects.create(
        seq=10**9,
        at="2025-11-19T23:31:00+00:00",
        actor="trader",
        action="run_opened",
        object="run:1",
        payload="{}",
        payload_hash="0" * 64,
        hash="1" * 64,
        key_id="k",
    )
    page = staff.get("/admin/trading/auditentry/").content.decode()
    assert "2025-11-20 08:31:00" in page and "23:31" not in page
    assert "리밸런싱을 시작함" in page
    rows = staff.get("/admin/trading/auditentry/?action=run_opened").context["cl"].result_list
    assert {row.action for row in rows} == {"run_opened"}
    old = staff.get("/admin/trading/auditentry/?span=31").context["cl"].result_list
    assert 10**9 not in {row.seq for row in old}


@pytest.mark.parametrize(
    "path",
    [
        "portfolio/modelportfolio",
        "portfolio/subportfolio",
        "portfolio/targetdecision",
        "rebalancing/rebalancingconfig",
    ],
)
def test_what_rules_a_rebalancing_stands_side_by_side_in_tabs(
    staff: Client, targeted: DeskWorld, path: str
) -> None:
    page = staff.get(f"/admin/{path}/").content.decode()
    tabs = page.split('id="tabs-wrapper"')[1].split("</nav>")[0]
    for name in ("MP", "Sub-MP", "목표 결정", "리밸런싱 설정"):
        assert name in tabs
    assert tabs.count("/admin/") == 4
    sidebar = staff.get(f"/admin/{path}/").context["sidebar_navigation"]
    here = [item["title"] for group in sidebar for item in group["items"] if item.get("active")]
    assert len(here) == 1, here


def test_a_file_of_weights_comes_in_and_goes_out_from_every_tab(
    staff: Client, targeted: DeskWorld
) -> None:
    for path in ("modelportfolio", "subportfolio", "targetdecision"):
        page = staff.get(f"/admin/portfolio/{path}/").content.decode()
        assert "CSV로 가져오기" in page and "CSV로 내려받기" in page
        out = staff.get(f"/admin/portfolio/{path}/export-csv", follow=True)
        assert out["Content-Type"].startswith("text/csv"), path


def test_a_list_of_records_refreshes_itself_and_a_form_in_the_making_does_not(
    staff: Client, targeted: DeskWorld
) -> None:
    path = "/admin/trading/position/?q=1"
    page = staff.get(path).content.decode()
    assert f'hx-get="{path}"' in page and 'hx-trigger="every 10s"' in page
    for other in ("/admin/portfolio/modelportfolio/", "/admin/trading/apitoken/"):
        assert "every 10s" not in staff.get(other).content.decode()


def test_a_brokers_token_is_told_of_and_never_shown(staff: Client, targeted: DeskWorld) -> None:
    now = timezone.now()
    row = KisToken.objects.create(
        key_digest="d" * 64, host="kis.test", token="eyJ-secret", issued_at=now, expires_at=now
    )
    for path in ("", f"{row.pk}/change/", f"{row.pk}/history/"):
        page = staff.get(f"/admin/trading/kistoken/{path}").content.decode()
        assert "eyJ-secret" not in page and "d" * 64 not in page
    assert "kis.test" in staff.get("/admin/trading/kistoken/").content.decode()


class TestColumns:
    """Amounts are read in groups of three digits, states in words, and names of rows stay as they are."""

    def test_in_a_list_and_on_a_page(self, staff: Client, targeted: DeskWorld) -> None:
        row = targeted.snapshot()
        for path in ("/admin/trading/snapshot/", f"/admin/trading/snapshot/{row.pk}/change/"):
            page = staff.get(path).content.decode()
            assert f"{row.equity:,}" in page and "," in f"{row.equity:,}", path
            assert f">{row.equity}<" not in page, path

    def test_a_name_of_a_row_is_no_amount(self, staff: Client, targeted: DeskWorld) -> None:
        Transition.objects.create(
            object_type="intent",
            object_id=1_234_567,
            from_state="SENDING",
            to_state="UNKNOWN",
            at=timezone.now(),
            by="t",
        )
        page = staff.get("/admin/trading/transition/").content.decode()
        assert "1234567" in page and "1,234,567" not in page
        assert "결과를 모름" in page and "UNKNOWN" not in page

    def test_an_amount_keeps_its_order_and_its_heading(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        targeted.snapshot()
        page = staff.get("/admin/trading/snapshot/?o=3").content.decode()
        assert "총자산" in page
        assert staff.get("/admin/trading/snapshot/?o=3").context["cl"].get_ordering_field_columns()


class TestSearch:
    """A search finds by key and by way of other tables, and nothing that was not asked for."""

    def found(self, client: Client, query: str) -> int:
        answer = client.get(f"/admin/trading/brokerorder/?q={query}")
        return int(answer.context["cl"].result_count)

    def test_an_order_by_its_number_its_ticker_and_its_name(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        order = targeted.order(timezone.now(), order_no="0000070777")
        short = order.order_no.lstrip("0")
        name = order.instrument.name
        for query in (order.order_no, short, order.instrument_id, name, f"{short}+{name}"):
            assert self.found(staff, query) == 1, query
        for query in ("9" * 10, "999999", "nothing", f"{short}+nothing", "9" * 40, "%25", "_"):
            assert self.found(staff, query) == 0, query

    def test_a_sub_portfolio_by_what_it_holds_comes_once(
        self, staff: Client, targeted: DeskWorld
    ) -> None:
        version = targeted.account.target_decisions.first().sub_versions.first()
        create_sub_version(version.portfolio, version.weights_by_ticker(), by="t", note="")
        ticker = next(iter(version.weights_by_ticker()))
        rows = staff.get(f"/admin/portfolio/subportfolio/?q={ticker}").context["cl"].result_list
        keys = [row.pk for row in rows]
        assert version.portfolio_id in keys and len(keys) == len(set(keys))

    @pytest.mark.parametrize("path", ["trading/brokerorder", "trading/auditentry", "auth/user"])
    def test_a_search_of_a_thousand_words_says_that_it_is_too_long(
        self, staff: Client, targeted: DeskWorld, path: str
    ) -> None:
        for count, told in ((10, False), (11, True), (2_000, True)):
            answer = staff.get(f"/admin/{path}/", {"q": " ".join(["a"] * count)})
            assert answer.status_code == 200
            assert ("낱말 10개까지" in answer.content.decode()) is told

    def test_the_beginning_of_a_key_is_read_from_its_index(self) -> None:
        rows, twice = searched(Intent.objects.all(), ("^key", "=instrument__ticker"), "run:1")
        assert "LIKE" not in str(rows.query) and not twice
        rows, twice = searched(Transition.objects.all(), ("^to_state", "=object_id"), "FILLED")
        assert "LIKE" in str(rows.query)


class TestLookups:
    """What is typed into a list's address narrows it or is refused, and never breaks it."""

    @pytest.mark.parametrize(
        "query",
        [
            "trading/intent/?state__range=abc",
            "trading/intent/?key__range=a",
            "trading/intent/?id__contained_by=1",
            "trading/intent/?id__in=99999999999999999999",
            "trading/intent/?created_at=9999-12-31T23:59:59-12:00",
            "trading/intent/?created_at__gte=0001-01-01T00:00:00%2B14:00",
            "trading/intent/?instrument__ticker__regex=(",
            "trading/approval/?subject__range=abc",
            "trading/lane/?late_watch_until__exact=9999-12-31T23:59:59-12:00",
            "trading/auditentry/?actor__range=x",
            "trading/account/?app_key__startswith=a",
            "rebalancing/run/?requester__range=x",
        ],
    )
    def test_what_no_filter_asks_is_refused(
        self, staff: Client, targeted: DeskWorld, query: str
    ) -> None:
        assert staff.get(f"/admin/{query}").status_code == 400

    @pytest.mark.parametrize(
        "query",
        [
            "day__year=9999",
            "day__year=0",
            "day__year=0000",
            "day__year=1",
            "day__year=2026&day__month=x",
        ],
    )
    def test_a_year_that_has_no_end_narrows_nothing(
        self, staff: Client, targeted: DeskWorld, query: str
    ) -> None:
        assert staff.get(f"/admin/trading/marketday/?{query}").url.endswith("?e=1")
        moment = query.replace("day__", "created_at__")
        assert staff.get(f"/admin/trading/intent/?{moment}").url.endswith("?e=1")

    @pytest.mark.parametrize(
        "query",
        [
            "trading/intent/?side__exact=BUY&state=FILLED&span=7",
            "trading/brokerorder/?is_final__exact=1",
            "trading/alert/?severity=warning",
            "trading/intent/?created_at__year=2&created_at__month=1",
            "trading/intent/?created_at__year=9998&created_at__day=31",
            "trading/alert/?acknowledged_at__isempty=1",
            "trading/position/?instrument__kind__exact=etf",
            "trading/marketday/?day__year=2026&day__month=11",
            "portfolio/subportfolio/?asset_class__exact=BOND&ruling=yes",
        ],
    )
    def test_what_filters_ask_is_answered(
        self, staff: Client, targeted: DeskWorld, query: str
    ) -> None:
        answer = staff.get(f"/admin/{query}")
        assert answer.status_code == 200 and "e=1" not in answer.get("Location", "")
