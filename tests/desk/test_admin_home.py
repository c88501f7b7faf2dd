"""The admin's front page and frame: what waits and lives, with ages; the environment on every page; limits."""

from __future__ import annotations

import html
import re
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rebalancing.models import RunSchedule
from rebalancing.services.stages import common
from tests.desk.conftest import ROOT, DeskWorld
from tests.support.past import made_late
from trading.domain.limits import GateLimits
from trading.models import (
    Account,
    AccountMember,
    Alert,
    ApprovalPolicy,
    Attempt,
    Enumeration,
    Instrument,
    Intent,
    Lane,
    ProcessEpoch,
)
from trading.services.ledger import sleeve_of
from trading.services.switches import account_scope, engage

HOME, PART, LIMITS = "/admin/", "/admin/home/", "/admin/limits/"
HANGUL = re.compile(r"[가-힣]+")


def _page(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


def _words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def _card(text: str, name: str) -> str:
    return _words(text.split(f'id="c-{name}"')[1].split("</section>")[0].split(">", 1)[1])


def _account(desk: DeskWorld, environment: str, number: str = "55667788-01") -> Account:
    account = Account.objects.create(
        name="Second",
        environment=environment,
        wire="mock" if environment == "mock" else "real",
        account_no=number,
        app_key="CANARYKEY" + "k" * 27,
        app_secret="CANARYSEC" + "s" * 171,
    )
    AccountMember.objects.create(account=account, user=desk.people["admin"])
    return account


def _unknown(account: Account, age: timedelta, name: Instrument | None = None) -> Attempt:
    at = timezone.now() - age
    epoch = ProcessEpoch.objects.create(host="h", pid=1, role="worker", started_at=at)
    listed = Enumeration.objects.create(
        account=account,
        trade_date=at.date(),
        scope="day",
        pages=1,
        complete=True,
        rows=0,
        started_at=at,
        ended_at=at,
        epoch=epoch,
    )
    instrument = name or Instrument.objects.order_by("ticker")[0]
    with made_late("trading_intent"), made_late("trading_attempt"):
        intent = Intent.objects.create(
            key=f"home:{Intent.objects.count()}",
            origin="manual",
            account=account,
            sleeve=sleeve_of(account),
            instrument=instrument,
            side="BUY",
            quantity=7,
            order_type="LIMIT",
            limit_price=10_000,
            reference_price=10_000,
            deadline_at=at,
            state="UNKNOWN",
            state_since=at,
            created_at=at,
        )
        lane = Lane.objects.get_or_create(account=account, instrument=instrument, side="BUY")[0]
        return Attempt.objects.create(
            intent=intent,
            lane=lane,
            number=1,
            action="order",
            nonce=f"{Attempt.objects.count():032d}",
            state="UNKNOWN",
            body="{}",
            body_hash="0" * 64,
            baseline=[],
            baseline_hash="0" * 64,
            baseline_enumeration=listed,
            committed_at=at,
            deadline_at=at,
            wall_deadline_at=at,
            epoch=epoch,
        )


@pytest.fixture
def busy(staff: Client, targeted: DeskWorld) -> DeskWorld:
    """Something for every card: a plan, a run, an unknown order, two alerts, a schedule."""
    now = timezone.now()
    targeted.run(now=now - timedelta(minutes=3))
    second = _account(targeted, "mock")
    with_age = {"severity": "warning", "facts": {}, "subject": "x"}
    targeted.run("SELLING", account=second, now=now - timedelta(minutes=7))
    _unknown(targeted.account, timedelta(minutes=4))
    Alert.objects.create(
        code="account_halted",
        account=targeted.account,
        created_at=now - timedelta(minutes=9),
        **with_age,
    )
    Alert.objects.create(
        code="audit_broken", account=None, created_at=now - timedelta(hours=2), **with_age
    )
    RunSchedule.objects.create(account=second, at=time(9, 40), enabled=True)
    return targeted


def test_the_front_page_answers_what_waits_and_what_lives_with_ages(
    busy: DeskWorld, staff: Client
) -> None:
    text = _page(staff.get(HOME))
    assert re.search(r"승인 대기 1 리밸런싱 #\d+ 시뮬레이터 …66 .*3분 전", _card(text, "waiting"))
    assert re.search(
        r"진행 중인 리밸런싱 1 리밸런싱 #\d+ 모의투자 …88 .*7분 전", _card(text, "alive")
    )
    unknown = _card(text, "unknown")
    assert "결과를 모르는 주문 1" in unknown and "매수 7주" in unknown and "4분 전" in unknown
    alerts = _card(text, "alerts")
    assert alerts.startswith("알림 2") and "9분 전" in alerts and "2시간 전" in alerts
    assert re.search(r"다음 예약 \d\d\.\d\d 09:40 모의투자 …88", _card(text, "next"))
    assert "거래 가능" in _card(text, "switch")
    for ages in re.findall(r'data-age="(\d+)"', text):
        assert int(ages) >= 180, "a part's ages grow in the page from there"


def test_the_cards_come_before_the_links_and_the_links_stay(busy: DeskWorld, staff: Client) -> None:
    text = _page(staff.get(HOME))
    assert text.index('id="c-waiting"') < text.index('id="g-1"')
    assert "/admin/portfolio/modelportfolio/" in text.split('id="g-1"')[1]


def test_the_cards_refresh_themselves_as_the_desk_does(busy: DeskWorld, staff: Client) -> None:
    text = _page(staff.get(HOME))
    assert f'hx-get="{PART}"' in text and "every 10s" in text
    seen = re.search(r'name="seen" value="(\w+)"', text.split(f'hx-get="{PART}"')[1])
    assert seen is not None
    same = staff.get(PART, {"seen": seen[1]}, headers={"HX-Request": "true"})
    assert same.status_code == 204, "nothing is swapped while nothing has changed"
    Alert.objects.update(acknowledged_at=timezone.now())
    new = staff.get(PART, {"seen": seen[1]}, headers={"HX-Request": "true"})
    assert "확인하지 않은 알림이 없습니다" in _page(new)
    assert "<html" not in new.content.decode()
    said = 'data-announce="승인 대기 1, 결과를 모르는 주문 1, 알림 0"'
    assert said in _page(new) and 'aria-live="polite"' in text.split('id="announce"')[1][:80]


def test_an_empty_front_page_says_so(staff: Client) -> None:
    text = _page(staff.get(HOME))
    assert "승인을 기다리는 계획이 없습니다" in text and "모든 주문의 결과를 압니다" in text
    assert "지금 진행 중인 리밸런싱이 없습니다" in text and "켜진 예약이 없습니다" in text


def test_nobody_sees_cards_of_other_accounts(busy: DeskWorld, staff: Client) -> None:
    text = _page(busy.client("stranger").get(HOME))
    assert "…66" not in text and "리밸런싱 #" not in text and "계좌 없음" in text
    viewer = _page(busy.client("viewer").get(HOME))
    assert "…66" in viewer and "…88" not in viewer, "no member of the second account"
    assert _card(viewer, "alerts").startswith("알림 1"), "what is about no account is the admins'"


def test_the_part_is_for_staff_and_sends_strangers_to_the_door(
    busy: DeskWorld, staff: Client
) -> None:
    gone = Client().get(PART, headers={"HX-Request": "true"})
    assert gone["HX-Redirect"].startswith("/accounts/login/")
    assert busy.client("trader").get(PART).status_code == 403, "no staff"
    assert busy.client("nobody").get(PART).status_code == 403


def test_a_stop_of_any_account_is_told_on_every_page(busy: DeskWorld, staff: Client) -> None:
    assert "긴급 정지 중" not in _page(staff.get(HOME))
    engage(account_scope(Account.objects.get(environment="mock")), "HALTED", "test", "test")
    for path in (HOME, LIMITS, "/admin/trading/account/"):
        assert "긴급 정지 중" in _page(staff.get(path)).split("jeoul-stop")[1][:200], path


@pytest.mark.parametrize(
    ("environments", "serious"),
    [(("sim",), "sim"), (("sim", "mock"), "mock"), (("sim", "mock", "real"), "real")],
)
def test_the_environment_stands_on_every_page_the_most_serious_one_colours_it(
    staff: Client, targeted: DeskWorld, environments: tuple[str, ...], serious: str
) -> None:
    for number, environment in enumerate(environments[1:]):
        _account(targeted, environment, f"5566778{number}-01")
    client = targeted.proved("admin") if serious == "real" else staff
    words = {"sim": "시뮬레이터", "mock": "모의투자", "real": "실전투자"}
    targeted.run()
    paths = [HOME, LIMITS, "/admin/rebalancing/run/waiting/"]
    for model, page in admin.site._registry.items():
        name = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        paths.append(name)
        row = page.get_queryset(_request(targeted)).first()
        if row is not None:
            paths.append(f"{name}{row.pk}/change/")
    for path in paths:
        bar = _page(client.get(path)).split('<div class="jeoul-banner', 1)[1].split("</div>")[0]
        assert bar.startswith(f" env-{serious}"), path
        assert [words[one] in bar for one in environments] == [True] * len(environments), path
        assert "…66" in bar and "한국 시각" in bar or "시뮬레이터 시각" in bar, path


def _request(desk: DeskWorld) -> Any:
    from django.test import RequestFactory

    request = RequestFactory().get("/admin/")
    request.user = desk.people["admin"]
    return request


def test_whoever_has_no_account_is_told_so(busy: DeskWorld, staff: Client) -> None:
    bar = _page(busy.client("stranger").get(HOME)).split("jeoul-banner")[1][:2000]
    assert "env-none" in bar[:30] and "계좌 없음" in bar


def test_every_order_of_unknown_outcome_is_counted_and_the_rest_is_told(
    busy: DeskWorld, staff: Client
) -> None:
    for minutes in range(5, 17):
        name = Instrument.objects.create(ticker=f"2000{minutes:02d}", name="Other", kind="etf")
        _unknown(busy.account, timedelta(minutes=minutes), name)
    text = _page(staff.get(HOME))
    assert _card(text, "unknown").startswith("결과를 모르는 주문 13 ")
    assert "… 외 3건" in _card(text, "unknown") and _card(text, "unknown").count("7주") == 10
    assert "결과를 모르는 주문 13," in text.split('data-announce="')[1].split('"')[0]


# --- limits -------------------------------------------------------------------------------------
def test_every_limit_stands_with_its_value_unit_place_and_what_it_stops(
    staff: Client, targeted: DeskWorld
) -> None:
    words = _words(_page(staff.get(LIMITS)))
    gate = GateLimits()
    assert f"주문 금액 {gate.max_order_won:,} 원 주문을 보내지 않습니다." in words
    assert "시세의 나이 5 초" in words and "코드 trading/domain/limits.py" in words
    assert "승인 기한 10 분 주문 없이 끝납니다." in words
    assert "하루 손실, 정지 5 % (전일 평가액) 계좌를 긴급 정지합니다." in words
    assert "한 종목의 한 번 거래 금액 50 % (총자산) 점검에 걸려" in words
    assert "자동 승인 뒤 한 종목의 가격 변동 2 % 계획을 버리고 새로 세웁니다." in words
    assert "MP 임계값 3 %p" in words and "환경 변수 KIS_REAL_RATE" in words
    assert "실전 계좌 막음" in words


def test_the_page_tells_what_the_code_uses_and_keeps_nothing(
    staff: Client, targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(common, "LEG_MOVE", Decimal("0.035"))
    settings.KIS_RATE_PER_SECOND = {"real": 7, "mock": 3}
    ApprovalPolicy.objects.create(
        account=targeted.account, kind="owner_practice", max_cost_won=123_456, created_by="test"
    )
    words = _words(_page(staff.get(LIMITS)))
    assert "승인 뒤 한 종목의 가격 변동 3.5 %" in words
    assert "호출, 실전 7 건/초" in words and "호출, 모의 3 건/초" in words
    assert "예상 비용 123,456 원 넘으면 사람이 승인합니다." in words


def test_limits_are_read_by_every_role_and_posted_by_none(
    staff: Client, targeted: DeskWorld
) -> None:
    viewer = targeted.client("viewer")
    page = _page(viewer.get(LIMITS))
    inside = page.split('class="jeoul-decide"')[1].split("jeoul-end")[0]
    assert "<input" not in inside.split("</section>")[0]
    assert Client().get(LIMITS).status_code == 302
    assert targeted.client("nobody").get(LIMITS).status_code in (302, 403)


# --- budgets, words, colours --------------------------------------------------------------------
def test_the_frame_and_the_new_pages_stay_light(busy: DeskWorld, staff: Client) -> None:
    for path in (HOME, PART, LIMITS):
        staff.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(path).status_code == 200
        assert len(queries) <= 30, (path, len(queries), [q["sql"][:80] for q in queries])


def test_the_new_pages_speak_english(busy: DeskWorld, staff: Client) -> None:
    Instrument.objects.update(name="Fund")
    staff.cookies["django_language"] = "en"
    for path in (HOME, LIMITS):
        text = _page(staff.get(path)).replace("한국어", "")
        assert not HANGUL.search(text), (path, HANGUL.findall(text)[:5])


def _tokens(path: Path, selector: str) -> dict[str, str]:
    found = re.search(re.escape(selector) + r" \{(.*?)\n\}", path.read_text(), re.DOTALL)
    assert found, selector
    return dict(re.findall(r"--([\w-]+): ([^;]+);", found[1]))


@pytest.mark.parametrize(
    ("desk", "own"), [(":root", ":root"), (':root[data-theme="dark"]', ":root.dark")]
)
def test_the_admin_has_the_desks_colours_in_light_and_dark(desk: str, own: str) -> None:
    theirs = _tokens(ROOT / "static" / "jeoul.css", desk)
    ours = _tokens(ROOT / "static" / "jeoul-admin.css", own)
    assert ours and {name: theirs.get(name) for name in ours} == ours
    colours = {name for name, value in ours.items() if value.startswith("#")}
    light = _tokens(ROOT / "static" / "jeoul-admin.css", ":root")
    assert colours == {name for name, value in light.items() if value.startswith("#")}


def _luminance(colour: str) -> float:
    text = colour.removeprefix("#")
    text = "".join(c * 2 for c in text) if len(text) == 3 else text
    parts = [int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


PAIRS = [
    *[(ink, "surface") for ink in ("ink", "ink-2", "ink-3", "brand", "red", "blue", "bad", "ok")],
    ("ink-2", "sunken"),
    ("on-brand", "brand"),
    *[(name, f"{name}-soft") for name in ("warn", "bad", "ok", "sim", "mock")],
    *[(name, "mock-soft") for name in ("sim", "mock")],
    ("surface", "bad"),
]


@pytest.mark.parametrize("theme", [":root", ":root.dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_every_pair_of_colours_is_readable(theme: str, ink: str, ground: str) -> None:
    tokens = _tokens(ROOT / "static" / "jeoul-admin.css", theme)
    one, other = sorted((_luminance(tokens[ink]), _luminance(tokens[ground])))
    assert (other + 0.05) / (one + 0.05) >= 4.5


def test_no_colour_stands_outside_the_tokens() -> None:
    rules = (ROOT / "static" / "jeoul-admin.css").read_text().split("color-scheme: dark;\n}")[1]
    assert set(re.findall(r"#[0-9a-fA-F]{3,6}\b", rules)) <= {"#fff"}


def _alerts(account: Account | None, count: int) -> None:
    Alert.objects.bulk_create(
        Alert(
            code="audit_broken",
            account=account,
            severity="warning",
            facts={},
            subject=f"x{n}",
            created_at=timezone.now(),
        )
        for n in range(count)
    )


def test_alerts_beyond_the_first_four_are_counted_and_lead_to_their_list(
    targeted: DeskWorld, staff: Client
) -> None:
    _alerts(targeted.account, 4)
    assert "건 더" not in _card(_page(staff.get(HOME)), "alerts")
    _alerts(None, 3)
    page = _page(staff.get(HOME))
    assert _card(page, "alerts").count("방금") == 4 and "알림 3건 더" in _card(page, "alerts")
    found = re.search(r'href="(/admin/trading/alert/[^"]*)">알림 3건 더', page)
    assert found is not None
    listed = staff.get(found[1])
    assert listed.context["cl"].result_count == 7, "what the front page counts stands in the list"
    assert "이어지지 않습니다. 모든 거래를 멈췄습니다." in _page(listed)
    assert "audit_broken" not in _words(_page(listed)), "a list says what happened, not its code"
    Alert.objects.filter(account=None).update(acknowledged_at=timezone.now())
    assert staff.get(found[1]).context["cl"].result_count == 4
    staff.cookies["django_language"] = "en"
    _alerts(targeted.account, 1)
    assert "1 more alert" in _card(_page(staff.get(HOME)), "alerts")


def test_the_desks_card_counts_the_alerts_it_does_not_show(
    targeted: DeskWorld, staff: Client
) -> None:
    _alerts(targeted.account, 30)
    card = "/rebalancing/cards/attention/"
    assert "알림 26건 더" in staff.get(card).content.decode()
    assert "/admin/trading/alert/" in staff.get(card).content.decode()
    plain = targeted.client("trader").get(card).content.decode()
    assert "알림 26건 더" in plain and "/admin/" not in plain


def test_alerts_about_no_account_are_listed_for_admins_only(
    targeted: DeskWorld, staff: Client
) -> None:
    _alerts(None, 2)
    _alerts(targeted.account, 1)
    path = "/admin/trading/alert/"
    assert staff.get(path).context["cl"].result_count == 3
    assert targeted.client("viewer").get(path).context["cl"].result_count == 1
    assert targeted.client("stranger").get(path).context["cl"].result_count == 2, "another admin"
