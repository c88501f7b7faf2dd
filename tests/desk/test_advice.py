"""Advice as people meet it: both plans side by side, hostile words inert, the choice where there is a key."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rebalancing.models import Advice, Leg, Run, RunSchedule
from rebalancing.planners.gemini import told_items
from tests.desk.conftest import DeskWorld
from trading.models import Instrument

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script> @everyone https://evil.example"


def advised(desk: DeskWorld, state: str = "FOLLOWED", **change: Any) -> Run:
    """A run with the advice of its plan: the rules sell a tick under the bid, the model at the ask."""
    run = desk.run(planner="gemini" if state == "FOLLOWED" else "fallback")
    leg = Leg.objects.get(run=run)
    ticker, now = leg.instrument_id, timezone.now()
    items: list[object] = [
        {"ticker": ticker, "action": "SELL", "quantity": 20, "order_type": "LIMIT",
         "price_strategy": "CURRENT_ASK_1", "reason": EVIL},
        {"ticker": ticker, "action": "SELL", "quantity": 30, "order_type": "LIMIT",
         "price_strategy": "CURRENT_ASK_1", "reason": EVIL},
        {"ticker": "000660", "action": "BUY", "quantity": 7, "order_type": "MARKET", "reason": ""},
    ]  # fmt: skip
    at = (now - timedelta(seconds=42)).isoformat()
    market = {
        "facts": [
            {"name": "kospi_change_percent", "value": "-1.36", "source": "KIS", "at": at},
            {"name": "vix", "value": None, "source": "CBOE", "missing": "context_no_collector"},
        ],
        "headlines": [{"text": EVIL, "source": "agency", "at": at}],
    }
    book = {
        "ticker": ticker, "spread": 5, "spread_ticks": 1, "bid_depth_5": 1200, "ask_depth_5": 900,
        "source": "KIS", "at": at,
    }  # fmt: skip
    row = Advice.objects.create(
        run=run,
        generation=1,
        state="READY",
        model="gemini-3-pro-preview",
        request={
            "system": "s",
            "parts": ["p"],
            "briefing": {"market_context": market, "order_books": [book]},
        },
        created_at=now,
    )
    rules = {
        "ticker": ticker, "side": "SELL", "quantity": 50, "order_type": "LIMIT",
        "price_strategy": "MINUS_TICKS_1", "limit_price": 9_995, "slices": [50],
    }  # fmt: skip
    rows = Advice.objects.filter(pk=row.pk)
    rows.update(state="ASKED", asked_at=now)
    rows.update(state="ANSWERED", ended_at=now, response=EVIL, latency_ms=1_234)
    settled = {"items": told_items(items), "rules": [rules], "settled_at": now, "reasons": []}
    rows.update(state=state, **settled | change)
    return run


def page(client: Client, run: Run) -> str:
    return client.get(f"/rebalancing/runs/{run.pk}/").content.decode()


def test_the_page_shows_both_plans_and_marks_what_differs(targeted: DeskWorld) -> None:
    text = page(targeted.client("viewer"), advised(targeted))
    assert "매도 1호가" in text and "상대 최우선 −1호가" in text
    assert "20 + 30" in text and "다름" in text and "조언대로 보냅니다" in text
    assert "gemini-3-pro-preview" in text and "1,234 ms" in text
    assert "-1.36 %" in text and "42초 전" in text and "아직 수집하지 않는 값입니다." in text
    assert "BUY 000660 7" in text
    assert "스프레드 5원 (1호가) · 다섯 호가 잔량 매수 1,200, 매도 900" in text


def test_words_of_a_model_or_a_headline_are_inert_on_the_page(targeted: DeskWorld) -> None:
    text = page(targeted.client("viewer"), advised(targeted))
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text
    assert "글을 정리함" in text and "＠everyone" in text
    assert 'href="https://evil' not in text


def test_advice_that_was_not_used_says_why_in_both_languages(targeted: DeskWorld) -> None:
    reasons = [{"code": "unknown_trade", "ticker": "000660"}, {"code": "market_not_allowed"}]
    run = advised(targeted, "DISCARDED", reasons=reasons)
    client = targeted.client("viewer")
    text = page(client, run)
    assert "조언에 없는 거래가 들어 있습니다 (000660)" in text and "규칙대로 보냅니다" in text
    client.cookies["django_language"] = "en"
    english = page(client, run).replace("한국어", "")
    assert "Sent by the rules" in english and "Market orders are not allowed" in english
    assert not re.findall("[가-힣]+", english)


def test_the_raw_exchange_is_plain_text_for_members_only(targeted: DeskWorld) -> None:
    run = advised(targeted)
    url = f"/rebalancing/runs/{run.pk}/advice/"
    answer = targeted.client("viewer").get(url)
    assert answer["content-type"].startswith("text/plain") and answer["x-content-type-options"]
    (row,) = json.loads(answer.content)
    assert (row["response"], row["request"]["system"]) == (EVIL, "s")
    assert targeted.client("stranger").get(url).status_code == 404


def test_a_run_of_the_rules_shows_no_advice(targeted: DeskWorld) -> None:
    assert "h-advice" not in page(targeted.client("viewer"), targeted.run())


@pytest.mark.parametrize(("key", "planner"), [("", "rules"), ("k", "gemini")])
def test_gemini_can_be_asked_for_only_where_there_is_a_key(
    targeted: DeskWorld, settings: Any, key: str, planner: str
) -> None:
    settings.GEMINI_API_KEY = key
    client = targeted.client("trader")
    text = client.get("/rebalancing/start/").content.decode()
    box = re.search(r'<input type="checkbox" name="planner"[^>]*>', text)
    assert box is not None and ("disabled" in box[0]) is (not key)
    assert ("GEMINI_API_KEY" in text) is (not key)
    sent = {"account": targeted.account.pk, "dry_run": "on", "planner": "gemini"}
    assert client.post("/rebalancing/start/", sent).status_code in (302, 303)
    assert Run.objects.get().planner == planner


def test_a_schedule_names_its_planner_in_the_admin(staff: Client, targeted: DeskWorld) -> None:
    url = "/admin/rebalancing/runschedule/add/"
    assert 'value="gemini"' in staff.get(url).content.decode()
    body = {"account": targeted.account.pk, "at": "09:40:00", "planner": "gemini", "enabled": "on"}
    body |= {"kind": "drift", "period": "month", "edge": "last", "min_flow_won": "1000000"}
    assert staff.post(url, body).status_code == 302
    assert RunSchedule.objects.get().planner == "gemini"
    assert staff.post(url, body | {"at": "10:40:00", "planner": "fallback"}).status_code == 200
    assert RunSchedule.objects.count() == 1 and Instrument.objects.exists()
