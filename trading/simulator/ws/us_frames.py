"""What the US channels say of one second of the market, and what became of a US order.

The numbers are the ones that the REST screens show of the same second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from trading.domain.matching import Side
from trading.domain.quotes import BookLevel
from trading.simulator.truth import Truth
from trading.simulator.us.accounts import UsAccount
from trading.simulator.us.ledger import UsAccepted, UsEvent, UsFilled, UsOrder
from trading.simulator.us.listings import EXCD, LISTINGS, UsListing
from trading.simulator.us.market import sign
from trading.simulator.us.money import dollars, share

__all__ = ["US_FRAMES", "US_SNAPSHOTS", "knows", "us_notice"]

Row = Mapping[str, object]
ACTIONS = {"new": "0", "revise": "1", "cancel": "2"}
SIDES = {Side.SELL: "01", Side.BUY: "02"}
KINDS = {"00": "2", "31": "A", "32": "B", "33": "C", "34": "D"}
MARKETS = {"NASD": "6", "NYSE": "7", "AMEX": "8"}


def listing_of(key: str) -> UsListing | None:
    """What D or R, an exchange and a symbol name; None for what is not listed here."""
    listing = LISTINGS.get(key[4:])
    return listing if listing and key[0] in "DR" and key[1:4] == listing.excd else None


def knows(key: str) -> bool:
    """Whether a key may be registered; Asia and the daytime session are known and stay silent."""
    return key[1:4] not in EXCD.values() or listing_of(key) is not None


def _times(truth: Truth, key: str, listing: UsListing, at: datetime) -> dict[str, object]:
    local = truth.us.calendar.local(at)
    return {
        "RSYM": key,
        "SYMB": listing.code,
        "ZDIV": "4",
        "XYMD": f"{local:%Y%m%d}",
        "XHMS": f"{local:%H%M%S}",
        "KYMD": f"{at:%Y%m%d}",
        "KHMS": f"{at:%H%M%S}",
    }


def trades(truth: Truth, key: str, at: datetime) -> Sequence[Row]:
    """The trades of one second of the session: what sellers hit, then what buyers took."""
    listing, us = listing_of(key), truth.us
    hours = us.calendar.hours(us.calendar.begun(at))
    if listing is None or not hours.open <= at < hours.close:
        return ()
    tick = hours.tick(at)
    prints = us.market.tape(listing.code, hours.day).prints(tick)
    if not prints:
        return ()
    shown = us.market.shown(listing.code, at)
    asks, bids = us.market.ladder(listing.code, hours.day, tick)
    common = _times(truth, key, listing, at) | {
        "TYMD": f"{hours.day:%Y%m%d}",
        "OPEN": dollars(shown.open, 4),
        "HIGH": dollars(shown.high, 4),
        "LOW": dollars(shown.low, 4),
        "LAST": dollars(shown.last, 4),
        "SIGN": sign(shown.change),
        "DIFF": dollars(abs(shown.change), 4),
        "RATE": f"{shown.rate:+.2f}",
        "PBID": dollars(bids[0].price, 4),
        "PASK": dollars(asks[0].price, 4),
        "VBID": bids[0].quantity,
        "VASK": asks[0].quantity,
        "TAMT": shown.turnover // 100,
        "MTYP": "1",
    }
    return [
        common
        | {
            "EVOL": one.quantity,
            "TVOL": one.volume,
            "BIVL": one.sold,
            "ASVL": one.bought,
            "STRN": share(one.bought, one.sold),
        }
        for one in prints
    ]


def book(truth: Truth, key: str, at: datetime) -> Sequence[Row]:
    """Ten levels a side as they stand, our own orders among them; silent outside the session.

    Changes against the frame before are not told.
    """
    listing, us = listing_of(key), truth.us
    if listing is None or not us.trading:
        return ()
    found = us.book(listing.code)
    row = _times(truth, key, listing, at) | {"BDVL": 0, "ADVL": 0}
    for name, side in (("BID", Side.BUY), ("ASK", Side.SELL)):
        levels = found.levels(side)
        row[f"{name[0]}VOL"] = sum(level.quantity for level in levels)
        for i in range(10):
            level = levels[i] if i < len(levels) else BookLevel(0, 0)
            row[f"P{name}{i + 1}"] = dollars(level.price, 4)
            row[f"V{name}{i + 1}"] = level.quantity
            row[f"D{name}{i + 1}"] = 0
    return (row,)


US_FRAMES: Mapping[str, Callable[[Truth, str, datetime], Sequence[Row]]] = {
    "overseas_delayed_ccnl": trades,
    "overseas_asking_price": book,
}
US_SNAPSHOTS = frozenset({"overseas_asking_price"})


def us_notice(account: UsAccount, event: UsEvent, at: datetime) -> Row | None:
    """The notice of one event, None for events that the broker tells nobody."""
    match event:
        case UsAccepted(order):
            return _head(order, at) | {
                "CNTG_QTY": f"{order.quantity:010d}",
                "CNTG_UNPR": dollars(order.price, 4),
                "CNTG_YN": "1",
                "ACPT_YN": "2" if order.action == "cancel" else "1",
                "CNTG_UNPR12": dollars(0, 4),
            }
        case UsFilled():
            return _head(account.truth.orders[event.key], at) | {
                "CNTG_QTY": f"{event.quantity:010d}",
                "CNTG_UNPR": dollars(event.price, 4),
                "CNTG_YN": "2",
                "ACPT_YN": "2",
                "CNTG_UNPR12": dollars(event.price, 4),
            }
    return None


def _head(order: UsOrder, at: datetime) -> dict[str, object]:
    return {
        "ACNT_NO": order.account.replace("-", ""),
        "ODER_NO": order.odno,
        "OODER_NO": order.orgn_odno,
        "SELN_BYOV_CLS": SIDES[order.side],
        "RCTF_CLS": ACTIONS[order.action],
        "ODER_KIND2": KINDS[order.dvsn],
        "STCK_SHRN_ISCD": order.code,
        "STCK_CNTG_HOUR": f"{at:%H%M%S}",
        "RFUS_YN": "0",
        "BRNC_NO": order.orgno,
        "ODER_QTY": f"{order.quantity:09d}",
        "ACNT_NAME": "홍길동",
        "CNTG_ISNM": LISTINGS[order.code].name,
        "ODER_COND": MARKETS[order.exchange],
        "DEBT_GB": "10",
    }
