"""Short sales, loans and the two sides of a day's trades, on the wire, by the day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby, islice
from typing import Any

from trading.simulator.calls.asked import chosen, day_of, last_day_of, require
from trading.simulator.calls.flows import candle_values, over
from trading.simulator.calls.quotes import done, look
from trading.simulator.company import company_of
from trading.simulator.history import OLDEST, Candle, candles, period_of
from trading.simulator.http import Reply
from trading.simulator.investors import short_sold
from trading.simulator.loans import Loans, margin_loans, stock_loans
from trading.simulator.market import Shown, percent, sign
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, fill

__all__ = ["HANDLERS", "short_values"]

DAYS, LOAN_DAYS = 100, 30
TEN_THOUSAND = 10_000
PERIODS = ("D", "W", "M")


# --- short sales ------------------------------------------------------------------------------
def daily_short_sale(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Shares sold short in the sessions between two days that are over, the newest 100 first.

    What is called cumulative is counted from the first of them.
    """
    shown = look(truth, ask)
    today = truth.time.date()
    last = last_day_of(ask, "FID_INPUT_DATE_2", today)
    first = last_day_of(ask, "FID_INPUT_DATE_1", last - OLDEST)
    code, call = shown.listing.code, "daily_short_sale"
    found = list(
        islice(over(truth, candles(truth.market, code, first, last, "D", truth.time)), DAYS)
    )
    rows, total = [], _Sum()
    for one in reversed(found):
        values = short_values(truth, code, one)
        total.add(one, values["ssts_cntg_qty"], values["ssts_tr_pbmn"])
        rows.append(
            fill(call, "output2", candle_values(one) | _ends(one) | values | total.values())
        )
    head = {
        "stck_prpr": shown.last,
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "acml_vol": shown.volume,
        "prdy_vol": shown.previous_volume,
    }
    return done(ask, {"output1": fill(call, "output1", head), "output2": rows[::-1]})


def short_values(truth: Truth, code: str, one: Candle) -> dict[str, Any]:
    """Short sales of a session, at the average price of all that was traded in it."""
    shares = short_sold(truth.market, code, one.day)
    won = one.turnover * shares // one.volume if one.volume else 0
    return {
        "ssts_cntg_qty": shares,
        "ssts_vol_rlim": percent(shares, one.volume),
        "ssts_tr_pbmn": won,
        "ssts_tr_pbmn_rlim": percent(won, one.turnover),
        "avrg_prc": won // shares if shares else 0,
    }


class _Sum:
    """What has come together from the first session on: shares and won, all and short."""

    def __init__(self) -> None:
        self.shares = self.won = self.short_shares = self.short_won = 0

    def add(self, one: Candle, shares: int, won: int) -> None:
        self.shares += one.volume
        self.won += one.turnover
        self.short_shares += shares
        self.short_won += won

    def values(self) -> dict[str, object]:
        return {
            "stnd_vol_smtn": self.shares,
            "stnd_tr_pbmn_smtn": self.won,
            "acml_ssts_cntg_qty": self.short_shares,
            "acml_ssts_cntg_qty_rlim": percent(self.short_shares, self.shares),
            "acml_ssts_tr_pbmn": self.short_won,
            "acml_ssts_tr_pbmn_rlim": percent(self.short_won, self.won),
        }


def _ends(one: Candle) -> dict[str, object]:
    return {
        "acml_tr_pbmn": one.turnover,
        "stck_oprc": one.open,
        "stck_hgpr": one.high,
        "stck_lwpr": one.low,
    }


# --- loans ------------------------------------------------------------------------------------
def daily_credit_balance(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Loans of the thirty sessions that were settled up to a day, the newest first; 10,000 won."""
    shown = look(truth, ask)
    chosen(ask, "FID_COND_SCR_DIV_CODE", "20476", ("20476",))
    last = last_day_of(ask, "FID_INPUT_DATE_1", truth.time.date())
    found = islice(_settled(truth, shown, last), LOAN_DAYS)
    rows = [fill("daily_credit_balance", "output", _loan_row(truth, shown, one)) for one in found]
    return done(ask, {"output": rows})


def _settled(truth: Truth, shown: Shown, last: date) -> Iterator[Candle]:
    found = candles(truth.market, shown.listing.code, last - OLDEST, last, "D", truth.time)
    for one in over(truth, found):
        if truth.calendar.settlement_date(one.day) <= last:
            yield one


def _loan_row(truth: Truth, shown: Shown, one: Candle) -> dict[str, object]:
    code = shown.listing.code
    return (
        {
            "deal_date": f"{one.day:%Y%m%d}",
            "stlm_date": f"{truth.calendar.settlement_date(one.day):%Y%m%d}",
            "stck_prpr": one.close,
            "prdy_vrss": one.change,
            "prdy_vrss_sign": sign(one.change),
            "prdy_ctrt": percent(one.change, one.before),
            "acml_vol": one.volume,
            "stck_oprc": one.open,
            "stck_hgpr": one.high,
            "stck_lwpr": one.low,
        }
        | _loans(truth, shown, one, "loan", margin_loans(truth.market, code, one.day))
        | _loans(truth, shown, one, "stln", stock_loans(truth.market, code, one.day))
    )


def _loans(truth: Truth, shown: Shown, one: Candle, kind: str, loans: Loans) -> dict[str, object]:
    shares = company_of(truth.seed, shown.listing).shares
    left_before = loans.left - loans.lent + loans.repaid
    lent, left, before = (
        count * loans.price // TEN_THOUSAND for count in (loans.lent, loans.left, left_before)
    )
    return {
        f"whol_{kind}_new_stcn": loans.lent,
        f"whol_{kind}_rdmp_stcn": loans.repaid,
        f"whol_{kind}_rmnd_stcn": loans.left,
        f"whol_{kind}_new_amt": lent,
        f"whol_{kind}_rdmp_amt": before + lent - left,
        f"whol_{kind}_rmnd_amt": left,
        f"whol_{kind}_rmnd_rate": percent(loans.left, shares),
        f"whol_{kind}_gvrt": percent(loans.lent, one.volume),
    }


# --- the two sides of a day's trades ----------------------------------------------------------
def inquire_daily_trade_volume(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Shares that buyers took and sellers hit, by day, week or month, the newest 100 first."""
    shown = look(truth, ask)
    period = require(ask, "FID_PERIOD_DIV_CODE", PERIODS)
    first, last = day_of(ask, "FID_INPUT_DATE_1"), day_of(ask, "FID_INPUT_DATE_2")
    code, call = shown.listing.code, "inquire_daily_trade_volume"
    found = candles(truth.market, code, first, last, "D", truth.time)
    groups = groupby(
        found, key=lambda one: period_of(one.day, period) if period != "D" else one.day
    )
    rows = [
        _sides_row(truth, code, period, [one.day for one in g]) for _key, g in islice(groups, DAYS)
    ]
    bought, sold = truth.market.taken(code, truth.time)
    head = {"shnu_cnqn_smtn": bought, "seln_cnqn_smtn": sold}
    output = [fill(call, "output2", row) for row in rows]
    return done(ask, {"output1": fill(call, "output1", head), "output2": output})


def _sides_row(truth: Truth, code: str, period: str, days: Sequence[date]) -> dict[str, object]:
    """The sessions of a period, the newest first; a week is dated by its first, others by their last."""
    taken = [_taken(truth, code, day) for day in days]
    return {
        "stck_bsop_date": f"{days[-1] if period == 'W' else days[0]:%Y%m%d}",
        "total_shnu_qty": sum(bought for bought, _sold in taken),
        "total_seln_qty": sum(sold for _bought, sold in taken),
    }


def _taken(truth: Truth, code: str, day: date) -> tuple[int, int]:
    """The two sides of a session as it stands."""
    close = truth.calendar.session_hours(day).close
    if truth.time < close:
        return truth.market.taken(code, truth.time)
    return truth.market.once(("taken", code, day), None, lambda: truth.market.taken(code, close))


HANDLERS = {
    "daily_short_sale": daily_short_sale,
    "daily_credit_balance": daily_credit_balance,
    "inquire_daily_trade_volume": inquire_daily_trade_volume,
}
