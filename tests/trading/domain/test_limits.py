"""The gate: for every rule a case it must stop and the same order it lets through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trading.domain.limits import GateInputs, GateLimits, evaluate_gate, tightest

GOOD = GateInputs(
    action="order",
    origin="run",
    side="BUY",
    quantity=10,
    limit_price=70_000,
    kind="kospi",
    now="2026-11-20T10:00:00+09:00",
    switch="ACTIVE",
    environment_ok=True,
    market_open=True,
    cancel_allowed_now=True,
    instrument_tradable=True,
    approval_ok=True,
    deadline="2026-11-20T10:03:00+09:00",
    lane_free=True,
    account_paused=False,
    opposite_open=0,
    duplicates=0,
    sent_last_minute=0,
    sent_today=0,
    quote_at="2026-11-20T09:59:57+09:00",
    quote_last=70_000,
    upper_limit=91_000,
    lower_limit=49_000,
    halted=False,
    vi=False,
    orderable_won=800_000,
    orderable_at="2026-11-20T09:59:56+09:00",
    needed_won=700_100,
)
SELL = replace(GOOD, side="SELL", sellable=10, orderable_won=None, orderable_at=None, needed_won=0)


def refused(inputs: GateInputs) -> set[str]:
    return {result.rule for result in evaluate_gate(inputs) if not result.passed}


@pytest.mark.parametrize("good", [GOOD, SELL], ids=["buy", "sell"])
def test_a_sound_order_passes_every_rule(good: GateInputs) -> None:
    assert refused(good) == set()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"switch": "HALTED"}, "switch"),
        ({"switch": "REDUCING"}, "switch"),
        ({"environment_ok": False}, "environment"),
        ({"account_paused": True}, "account_not_paused"),
        ({"market_open": False}, "session_open"),
        ({"instrument_tradable": False}, "instrument_tradable"),
        ({"halted": True}, "instrument_tradable"),
        ({"halted": None}, "instrument_tradable"),
        ({"vi": True}, "not_interrupted"),
        ({"vi": None}, "not_interrupted"),
        ({"warning": "52"}, "no_warning_on_buy"),
        ({"approval_ok": False}, "approved"),
        ({"deadline": "2026-11-20T09:59:59+09:00"}, "before_deadline"),
        ({"lane_free": False}, "lane_free"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1_000_001, "orderable_won": 10**12}, "quantity"),
        ({"quote_at": "2026-11-20T09:59:54+09:00"}, "quote_fresh"),
        ({"quote_at": None}, "quote_fresh"),
        ({"quote_at": "2026-11-20T10:00:02+09:00"}, "quote_fresh"),
        ({"limit_price": 70_050}, "price_on_tick"),
        ({"limit_price": 91_100, "quote_last": 91_000}, "price_inside_daily_limits"),
        ({"limit_price": 48_950, "quote_last": 49_000}, "price_inside_daily_limits"),
        ({"limit_price": 72_200}, "price_collar"),
        ({"limit_price": 67_800}, "price_collar"),
        ({"quote_last": None}, "price_collar"),
        ({"quantity": 71_429, "orderable_won": 10**12}, "order_amount"),
        ({"limit_price": None, "quantity": 71_429, "orderable_won": 10**12}, "order_amount"),
        ({"limit_price": None, "quantity": 60_000, "orderable_won": 10**12}, "order_amount"),
        ({"ticker_won": 9_999_300_001}, "ticker_amount"),
        ({"run_won": 19_999_300_001}, "run_amount"),
        ({"day_won": 19_999_300_001}, "day_amount"),
        ({"previous_volume": 99}, "volume_share"),
        ({"previous_volume": None}, "volume_share"),
        ({"limits": {"max_order_won": 699_999}}, "order_amount"),
        ({"limits": {"max_ticker_day_won": 699_999}}, "ticker_amount"),
        ({"limits": {"max_day_won": 1_000_000}, "day_won": 300_001}, "day_amount"),
        ({"limits": {"volume_share_percent": "1.00"}, "previous_volume": 999}, "volume_share"),
        ({"limits": {"collar_percent": "0.50"}, "limit_price": 70_400}, "price_collar"),
        ({"limits": {"per_day": 5}, "sent_today": 5}, "order_count"),
        ({"limits": {"per_minute": 0}}, "order_count"),
        ({"sent_last_minute": 60}, "pace"),
        ({"sent_today": 200}, "order_count"),
        ({"duplicates": 1}, "no_duplicate"),
        ({"opposite_open": 1}, "no_self_trade"),
        ({"orderable_won": 700_099}, "cash"),
        ({"reserved_won": 99_901}, "cash"),
        ({"orderable_won": None}, "cash"),
        ({"cash_changed_at": "2026-11-20T09:59:58+09:00"}, "cash"),
        ({"budget_won": 1_000_000, "budget_used_won": 299_901}, "budget"),
    ],
)
def test_a_buy_is_stopped_by(change: dict[str, Any], rule: str) -> None:
    assert rule in refused(replace(GOOD, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"quote_at": "2026-11-20T09:59:55+09:00"},
        {"quote_at": "2026-11-20T10:00:01+09:00"},
        {"deadline": "2026-11-20T10:00:00+09:00"},
        {"limit_price": 72_100},
        {"limit_price": 67_900},
        {"limit_price": 49_000, "quote_last": 49_000},
        {"quantity": 71_428},
        {"orderable_won": 700_100},
        {"reserved_won": 99_900},
        {"sent_last_minute": 59},
        {"ticker_won": 9_999_300_000},
        {"run_won": 19_999_300_000},
        {"day_won": 19_999_300_000},
        {"previous_volume": 100},
        {"limits": {"max_order_won": 700_000}},
        {"limits": {"max_day_won": 1_000_000}, "day_won": 300_000},
        {"limits": {"volume_share_percent": "1.00"}, "previous_volume": 1_000},
        {"limits": {"collar_percent": "0.50"}, "limit_price": 70_300},
        {"limits": {"per_day": 5}, "sent_today": 4},
        {"budget_won": 1_000_000, "budget_used_won": 299_900},
        {"limit_price": None},
        {
            "limit_price": None,
            "quantity": 54_000,
            "orderable_won": 10**12,
            "previous_volume": 10**9,
        },
        {"cash_changed_at": "2026-11-20T09:59:56+09:00"},
    ],
)
def test_a_buy_at_the_very_edge_passes(change: dict[str, Any]) -> None:
    assert refused(replace(GOOD, **change)) == set()


def test_a_sell_needs_shares_nobody_else_was_promised() -> None:
    assert refused(replace(SELL, sellable=9)) == {"shares"}
    assert refused(replace(SELL, sellable=12, open_sell_shares=3)) == {"shares"}
    assert refused(replace(SELL, sellable=12, open_sell_shares=2)) == set()


def test_reducing_and_warnings_never_stop_a_sell() -> None:
    assert refused(replace(SELL, switch="REDUCING", warning="53", account_paused=False)) == set()


def test_a_cancel_is_allowed_while_everything_is_halted() -> None:
    cancel = replace(GOOD, action="cancel", switch="HALTED", market_open=False, quote_at=None)
    assert refused(cancel) == set()
    assert refused(replace(cancel, cancel_allowed_now=False)) == {"session_open"}
    assert refused(replace(cancel, lane_free=False)) == {"lane_free"}
    assert refused(replace(cancel, environment_ok=False)) == {"environment"}


def test_a_rule_that_breaks_has_not_passed() -> None:
    assert "before_deadline" in refused(replace(GOOD, deadline="not a time"))


def test_every_reason_is_listed_at_once() -> None:
    wrong = replace(GOOD, switch="HALTED", market_open=False, limit_price=70_050, lane_free=False)
    assert refused(wrong) == {"switch", "session_open", "price_on_tick", "lane_free"}


def test_a_stored_check_replays_to_the_same_verdict() -> None:
    stored = GateInputs(**GOOD.as_json())
    assert evaluate_gate(stored) == evaluate_gate(GOOD)


def test_a_sale_is_not_held_back_for_want_of_a_volume_but_by_a_small_one() -> None:
    assert refused(replace(SELL, previous_volume=None)) == set()
    assert refused(replace(SELL, previous_volume=99)) == {"volume_share"}


def test_only_a_runs_order_counts_against_the_runs_limit() -> None:
    over = {"run_won": 20_000_000_000}
    assert refused(replace(GOOD, **over)) == {"run_amount"}
    assert refused(replace(GOOD, origin="manual", **over)) == set()


def test_a_check_of_an_older_rule_set_replays_as_it_was() -> None:
    """It knows nothing of volumes and limits in rows, and nothing is held against it."""
    new = ("ticker_won", "run_won", "day_won", "previous_volume", "limits")
    stored = {name: value for name, value in GOOD.as_json().items() if name not in new}
    assert refused(GateInputs(**stored)) == set()


def test_limits_that_cannot_be_read_let_nothing_through() -> None:
    broken = replace(GOOD, limits={"volume_share_percent": "much"}, previous_volume=1_000)
    assert "volume_share" in refused(broken)


def test_the_tightest_is_the_smaller_of_each() -> None:
    loose, tight = GateLimits(max_order_won=10**9), GateLimits(max_order_won=5, per_day=300)
    found = tightest([loose, tight, GateLimits(collar_percent="0.9")])
    assert (found.max_order_won, found.per_day, found.collar_percent) == (5, 200, "0.9")
    assert tightest([]) == GateLimits()
    assert (
        tightest([GateLimits(volume_share_percent="9"), GateLimits()]).volume_share_percent == "9"
    )
