"""A moment is written one way in the whole admin, in its true order, and with the name of its clock."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import DateTimeField
from django.test import Client
from django.utils import timezone

from portfolio.services import create_model_version
from tests.desk.conftest import DeskWorld
from tests.desk.records import a_sale, pages_of_records
from trading.admin.columns import WALL
from trading.models import Transition
from trading.selectors.past import past_of
from trading.services.audit import audit

OTHER_WAYS = (
    r"\+00:00",
    r"\d오전|오전$|오전 \d|\d 오전",
    r"\d{2}:\d{2}\.\d{3,}",
    r"[0-9] [ap]\.m\.",
    r"\d{4}년 \d+월 \d+일",
    r"\b(Jan|Feb|Dec)\. \d",
)
MARK = "(실제 시각)"


def without_raw(page: str) -> str:
    """The page less what is shown as it is stored, and less its marks for programs."""
    page = re.sub(r"<pre>.*?</pre>", "", page, flags=re.S)
    return re.sub(r"<[^>]*>", " ", page)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_of_a_record_writes_a_moment_in_another_way(
    staff: Client, targeted: DeskWorld, language: str
) -> None:
    a_sale(targeted)
    staff.cookies["django_language"] = language
    pages = pages_of_records(staff)
    assert len(pages) > 50
    for path, page in pages:
        for way in OTHER_WAYS:
            found = re.search(way, without_raw(page), re.M)
            assert found is None, (path, found)


def test_a_moment_of_a_list_has_its_seconds(staff: Client, targeted: DeskWorld) -> None:
    sale = a_sale(targeted)
    said = f"{timezone.localtime(sale.attempt.committed_at):%Y-%m-%d %H:%M:%S}"
    assert said in staff.get("/admin/trading/attempt/").content.decode()
    page = staff.get(f"/admin/trading/attempt/{sale.attempt.pk}/change/").content.decode()
    assert said in page


class TestTwoClocks:
    """The demo's accounts live on the simulator's clock, what people do on the wall's."""

    LISTS = (
        "trading/auditentry",
        "trading/apitoken",
        "trading/credentialchange",
        "portfolio/targetdecision",
        "rebalancing/rebalancingconfig",
        "auth/user",
    )

    @pytest.mark.parametrize("path", LISTS)
    def test_times_of_the_wall_are_marked_where_there_is_another_clock(
        self, staff: Client, targeted: DeskWorld, settings: Any, path: str
    ) -> None:
        a_sale(targeted)
        staff.get("/")  # somebody was here
        targeted.people["admin"].last_login = timezone.now()
        targeted.people["admin"].save()
        assert MARK not in staff.get(f"/admin/{path}/").content.decode()
        settings.SIM_CLOCK_URL = "http://127.0.0.1:1/__sim/health"
        assert MARK in staff.get(f"/admin/{path}/").content.decode()

    def test_times_of_the_market_are_not(
        self, staff: Client, targeted: DeskWorld, settings: Any
    ) -> None:
        a_sale(targeted)
        settings.SIM_CLOCK_URL = "http://127.0.0.1:1/__sim/health"
        for path in ("rebalancing/run", "trading/attempt", "trading/approval"):
            assert MARK not in staff.get(f"/admin/{path}/").content.decode(), path

    def test_a_version_of_a_portfolio_says_which_clock_it_was_made_by(
        self, staff: Client, targeted: DeskWorld, settings: Any
    ) -> None:
        version = targeted.account.target_decisions.first().model_version
        create_model_version(version.portfolio, version.weights_by_class(), by="robot", note="")
        pages = [
            f"/admin/portfolio/modelportfolio/{version.portfolio_id}/{page}"
            for page in ("change/", "compare/")
        ]
        assert all(MARK not in staff.get(page, follow=True).content.decode() for page in pages)
        settings.SIM_CLOCK_URL = "http://127.0.0.1:1/__sim/health"
        assert all(MARK in staff.get(page, follow=True).content.decode() for page in pages)

    def test_the_wall_is_told_of_columns_that_are_moments(self) -> None:
        for label, names in WALL.items():
            model = apps.get_model(label)
            for name in names:
                assert isinstance(model._meta.get_field(name), DateTimeField), (label, name)


class TestOrder:
    """What happened first stands below, whichever clock told of it."""

    def acts(self, world: DeskWorld, *, recorded: bool) -> Any:
        """Approved by a person, then ended: the market's clock is an hour and a half behind the wall's."""
        run = world.run("COMPLETED")
        market = timezone.now() - timedelta(minutes=99)
        with transaction.atomic():
            audit("approver", "run_approved", f"run:{run.pk}", {})
        for seconds, state in ((0, "APPROVED"), (30, "COMPLETED")):
            Transition.objects.create(
                object_type="run",
                object_id=run.pk,
                from_state="X",
                to_state=state,
                at=market + timedelta(seconds=seconds),
                by="engine",
                **({} if recorded else {"recorded_at": None}),
            )
        return run

    def test_an_approval_stands_below_the_end_that_it_led_to(self, targeted: DeskWorld) -> None:
        run = self.acts(targeted, recorded=True)
        (part,) = past_of(run, kind="run", two_clocks=True)
        assert [act.what for act in part.acts] == ["X → COMPLETED", "X → APPROVED", "계획을 승인함"]
        assert [act.wall for act in part.acts] == [False, False, True]

    def test_what_no_order_joins_stands_under_its_own_clock(self, targeted: DeskWorld) -> None:
        run = self.acts(targeted, recorded=False)
        market, wall = past_of(run, kind="run", two_clocks=True)
        assert [act.what for act in market.acts] == ["X → COMPLETED", "X → APPROVED"]
        assert [act.what for act in wall.acts] == ["계획을 승인함"]
        assert market.title and wall.title and market.title != wall.title

    def test_on_one_clock_nothing_is_marked(self, targeted: DeskWorld) -> None:
        run = self.acts(targeted, recorded=False)
        (part,) = past_of(run, kind="run")
        assert not part.title and not any(act.wall for act in part.acts)
        assert part.acts[0].what == "계획을 승인함"

    def test_the_page_marks_the_walls_times_and_names_no_program_by_its_code(
        self, staff: Client, targeted: DeskWorld, settings: Any
    ) -> None:
        run = self.acts(targeted, recorded=True)
        settings.SIM_CLOCK_URL = "http://127.0.0.1:1/__sim/health"
        page = staff.get(f"/admin/rebalancing/run/{run.pk}/history/").content.decode()
        assert page.count(MARK) == 1 and ">engine<" not in page and ">Jeoul<" in page
        assert "히스토리" in page and "지난 기록" not in page
