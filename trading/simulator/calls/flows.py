"""Who trades, on the wire: investors, programs and member firms of one instrument and of a market.

Amounts of investors are in million won and those of programs in won; a market's shares are in thousands.
What is told by the day is told of sessions that are over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import islice

from trading.simulator.brokers import passed
from trading.simulator.calls.asked import chosen, instrument, last_day_of, require
from trading.simulator.calls.indices import MILLION, THOUSAND, index_of
from trading.simulator.calls.leaders import ROWS, leaders, universe
from trading.simulator.calls.quotes import done, look
from trading.simulator.history import OLDEST, Candle, MinuteCandle, candle, candles, minutes
from trading.simulator.http import Reply
from trading.simulator.indices import INDICES, Index, IndexDay, days, level, members
from trading.simulator.investors import GROUPS, Deal, investors, program, rounded, together
from trading.simulator.market import Shown, percent, sign
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, Refusal, fill

__all__ = [
    "HANDLERS",
    "candle_values",
    "estimates",
    "firm_values",
    "member_values",
    "over",
    "program_minutes",
    "program_values",
]

DAYS = 30
MARKETS = {"KSP": "KOSPI", "KSQ": "KOSDAQ"}
ESTIMATED_AFTER = (30, 60, 140, 260, 330)
"""Minutes after the open at which the exchange's members estimate who bought."""
ROUND_LOT = 100
CHANGE_SECONDS = 60


def over(truth: Truth, candles_: Iterable[Candle]) -> Iterator[Candle]:
    """The sessions that are over by now."""
    for one in candles_:
        if truth.time >= truth.calendar.session_hours(one.day).close:
            yield one


def _days_of(truth: Truth, code: str, last: date) -> Iterator[Candle]:
    return candles(truth.market, code, last - OLDEST, last, "D", truth.time)


def candle_values(one: Candle) -> dict[str, object]:
    """A day as every screen of days begins it."""
    return {
        "stck_bsop_date": f"{one.day:%Y%m%d}",
        "stck_clpr": one.close,
        "prdy_vrss": one.change,
        "prdy_vrss_sign": sign(one.change),
        "prdy_ctrt": percent(one.change, one.before),
        "acml_vol": one.volume,
    }


def _deals(truth: Truth, code: str, one: Candle) -> dict[str, Deal]:
    return investors(truth.market, code, one.day, one.volume, one.turnover)


# --- investors of one instrument --------------------------------------------------------------
def inquire_investor(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Persons, foreigners and institutions in the last thirty sessions that are over."""
    shown = look(truth, ask)
    code, call = shown.listing.code, "inquire_investor"
    rows = []
    for one in islice(over(truth, _days_of(truth, code, truth.time.date())), DAYS):
        values = candle_values(one)
        del values["acml_vol"], values["prdy_ctrt"]
        deals = rounded(_deals(truth, code, one), 1, MILLION)
        for name in ("prsn", "frgn", "orgn"):
            values |= _sides(name, deals[name]) | _nets(name, deals[name])
        rows.append(fill(call, "output", values))
    return done(ask, {"output": rows})


def _sides(name: str, deal: Deal) -> dict[str, object]:
    return {
        f"{name}_shnu_vol": deal.bought,
        f"{name}_seln_vol": deal.sold,
        f"{name}_shnu_tr_pbmn": deal.paid,
        f"{name}_seln_tr_pbmn": deal.received,
    }


def _nets(name: str, deal: Deal) -> dict[str, object]:
    """Net purchases; the broker calls those of funds and other organisations volumes."""
    quantity = "vol" if name in ("pe_fund", "etc_corp", "etc_orgt") else "qty"
    money = "pbmn" if name in ("frgn_reg", "frgn_nreg") else "tr_pbmn"
    return {f"{name}_ntby_{quantity}": deal.net, f"{name}_ntby_{money}": deal.net_paid}


def _every_net(deals: Mapping[str, Deal]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in GROUPS:
        found |= _nets(name, deals[name])
    return found


def investor_trade_by_stock_daily(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Every kind of investor in the thirty sessions up to a day that are over, the newest first."""
    shown = look(truth, ask)
    last = last_day_of(ask, "FID_INPUT_DATE_1", truth.time.date())
    chosen(ask, "FID_ORG_ADJ_PRC", "0", ("0", "1"))
    code, call = shown.listing.code, "investor_trade_by_stock_daily"
    rows = []
    for one in islice(over(truth, _days_of(truth, code, last)), DAYS):
        deals = rounded(_deals(truth, code, one), 1, MILLION)
        values = candle_values(one) | _ends(one) | _every_net(deals) | _every_side(deals)
        rows.append(fill(call, "output2", values | {"bold_yn": "N"}))
    return done(ask, {"output1": fill(call, "output1", _present(shown)), "output2": rows})


def _ends(one: Candle) -> dict[str, object]:
    return {
        "acml_tr_pbmn": one.turnover,
        "stck_oprc": one.open,
        "stck_hgpr": one.high,
        "stck_lwpr": one.low,
    }


def _every_side(deals: Mapping[str, Deal]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in GROUPS:
        if name in ("frgn_reg", "frgn_nreg"):
            deal = deals[name]
            found[f"{name}_bidp_qty"], found[f"{name}_askp_qty"] = deal.bought, deal.sold
            found[f"{name}_bidp_pbmn"], found[f"{name}_askp_pbmn"] = deal.paid, deal.received
        else:
            found |= _sides(name, deals[name])
    return found


def _present(shown: Shown) -> dict[str, object]:
    return {
        "stck_prpr": shown.last,
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "acml_vol": shown.volume,
        "prdy_vol": shown.previous_volume,
        "rprs_mrkt_kor_name": "ETF" if shown.listing.kind.is_fund else shown.listing.market,
    }


# --- investors of a market --------------------------------------------------------------------
def inquire_investor_daily_by_market(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """An index and who bought its members, in the thirty sessions up to a day that are over.

    A market's investors are those of its index's members: funds are not among them.
    """
    index = index_of(truth, ask)
    _of_market(index, require(ask, "FID_INPUT_ISCD_1", MARKETS))
    last = last_day_of(ask, "FID_INPUT_DATE_1", truth.time.date())
    end = truth.time.date() if _session_over(truth) else truth.time.date() - timedelta(days=1)
    first = last - timedelta(days=DAYS * 2)
    found = days(truth.market, index, first, min(last, end), truth.time)[:DAYS]
    rows = [
        fill("inquire_investor_daily_by_market", "output", _market_row(truth, index, one))
        for one in found
    ]
    return done(ask, {"output": rows})


def _session_over(truth: Truth) -> bool:
    today = truth.market.session_of(truth.time)
    return truth.time >= truth.calendar.session_hours(today).close


def _of_market(index: Index, market: str) -> None:
    if index.market != MARKETS[market]:
        raise Refusal("MCA05918", "업종코드 오류입니다.")


def _market_row(truth: Truth, index: Index, one: IndexDay) -> dict[str, object]:
    change = level(one.close) - level(one.before)
    key = ("market deals", index.code, one.day)
    deals = truth.market.once(key, None, lambda: _market_deals(truth, index, one.day))
    return {
        "stck_bsop_date": f"{one.day:%Y%m%d}",
        "bstp_nmix_prpr": level(one.close),
        "bstp_nmix_prdy_vrss": change,
        "prdy_vrss_sign": sign(float(change)),
        "bstp_nmix_prdy_ctrt": percent(float(change), float(level(one.before))),
        "bstp_nmix_oprc": level(one.open),
        "bstp_nmix_hgpr": level(one.high),
        "bstp_nmix_lwpr": level(one.low),
        "stck_prdy_clpr": level(one.before),
    } | _every_net(rounded(deals, THOUSAND, MILLION))


def _market_deals(truth: Truth, index: Index, day: date) -> dict[str, Deal]:
    """What everybody did in an index's members in a session that is over."""
    traded = [
        (code, candle(truth.market, code, day, truth.time)) for code in members(truth.market, index)
    ]
    return together(_deals(truth, code, found) for code, found in traded if found)


def inquire_investor_time_by_market(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What every kind of investor has traded in an index's members so far today."""
    market = require(ask, "FID_INPUT_ISCD", MARKETS)
    index = INDICES.get(ask.get("FID_INPUT_ISCD_2"))
    if index is None or not members(truth.market, index):
        raise Refusal("MCA05918", "업종코드 오류입니다.")
    _of_market(index, market)
    day = truth.market.session_of(truth.time)
    shown = [truth.market.shown(code, truth.time) for code in members(truth.market, index)]
    parts = [
        investors(truth.market, one.listing.code, day, one.volume, one.turnover) for one in shown
    ]
    deals = rounded(together(parts), THOUSAND, MILLION)
    values: dict[str, object] = {}
    for name in GROUPS:
        if name not in ("frgn_reg", "frgn_nreg", "etc"):
            values |= _sides(name, deals[name]) | _nets(name, deals[name])
    return done(ask, {"output": [fill("inquire_investor_time_by_market", "output", values)]})


# --- estimates of the day ---------------------------------------------------------------------
def estimates(truth: Truth) -> list[tuple[int, datetime]]:
    """The day's estimates that have been made: their numbers and moments, the newest first."""
    opened = truth.calendar.session_hours(truth.market.session_of(truth.time)).open
    made = [
        (number, opened + timedelta(minutes=minute))
        for number, minute in enumerate(ESTIMATED_AFTER, start=1)
    ]
    return [one for one in reversed(made) if one[1] <= truth.time]


def _estimated(truth: Truth, code: str, number: int, at: datetime) -> dict[str, Deal]:
    """What was known at an estimate; the first one is of foreigners alone."""
    shown = truth.market.shown(code, at)
    deals = investors(truth.market, code, at.date(), shown.volume, shown.turnover)
    return deals if number > 1 else {**dict.fromkeys(deals, Deal(0, 0)), "frgn": deals["frgn"]}


def investor_trend_estimate(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Net purchases as estimated five times a day, in signed numbers of eighteen places."""
    code = instrument(truth, ask.get("MKSC_SHRN_ISCD")).listing.code
    rows = []
    for number, at in estimates(truth):
        deals = _estimated(truth, code, number, at)
        foreign, houses = (round(deals[n].net / ROUND_LOT) * ROUND_LOT for n in ("frgn", "orgn"))
        values: dict[str, object] = {
            "bsop_hour_gb": number,
            "frgn_fake_ntby_qty": f"{foreign:018d}",
            "orgn_fake_ntby_qty": f"{houses:018d}",
            "sum_fake_ntby_qty": f"{foreign + houses:018d}",
        }
        rows.append(fill("investor_trend_estimate", "output2", values))
    return done(ask, {"output2": rows})


ESTIMATE_OF = {"0": ("frgn", "orgn"), "1": ("frgn",), "2": ("orgn",), "3": ("etc",)}


def foreign_institution_total(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The thirty instruments that were bought (sort 0) or sold (1) most by the latest estimate.

    FID_DIV_CLS_CODE ranks by shares (0) or won (1), FID_ETC_CLS_CODE says by whom.
    """
    require(ask, "FID_COND_MRKT_DIV_CODE", ("V",))
    chosen(ask, "FID_COND_SCR_DIV_CODE", "16449", ("16449",))
    by_won = chosen(ask, "FID_DIV_CLS_CODE", "0", ("0", "1")) == "1"
    way = -1 if chosen(ask, "FID_RANK_SORT_CLS_CODE", "0", ("0", "1")) == "1" else 1
    who = ESTIMATE_OF[chosen(ask, "FID_ETC_CLS_CODE", "0", ESTIMATE_OF)]
    made = estimates(truth)
    codes = universe(truth, ask) if made else []
    number, at = made[0] if made else (0, truth.time)

    def known(code: str) -> dict[str, Deal]:
        return truth.market.once(
            ("estimate", code), at, lambda: _estimated(truth, code, number, at)
        )

    def net(code: str) -> int:
        deals = [known(code)[name] for name in who]
        return way * sum(one.net_paid if by_won else one.net for one in deals)

    def most(code: str) -> int:
        bar = truth.market.bar(code, at.date())
        return bar.volume * (bar.high if by_won else 1)

    rows = [
        _estimate_row(truth, code, known(code), sum(known(code)[name].net for name in who))
        for code, _net in leaders(codes, most, net, ROWS)
    ]
    return done(ask, {"output": [fill("foreign_institution_total", "output", r) for r in rows]})


def _estimate_row(
    truth: Truth, code: str, deals: Mapping[str, Deal], net: int
) -> dict[str, object]:
    shown, found = truth.market.shown(code, truth.time), rounded(deals, 1, MILLION)
    names = ("frgn", "orgn", "ivtr", "bank", "insu", "mrbn", "fund", "etc_orgt", "etc_corp")
    values: dict[str, object] = {
        "hts_kor_isnm": shown.listing.name,
        "mksc_shrn_iscd": code,
        "ntby_qty": net,
    }
    for name in names:
        values |= _nets(name, found[name])
    present = _present(shown)
    del present["prdy_vol"], present["rprs_mrkt_kor_name"]
    return values | present


# --- programs ---------------------------------------------------------------------------------
def program_trade_by_stock(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What programs had traded by the end of each of the last thirty minutes, the newest first."""
    shown = look(truth, ask)
    rows = program_minutes(truth, shown.listing.code, truth.time, DAYS + 1)
    behind = [deal for _one, _volume, deal in rows[1:]] + [Deal(0, 0)]
    output = [
        fill(
            "program_trade_by_stock",
            "output",
            _program_minute(shown, one.at, one.close, v, deal, before),
        )
        for (one, v, deal), before in zip(rows[:DAYS], behind, strict=False)
    ]
    return done(ask, {"output": output})


def program_minutes(
    truth: Truth, code: str, at: datetime, most: int
) -> list[tuple[MinuteCandle, int, Deal]]:
    """The latest `most` minutes, the shares traded by the end of each and what programs had done by then."""
    market, day = truth.market, truth.market.session_of(at)
    close = truth.calendar.session_hours(day).close
    shown = market.shown(code, at)
    rows: list[tuple[MinuteCandle, int, Deal]] = []
    volume = shown.volume
    for one in islice(minutes(market, code, min(at, close), at), most):
        paid = one.turnover if rows else shown.turnover
        rows.append((one, volume, program(market, code, day, volume, paid)))
        volume -= one.volume
    return rows


def _program_minute(
    shown: Shown, at: datetime, price: int, volume: int, deal: Deal, before: Deal
) -> dict[str, object]:
    return program_values(deal) | {
        "bsop_hour": f"{at:%H%M%S}",
        "stck_prpr": price,
        "prdy_vrss": price - shown.bar.reference,
        "prdy_vrss_sign": shown.sign(price),
        "prdy_ctrt": shown.rate(price),
        "acml_vol": volume,
        "whol_ntby_vol_icdc": deal.net - before.net,
        "whol_ntby_tr_pbmn_icdc": deal.net_paid - before.net_paid,
    }


def program_values(deal: Deal) -> dict[str, object]:
    """What programs bought and sold, as every screen of them tells it."""
    return {
        "whol_smtn_seln_vol": deal.sold,
        "whol_smtn_shnu_vol": deal.bought,
        "whol_smtn_ntby_qty": deal.net,
        "whol_smtn_seln_tr_pbmn": deal.received,
        "whol_smtn_shnu_tr_pbmn": deal.paid,
        "whol_smtn_ntby_tr_pbmn": deal.net_paid,
    }


def program_trade_by_stock_daily(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Programs in the thirty sessions up to a day, the present one included as far as it has come."""
    shown = look(truth, ask)
    last, code = last_day_of(ask, "FID_INPUT_DATE_1", truth.time.date()), shown.listing.code
    found = list(islice(_days_of(truth, code, last), DAYS + 1))
    deals = [program(truth.market, code, one.day, one.volume, one.turnover) for one in found]
    rows = [
        fill("program_trade_by_stock_daily", "output", _program_day(one, deal, before))
        for one, deal, before in zip(found[:DAYS], deals, [*deals[1:], Deal(0, 0)], strict=False)
    ]
    return done(ask, {"output": rows})


def _program_day(one: Candle, deal: Deal, before: Deal) -> dict[str, object]:
    return (
        candle_values(one)
        | program_values(deal)
        | {
            "acml_tr_pbmn": one.turnover,
            "whol_ntby_vol_icdc": deal.net - before.net,
            "whol_ntby_tr_pbmn_icdc2": deal.net_paid - before.net_paid,
        }
    )


# --- member firms -----------------------------------------------------------------------------
def inquire_member(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The five firms that bought and sold most today; changes are those of the last minute."""
    values = member_values(truth, look(truth, ask).listing.code, truth.time)
    return done(ask, {"output": fill("inquire_member", "output", values)})


def member_values(truth: Truth, code: str, at: datetime) -> dict[str, object]:
    """The five firms a side and all foreign ones together, at a moment."""
    shown, day = truth.market.shown(code, at), truth.market.session_of(at)
    return firm_values(truth.seed, code, day, shown.volume, _a_minute_ago(truth, code, day, at))


def firm_values(seed: int, table: str, day: date, volume: int, earlier: int) -> dict[str, object]:
    """What each firm had of `volume` shares and of the `earlier` ones a minute before, by one table."""
    values: dict[str, object] = {}
    totals: dict[str, int] = {}
    for side, name in (("sell", "seln"), ("buy", "shnu")):
        now = passed(seed, table, day, side, volume)
        before = {b.number: q for b, q in passed(seed, table, day, side, earlier)}
        for place, (broker, quantity) in enumerate(now[:5], start=1):
            values |= {
                f"{name}_mbcr_no{place}": broker.number,
                f"{name}_mbcr_name{place}": broker.name,
                f"total_{name}_qty{place}": quantity,
                f"{name}_mbcr_rlim{place}": percent(quantity, volume),
                f"{name}_qty_icdc{place}": quantity - before[broker.number],
                f"{name}_mbcr_glob_yn_{place}": "Y" if broker.foreign else "N",
            }
        abroad = [(broker, quantity) for broker, quantity in now if broker.foreign]
        totals[name] = sum(quantity for _broker, quantity in abroad)
        grown = totals[name] - sum(before[broker.number] for broker, _quantity in abroad)
        values |= {
            f"glob_total_{name}_qty": totals[name],
            f"glob_{name}_rlim": percent(totals[name], volume),
            f"glob_total_{name}_qty_icdc": grown,
        }
    values["glob_ntby_qty"] = totals["shnu"] - totals["seln"]
    return values


def _a_minute_ago(truth: Truth, code: str, day: date, at: datetime) -> int:
    """Shares traded up to a minute ago; once the session is over, up to its last minute."""
    hours = truth.calendar.session_hours(day)
    last = min(at, hours.closing_auction) - timedelta(seconds=CHANGE_SECONDS)
    return truth.market.shown(code, last).volume if last >= hours.open else 0


HANDLERS = {
    "inquire_investor": inquire_investor,
    "inquire_member": inquire_member,
    "inquire_investor_daily_by_market": inquire_investor_daily_by_market,
    "inquire_investor_time_by_market": inquire_investor_time_by_market,
    "investor_trade_by_stock_daily": investor_trade_by_stock_daily,
    "investor_trend_estimate": investor_trend_estimate,
    "foreign_institution_total": foreign_institution_total,
    "program_trade_by_stock": program_trade_by_stock,
    "program_trade_by_stock_daily": program_trade_by_stock_daily,
}
