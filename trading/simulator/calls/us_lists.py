"""US listings on the wire: what each is, who is first, when trades settle, what the news says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice

from trading.domain.matching import Side
from trading.domain.sessions import SEOUL
from trading.simulator.calls.quotes import done
from trading.simulator.calls.us_accounts import choice, day_of, plain
from trading.simulator.calls.us_charts import keyed
from trading.simulator.calls.us_quotes import excd_of, rsym, signed
from trading.simulator.http import Reply, json_reply
from trading.simulator.truth import Truth
from trading.simulator.us.listings import (
    EXCD,
    EXCHANGES,
    LISTINGS,
    PRODUCT_TYPES,
    UsListing,
    facts_of,
)
from trading.simulator.us.market import UsShown, sign
from trading.simulator.us.money import decimals, dollars, share
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill

__all__ = ["HANDLERS"]

MARKET_CODES = {"NASD": "01", "NYSE": "02", "AMEX": "05"}
VOLUMES = {"0": 0, "1": 100, "2": 1_000, "3": 10_000, "4": 100_000, "5": 1_000_000, "6": 10**7}
SPANS = {
    "0": 1, "1": 2, "2": 3, "3": 5, "4": 10, "5": 20, "6": 30, "7": 60, "8": 120, "9": 250,
}  # fmt: skip
"""Sessions that a ranking looks back: the day, 2, 3, 5 … 120 days, a year."""
NEWS_ROWS = 40


# --- one listing ------------------------------------------------------------------------------


def search_info(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What a listing is; rt_cd 7 when it is not of the product type that was asked for."""
    code = ask.get("PDNO")
    if code not in LISTINGS or PRODUCT_TYPES[LISTINGS[code].exchange] != ask.get("PRDT_TYPE_CD"):
        text = {
            "rt_cd": "7",
            "msg_cd": "KIOK0560",
            "msg1": "조회할 자료가 없습니다.".ljust(MSG_WIDTH),
        }
        return json_reply(text, headers={"tr_id": ask.tr_id, "tr_cont": "D"})
    listing, us = LISTINGS[code], truth.us
    facts = facts_of(truth.seed, listing)
    values = {
        "std_pdno": listing.isin,
        "prdt_eng_name": listing.english,
        "natn_cd": "840",
        "natn_name": "미국",
        "tr_mket_cd": MARKET_CODES[listing.exchange],
        "tr_mket_name": EXCHANGES[listing.exchange],
        "ovrs_excg_cd": listing.exchange,
        "ovrs_excg_name": EXCHANGES[listing.exchange],
        "tr_crcy_cd": "USD",
        "ovrs_papr": decimals(facts.par, 5),
        "crcy_name": "미국달러",
        "ovrs_stck_dvsn_cd": "03" if listing.fund else "01",
        "prdt_clsf_cd": "101210",
        "prdt_clsf_name": "해외주식",
        "sll_unit_qty": "1",
        "buy_unit_qty": "1",
        "tr_unit_amt": "0",
        "lstg_stck_num": listing.shares,
        "lstg_dt": facts.listed,
        "ovrs_stck_tr_stop_dvsn_cd": "01",
        "lstg_abol_item_yn": "N",
        "ovrs_stck_prdt_grp_no": facts.group,
        "lstg_yn": "Y",
        "tax_levy_yn": "N",
        "ovrs_stck_erlm_rosn_cd": "00",
        "ovrs_stck_hist_rght_dvsn_cd": "00",
        "ovrs_item_name": listing.name,
        "sedol_no": facts.sedol,
        "blbg_tckr_text": f"{code} US",
        "etp_chas_erng_rt_dbnb": "1.000000" if listing.fund else "0.000000",
        "istt_usge_isin_cd": listing.isin,
        "mint_svc_yn": "N",
        "prdt_name": listing.name,
        "mini_stk_tr_stat_dvsn_cd": "01",
        "mint_dcpt_trad_psbl_yn": "N",
        "mint_fnum_trad_psbl_yn": "N",
        "mint_cblc_cvsn_ipsb_yn": "N",
        "ptp_item_yn": "N",
        "ptp_item_trfx_exmt_yn": "N",
        "dtm_tr_psbl_yn": "N",
        "sdrf_stop_ecls_yn": "N",
        "ovrs_now_pric1": dollars(us.market.shown(code, us.time).last, 5),
        "last_rcvg_dtime": f"{us.time:%Y%m%d%H%M%S}",
    }
    return plain(ask, mock, {"output": fill("overseas_search_info", "output", values)})


# --- many listings ----------------------------------------------------------------------------


def _shown(truth: Truth, ask: Ask) -> list[UsShown]:
    """Every listing of the exchange that is asked for; none of an exchange outside the US."""
    excd, us = excd_of(ask), truth.us
    return [us.market.shown(c, us.time) for c, row in LISTINGS.items() if row.excd == excd]


def _ranked(
    ask: Ask, call: str, rows: Sequence[tuple[UsShown, dict[str, object]]], total: int
) -> Reply:
    output2 = [
        fill(call, "output2", _common(shown) | {"rank": rank} | more)
        for rank, (shown, more) in enumerate(rows, start=1)
    ]
    head = {
        "zdiv": "4", "stat": "무료실시간", "crec": len(rows), "trec": total, "nrec": len(rows),
    }  # fmt: skip
    return keyed(ask, {"output1": fill(call, "output1", head), "output2": output2}, more=False)


def _common(shown: UsShown) -> dict[str, object]:
    listing = shown.listing
    return {
        "rsym": rsym(listing),
        "excd": listing.excd,
        "symb": listing.code,
        "name": listing.name,
        "ename": listing.english,
        "last": dollars(shown.last, 4),
        "sign": sign(shown.change),
        "diff": dollars(abs(shown.change), 4),
        "rate": signed(shown.rate),
        "tvol": shown.volume,
        "e_ordyn": "○",
    }


def _worth(shown: UsShown) -> int:
    """Cents of all shares."""
    return shown.listing.shares * shown.last


def search(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Listings that meet every condition that is on (CO_YN_… 1), the largest first."""
    everyone = _shown(truth, ask)
    facts = {s.listing.code: facts_of(truth.seed, s.listing) for s in everyone}
    measures: dict[str, Callable[[UsShown], Decimal]] = {
        "PRICECUR": lambda s: Decimal(s.last) / 100,
        "RATE": lambda s: s.rate,
        "VALX": lambda s: Decimal(_worth(s)) / 100_000,
        "SHAR": lambda s: Decimal(s.listing.shares) / 1_000,
        "VOLUME": lambda s: Decimal(s.volume),
        "AMT": lambda s: Decimal(s.turnover) / 100_000,
        "EPS": lambda s: Decimal(facts[s.listing.code].eps) / 100,
        "PER": lambda s: facts[s.listing.code].per(s.last),
    }
    wanted = everyone
    for name, measure in measures.items():
        if ask.get(f"CO_YN_{name}") == "1":
            low, high = _bound(ask, f"CO_ST_{name}"), _bound(ask, f"CO_EN_{name}")
            wanted = [s for s in wanted if low <= measure(s) <= high]
    wanted = sorted(wanted, key=_worth, reverse=True)
    rows = []
    for shown in wanted:
        own = facts[shown.listing.code]
        more: dict[str, object] = {
            "shar": shown.listing.shares,
            "valx": _worth(shown) // 100_000,
            "plow": dollars(shown.low, 4),
            "phigh": dollars(shown.high, 4),
            "popen": dollars(shown.open, 4),
            "avol": shown.turnover // 100,
            "eps": dollars(own.eps),
            "per": own.per(shown.last),
        }
        rows.append((shown, more))
    return _ranked(ask, "overseas_inquire_search", rows, len(everyone))


def _bound(ask: Ask, name: str) -> Decimal:
    try:
        found = Decimal(ask.get(name))
    except InvalidOperation:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]") from None
    return found


def _busy(truth: Truth, ask: Ask) -> list[UsShown]:
    """Listings of the exchange that have traded enough."""
    least = VOLUMES[choice(ask, "VOL_RANG", tuple(VOLUMES))]
    return [shown for shown in _shown(truth, ask) if shown.volume >= least]


def market_cap(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The largest listings of an exchange; `grav` is their share of all that it lists."""
    wanted = sorted(_busy(truth, ask), key=_worth, reverse=True)
    whole = sum(map(_worth, _shown(truth, ask)))
    rows: list[tuple[UsShown, dict[str, object]]] = [
        (
            shown,
            {
                "shar": shown.listing.shares,
                "tomv": _worth(shown) // 100,
                "grav": share(_worth(shown), whole),
            },
        )
        for shown in wanted
    ]
    return _ranked(ask, "overseas_market_cap", rows, len(rows))


def _best(truth: Truth, shown: UsShown) -> dict[str, object]:
    book = truth.us.book(shown.listing.code)
    return {
        "pask": dollars(book.best(Side.SELL) or 0, 4),
        "pbid": dollars(book.best(Side.BUY) or 0, 4),
    }


def updown_rate(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What rose most (GUBN 1) or fell most (0) against the close some sessions ago."""
    span = SPANS[choice(ask, "NDAY", tuple(SPANS))]
    rising = choice(ask, "GUBN", ("0", "1")) == "1"
    us = truth.us
    found = []
    for shown in _busy(truth, ask):
        first = us.calendar.previous_session(shown.hours.day, span - 1) if span > 1 else None
        base = us.market.bar(shown.listing.code, first or shown.hours.day).reference
        found.append((shown, base, share(shown.last - base, base)))
    found.sort(key=lambda row: row[2], reverse=rising)
    rows = [
        (
            shown,
            {
                "n_base": dollars(base, 4),
                "n_diff": dollars(abs(shown.last - base), 4),
                "n_rate": signed(rate),
                "tamt": shown.turnover // 100,
                **_best(truth, shown),
            },
        )
        for shown, base, rate in found
    ]
    return _ranked(ask, "overseas_updown_rate", rows, len(rows))


def trade_vol(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """What traded most shares today, between two prices if given, beside an average of past days."""
    span = SPANS[choice(ask, "NDAY", tuple(SPANS))]
    low = _bound(ask, "PRC1") if ask.get("PRC1") else Decimal(0)
    high = _bound(ask, "PRC2") if ask.get("PRC2") else Decimal(10**9)
    wanted = [s for s in _busy(truth, ask) if low <= Decimal(s.last) / 100 <= high]
    wanted.sort(key=lambda shown: shown.volume, reverse=True)
    us = truth.us
    rows = []
    for shown in wanted:
        days = [us.calendar.previous_session(shown.hours.day, n) for n in range(1, span + 1)]
        volumes = [us.market.bar(shown.listing.code, day).volume for day in days]
        more: dict[str, object] = {"tamt": shown.turnover // 100, "a_tvol": sum(volumes) // span}
        rows.append((shown, more | _best(truth, shown)))
    return _ranked(ask, "overseas_trade_vol", rows, len(rows))


# --- settlement -------------------------------------------------------------------------------


def countries_holiday(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """When trades of a day settle in New York, and in Seoul a session later; no row on a holiday."""
    day, rows = day_of(ask, "TRAD_DT"), list[dict[str, str]]()
    try:
        if truth.us.calendar.is_session(day):
            local = truth.us.calendar.settlement(day)
            home = truth.calendar.next_session(local)
            rows = [_settlement_row(exchange, local, home) for exchange in EXCHANGES]
    except ValueError:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [TRAD_DT]") from None
    keys = {"ctx_area_fk": f"{day:%Y%m%d}".ljust(20), "ctx_area_nk": " " * 20}
    return plain(ask, mock, {**keys, "output": rows}, empty=not rows)


def _settlement_row(exchange: str, local: date, home: date) -> dict[str, str]:
    values = {
        "prdt_type_cd": PRODUCT_TYPES[exchange],
        "tr_natn_cd": "840",
        "tr_natn_name": "미국",
        "natn_eng_abrv_cd": "US",
        "tr_mket_cd": MARKET_CODES[exchange],
        "tr_mket_name": EXCHANGES[exchange],
        "acpl_sttl_dt": f"{local:%Y%m%d}",
        "dmst_sttl_dt": f"{home:%Y%m%d}",
    }
    return fill("overseas_countries_holiday", "output", values)


# --- news -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _News:
    """One headline: what a listing did in a session, told after its close."""

    key: str
    at: datetime
    listing: UsListing
    title: str


def _news(truth: Truth, upto: datetime) -> Iterator[_News]:
    """Headlines up to a moment, the newest first: closes that every chart shows."""
    us = truth.us
    if upto.date() <= us.calendar.first + timedelta(days=7):
        return
    day = us.calendar.begun(min(upto, us.time))
    while day > us.market.first_day - timedelta(days=365):
        hours = us.calendar.hours(day)
        for number, listing in reversed(list(enumerate(LISTINGS.values(), start=1))):
            at = hours.close + timedelta(seconds=40 * number)
            candle = us.market.candle(listing.code, day, us.time)
            if at <= min(upto, us.time) and candle:
                rate = share(candle.change, candle.before)
                verb = "상승" if candle.change > 0 else "하락" if candle.change < 0 else "보합"
                title = f"{listing.name}, {abs(rate)}% {verb} 마감 {dollars(candle.close)}달러"
                yield _News(f"US{day:%y%m%d}{number:03d}", at, listing, title)
        day = us.calendar.previous_session(day)


def _upto(truth: Truth, day: str, clock: str, names: tuple[str, str]) -> datetime:
    """The moment that a date and a time name; nothing named is now. Raises Refusal."""
    if not day:
        return truth.us.time
    try:
        return datetime.strptime(day + (clock or "235959"), "%Y%m%d%H%M%S").replace(tzinfo=SEOUL)
    except ValueError:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{names[0]}]") from None


def news_title(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Headlines up to DATA_DT and DATA_TM, the newest first; CTS goes on behind a key."""
    upto = _upto(truth, ask.get("DATA_DT"), ask.get("DATA_TM"), ("DATA_DT", "DATA_TM"))
    nation, excd, code = ask.get("NATION_CD"), ask.get("EXCHANGE_CD"), ask.get("SYMB")
    after = ask.get("CTS")
    found = [
        one
        for one in islice(_news(truth, upto), 1_000)
        if nation in ("", "US")
        and excd in ("", one.listing.excd)
        and code in ("", one.listing.code)
        and (not after or one.key < after)
    ]
    rows = []
    for one in found[:NEWS_ROWS]:
        values = {
            "info_gb": "t",
            "news_key": one.key,
            "data_dt": f"{one.at:%Y%m%d}",
            "data_tm": f"{one.at:%H%M%S}",
            "class_cd": "05",
            "class_name": "종목리포트",
            "source": "모의뉴스",
            "nation_cd": "US",
            "exchange_cd": EXCD[one.listing.exchange],
            "symb": one.listing.code,
            "symb_name": one.listing.name,
            "title": one.title,
        }
        rows.append(fill("overseas_news_title", "outblock1", values))
    return keyed(ask, {"outblock1": rows}, more=len(found) > NEWS_ROWS)


def brknews_title(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The same headlines as a ticker, up to a day and an hour."""
    clock = ask.get("FID_INPUT_HOUR_1")
    upto = _upto(truth, ask.get("FID_INPUT_DATE_1"), clock, ("FID_INPUT_DATE_1", ""))
    code, words = ask.get("FID_INPUT_ISCD"), ask.get("FID_TITL_CNTT")
    found = (
        one
        for one in islice(_news(truth, upto), 1_000)
        if code in ("", one.listing.code) and words in one.title
    )
    rows = []
    for one in islice(found, NEWS_ROWS):
        values = {
            "cntt_usiq_srno": f"{one.at:%Y%m%d%H%M%S}{one.key[-3:]}",
            "news_ofer_entp_code": "U",
            "data_dt": f"{one.at:%Y%m%d}",
            "data_tm": f"{one.at:%H%M%S}",
            "hts_pbnt_titl_cntt": one.title,
            "news_lrdv_code": "38",
            "dorg": "모의뉴스",
            "iscd1": one.listing.code,
            "kor_isnm1": one.listing.name,
        }
        rows.append(fill("overseas_brknews_title", "output", values))
    return done(ask, {"output": rows})


HANDLERS = {
    "overseas_search_info": search_info,
    "overseas_inquire_search": search,
    "overseas_countries_holiday": countries_holiday,
    "overseas_news_title": news_title,
    "overseas_brknews_title": brknews_title,
    "overseas_market_cap": market_cap,
    "overseas_updown_rate": updown_rate,
    "overseas_trade_vol": trade_vol,
}
