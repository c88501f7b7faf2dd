"""US candles on the wire: days, weeks, months, minutes, of stocks, of indices, and of the dollar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from trading.simulator.calls.quotes import done
from trading.simulator.calls.us_accounts import between, choice, day_of
from trading.simulator.calls.us_quotes import look, rsym, signed
from trading.simulator.http import Reply, json_reply
from trading.simulator.truth import Truth
from trading.simulator.us.calendar import NEW_YORK
from trading.simulator.us.listings import INDICES, LISTINGS
from trading.simulator.us.market import UsMinute, UsShown, sign
from trading.simulator.us.money import dollars, share
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill

__all__ = ["DOLLAR", "HANDLERS", "keyed"]

DAYS = 100
MINUTES = 120
INDEX_MINUTES = 102
PERIODS = {"0": "D", "1": "W", "2": "M"}
DOLLAR = "FX@KRW"
"""The won of a dollar, as the chart call names it."""


def keyed(ask: Ask, body: Mapping[str, object], more: bool) -> Reply:
    """A quotation whose list goes on behind a key of its rows."""
    text = {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "정상처리 되었습니다.".ljust(MSG_WIDTH)}
    headers = {"tr_id": ask.tr_id, "tr_cont": "M" if more else "D"}
    return json_reply({**body, **text}, headers=headers)


def dailyprice(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """A hundred days, weeks or months up to a day, the newest first, with each one's last book."""
    shown = look(truth, ask)
    period = PERIODS[choice(ask, "GUBN", tuple(PERIODS))]
    choice(ask, "MODP", ("0", "1"))
    us, code, call = truth.us, shown.listing.code, "overseas_dailyprice"
    upto = day_of(ask, "BYMD") if ask.get("BYMD") else us.day
    found = us.market.candles(code, us.calendar.first, upto, period, us.time)
    rows = []
    for c in islice(found, DAYS):
        hours = us.calendar.hours(c.day)
        asks, bids = us.market.ladder(code, c.day, hours.tick(us.time))
        values = {
            "xymd": f"{c.day:%Y%m%d}",
            "clos": dollars(c.close, 4),
            "sign": sign(c.change),
            "diff": dollars(abs(c.change), 4),
            "rate": signed(share(c.change, c.before)),
            "open": dollars(c.open, 4),
            "high": dollars(c.high, 4),
            "low": dollars(c.low, 4),
            "tvol": c.volume,
            "tamt": c.turnover // 100,
            "pbid": dollars(bids[0].price, 4),
            "vbid": bids[0].quantity,
            "pask": dollars(asks[0].price, 4),
            "vask": asks[0].quantity,
        }
        rows.append(fill(call, "output2", values))
    head = {"rsym": rsym(shown.listing), "zdiv": "4", "nrec": len(rows)}
    return done(ask, {"output1": fill(call, "output1", head), "output2": rows})


def minutes(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Bars of NMIN minutes, the newest first, up to the New York second that KEYB names."""
    shown = look(truth, ask)
    step, most = _number(ask, "NMIN", 390), min(_number(ask, "NREC", 9_999), MINUTES)
    past = choice(ask, "PINC", ("0", "1")) == "1"
    call, hours = "overseas_inquire_time_itemchartprice", shown.hours
    found = _bars(truth, shown.listing.code, step, past, _key(ask))
    bars = list(islice(found, most + 1))
    rows = [fill(call, "output2", _bar(bar)) for bar in bars[:most]]
    more = len(bars) > most
    head = {
        "rsym": rsym(shown.listing),
        "zdiv": "4",
        "stim": f"{hours.open.astimezone(NEW_YORK):%H%M%S}",
        "etim": f"{hours.close.astimezone(NEW_YORK):%H%M%S}",
        "sktm": f"{hours.open:%H%M%S}",
        "ektm": f"{hours.close:%H%M%S}",
        "next": "1" if more else "0",
        "more": "0",
        "nrec": len(rows),
    }
    body = {"output1": fill(call, "output1", head), "output2": rows}
    return keyed(ask, body, more)


def _number(ask: Ask, name: str, most: int) -> int:
    text = ask.get(name)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]")
    return int(text)


def _key(ask: Ask) -> datetime | None:
    if not ask.get("KEYB"):
        return None
    try:
        found = datetime.strptime(ask.get("KEYB"), "%Y%m%d%H%M%S")
    except ValueError:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [KEYB]") from None
    return found.replace(tzinfo=NEW_YORK)


def _bars(
    truth: Truth, code: str, step: int, past: bool, upto: datetime | None
) -> Iterator[UsMinute]:
    """Bars from the present one back; `past` goes on through the sessions before."""
    us = truth.us
    if upto is not None and upto < us.time - timedelta(days=31):
        return
    day = us.calendar.begun(us.time if upto is None else min(us.time, upto))
    oldest = us.day - timedelta(days=31)
    while day >= oldest:
        for bar in us.market.minutes(code, day, step, us.time):
            if upto is None or bar.at <= upto:
                yield bar
        if not past:
            return
        day = us.calendar.previous_session(day)


def _bar(bar: UsMinute) -> dict[str, object]:
    local = bar.at.astimezone(NEW_YORK)
    return {
        "tymd": f"{bar.hours.day:%Y%m%d}",
        "xymd": f"{local:%Y%m%d}",
        "xhms": f"{local:%H%M%S}",
        "kymd": f"{bar.at:%Y%m%d}",
        "khms": f"{bar.at:%H%M%S}",
        "open": dollars(bar.open, 4),
        "high": dollars(bar.high, 4),
        "low": dollars(bar.low, 4),
        "last": dollars(bar.close, 4),
        "evol": bar.volume,
        "eamt": bar.turnover // 100,
    }


# --- stocks, indices and the dollar -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A candle of anything, prices in hundredths."""

    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int


def daily_chart(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Candles of a stock or an index (N) or of the dollar (X) between two days, a hundred at most,
    the newest first; the head is the present."""
    market = choice(ask, "FID_COND_MRKT_DIV_CODE", ("N", "X", "I", "S"))
    period = choice(ask, "FID_PERIOD_DIV_CODE", ("D", "W", "M", "Y"))
    first, last = between(ask, "FID_INPUT_DATE_1", "FID_INPUT_DATE_2")
    code, us, call = ask.get("FID_INPUT_ISCD"), truth.us, "overseas_inquire_daily_chartprice"
    if market == "N" and (code in LISTINGS or code in INDICES):
        head = _head(us.market.shown(code, us.time))
        found = us.market.candles(code, first, last, period, us.time)
        rows = [_Row(c.day, c.open, c.high, c.low, c.close, c.volume) for c in islice(found, DAYS)]
    elif market == "X" and code == DOLLAR:
        head = _dollar_head(truth)
        rows = _dollar_rows(truth, first, last, period)
    else:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    output2 = [
        fill(
            call,
            "output2",
            {
                "stck_bsop_date": f"{row.day:%Y%m%d}",
                "ovrs_nmix_prpr": dollars(row.close),
                "ovrs_nmix_oprc": dollars(row.open),
                "ovrs_nmix_hgpr": dollars(row.high),
                "ovrs_nmix_lwpr": dollars(row.low),
                "acml_vol": row.volume,
                "mod_yn": "N",
            },
        )
        for row in rows
    ]
    return done(ask, {"output1": fill(call, "output1", head), "output2": output2})


def _head(shown: UsShown) -> dict[str, object]:
    return _index_head(shown) | {"prdy_vol": shown.previous_volume}


def _index_head(shown: UsShown) -> dict[str, object]:
    return {
        "ovrs_nmix_prdy_vrss": dollars(shown.change),
        "prdy_vrss_sign": sign(shown.change),
        "prdy_ctrt": shown.rate,
        "ovrs_nmix_prdy_clpr": dollars(shown.base),
        "acml_vol": shown.volume,
        "hts_kor_isnm": shown.listing.name,
        "ovrs_nmix_prpr": dollars(shown.last),
        "stck_shrn_iscd": shown.listing.code,
        "ovrs_prod_oprc": dollars(shown.open),
        "ovrs_prod_hgpr": dollars(shown.high),
        "ovrs_prod_lwpr": dollars(shown.low),
    }


def _dollar_head(truth: Truth) -> dict[str, object]:
    """The rate in force; a dollar has no volume."""
    rates = truth.us.rates
    day = rates.day(truth.us.time)
    now, before = rates.bar(day).open, rates.bar(rates.before(day)).open
    return {
        "ovrs_nmix_prdy_vrss": dollars(now - before),
        "prdy_vrss_sign": sign(now - before),
        "prdy_ctrt": share(now - before, before),
        "ovrs_nmix_prdy_clpr": dollars(before),
        "hts_kor_isnm": "원/달러",
        "ovrs_nmix_prpr": dollars(now),
        "stck_shrn_iscd": DOLLAR,
        "ovrs_prod_oprc": dollars(now),
        "ovrs_prod_hgpr": dollars(now),
        "ovrs_prod_lwpr": dollars(now),
    }


def _dollar_rows(truth: Truth, first: date, last: date, period: str) -> list[_Row]:
    """Each weekday as it went; the present one is the rate posted in its morning."""
    rates, rows = truth.us.rates, list[_Row]()
    today = rates.day(truth.us.time)
    day = min(last, today)
    oldest = max(first, today - timedelta(days=3_660))
    groups: dict[tuple[int, int], int] = {}
    while day >= oldest:
        if day.weekday() < 5:
            bar = rates.bar(day)
            rate = bar.open
            row = _Row(day, rate, bar.high, bar.low, bar.close, 0)
            row = _Row(day, rate, rate, rate, rate, 0) if day == today else row
            key = _group(day, period)
            if key in groups:
                rows[groups[key]] = _joined(rows[groups[key]], row)
            elif len(rows) == DAYS:
                break
            else:
                groups[key] = len(rows)
                rows.append(row)
        day -= timedelta(days=1)
    return rows


def _group(day: date, period: str) -> tuple[int, int]:
    if period == "W":
        return day.isocalendar()[:2]
    return {"D": (day.toordinal(), 0), "M": (day.year, day.month), "Y": (day.year, 0)}[period]


def _joined(later: _Row, earlier: _Row) -> _Row:
    return _Row(
        later.day, earlier.open, max(later.high, earlier.high), min(later.low, earlier.low),
        later.close, 0,
    )  # fmt: skip


def index_minutes(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Minutes of an index or a stock in New York time, the newest first."""
    choice(ask, "FID_COND_MRKT_DIV_CODE", ("N", "X"))
    choice(ask, "FID_HOUR_CLS_CODE", ("0", "1"))
    past = choice(ask, "FID_PW_DATA_INCU_YN", ("Y", "N")) == "Y"
    code, us, call = ask.get("FID_INPUT_ISCD"), truth.us, "overseas_inquire_time_indexchartprice"
    if ask.get("FID_COND_MRKT_DIV_CODE") == "X" or not (code in LISTINGS or code in INDICES):
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    rows = []
    for bar in islice(_bars(truth, code, 1, past, None), INDEX_MINUTES):
        local = bar.at.astimezone(NEW_YORK)
        values = {
            "stck_bsop_date": f"{local:%Y%m%d}",
            "stck_cntg_hour": f"{local:%H%M%S}",
            "optn_prpr": dollars(bar.close),
            "optn_oprc": dollars(bar.open),
            "optn_hgpr": dollars(bar.high),
            "optn_lwpr": dollars(bar.low),
            "cntg_vol": bar.volume,
        }
        rows.append(fill(call, "output2", values))
    head = _index_head(us.market.shown(code, us.time))
    return done(ask, {"output1": fill(call, "output1", head), "output2": rows})


HANDLERS = {
    "overseas_dailyprice": dailyprice,
    "overseas_inquire_time_itemchartprice": minutes,
    "overseas_inquire_daily_chartprice": daily_chart,
    "overseas_inquire_time_indexchartprice": index_minutes,
}
