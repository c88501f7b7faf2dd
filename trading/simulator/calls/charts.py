"""Candles and trades on the wire: days to years, today's and past minutes, the last trades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice

from trading.domain.matching import Side
from trading.domain.sessions import SEOUL
from trading.simulator.calls.quotes import done, look
from trading.simulator.company import company_of
from trading.simulator.history import OLDEST, Candle, MinuteCandle, candles, minutes
from trading.simulator.http import Reply
from trading.simulator.loans import margin_loans
from trading.simulator.market import Shown, percent, sign
from trading.simulator.tape import Print
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, Refusal, fill

__all__ = [
    "HANDLERS",
    "inquire_ccnl",
    "inquire_daily_itemchartprice",
    "inquire_daily_price",
    "inquire_time_dailychartprice",
    "inquire_time_itemchartprice",
    "inquire_time_itemconclusion",
]

CANDLES, RECENT_CANDLES = 100, 30
MINUTES, PAST_MINUTES = 30, 120
TRADES = 30
PERIODS = ("D", "W", "M", "Y")


# --- days and longer --------------------------------------------------------------------------
def inquire_daily_itemchartprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Up to 100 candles between two dates, the newest first, and today's summary."""
    shown = look(truth, ask)
    # "00000101" is how a client asks for everything there is
    everything = ask.get("FID_INPUT_DATE_1") == "00000101"
    first = date.min if everything else _day(ask, "FID_INPUT_DATE_1")
    last = _day(ask, "FID_INPUT_DATE_2")
    period = _period(ask)
    found = candles(truth.market, shown.listing.code, first, last, period, truth.time)
    call = "inquire_daily_itemchartprice"
    rows = [fill(call, "output2", _candle_row(c)) for c in islice(found, CANDLES)]
    summary = fill(call, "output1", _summary(truth, shown) | _more_summary(truth, shown))
    return done(ask, {"output1": summary, "output2": rows})


def inquire_daily_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The latest 30 candles."""
    shown = look(truth, ask)
    code, period = shown.listing.code, _period(ask)
    today = truth.time.date()
    found = list(
        islice(
            candles(truth.market, code, today - OLDEST, today, period, truth.time),
            RECENT_CANDLES + 1,
        )
    )
    rows = [
        fill("inquire_daily_price", "output", _recent_row(truth, shown, now, before))
        for now, before in zip(found, [*found[1:], None], strict=True)
    ]
    return done(ask, {"output": rows[:RECENT_CANDLES]})


def _candle_row(candle: Candle) -> dict[str, object]:
    return {
        "stck_bsop_date": f"{candle.day:%Y%m%d}",
        "stck_clpr": candle.close,
        "stck_oprc": candle.open,
        "stck_hgpr": candle.high,
        "stck_lwpr": candle.low,
        "acml_vol": candle.volume,
        "acml_tr_pbmn": candle.turnover,
        "flng_cls_code": "00",
        "prtt_rate": "0.00",
        "mod_yn": "N",
        "prdy_vrss_sign": sign(candle.change),
        "prdy_vrss": candle.change,
        "revl_issu_reas": "",
    }


def _recent_row(
    truth: Truth, shown: Shown, candle: Candle, before: Candle | None
) -> dict[str, object]:
    earlier = before.volume if before else 0
    company = company_of(truth.seed, shown.listing)
    return {
        "stck_bsop_date": f"{candle.day:%Y%m%d}",
        "stck_oprc": candle.open,
        "stck_hgpr": candle.high,
        "stck_lwpr": candle.low,
        "stck_clpr": candle.close,
        "acml_vol": candle.volume,
        "prdy_vrss_vol_rate": percent(candle.volume - earlier, earlier),
        "prdy_vrss": candle.change,
        "prdy_vrss_sign": sign(candle.change),
        "prdy_ctrt": percent(candle.change, candle.before),
        "hts_frgn_ehrt": company.foreign_percent,
        "frgn_ntby_qty": truth.market.foreign_net(shown.listing.code, candle.day),
        "flng_cls_code": "00",
        "acml_prtt_rate": "1.00",
    }


def _summary(truth: Truth, shown: Shown) -> dict[str, object]:
    """What every chart says of the present."""
    return {
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "stck_prdy_clpr": shown.bar.reference,
        "acml_vol": shown.volume,
        "acml_tr_pbmn": shown.turnover,
        "hts_kor_isnm": shown.listing.name,
        "stck_prpr": shown.last,
    }


def _more_summary(truth: Truth, shown: Shown) -> dict[str, object]:
    listing, company = shown.listing, company_of(truth.seed, shown.listing)
    book = truth.book(listing.code)
    yesterday = truth.calendar.previous_session(truth.market.session_of(truth.time))
    before = truth.market.bar(listing.code, yesterday)
    return {
        "stck_shrn_iscd": listing.code,
        "prdy_vol": before.volume,
        "stck_mxpr": shown.upper,
        "stck_llam": shown.lower,
        "stck_oprc": shown.open,
        "stck_hgpr": shown.high,
        "stck_lwpr": shown.low,
        "stck_prdy_oprc": before.open,
        "stck_prdy_hgpr": before.high,
        "stck_prdy_lwpr": before.low,
        "askp": book.best(Side.SELL) or 0,
        "bidp": book.best(Side.BUY) or 0,
        "prdy_vrss_vol": shown.volume - before.volume,
        "vol_tnrt": percent(shown.volume, company.shares),
        "stck_fcam": company.par,
        "lstn_stcn": company.shares,
        "cpfn": company.capital // 100_000_000,
        "hts_avls": company.market_cap(shown.last),
        "per": company.per(shown.last),
        "eps": f"{company.eps}.00",
        "pbr": company.pbr(shown.last),
        "itewhol_loan_rmnd_ratem": percent(
            margin_loans(truth.market, listing.code, yesterday).left, company.shares
        ),
    }


# --- minutes ----------------------------------------------------------------------------------
def inquire_time_itemchartprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Thirty minutes of today up to an hour; minutes still to come repeat the present price.

    The day before never follows, whatever FID_PW_DATA_INCU_YN says: clients page until nine o'clock.
    """
    shown = look(truth, ask)
    today = truth.market.session_of(truth.time)
    upto = _moment(ask, today)
    found = _future(truth, shown, upto)
    found += list(islice(minutes(truth.market, shown.listing.code, upto, truth.time), MINUTES))
    return _minutes(ask, truth, shown, "inquire_time_itemchartprice", found[:MINUTES])


def inquire_time_dailychartprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Up to 120 minutes of one day up to an hour, and of the days before it if asked for."""
    shown = look(truth, ask)
    day = _day(ask, "FID_INPUT_DATE_1")
    upto = _moment(ask, day)
    found = list(islice(minutes(truth.market, shown.listing.code, upto, truth.time), PAST_MINUTES))
    if ask.get("FID_PW_DATA_INCU_YN") == "Y":
        found += _yesterday(truth, shown, day, PAST_MINUTES - len(found))
    return _minutes(ask, truth, shown, "inquire_time_dailychartprice", found)


def _minutes(
    ask: Ask, truth: Truth, shown: Shown, call: str, found: Sequence[MinuteCandle]
) -> Reply:
    rows = [fill(call, "output2", _minute_row(minute)) for minute in found]
    return done(ask, {"output1": fill(call, "output1", _summary(truth, shown)), "output2": rows})


def _minute_row(minute: MinuteCandle) -> dict[str, object]:
    return {
        "stck_bsop_date": f"{minute.at:%Y%m%d}",
        "stck_cntg_hour": f"{minute.at:%H%M%S}",
        "stck_prpr": minute.close,
        "stck_oprc": minute.open,
        "stck_hgpr": minute.high,
        "stck_lwpr": minute.low,
        "cntg_vol": minute.volume,
        "acml_tr_pbmn": minute.turnover,
    }


def _future(truth: Truth, shown: Shown, upto: datetime) -> list[MinuteCandle]:
    """The broker fills hours that are still to come with the present price."""
    now = truth.time.replace(second=0, microsecond=0)
    found: list[MinuteCandle] = []
    at = min(upto, truth.calendar.session_hours(upto.date()).closing_auction)
    at = at.replace(second=0, microsecond=0)
    while at > now and len(found) < MINUTES and truth.time.date() == upto.date():
        last = shown.last
        found.append(MinuteCandle(at, last, last, last, last, 0, shown.turnover))
        at -= timedelta(minutes=1)
    return found


def _yesterday(truth: Truth, shown: Shown, day: date, wanted: int) -> list[MinuteCandle]:
    before = truth.calendar.previous_session(day)
    if wanted <= 0 or before < truth.market.first_day - OLDEST:
        return []
    upto = truth.calendar.session_hours(before).close
    return list(islice(minutes(truth.market, shown.listing.code, upto, truth.time), wanted))


# --- trades -----------------------------------------------------------------------------------
def inquire_ccnl(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The last thirty trades of the session, the newest first."""
    shown = look(truth, ask)
    rows = [
        fill("inquire_ccnl", "output", _trade(truth, shown, at, one) | {"cntg_vol": one.quantity})
        for at, one in islice(_prints(truth, shown, truth.time), TRADES)
    ]
    return done(ask, {"output": rows})


def inquire_time_itemconclusion(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Thirty trades up to an hour of today, with the best prices beside them."""
    shown = look(truth, ask)
    day = truth.market.session_of(truth.time)
    upto = min(_moment(ask, day), truth.time)
    call, code = "inquire_time_itemconclusion", shown.listing.code
    hours = truth.calendar.session_hours(day)
    rows = []
    for at, one in islice(_prints(truth, shown, upto), TRADES):
        asks, bids = truth.market.ladder(code, day, truth.market.tick_at(hours, at))
        row = _trade(truth, shown, at, one)
        row |= {"stck_pbpr": row.pop("stck_prpr"), "acml_vol": one.volume, "cnqn": one.quantity}
        row |= {"askp": asks[0].price if asks else 0, "bidp": bids[0].price if bids else 0}
        rows.append(fill(call, "output2", row))
    summary = {
        "stck_prpr": shown.last,
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "acml_vol": shown.volume,
        "prdy_vol": shown.previous_volume,
        "rprs_mrkt_kor_name": "ETF" if shown.listing.kind.is_fund else shown.listing.market,
    }
    return done(ask, {"output1": fill(call, "output1", summary), "output2": rows})


def _prints(truth: Truth, shown: Shown, upto: datetime) -> Iterator[tuple[datetime, Print]]:
    """Trades of the session shown, from `upto` backwards."""
    day = truth.market.session_of(upto)
    hours = truth.calendar.session_hours(day)
    if upto < hours.open:
        return
    tape = truth.market.tape(shown.listing.code, day)
    for tick in range(truth.market.tick_at(hours, upto), -1, -1):
        at = hours.open + timedelta(seconds=tick)
        if not truth.market.closed(shown.listing.code, at):
            for one in reversed(tape.prints(tick)):
                yield at, one


def _trade(truth: Truth, shown: Shown, at: datetime, one: Print) -> dict[str, object]:
    hours = truth.calendar.session_hours(at.date())
    code, day = shown.listing.code, at.date()
    price = truth.market.price_at(code, day, truth.market.tick_at(hours, at))
    return {
        "stck_cntg_hour": f"{at:%H%M%S}",
        "stck_prpr": price,
        "prdy_vrss": price - shown.bar.reference,
        "prdy_vrss_sign": shown.sign(price),
        "prdy_ctrt": shown.rate(price),
        "tday_rltv": percent(one.bought, one.sold),
    }


# --- what was asked ---------------------------------------------------------------------------
def _day(ask: Ask, name: str) -> date:
    try:
        return datetime.strptime(ask.get(name), "%Y%m%d").date()
    except ValueError:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]") from None


def _period(ask: Ask) -> str:
    period = ask.get("FID_PERIOD_DIV_CODE")
    if period not in PERIODS:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [FID_PERIOD_DIV_CODE]")
    return period


def _moment(ask: Ask, day: date) -> datetime:
    try:
        hour = datetime.strptime(ask.get("FID_INPUT_HOUR_1"), "%H%M%S").time()
    except ValueError:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [FID_INPUT_HOUR_1]") from None
    return datetime.combine(day, hour, SEOUL)


HANDLERS = {
    "inquire_ccnl": inquire_ccnl,
    "inquire_daily_price": inquire_daily_price,
    "inquire_daily_itemchartprice": inquire_daily_itemchartprice,
    "inquire_time_itemchartprice": inquire_time_itemchartprice,
    "inquire_time_dailychartprice": inquire_time_dailychartprice,
    "inquire_time_itemconclusion": inquire_time_itemconclusion,
}
