"""What each channel says of one second of the market, field by field as the broker names them.

The numbers are the ones that the REST screens show of the same second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.matching import Side
from trading.domain.quotes import BookLevel
from trading.domain.sessions import Phase, SessionHours
from trading.kis_wire import Channel
from trading.simulator.market import Market, Shown, percent, sign
from trading.simulator.tape import Print
from trading.simulator.truth import Truth
from trading.simulator.ws.flow_frames import FLOW_FRAMES
from trading.simulator.ws.fund_frames import FUND_FRAMES
from trading.simulator.ws.index_frames import INDEX_FRAMES
from trading.simulator.ws.us_frames import US_FRAMES

__all__ = ["MARKET_FRAMES", "STATES", "Maker", "Row", "encode"]

Row = Mapping[str, object]
Maker = Callable[[Truth, str, datetime], Sequence[Row]]
PHASE_CODES = {Phase.PRE_OPEN: "11", Phase.REGULAR: "20", Phase.CLOSING_AUCTION: "21"}
MARKET_CODES = {Phase.PRE_OPEN: "1", Phase.REGULAR: "2", Phase.AFTER_MARKET: "3"}
BUY, SELL = "1", "5"
TRADES_A_DAY = 40_000
"""About how many trades an instrument has on a usual day; a trade's size follows from it."""


def encode(channel: Channel, rows: Sequence[Row], appended: bool) -> str:
    """A plain data frame: the records one after the other, each in the channel's order.

    Fields that no row gives are empty. `appended` adds what the broker added at the end over time.
    """
    names = channel.fields + (channel.appended if appended else ())
    payload = "^".join(str(row.get(name, "")) for row in rows for name in names)
    return f"0|{channel.tr_id}|{len(rows):03d}|{payload}"


def trades(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """The trades of one second of the continuous session: what sellers hit, then what buyers took."""
    market = truth.market
    where = _second_of(truth, at)
    if where is None or market.closed(code, at):
        return ()
    hours, tick = where
    prints = market.tape(code, hours.day).prints(tick)
    if not prints:
        return ()
    shown = market.shown(code, at)
    common = _day(market, shown, hours, tick) | _top(market, code, hours, tick)
    return [common | _flow(shown, one) for one in prints]


def book(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """Ten levels a side as they stand, our own orders among them."""
    if truth.phase() not in PHASE_CODES:
        return ()
    shown = truth.market.shown(code, at)
    found = truth.book(code)
    row: dict[str, object] = {
        "MKSC_SHRN_ISCD": code,
        "BSOP_HOUR": f"{at:%H%M%S}",
        "HOUR_CLS_CODE": "0" if truth.phase() is Phase.REGULAR else "B",
        "ACML_VOL": shown.volume,
        "STCK_DEAL_CLS_CODE": "0",
        "MARKET_CLS_CODE": MARKET_CODES.get(truth.phase(), "5"),
        "ANTC_EXCH_CLS_CODE": "1",
    }
    totals = {}
    for name, side in (("ASK", Side.SELL), ("BID", Side.BUY)):
        levels = found.levels(side)
        for i in range(10):
            level = levels[i] if i < len(levels) else BookLevel(0, 0)
            row[f"{name}P{i + 1}"] = level.price
            row[f"{name}P_RSQN{i + 1}"] = level.quantity
        totals[name] = sum(level.quantity for level in levels)
    row |= {"TOTAL_ASKP_RSQN": totals["ASK"], "TOTAL_BIDP_RSQN": totals["BID"]}
    row |= dict.fromkeys(ZEROES_OF_A_BOOK, 0)
    return (row | _expected(shown),)


ZEROES_OF_A_BOOK = (
    "OVTM_TOTAL_ASKP_RSQN",
    "OVTM_TOTAL_BIDP_RSQN",
    "TOTAL_ASKP_RSQN_ICDC",
    "TOTAL_BIDP_RSQN_ICDC",
    "OVTM_TOTAL_ASKP_ICDC",
    "OVTM_TOTAL_BIDP_ICDC",
    "KMID_PRC",
    "KMID_TOTAL_RSQN",
    "NMID_PRC",
    "NMID_TOTAL_RSQN",
)
"""No after-hours book and no midpoint orders exist here; changes against the frame before are not told."""


def expected(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """What an auction would match at; silent outside the two auctions and interruptions."""
    shown = truth.market.shown(code, at)
    auction = truth.phase() in (Phase.PRE_OPEN, Phase.CLOSING_AUCTION) or shown.interruption
    if not auction or at.second % 5:
        return ()
    hours = truth.calendar.session_hours(at.date())
    tick = truth.market.tick_at(hours, at)
    row = _day(truth.market, shown, hours, tick) | {
        "STCK_CNTG_HOUR": f"{at:%H%M%S}",
        "NEW_MKOP_CLS_CODE": PHASE_CODES[truth.phase()],
        "HOUR_CLS_CODE": "B",
        "CNTG_VOL": 0,
    }
    if shown.interruption:
        row |= {
            "STCK_PRPR": shown.expected,
            "PRDY_VRSS_SIGN": shown.sign(shown.expected),
            "PRDY_VRSS": shown.expected - shown.bar.reference,
            "PRDY_CTRT": shown.rate(shown.expected),
        }
    return (row,)


def status(truth: Truth, code: str, at: datetime) -> Sequence[Row]:
    """The market's turns, and an instrument's halts and interruptions as they begin and end."""
    hours = truth.calendar.session_hours(at.date())
    turns = {
        hours.preopen: "110",
        hours.open: "112",
        hours.closing_auction: "121",
        hours.close: "129",
    }
    turn = turns.get(at.replace(microsecond=0), "")
    market, before = truth.market, at - timedelta(seconds=1)
    halted, auction = market.halted(code, at), market.interruption_at(code, at)
    turned = halted != market.halted(code, before) or auction != market.interruption_at(
        code, before
    )
    if not turn and not turned:
        return ()
    row: Row = {
        "MKSC_SHRN_ISCD": code,
        "TRHT_YN": "Y" if halted else "N",
        "TR_SUSP_REAS_CNTT": "매매거래정지" if halted else "",
        "MKOP_CLS_CODE": turn or ("20" if truth.phase() is Phase.REGULAR else ""),
        "ANTC_MKOP_CLS_CODE": "311" if truth.phase() is Phase.PRE_OPEN else "",
        "ISCD_STAT_CLS_CODE": "58" if halted else "55",
        "VI_CLS_CODE": "Y" if auction else "N",
        "OVTM_VI_CLS_CODE": "N",
        "EXCH_CLS_CODE": "1",
    }
    return (row,)


# --- parts of a row ---------------------------------------------------------------------------
def _second_of(truth: Truth, at: datetime) -> tuple[SessionHours, int] | None:
    """The second of the continuous session that `at` is in, None outside it."""
    if not truth.calendar.is_session(at.date()):
        return None
    hours = truth.calendar.session_hours(at.date())
    if not hours.open <= at < hours.closing_auction:
        return None
    return hours, truth.market.tick_at(hours, at)


def _day(market: Market, shown: Shown, hours: SessionHours, tick: int) -> dict[str, object]:
    """The day so far: price, change, range with its times, volumes, state."""
    tape = market.tape(shown.listing.code, hours.day)
    last = shown.last
    average = Decimal(shown.turnover) / shown.volume if shown.volume else Decimal(0)
    row: dict[str, object] = {
        "MKSC_SHRN_ISCD": shown.listing.code,
        "STCK_CNTG_HOUR": f"{hours.open + timedelta(seconds=tick):%H%M%S}",
        "STCK_PRPR": last,
        "PRDY_VRSS_SIGN": shown.sign(last),
        "PRDY_VRSS": shown.change,
        "PRDY_CTRT": shown.rate(last),
        "WGHN_AVRG_STCK_PRC": average.quantize(Decimal("0.01")),
        "STCK_OPRC": shown.open,
        "STCK_HGPR": shown.high,
        "STCK_LWPR": shown.low,
        "ACML_VOL": shown.volume,
        "ACML_TR_PBMN": shown.turnover,
        "PRDY_VOL_VRSS_ACML_VOL_RATE": shown.volume_rate,
        "BSOP_DATE": f"{hours.day:%Y%m%d}",
        "NEW_MKOP_CLS_CODE": "20",
        "TRHT_YN": "Y" if shown.halted else "N",
        "VOL_TNRT": percent(shown.volume, shown.listing.shares),
        "PRDY_SMNS_HOUR_ACML_VOL": shown.previous_volume * (tick + 1) // len(tape),
        "HOUR_CLS_CODE": "0",
        "MRKT_TRTM_CLS_CODE": "",
        "VI_STND_PRC": shown.base,
        "MARKET_CLS_CODE": "2",
    }
    row["PRDY_SMNS_HOUR_ACML_VOL_RATE"] = percent(
        shown.volume, shown.previous_volume * (tick + 1) // len(tape)
    )
    for name, price, made in (
        ("OPRC", shown.open, 0),
        ("HGPR", shown.high, tape.high_made(tick)),
        ("LWPR", shown.low, tape.low_made(tick)),
    ):
        row[f"{name}_HOUR"] = f"{hours.open + timedelta(seconds=made):%H%M%S}"
        row[f"{name}_VRSS_PRPR_SIGN"] = sign(last - price)
        row[f"{name}_VRSS_PRPR"] = last - price
    return row


def _top(market: Market, code: str, hours: SessionHours, tick: int) -> dict[str, object]:
    """The best level a side and the totals of the anonymous book."""
    asks, bids = market.ladder(code, hours.day, tick)
    nothing = BookLevel(0, 0)
    ask, bid = asks[0] if asks else nothing, bids[0] if bids else nothing
    return {
        "ASKP1": ask.price,
        "BIDP1": bid.price,
        "ASKP_RSQN1": ask.quantity,
        "BIDP_RSQN1": bid.quantity,
        "TOTAL_ASKP_RSQN": sum(level.quantity for level in asks),
        "TOTAL_BIDP_RSQN": sum(level.quantity for level in bids),
    }


def _flow(shown: Shown, one: Print) -> dict[str, object]:
    """One trade, and what was bought and sold up to and with it."""
    size = max(1, shown.listing.volume // TRADES_A_DAY)
    sells, buys = -(-one.sold // size), -(-one.bought // size)
    side = BUY if one.is_buy else SELL
    return {
        "CNTG_VOL": one.quantity,
        "ACML_VOL": one.volume,
        "CCLD_DVSN": side,
        "CNTG_CLS_CODE": side,
        "SELN_CNTG_CSNU": sells,
        "SHNU_CNTG_CSNU": buys,
        "NTBY_CNTG_CSNU": buys - sells,
        "CTTR": percent(one.bought, one.sold),
        "SELN_CNTG_SMTN": one.sold,
        "SHNU_CNTG_SMTN": one.bought,
        "SHNU_RATE": (Decimal(one.bought) / one.volume).quantize(Decimal("0.01")),
    }


def _expected(shown: Shown) -> dict[str, object]:
    """The book's picture of an auction's match; none is formed in the continuous session."""
    if shown.interruption:
        return {
            "ANTC_CNPR": shown.expected,
            "ANTC_CNQN": 0,
            "ANTC_VOL": 0,
            "ANTC_CNTG_VRSS": shown.expected - shown.bar.reference,
            "ANTC_CNTG_VRSS_SIGN": shown.sign(shown.expected),
            "ANTC_CNTG_PRDY_CTRT": shown.rate(shown.expected),
        }
    return {
        "ANTC_CNPR": 0,
        "ANTC_CNQN": 0,
        "ANTC_VOL": 0,
        "ANTC_CNTG_VRSS": -shown.bar.reference,
        "ANTC_CNTG_VRSS_SIGN": "5",
        "ANTC_CNTG_PRDY_CTRT": "-100.00",
    }


MARKET_FRAMES: Mapping[str, Maker] = {
    "ccnl_krx": trades,
    "ccnl_total": trades,
    "asking_price_krx": book,
    "asking_price_total": book,
    "exp_ccnl_krx": expected,
    "exp_ccnl_total": expected,
    "market_status_krx": status,
    "market_status_total": status,
    **INDEX_FRAMES,
    **FLOW_FRAMES,
    **FUND_FRAMES,
    **US_FRAMES,
}
STATES = frozenset({*FLOW_FRAMES, *FUND_FRAMES})
"""Channels that tell how things stand, and only when that is new."""
