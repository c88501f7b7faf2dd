"""What a newcomer looked for and did not find: where targets change, why it cost more, who is working."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from rebalancing.models import RebalancingConfig
from rebalancing.services.heartbeat import beat, last_beat
from rebalancing.tasks import sweep
from tests.desk.conftest import DeskWorld


@pytest.fixture(autouse=True)
def _no_beat() -> Any:
    cache.clear()
    yield
    cache.clear()


def _text(desk: DeskWorld, path: str, name: str = "owner") -> str:
    page = desk.client(name).get(path).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_targets_lead_to_where_they_are_changed(targeted: DeskWorld) -> None:
    targeted.people["owner"].is_staff = True
    targeted.people["owner"].save()
    page = targeted.client("owner").get("/portfolio/").content.decode()
    assert "/admin/portfolio/targetdecision/add/" in page and "목표 바꾸기" in page
    assert "목표는 관리자가 바꿉니다." in _text(targeted, "/portfolio/", "viewer")


@pytest.mark.parametrize(
    ("real", "said"),
    [
        (1_200, "계획대로 체결되었습니다."),
        (-300, "가격이 유리해 비용보다 이득이 컸습니다."),
        (2_001, "가격이 불리하게 움직여 비용이 커졌습니다."),
    ],
)
def test_the_history_says_why_a_run_cost_what_it_did(
    targeted: DeskWorld, real: int, said: str
) -> None:
    targeted.snapshot()
    targeted.history(targeted.run("COMPLETED"), real_cost=real)
    assert said in _text(targeted, "/rebalancing/")


def test_a_drift_of_before_is_marked_before(targeted: DeskWorld) -> None:
    targeted.snapshot()
    drift = {"mp": {"STOCK": "5.0"}, "sub": {}, "triggers": [["MP", "STOCK"]]}
    run = targeted.run("COMPLETED", outcome={"drift": drift})
    targeted.history(run, drift_after={"mp": {"STOCK": "0.0"}, "sub": {}})
    page = targeted.client("owner").get(f"/rebalancing/runs/{run.pk}/").content.decode()
    row = page.split('id="h-drift"')[1].split("<tbody>")[1].split("</tr>")[0]
    name, _level, before, after = row.split("</td>")[:4]
    assert "임계값 넘음" in before
    assert "임계값 넘음" not in name + after


def test_a_dry_run_is_called_one_in_both_places(targeted: DeskWorld) -> None:
    targeted.run("CANCELED", dry_run=True, end_reason="dry_run")
    client = targeted.client("owner")
    client.cookies["django_language"] = "en"
    page = client.get("/rebalancing/").content.decode()
    assert "Dry run" in page and "Trial" not in page


@pytest.mark.parametrize(
    ("age", "said", "not_said"),
    [
        (None, "작업자가 아직 한 번도 움직이지 않았습니다.", "작업자의 마지막 움직임"),
        (timedelta(seconds=2), "작업자의 마지막 움직임", "작업자가 멈췄습니다."),
        (timedelta(minutes=2), "작업자가 멈췄습니다.", "한 번도"),
    ],
)
def test_a_process_that_does_nothing_is_seen(
    desk: DeskWorld, age: timedelta | None, said: str, not_said: str
) -> None:
    if age is not None:
        cache.set("jeoul:worker-beat", timezone.now() - age, timeout=None)
    text = _text(desk, "/health/")
    assert said in text and not_said not in text


def test_every_sweep_is_a_sign_of_life(desk: DeskWorld) -> None:
    assert last_beat() is None
    sweep()
    first = last_beat()
    assert first is not None and timezone.now() - first < timedelta(seconds=5)
    beat()
    assert last_beat() >= first


@pytest.mark.parametrize(("wire", "lacking"), [("real", False), ("mock", True)])
def test_what_an_environment_does_not_offer_is_greyed_out_with_the_reason(
    desk: DeskWorld, wire: str, lacking: bool
) -> None:
    desk.account.wire = wire
    desk.account.save()
    page = desk.client("viewer").get("/health/").content.decode()
    assert ("모의투자에서 제공하지 않는 것:" in page) is lacking
    assert ("ability is-off" in page) is lacking
    offered = page.split('id="h-abilities"')[1].split("</ul>")[0]
    assert "현금 주문" in offered and ("순위" in offered) is not lacking


def test_a_silent_broker_shows_on_both_pages_and_a_living_one_does_not(
    desk: DeskWorld, settings: Any
) -> None:
    from trading.services.brokers import base_url_of
    from trading.services.lines import note_line

    settings.KIS_HOSTS = {"real": "http://127.0.0.1:9"}
    for path in ("/", "/health/"):
        assert "응답 없음" not in _text(desk, path)
    note_line(base_url_of(desk.account), down=True)
    for path in ("/", "/health/"):
        assert "부터 응답 없음" in _text(desk, path)


def test_thresholds_lead_to_where_they_are_changed_and_the_newest_says_that_it_rules(
    staff: Client, targeted: DeskWorld
) -> None:
    assert (
        "/admin/rebalancing/rebalancingconfig/add/" in staff.get("/rebalancing/").content.decode()
    )
    RebalancingConfig.objects.create(updated_by="test", mp_threshold_percent="2.5")
    page = staff.get("/admin/rebalancing/rebalancingconfig/").content.decode()
    rows = page.split('id="result_list"')[1].split("</table>")[0]
    assert rows.count("지금 적용") == 1
    assert rows.index("지금 적용") < rows.index("2.5") < rows.rindex("–")
    old = RebalancingConfig.objects.earliest("pk")
    opened = staff.get(f"/admin/rebalancing/rebalancingconfig/{old.pk}/change/").content.decode()
    assert "고치지 않고 새로 추가합니다" in opened


@pytest.mark.parametrize("ticked", [True, False])
def test_a_refused_start_leaves_the_trial_box_as_it_was(targeted: DeskWorld, ticked: bool) -> None:
    targeted.snapshot()
    targeted.run()
    body = {"account": targeted.account.pk} | ({"dry_run": "on"} if ticked else {})
    answer = targeted.client("trader").post("/rebalancing/start/", body)
    assert answer.status_code in (409, 422)
    assert ('name="dry_run" checked' in answer.content.decode()) is ticked


def test_after_the_fills_a_run_shows_what_was_traded_beside_what_was_planned(
    targeted: DeskWorld,
) -> None:
    targeted.snapshot()
    run = targeted.run("COMPLETED")
    targeted.history(run, real_cost=2_001)
    before = _text(targeted, f"/rebalancing/runs/{run.pk}/")
    assert "매도 계획 500,000원" in before and "매도 체결" not in before
    assert "가격이 불리하게 움직여 비용이 커졌습니다." in before
    run.legs.update(filled_quantity=50, filled_amount=499_500, fee=73)
    after = _text(targeted, f"/rebalancing/runs/{run.pk}/")
    assert "매도 체결 499,500원 계획 500,000원" in after
    assert "499,500원 · 수수료 73원" in after
