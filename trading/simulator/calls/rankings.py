"""Rankings on the wire: thirty instruments at most by what the price screens show at that moment.

Only as many instruments are looked at as could be among the first thirty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

from trading.simulator.calls.asked import chosen, number_of, require
from trading.simulator.calls.books import best, resting
from trading.simulator.calls.credit import short_values
from trading.simulator.calls.filters import asked_codes, asked_of
from trading.simulator.calls.flows import over
from trading.simulator.calls.leaders import ROWS, largest, leaders
from trading.simulator.calls.quotes import done
from trading.simulator.company import company_of
from trading.simulator.history import OLDEST, Candle, candles, extremes
from trading.simulator.http import Reply
from trading.simulator.market import Shown, percent, sign
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, fill

__all__ = ["HANDLERS", "head", "ranked", "span"]

AVERAGES = (5, 10, 20, 60, 120)
STRONGEST = Decimal("999.99")
SHORT_DAYS, SHORT_MONTH = 100, 21
YEAR = timedelta(weeks=52)
Value = Callable[[Shown], float]


# --- how instruments are ranked ---------------------------------------------------------------
def span(truth: Truth, code: str) -> tuple[int, int]:
    """(the lowest, the highest) price that the session on screen can show."""
    market, day = truth.market, truth.market.session_of(truth.time)
    if market.is_bent(code, day):
        return market.limits(code, day)
    bar = market.bar(code, day)
    return min(bar.low, bar.reference), max(bar.high, bar.reference)


def ranked(
    truth: Truth,
    codes: Iterable[str],
    fits: Callable[[Shown], bool],
    bound: Callable[[str], float],
    value: Value,
) -> list[Shown]:
    """The thirty of the greatest value that fit, the greatest first."""
    seen: dict[str, Shown] = {}

    def known(code: str) -> float | None:
        shown = seen[code] = truth.market.shown(code, truth.time)
        return value(shown) if fits(shown) else None

    return [seen[code] for code, _value in leaders(codes, bound, known, ROWS)]


def head(shown: Shown) -> dict[str, object]:
    """What every ranking says of an instrument."""
    return {
        "hts_kor_isnm": shown.listing.name,
        "stck_prpr": shown.last,
        "prdy_vrss": shown.change,
        "prdy_vrss_sign": shown.sign(shown.last),
        "prdy_ctrt": shown.rate(shown.last),
        "acml_vol": shown.volume,
    }


def _listed(
    call: str, rows: Iterable[dict[str, object]], rank: str = "data_rank"
) -> list[dict[str, str]]:
    """Rows with their places."""
    return [
        fill(call, "output", row | ({rank: place} if rank else {}))
        for place, row in enumerate(rows, start=1)
    ]


# --- volume and worth -------------------------------------------------------------------------
def volume_rank(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By volume (0), growth (1), turnover rate (2), turnover in won (3) or that over worth (4)."""
    codes, fits = asked_codes(truth, ask, "20171"), asked_of(ask)
    by = chosen(ask, "FID_BLNG_CLS_CODE", "0", ("0", "1", "2", "3", "4"))
    market, day = truth.market, truth.market.session_of(truth.time)

    def bound(code: str) -> float:
        volume, (low, high) = market.bar(code, day).volume, span(truth, code)
        shares = market.listing(code).shares
        if by == "1":
            before = market.previous_volume(code, day)
            return volume * 100 / before + 0.01 if before else 0.0
        most = {"0": volume, "2": volume / shares, "3": volume * high}
        return most.get(by, volume * high / (shares * low)) * (1 if by in "03" else 100) + 0.01

    values: dict[str, Value] = {
        "0": lambda one: one.volume,
        "1": lambda one: float(one.volume_rate),
        "2": lambda one: one.volume / one.listing.shares,
        "3": lambda one: one.turnover,
        "4": lambda one: one.turnover / (one.listing.shares * one.last),
    }
    found = ranked(truth, codes, fits, bound, values[by])
    return done(ask, {"output": _listed("volume_rank", map(_volume_row, found))})


def _volume_row(shown: Shown) -> dict[str, object]:
    """Averages are those of the one day that is looked at."""
    shares = shown.listing.shares
    turned = percent(shown.volume, shares)
    paid = percent(shown.turnover, shares * shown.last)
    return head(shown) | {
        "mksc_shrn_iscd": shown.listing.code,
        "prdy_vol": shown.previous_volume,
        "lstn_stcn": shares,
        "avrg_vol": shown.volume,
        "n_befr_clpr_vrss_prpr_rate": shown.rate(shown.last),
        "vol_inrt": shown.volume_rate,
        "vol_tnrt": turned,
        "nday_vol_tnrt": turned,
        "avrg_tr_pbmn": shown.turnover,
        "tr_pbmn_tnrt": paid,
        "nday_tr_pbmn_tnrt": paid,
        "acml_tr_pbmn": shown.turnover,
    }


def market_cap(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By worth at the last price, with the share of all that is listed at the day's references."""
    codes, fits = asked_codes(truth, ask, "20174"), asked_of(ask)
    market, day = truth.market, truth.market.session_of(truth.time)

    def worth(code: str) -> int:
        return market.listing(code).shares * market.bar(code, day).reference

    whole = market.once(("worth", day), None, lambda: sum(map(worth, market.source.listings)))
    found = ranked(
        truth,
        codes,
        fits,
        lambda code: market.listing(code).shares * span(truth, code)[1],
        lambda one: one.listing.shares * one.last,
    )
    rows = [
        head(one)
        | {
            "mksc_shrn_iscd": one.listing.code,
            "lstn_stcn": one.listing.shares,
            "stck_avls": company_of(truth.seed, one.listing).market_cap(one.last),
            "mrkt_whol_avls_rlim": percent(worth(one.listing.code), whole),
        }
        for one in found
    ]
    return done(ask, {"output": _listed("market_cap", rows)})


def top_interest_stock(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By the watch lists an instrument is on, from the place FID_INPUT_CNT_1 on."""
    codes, fits = asked_codes(truth, ask, "20180"), asked_of(ask)
    first = max(1, int(number_of(ask, "FID_INPUT_CNT_1") or 1))
    order = sorted(codes, key=lambda code: (-_watchers(truth, code), code))
    shown = (truth.market.shown(code, truth.time) for code in order)
    found = list(islice((one for one in shown if fits(one)), first - 1, first - 1 + ROWS))
    rows = [
        _interest_row(truth, one) | {"data_rank": n} for n, one in enumerate(found, start=first)
    ]
    return done(ask, {"output": _listed("top_interest_stock", rows, rank="")})


def _watchers(truth: Truth, code: str) -> int:
    listing = truth.market.listing(code)
    return company_of(truth.seed, listing).watchers(listing)


def _interest_row(truth: Truth, shown: Shown) -> dict[str, object]:
    ask, bid = best(truth, shown.listing.code)
    return head(shown) | {
        "mrkt_div_cls_name": "코스닥" if shown.listing.market == "KOSDAQ" else "코스피",
        "mksc_shrn_iscd": shown.listing.code,
        "acml_tr_pbmn": shown.turnover,
        "askp": ask.price,
        "bidp": bid.price,
        "inter_issu_reg_csnu": _watchers(truth, shown.listing.code),
    }


# --- prices -----------------------------------------------------------------------------------
def fluctuation(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Risers (sort 0), fallers (1), against the open (2, 3) or by the day's width (4).

    FID_PRC_CLS_CODE 0 measures risers from the day's low and fallers from its high, 1 both from the day
    before; FID_INPUT_CNT_1 N from the close N sessions before.
    """
    codes, fits = asked_codes(truth, ask, "20170"), asked_of(ask)
    by = chosen(ask, "FID_RANK_SORT_CLS_CODE", "0", ("0", "1", "2", "3", "4"))
    from_close = chosen(ask, "FID_PRC_CLS_CODE", "0", ("0", "1")) == "1"
    back = int(number_of(ask, "FID_INPUT_CNT_1") or 0)
    way = -1 if by in "13" else 1

    def base(shown: Shown) -> int:
        if by in "23":
            return shown.open
        if back:
            return _close_before(truth, shown.listing.code, back)
        if from_close:
            return shown.bar.reference
        return shown.low if by == "0" else shown.high

    def value(shown: Shown) -> float:
        if by == "4":
            return (shown.high - shown.low) / shown.bar.reference
        start = base(shown)
        return way * (shown.last - start) / start if start else 0.0

    def bound(code: str) -> float:
        low, high = span(truth, code)
        if back:
            start = _close_before(truth, code, back)
            return ((high - start) if way > 0 else (start - low)) / start
        return high / low - 1 if way > 0 else 1 - low / high

    rows = [_fluctuation_row(truth, one, back) for one in ranked(truth, codes, fits, bound, value)]
    return done(ask, {"output": _listed("fluctuation", rows)})


def _close_before(truth: Truth, code: str, sessions: int) -> int:
    """The close `sessions` sessions before the one on screen: what the day after it began from."""
    day = truth.market.session_of(truth.time)
    behind = sessions - 1
    return truth.market.bar(
        code, truth.calendar.previous_session(day, behind) if behind else day
    ).reference


def _fluctuation_row(truth: Truth, shown: Shown, back: int) -> dict[str, object]:
    code, day = shown.listing.code, truth.market.session_of(truth.time)
    start = _close_before(truth, code, back) if back else shown.bar.reference
    period = shown.last - start if back else 0
    high, low = truth.market.reached(code, truth.time)
    risen, fallen = _in_a_row(truth, shown)
    return head(shown) | {
        "stck_shrn_iscd": code,
        "stck_hgpr": shown.high,
        "hgpr_hour": f"{high:%H%M%S}" if high else "",
        "acml_hgpr_date": f"{day:%Y%m%d}",
        "stck_lwpr": shown.low,
        "lwpr_hour": f"{low:%H%M%S}" if low else "",
        "acml_lwpr_date": f"{day:%Y%m%d}",
        "lwpr_vrss_prpr_rate": percent(shown.last - shown.low, shown.low),
        "hgpr_vrss_prpr_rate": percent(shown.last - shown.high, shown.high),
        "dsgt_date_clpr_vrss_prpr_rate": percent(shown.last - start, start),
        "cnnt_ascn_dynu": risen,
        "cnnt_down_dynu": fallen,
        "oprc_vrss_prpr": shown.last - shown.open if shown.open else 0,
        "oprc_vrss_prpr_sign": sign(shown.last - shown.open if shown.open else 0),
        "oprc_vrss_prpr_rate": percent(shown.last - shown.open, shown.open),
        "prd_rsfl": period,
        "prd_rsfl_rate": percent(period, start),
    }


def _in_a_row(truth: Truth, shown: Shown) -> tuple[int, int]:
    """(sessions risen, sessions fallen) one after the other, the present one included."""
    way = (shown.change > 0) - (shown.change < 0)
    day, count = truth.market.session_of(truth.time), int(way != 0)
    while way and count < SHORT_DAYS:
        day = truth.calendar.previous_session(day)
        bar = truth.market.bar(shown.listing.code, day)
        ended = truth.market.settled(shown.listing.code, day)
        if (ended - bar.reference) * way <= 0:
            break
        count += 1
    return (count, 0) if way > 0 else (0, count)


def disparity(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The last price in % of its mean of 5 to 120 sessions, the highest (0) or the lowest (1) first.

    Of more than 300 instruments the largest 300 are looked at.
    """
    codes, fits = largest(truth, asked_codes(truth, ask, "20178")), asked_of(ask)
    way = -1 if chosen(ask, "FID_RANK_SORT_CLS_CODE", "0", ("0", "1")) == "1" else 1
    wanted = ask.get("FID_HOUR_CLS_CODE").lstrip("0")
    count = int(require(ask, "FID_HOUR_CLS_CODE", [str(n) for n in AVERAGES])) if wanted else 5
    place = AVERAGES.index(count)

    def value(code: str, last: int) -> float:
        return _apart(truth, code, last)[place]

    found = ranked(
        truth,
        codes,
        fits,
        lambda code: way * value(code, span(truth, code)[way > 0]),
        lambda one: way * value(one.listing.code, one.last),
    )
    rows = []
    for one in found:
        apart = _apart(truth, one.listing.code, one.last)
        row = head(one) | {"mksc_shrn_iscd": one.listing.code}
        row |= {f"d{n}_dsrt": f"{v:.2f}" for n, v in zip(AVERAGES, apart, strict=True)}
        rows.append(row)
    return done(ask, {"output": _listed("disparity", rows)})


def _apart(truth: Truth, code: str, last: int) -> list[float]:
    """`last` in % of its means with the closes before it."""
    day = truth.market.session_of(truth.time)

    def sums() -> list[int]:
        closes = _closes_before(truth, code, day, AVERAGES[-1] - 1)
        return [sum(closes[: n - 1]) for n in AVERAGES]

    before = truth.market.once(("closes", code), day, sums)
    return [last * n * 100 / (total + last) for n, total in zip(AVERAGES, before, strict=True)]


def _closes_before(truth: Truth, code: str, day: date, count: int) -> list[int]:
    """The latest `count` closes before a session, the newest first."""
    oldest = truth.calendar.previous_session(day, count - 1)
    found = [
        truth.market.bar(code, one).reference
        for one in truth.calendar.sessions_between(oldest, day)
    ]
    return found[::-1]


def near_new_highlow(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Nearest to the highest (0) or the lowest (1) price of 52 weeks; between two rates if given.

    FID_DIV_CLS_CODE asks for all (0), administered, warned or risky ones (1 to 3): there are none of
    those. Of more than 300 instruments the largest 300 are looked at.
    """
    codes: list[str] = []
    if ask.get("FID_DIV_CLS_CODE") not in ("1", "2", "3"):
        codes = largest(truth, asked_codes(truth, ask, ""))
    fits = asked_of(ask, "FID_APLY_RANG_PRC_1", "FID_APLY_RANG_PRC_2", "FID_APLY_RANG_VOL")
    low_first = chosen(ask, "FID_PRC_CLS_CODE", "0", ("0", "1")) == "1"
    least, most = number_of(ask, "FID_INPUT_CNT_1") or 0.0, number_of(ask, "FID_INPUT_CNT_2") or 0.0

    def rates(shown: Shown) -> tuple[int, float, int, float]:
        since = truth.time.date() - YEAR
        reach = extremes(truth.market, shown.listing.code, since, truth.time)
        high, low = (reach.high, reach.low) if reach else (shown.last, shown.last)
        return high, (high - shown.last) * 100 / high, low, (shown.last - low) * 100 / low

    def inside(shown: Shown) -> bool:
        rate = rates(shown)[3 if low_first else 1]
        return fits(shown) and rate >= least and (not most or rate <= most)

    found = ranked(
        truth, codes, inside, lambda code: 0.0, lambda one: -rates(one)[3 if low_first else 1]
    )
    rows = [_near_row(truth, one, rates(one)) for one in found]
    return done(ask, {"output": _listed("near_new_highlow", rows, rank="")})


def _near_row(
    truth: Truth, shown: Shown, rates: tuple[int, float, int, float]
) -> dict[str, object]:
    ask, bid = best(truth, shown.listing.code)
    high, under, low, above = rates
    return head(shown) | {
        "mksc_shrn_iscd": shown.listing.code,
        "askp": ask.price,
        "askp_rsqn1": ask.quantity,
        "bidp": bid.price,
        "bidp_rsqn1": bid.quantity,
        "new_hgpr": high,
        "hprc_near_rate": f"{under:.2f}",
        "new_lwpr": low,
        "lwpr_near_rate": f"{above:.2f}",
        "stck_sdpr": shown.bar.reference,
    }


# --- trades and books -------------------------------------------------------------------------
def volume_power(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By what buyers took in % of what sellers hit."""
    codes, fits = asked_codes(truth, ask, "20168"), asked_of(ask)

    def strength(code: str) -> Decimal:
        bought, sold = _taken(truth, code)
        return min(STRONGEST, percent(bought, sold)) if sold else STRONGEST * bool(bought)

    found = ranked(
        truth, codes, fits, lambda code: 1_000.0, lambda one: float(strength(one.listing.code))
    )
    rows = []
    for one in found:
        code = one.listing.code
        bought, sold = _taken(truth, code)
        traded = {"tday_rltv": strength(code), "shnu_cnqn_smtn": bought, "seln_cnqn_smtn": sold}
        rows.append(head(one) | {"stck_shrn_iscd": code, **traded})
    return done(ask, {"output": _listed("volume_power", rows)})


def _taken(truth: Truth, code: str) -> tuple[int, int]:
    market = truth.market
    return market.once(("taken now", code), truth.time, lambda: market.taken(code, truth.time))


def quote_balance(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By what rests in the books: bids over asks (0), asks over bids (1), either's share (2, 3)."""
    codes, fits = asked_codes(truth, ask, "20172"), asked_of(ask)
    by = chosen(ask, "FID_RANK_SORT_CLS_CODE", "0", ("0", "1", "2", "3"))
    books = {code: resting(truth, code) for code in codes}

    def value(shown: Shown) -> float:
        asks, bids = books[shown.listing.code]
        both = asks + bids or 1
        return {"0": bids - asks, "1": asks - bids, "2": bids / both, "3": asks / both}[by]

    found = ranked(truth, codes, fits, lambda code: float("inf"), value)
    rows = []
    for one in found:
        asks, bids = books[one.listing.code]
        rows.append(
            head(one)
            | {
                "mksc_shrn_iscd": one.listing.code,
                "total_askp_rsqn": asks,
                "total_bidp_rsqn": bids,
                "total_ntsl_bidp_rsqn": bids - asks,
                "shnu_rsqn_rate": percent(bids, asks + bids),
                "seln_rsqn_rate": percent(asks, asks + bids),
            }
        )
    return done(ask, {"output": _listed("quote_balance", rows)})


# --- short sales ------------------------------------------------------------------------------
def short_sale(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """By shares sold short in the latest sessions that are over; volume and turnover are of those.

    FID_PERIOD_DIV_CODE D and FID_INPUT_CNT_1 N look at N + 1 sessions, M and N at N months of 21, of the
    largest 300 instruments where there are more.
    """
    codes = largest(truth, asked_codes(truth, ask, "20482"))
    fits = asked_of(ask, "FID_APLY_RANG_PRC_1", "FID_APLY_RANG_PRC_2", "FID_APLY_RANG_VOL")
    count = int(number_of(ask, "FID_INPUT_CNT_1") or 0)
    monthly = chosen(ask, "FID_PERIOD_DIV_CODE", "D", ("D", "M")) == "M"
    sessions = SHORT_MONTH * max(1, count) if monthly else count + 1

    def known(code: str) -> tuple[list[Candle], int]:
        return truth.market.once(
            ("short", code, sessions), truth.time, lambda: _sold_short(truth, code, sessions)
        )

    order = leaders(codes, lambda c: known(c)[1], lambda c: known(c)[1] or None, len(codes))
    shown = (truth.market.shown(code, truth.time) for code, _sold in order)
    found = list(islice((one for one in shown if fits(one)), ROWS))
    rows = [_short_row(truth, one, known(one.listing.code)[0]) for one in found]
    return done(ask, {"output": _listed("short_sale", rows, rank="")})


def _sold_short(truth: Truth, code: str, sessions: int) -> tuple[list[Candle], int]:
    today = truth.time.date()
    behind = candles(truth.market, code, today - OLDEST, today, "D", truth.time)
    found = list(islice(over(truth, behind), sessions))
    return found, sum(short_values(truth, code, one)["ssts_cntg_qty"] for one in found)


def _short_row(truth: Truth, shown: Shown, found: list[Candle]) -> dict[str, object]:
    parts = [short_values(truth, shown.listing.code, one) for one in found]
    shares, won = (sum(part[name] for part in parts) for name in ("ssts_cntg_qty", "ssts_tr_pbmn"))
    volume, turnover = sum(one.volume for one in found), sum(one.turnover for one in found)
    return head(shown) | {
        "mksc_shrn_iscd": shown.listing.code,
        "acml_vol": volume,
        "acml_tr_pbmn": turnover,
        "ssts_cntg_qty": shares,
        "ssts_vol_rlim": percent(shares, volume),
        "ssts_tr_pbmn": won,
        "ssts_tr_pbmn_rlim": percent(won, turnover),
        "stnd_date1": f"{found[-1].day:%Y%m%d}",
        "stnd_date2": f"{found[0].day:%Y%m%d}",
        "avrg_prc": won // shares,
    }


HANDLERS = {
    "volume_rank": volume_rank,
    "fluctuation": fluctuation,
    "market_cap": market_cap,
    "volume_power": volume_power,
    "quote_balance": quote_balance,
    "near_new_highlow": near_new_highlow,
    "top_interest_stock": top_interest_stock,
    "disparity": disparity,
    "short_sale": short_sale,
}
