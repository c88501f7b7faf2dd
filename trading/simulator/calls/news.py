"""The calendar's hours, headlines, interruptions and expected closes on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice

from trading.domain.sessions import SEOUL, Phase
from trading.simulator.calls.asked import chosen, last_day_of, require
from trading.simulator.calls.leaders import ROWS, universe
from trading.simulator.calls.quotes import MARKETS, done
from trading.simulator.http import Reply
from trading.simulator.interruptions import Interruption
from trading.simulator.market import Shown, percent
from trading.simulator.news import Headline, headlines
from trading.simulator.prices import Listing
from trading.simulator.truth import AUCTION_SHARE, Truth
from trading.simulator.wire import Ask, Refusal, fill

__all__ = ["HANDLERS"]

TITLES = 40
MOST_READ = 3_000
AROUND = timedelta(minutes=15)
PROVIDER, SOURCE = "J", "시장 시황"


def market_time(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Five sessions around the present one, and the hours of the futures market around its own."""
    today = truth.time.date()
    middle = today if truth.calendar.is_session(today) else truth.calendar.previous_session(today)
    days = [truth.calendar.previous_session(middle, 2), truth.calendar.previous_session(middle)]
    days += [middle, truth.calendar.next_session(middle), truth.calendar.next_session(middle, 2)]
    hours = truth.calendar.session_hours(middle)
    values: dict[str, object] = {f"date{n}": f"{day:%Y%m%d}" for n, day in enumerate(days, start=1)}
    values |= {
        "today": f"{today:%Y%m%d}",
        "time": f"{truth.time:%H%M%S}",
        "s_time": f"{hours.open - AROUND:%H%M%S}",
        "e_time": f"{hours.close + AROUND:%H%M%S}",
    }
    return done(ask, {"output1": fill("market_time", "output1", values)})


# --- headlines --------------------------------------------------------------------------------
def news_title(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The forty latest headlines up to a moment, of one code or with some words in them if asked for.

    A day and an hour may have zeros before them; FID_INPUT_SRNO asks for those before a serial number.
    """
    code, words = ask.get("FID_INPUT_ISCD").lstrip("A"), ask.get("FID_TITL_CNTT")
    if code and code not in truth.market:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    after = ask.get("FID_INPUT_SRNO").strip("0") and ask.get("FID_INPUT_SRNO")
    provider = ask.get("FID_NEWS_OFER_ENTP_CODE").strip("0")
    found = islice(headlines(truth.market, _upto(truth, ask)), MOST_READ)
    chosen_ = (
        one
        for one in found
        if (not code or code in one.codes)
        and (not words or words in one.title)
        and (not after or one.number < after)
        and provider in ("", PROVIDER)
    )
    rows = [fill("news_title", "output", _title_row(one)) for one in islice(chosen_, TITLES)]
    return done(ask, {"output": rows})


def _upto(truth: Truth, ask: Ask) -> datetime:
    """The moment that is asked for, never a later one than the present."""
    ask.params["FID_INPUT_DATE_1"] = ask.get("FID_INPUT_DATE_1")[-8:]
    day = last_day_of(ask, "FID_INPUT_DATE_1", truth.time.date())
    text = ask.get("FID_INPUT_HOUR_1")[-6:]
    try:
        hour = datetime.strptime(text, "%H%M%S").time() if text else time(23, 59, 59)
    except ValueError:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [FID_INPUT_HOUR_1]") from None
    return min(truth.time, datetime.combine(day, hour, SEOUL))


def _title_row(one: Headline) -> dict[str, object]:
    kind, _name = one.kind
    values: dict[str, object] = {
        "cntt_usiq_srno": one.number,
        "news_ofer_entp_code": PROVIDER,
        "data_dt": f"{one.at:%Y%m%d}",
        "data_tm": f"{one.at:%H%M%S}",
        "hts_pbnt_titl_cntt": one.title,
        "news_lrdv_code": kind,
        "dorg": SOURCE,
    }
    return values | {f"iscd{n}": code for n, code in enumerate(one.codes, start=1)}


# --- interruptions and auctions ---------------------------------------------------------------
def inquire_vi_status(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The volatility interruptions of a day, the newest first; FID_DIV_CLS_CODE 1 rises, 2 falls."""
    chosen(ask, "FID_COND_SCR_DIV_CODE", "20139", ("20139",))
    day = last_day_of(ask, "FID_INPUT_DATE_1", truth.time.date())
    way = chosen(ask, "FID_DIV_CLS_CODE", "0", ("0", "1", "2"))
    board = chosen(ask, "FID_MRKT_CLS_CODE", "0", ("0", "K", "Q"))
    code = ask.get("FID_INPUT_ISCD")
    if code and code not in truth.market:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    codes = [code] if code else sorted(truth.market.source.listings)
    found = []
    for one in codes if _was_session(truth, day) else ():
        listing = truth.market.listing(one)
        if board != "0" and (listing.market == "KOSDAQ") is not (board == "Q"):
            continue
        told = [i for i in truth.market.interruptions(one, day) if _begun(truth, day, i)]
        found += [(i.start, listing.code, _interrupted(truth, listing, day, told, n))
                  for n, i in enumerate(told)
                  if way == "0" or (i.price > i.reference) is (way == "1")]  # fmt: skip
    found.sort(key=lambda row: (-row[0], row[1]))
    rows = [fill("inquire_vi_status", "output", row) for _start, _code, row in found[:ROWS]]
    return done(ask, {"output": rows})


def _was_session(truth: Truth, day: date) -> bool:
    """A session up to today: one to come has no prices yet, and asking for them would make them."""
    try:
        return day <= truth.time.date() and truth.calendar.is_session(day)
    except ValueError:  # beyond the calendar
        return False


def _begun(truth: Truth, day: date, one: Interruption) -> bool:
    return truth.calendar.session_hours(day).open + timedelta(seconds=one.start) <= truth.time


def _interrupted(
    truth: Truth, listing: Listing, day: date, told: Sequence[Interruption], number: int
) -> dict[str, object]:
    one, opened = told[number], truth.calendar.session_hours(day).open
    ends = opened + timedelta(seconds=one.end)
    over = ends <= truth.time
    return {
        "hts_kor_isnm": listing.name,
        "mksc_shrn_iscd": listing.code,
        "vi_cls_code": "N" if over else "Y",
        "bsop_date": f"{day:%Y%m%d}",
        "cntg_vi_hour": f"{opened + timedelta(seconds=one.start):%H%M%S}",
        "vi_cncl_hour": f"{ends:%H%M%S}" if over else "000000",
        "vi_kind_code": STATIC,
        "vi_prc": one.price,
        "vi_stnd_prc": one.reference,
        "vi_dprt": percent(one.price - one.reference, one.reference),
        "vi_dmc_stnd_prc": 0,
        "vi_dmc_dprt": "0.00",
        "vi_count": number + 1,
    }


STATIC = "1"
"""The other kind, dynamic, which looks from trade to trade, is not modelled."""


def exp_closing_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What the closing auction is expected to end at, while it lasts; the largest moves first.

    Sort 0 all by rise, 1 those at the upper and 2 at the lower limit, 3 risers, 4 fallers.
    """
    require(ask, "FID_COND_MRKT_DIV_CODE", MARKETS)
    chosen(ask, "FID_COND_SCR_DIV_CODE", "11173", ("11173",))
    by = chosen(ask, "FID_RANK_SORT_CLS_CODE", "0", ("0", "1", "2", "3", "4"))
    extended = chosen(ask, "FID_BLNG_CLS_CODE", "0", ("0", "1")) == "1"
    codes = universe(truth, ask)
    if truth.phase() is not Phase.CLOSING_AUCTION or extended:
        codes = []
    tests = {
        "0": lambda one: True,
        "1": lambda one: one.last == one.upper,
        "2": lambda one: one.last == one.lower,
        "3": lambda one: one.change > 0,
        "4": lambda one: one.change < 0,
    }
    shown = [truth.market.shown(code, truth.time) for code in codes]
    found = [one for one in shown if tests[by](one) and one.bar.traded]
    found.sort(key=lambda one: (one.rate(one.last) * (1 if by in "24" else -1), one.listing.code))
    rows = [fill("exp_closing_price", "output", _expected(one)) for one in found[:ROWS]]
    return done(ask, {"output": rows})


def _expected(shown: Shown) -> dict[str, object]:
    return {
        "stck_shrn_iscd": shown.listing.code,
        "hts_kor_isnm": shown.listing.name,
        "stck_prpr": shown.last,
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "sdpr_vrss_prpr": shown.change,
        "sdpr_vrss_prpr_rate": percent(shown.change, shown.bar.reference),
        "cntg_vol": int(shown.bar.volume * AUCTION_SHARE),
    }


HANDLERS = {
    "market_time": market_time,
    "news_title": news_title,
    "inquire_vi_status": inquire_vi_status,
    "exp_closing_price": exp_closing_price,
}
