"""Lists of any length: newest first, counted as far as anybody pages, narrowed by time and known values."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from tests.desk.conftest import DeskWorld
from trading.admin.lists import BoundedPaginator
from trading.domain.sessions import SEOUL
from trading.models import Alert, Transition

ALERTS, MOVES = "/admin/trading/alert/", "/admin/trading/transition/"


@pytest.fixture
def looker(targeted: DeskWorld) -> Client:
    from trading.services.roles import ensure_roles

    ensure_roles()
    person = targeted.people["approver"]
    person.is_staff = True
    person.save()
    return targeted.client("approver")


def alerts(world: DeskWorld, count: int, **values: Any) -> None:
    plain = {"severity": "info", "code": "code", "subject": "x", "account": world.account}
    Alert.objects.bulk_create(
        Alert(**plain | {"created_at": timezone.now()} | values) for _ in range(count)
    )


def shown(client: Client, path: str) -> Any:
    return client.get(path).context["cl"]


def test_no_list_of_the_admin_reads_its_whole_table_for_a_date_or_a_count() -> None:
    for model, one in admin.site._registry.items():
        label = model._meta.label_lower
        if not label.startswith(("trading.", "rebalancing.", "portfolio.")):
            continue
        assert one.paginator is BoundedPaginator, label
        assert not one.date_hierarchy or label == "trading.marketday", label
        assert not one.show_full_result_count, label


def test_a_list_is_counted_to_its_bound_and_says_so(
    targeted: DeskWorld, looker: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedPaginator, "most", 100)
    alerts(targeted, 99)
    assert shown(looker, ALERTS).result_count == 99
    assert "넘겨 볼 수 있습니다" not in looker.get(ALERTS).content.decode()
    alerts(targeted, 70)
    page = looker.get(ALERTS)
    assert page.context["cl"].result_count == 100 and page.context["cl"].paginator.num_pages == 2
    assert "100건까지만 넘겨 볼 수 있습니다" in page.content.decode()
    assert looker.get(f"{ALERTS}?p=3").status_code in (200, 302)


def test_spans_end_now_and_begin_at_midnight_in_seoul(targeted: DeskWorld, looker: Client) -> None:
    now = timezone.now()
    for days in (0, 3, 20, 200, 2_000):
        alerts(targeted, 1, created_at=now - timedelta(days=days))
    counts = [
        shown(looker, f"{ALERTS}?span={span}").result_count for span in ("1", "7", "31", "366")
    ]
    assert counts == [1, 2, 3, 4]
    assert shown(looker, ALERTS).result_count == 5


@pytest.mark.parametrize("zone", ["Asia/Seoul", "UTC"])
@pytest.mark.parametrize("days", [1, 7, 31, 366])
def test_a_span_holds_so_many_whole_days_of_seoul(
    targeted: DeskWorld, looker: Client, settings: Any, zone: str, days: int
) -> None:
    settings.TIME_ZONE = zone
    today = timezone.now().astimezone(SEOUL).date()
    first = datetime.combine(today - timedelta(days=days - 1), time(), SEOUL)
    for at in (first, first - timedelta(seconds=1)):
        alerts(targeted, 1, created_at=at)
        targeted.order(at)
    assert shown(looker, f"{ALERTS}?span={days}").result_count == 1
    orders = shown(looker, f"/admin/trading/brokerorder/?span={days}").result_list
    assert [order.trade_date for order in orders] == [first.date()]


@pytest.mark.parametrize("span", ["0", "-1", "8", "x", "１", "9" * 40])
def test_a_span_that_is_none_narrows_nothing(
    targeted: DeskWorld, looker: Client, span: str
) -> None:
    alerts(targeted, 2, created_at=timezone.now() - timedelta(days=400))
    answer = looker.get(f"{ALERTS}?span={span}", follow=True)
    assert answer.status_code == 200 and answer.context["cl"].result_count == 2


def test_known_values_narrow_and_others_do_not(targeted: DeskWorld, looker: Client) -> None:
    run = targeted.run()
    before = shown(looker, MOVES).result_count
    Transition.objects.create(
        object_type="run", object_id=run.pk, from_state="A", to_state="B", at=timezone.now(), by="t"
    )
    assert shown(looker, f"{MOVES}?object_type=run").result_count >= 1
    assert shown(looker, f"{MOVES}?object_type=nothing").result_count == before + 1


def test_every_column_keeps_its_own_address_whatever_narrows_the_list(
    targeted: DeskWorld, looker: Client
) -> None:
    alerts(targeted, 3, severity="warning")
    page = looker.get(ALERTS + "?severity=warning&code__exact=code&o=1").content.decode()
    columns = set(re.findall(r'href="(\?[^"]*\bo=[^"]*)"', page))
    assert len(columns) >= 2 and all("severity=warning" in one for one in columns)


def test_an_empty_list_says_so_in_the_language_of_its_reader(
    targeted: DeskWorld, looker: Client
) -> None:
    said = {
        language: looker.get(
            ALERTS + "?q=nothing", headers={"accept-language": language}
        ).content.decode()
        for language in ("ko", "en")
    }
    assert "결과가 없습니다" in said["ko"] and "No results found" not in said["ko"]
    assert "No results found" in said["en"]


def test_search_finds_beginnings(targeted: DeskWorld, looker: Client) -> None:
    alerts(targeted, 1, code="feed_silent")
    alerts(targeted, 1, code="day_loss")
    assert shown(looker, f"{ALERTS}?q=feed").result_count == 1
    assert shown(looker, f"{ALERTS}?q=silent").result_count == 0


def test_a_list_shows_rows_of_ones_own_accounts_alone(targeted: DeskWorld, looker: Client) -> None:
    alerts(targeted, 3)
    assert shown(looker, ALERTS).result_count == 3
    stranger = targeted.people["stranger"]
    stranger.is_staff = True
    stranger.save()
    assert shown(targeted.client("stranger"), ALERTS).result_count == 0
