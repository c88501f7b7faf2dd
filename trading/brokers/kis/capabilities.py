"""Which abilities each environment of the broker offers, from the broker's own table of calls and channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from trading.domain.capabilities import Ability
from trading.kis_wire import calls, channels

__all__ = ["abilities"]

_NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "orders": (("order_cash", "order_rvsecncl", "inquire_daily_ccld"), ()),
    "balance": (("inquire_balance", "inquire_psbl_order"), ()),
    "quotes": (("inquire_price", "inquire_asking_price_exp_ccn"), ()),
    "candles": (("inquire_daily_itemchartprice", "inquire_time_itemchartprice"), ()),
    "stream": ((), ("ccnl_krx", "asking_price_krx")),
    "notices": ((), ("ccnl_notice",)),
    "open_orders": (("inquire_psbl_rvsecncl",), ()),
    "sellable": (("inquire_psbl_sell",), ()),
    "realised": (("inquire_balance_rlz_pl", "inquire_period_trade_profit"), ()),
    "calendar": (("chk_holiday",), ()),
    "many_quotes": (("intstock_multprice",), ()),
    "past_minutes": (("inquire_time_dailychartprice",), ()),
    "indices": (("inquire_index_price", "inquire_time_indexchartprice"), ("index_ccnl",)),
    "flows": (("investor_trade_by_stock_daily", "foreign_institution_total"), ()),
    "rankings": (("volume_rank", "fluctuation"), ()),
    "finance": (("finance_financial_ratio", "finance_income_statement"), ()),
    "funds": (("etf_inquire_price", "etf_nav_comparison_trend"), ("etf_nav_trend",)),
    "news": (("news_title",), ()),
    "reserved_orders": (("order_resv", "order_resv_ccnl", "order_resv_rvsecncl"), ()),
    "market_state": ((), ("market_status_krx",)),
    "us_orders": (("overseas_order", "overseas_inquire_balance", "overseas_inquire_ccnl"), ()),
    "us_quotes": (("overseas_price", "overseas_dailyprice"), ()),
    "us_open_orders": (("overseas_inquire_nccs",), ()),
}


def abilities(wire: Literal["real", "mock"]) -> tuple[Ability, ...]:
    """Every ability, with what the environment lacks of it; what always works comes first."""
    found = [Ability(code, _missing(needs, wire)) for code, needs in _NEEDS.items()]
    return tuple(sorted(found, key=lambda ability: not ability.offered))


def _missing(needs: tuple[tuple[str, ...], tuple[str, ...]], wire: str) -> tuple[str, ...]:
    if wire == "real":
        return ()
    asked, heard = needs
    return (
        *(name for name in asked if not calls()[name].mock),
        *(name for name in heard if channels()[name].mock is None),
    )
