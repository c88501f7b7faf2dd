"""Records about a market as a whole, its auctions, programs and funds, read strictly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from trading.brokers.kis import parsing
from trading.brokers.kis.stream.fields import SEOUL, Row, clock_of, ticker_of
from trading.domain.errors import BrokerGarbled
from trading.domain.ticks import (
    ExpectedTick,
    FundTick,
    IndexProgramTick,
    IndexTick,
    ProgramTick,
)

__all__ = ["MARKET_READERS"]


def _expected(row: Row, now: datetime) -> ExpectedTick:
    price, quantity = parsing.integer(row, "STCK_PRPR"), parsing.integer(row, "CNTG_VOL")
    if price < 0 or quantity < 0:
        raise BrokerGarbled("an auction below zero")
    day = parsing.day(row, "BSOP_DATE")
    at = datetime(day.year, day.month, day.day, tzinfo=SEOUL)
    return ExpectedTick(ticker_of(row), clock_of(row, "STCK_CNTG_HOUR", at), price, quantity)


def _index(row: Row, now: datetime) -> IndexTick:
    level = parsing.decimal(row, "PRPR_NMIX")
    high, low = parsing.decimal(row, "NMIX_HGPR"), parsing.decimal(row, "NMIX_LWPR")
    if level <= 0 or (high and low and not low <= level <= high):
        raise BrokerGarbled("an index outside the day's own range")
    volume, turnover = parsing.integer(row, "ACML_VOL"), parsing.integer(row, "ACML_TR_PBMN")
    if volume < 0 or turnover < 0:
        raise BrokerGarbled("a volume that cannot be")
    return IndexTick(
        code=parsing.code(row, "BSTP_CLS_CODE", r"[0-9]{4}"),
        at=clock_of(row, "BSOP_HOUR", now),
        level=level,
        change_percent=parsing.decimal(row, "PRDY_CTRT"),
        volume=volume,
        turnover=turnover,
    )


def _program(row: Row, now: datetime) -> ProgramTick:
    net = _net(row, "SHNU_CNQN", "SELN_CNQN", "NTBY_CNQN")
    at = clock_of(row, "STCK_CNTG_HOUR", now)
    return ProgramTick(ticker_of(row), at, net, parsing.integer(row, "NTBY_TR_PBMN"))


def _index_programs(row: Row, now: datetime) -> IndexProgramTick:
    net = _net(row, "SHNU_CNTG_SMTN", "TOTAL_SELN_QTY", "WHOL_NTBY_QTY")
    return IndexProgramTick(
        code=parsing.code(row, "BSTP_CLS_CODE", r"[0-9]{4}"),
        at=clock_of(row, "BSOP_HOUR", now),
        net_quantity=net,
        net_turnover=parsing.integer(row, "WHOL_NTBY_TR_PBMN"),
        arbitrage_net_turnover=parsing.integer(row, "ARBT_SMTN_NTBY_TR_PBMN"),
    )


def _net(row: Row, bought: str, sold: str, net: str) -> int:
    found = parsing.integer(row, net)
    if parsing.integer(row, bought) - parsing.integer(row, sold) != found:
        raise BrokerGarbled("a net that is not what was bought less what was sold")
    return found


def _fund(row: Row, now: datetime) -> FundTick:
    value = parsing.decimal(row, "NAV")
    if value <= 0:
        raise BrokerGarbled("a fund that is worth nothing")
    return FundTick(ticker_of(row), now, value, parsing.decimal(row, "NAV_PRDY_CTRT"))


MARKET_READERS: Mapping[
    str,
    Callable[[Row, datetime], ExpectedTick | IndexTick | ProgramTick | IndexProgramTick | FundTick],
] = {
    "exp_ccnl_krx": _expected,
    "exp_ccnl_nxt": _expected,
    "exp_ccnl_total": _expected,
    "index_ccnl": _index,
    "index_program_trade": _index_programs,
    "program_trade_krx": _program,
    "program_trade_nxt": _program,
    "program_trade_total": _program,
    "etf_nav_trend": _fund,
}
