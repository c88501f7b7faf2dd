"""Parts of a record that every venue's channels share: the day so far, the best level, a trade, a book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.domain.matching import MatchingBook, Side
from trading.domain.quotes import BookLevel
from trading.domain.sessions import Phase
from trading.simulator.market import Shown, percent, sign
from trading.simulator.tape import Print
from trading.simulator.truth import Truth

__all__ = [
    "TURNS",
    "DayTimes",
    "book_row",
    "day_row",
    "flow_row",
    "no_match",
    "status_row",
    "top_row",
]

BUY, SELL = "1", "5"
TRADES_A_DAY = 40_000
"""About how many trades an instrument has on a usual day; a trade's size follows from it."""
LEVELS = range(10)
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


@dataclass(frozen=True, slots=True)
class DayTimes:
    """When a record's numbers are of, and when its day opened and reached its range."""

    now: datetime
    opened: datetime
    high: datetime
    low: datetime
    volume_then: int
    """Shares of the session before by the same time of day."""


def day_row(shown: Shown, times: DayTimes, phase: str, market: str) -> dict[str, object]:
    """The day so far: price, change, range with its times, volumes, state."""
    last = shown.last
    average = Decimal(shown.turnover) / shown.volume if shown.volume else Decimal(0)
    row: dict[str, object] = {
        "MKSC_SHRN_ISCD": shown.listing.code,
        "STCK_CNTG_HOUR": f"{times.now:%H%M%S}",
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
        "BSOP_DATE": f"{times.now:%Y%m%d}",
        "NEW_MKOP_CLS_CODE": phase,
        "TRHT_YN": "Y" if shown.halted else "N",
        "VOL_TNRT": percent(shown.volume, shown.listing.shares),
        "PRDY_SMNS_HOUR_ACML_VOL": times.volume_then,
        "PRDY_SMNS_HOUR_ACML_VOL_RATE": percent(shown.volume, times.volume_then),
        "HOUR_CLS_CODE": "0",
        "MRKT_TRTM_CLS_CODE": "",
        "VI_STND_PRC": shown.base,
        "MARKET_CLS_CODE": market,
    }
    for name, price, at in (
        ("OPRC", shown.open, times.opened),
        ("HGPR", shown.high, times.high),
        ("LWPR", shown.low, times.low),
    ):
        row[f"{name}_HOUR"] = f"{at:%H%M%S}"
        row[f"{name}_VRSS_PRPR_SIGN"] = sign(last - price)
        row[f"{name}_VRSS_PRPR"] = last - price
    return row


TURNS = frozenset({"110", "112", "121", "129"})
"""Codes of a market that begins or ends; others say which market is on."""


def status_row(
    truth: Truth, code: str, at: datetime, turn: str, exchange: str
) -> dict[str, object]:
    """Whether an instrument is halted or interrupted, beside the market's turn."""
    halted = truth.market.halted(code, at)
    return {
        "MKSC_SHRN_ISCD": code,
        "TRHT_YN": "Y" if halted else "N",
        "TR_SUSP_REAS_CNTT": "매매거래정지" if halted else "",
        "MKOP_CLS_CODE": turn,
        "ANTC_MKOP_CLS_CODE": "311" if truth.phase() is Phase.PRE_OPEN else "",
        "ISCD_STAT_CLS_CODE": "58" if halted else "55",
        "VI_CLS_CODE": "Y" if truth.market.interruption_at(code, at) else "N",
        "OVTM_VI_CLS_CODE": "N",
        "EXCH_CLS_CODE": exchange,
    }


def top_row(asks: Sequence[BookLevel], bids: Sequence[BookLevel]) -> dict[str, object]:
    """The best level a side and the totals of the anonymous book."""
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


def flow_row(shown: Shown, one: Print) -> dict[str, object]:
    """One trade, and what was bought and sold up to and with it."""
    size = max(1, shown.listing.volume // TRADES_A_DAY)
    sells, buys = -(-one.sold // size), -(-one.bought // size)
    side = BUY if one.is_buy else SELL
    # what the later trades of this second paid is not yet in
    paid = shown.turnover - (shown.volume - one.volume) * shown.last
    return {
        "CNTG_VOL": one.quantity,
        "ACML_VOL": one.volume,
        "ACML_TR_PBMN": paid,
        "WGHN_AVRG_STCK_PRC": (Decimal(paid) / one.volume).quantize(Decimal("0.01")),
        "VOL_TNRT": percent(one.volume, shown.listing.shares),
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


def book_row(book: MatchingBook, shown: Shown, at: datetime, market: str) -> dict[str, object]:
    """Ten levels a side as they stand, our own orders among them."""
    row: dict[str, object] = {
        "MKSC_SHRN_ISCD": shown.listing.code,
        "BSOP_HOUR": f"{at:%H%M%S}",
        "HOUR_CLS_CODE": "0",
        "ACML_VOL": shown.volume,
        "STCK_DEAL_CLS_CODE": "0",
        "MARKET_CLS_CODE": market,
        "ANTC_EXCH_CLS_CODE": "1",
    }
    for name, side in (("ASK", Side.SELL), ("BID", Side.BUY)):
        levels = book.levels(side)
        for i in LEVELS:
            level = levels[i] if i < len(levels) else BookLevel(0, 0)
            row[f"{name}P{i + 1}"] = level.price
            row[f"{name}P_RSQN{i + 1}"] = level.quantity
        row[f"TOTAL_{name}P_RSQN"] = sum(level.quantity for level in levels)
    return row | dict.fromkeys(ZEROES_OF_A_BOOK, 0) | no_match(shown)


def no_match(shown: Shown) -> dict[str, object]:
    """What a book says of an auction's match while there is none."""
    return {
        "ANTC_CNPR": 0,
        "ANTC_CNQN": 0,
        "ANTC_VOL": 0,
        "ANTC_CNTG_VRSS": -shown.bar.reference,
        "ANTC_CNTG_VRSS_SIGN": "5",
        "ANTC_CNTG_PRDY_CTRT": "-100.00",
    }
