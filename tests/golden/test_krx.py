"""The exchange's rules against published tables: ticks, tax, commission, settlement, month ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.golden.loader import golden_params
from trading.domain import costs, price_grid, sessions
from trading.domain.instruments import InstrumentKind

KINDS = {
    "stock": InstrumentKind.KOSPI,
    "kospi": InstrumentKind.KOSPI,
    "kosdaq": InstrumentKind.KOSDAQ,
    "konex": InstrumentKind.KONEX,
    "etf": InstrumentKind.ETF,
    "etn": InstrumentKind.ETN,
}


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))


def _tick(case: dict) -> int:
    return price_grid.tick_size(_decimal(case["price"]), KINDS[case["kind"]])


def _round_tick(case: dict) -> int:
    return price_grid.round_to_tick(_decimal(case["price"]), case["mode"], KINDS[case["kind"]])


def _sell_tax(case: dict) -> int:
    settles = date.fromisoformat(case["settle"])
    return costs.sell_tax(case["amount"], settles, KINDS[case["kind"]])


def _fee(case: dict) -> int:
    return costs.commission(case["amount"], KINDS[case["kind"]])


def _settles(case: dict) -> str:
    return sessions.settlement_date(date.fromisoformat(case["trade"])).isoformat()


def _rebalance_days(case: dict) -> dict:
    year = case["year"]
    quarters = sessions.quarter_ends(year)
    return {
        "QUARTERLY": [day.isoformat() for day in quarters],
        "MONTHLY": [day.isoformat() for day in sessions.month_ends(year)],
        "fill_QUARTERLY": [sessions.next_session(day).isoformat() for day in quarters],
        "sessions": len(sessions.sessions_between(date(year, 1, 1), date(year, 12, 31))),
    }


ADAPTERS: dict[str, Callable[[dict], Any]] = {
    "tick": _tick,
    "round_tick": _round_tick,
    "sell_tax": _sell_tax,
    "fee": _fee,
    "settle_T+2": _settles,
    "rebalance_days": _rebalance_days,
}


@pytest.mark.parametrize("case", golden_params("krx"))
def test_krx(case: dict) -> None:
    assert ADAPTERS[case["name"]](case["input"]) == case["expect"]
