"""US quotations on the wire: the last price, its details, the book, the trades."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.matching import Side
from trading.domain.sessions import SEOUL
from trading.simulator.calls.quotes import done
from trading.simulator.calls.us_accounts import choice
from trading.simulator.http import Reply
from trading.simulator.truth import Truth
from trading.simulator.us.calendar import UsHours
from trading.simulator.us.listings import EXCD, LISTINGS, UsListing, facts_of
from trading.simulator.us.market import UsShown, sign
from trading.simulator.us.money import decimals, dollars, share, won
from trading.simulator.wire import Ask, Refusal, fill

__all__ = ["EXCD_ALL", "HANDLERS", "excd_of", "look", "orderable", "rsym", "signed"]

US_EXCD = tuple(EXCD.values())
EXCD_ALL = (
    *US_EXCD, "HKS", "TSE", "SHS", "SZS", "SHI", "SZI", "HSX", "HNX", "BAY", "BAQ", "BAA",
)  # fmt: skip
PLACES = "4"
ROWS_OF_TRADES = 120


def excd_of(ask: Ask) -> str:
    """The exchange as quotations name it; the names of orders (NASD …) are mistakes here."""
    return choice(ask, "EXCD", EXCD_ALL)


def look(truth: Truth, ask: Ask) -> UsShown:
    """The listing that is asked for. Raises Refusal: Asia and the daytime session list nothing."""
    excd, code = excd_of(ask), ask.get("SYMB")
    if code not in LISTINGS or LISTINGS[code].excd != excd:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    return truth.us.market.shown(code, truth.us.time)


def signed(rate: Decimal) -> str:
    """A rate with its sign, as US quotations write it."""
    return f"{rate:+.2f}" if rate else " 0.00"


def orderable(truth: Truth) -> str:
    hours = truth.us.calendar.hours(truth.us.day)
    return "매도매수 가능" if truth.us.time < hours.close else "매매 불가"


def rsym(listing: UsListing) -> str:
    return f"D{listing.excd}{listing.code}"


def price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The last price in dollars, the change without its sign and the code that carries it."""
    shown = look(truth, ask)
    values = {
        "rsym": rsym(shown.listing),
        "zdiv": PLACES,
        "base": dollars(shown.base, 4),
        "pvol": shown.previous_volume,
        "last": dollars(shown.last, 4),
        "sign": sign(shown.change),
        "diff": dollars(abs(shown.change), 4),
        "rate": signed(shown.rate),
        "tvol": shown.volume,
        "tamt": shown.turnover // 100,
        "ordy": orderable(truth),
    }
    return done(ask, {"output": fill("overseas_price", "output", values)})


def price_detail(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The price with its range, its year, what is known of the listing and what all that is in won."""
    shown = look(truth, ask)
    values = {
        "rsym": rsym(shown.listing),
        "pvol": shown.previous_volume,
        "open": dollars(shown.open, 4),
        "high": dollars(shown.high, 4),
        "low": dollars(shown.low, 4),
        "last": dollars(shown.last, 4),
        "base": dollars(shown.base, 4),
        "pamt": shown.previous_turnover // 100,
        "uplp": "0.0000",
        "dnlp": "0.0000",
        "curr": "USD",
        "zdiv": PLACES,
        "vnit": "1",
        "e_ordyn": "매매 가능",
        "e_hogau": "0.0100",
        "e_icod": shown.listing.sector,
        "tvol": shown.volume,
        "tamt": shown.turnover // 100,
        "etyp_nm": "ETF" if shown.listing.fund else "",
    }
    values |= _worth(truth, shown) | _year(truth, shown) | _in_won(truth, shown)
    return done(ask, {"output": fill("overseas_price_detail", "output", values)})


def _worth(truth: Truth, shown: UsShown) -> dict[str, object]:
    listing, facts = shown.listing, facts_of(truth.seed, shown.listing)
    return {
        "tomv": listing.shares * shown.last // 100,
        "perx": facts.per(shown.last),
        "pbrx": facts.pbr(shown.last),
        "epsx": dollars(facts.eps),
        "bpsx": dollars(facts.bps),
        "shar": listing.shares,
        "mcap": int(listing.shares * facts.par),
        "e_parp": decimals(facts.par, 5),
    }


def _year(truth: Truth, shown: UsShown) -> dict[str, object]:
    """The highest and the lowest price of 52 weeks and their days."""
    day = shown.hours.day
    days = list(
        truth.us.market.candles(
            shown.listing.code, day - timedelta(weeks=52), day, "D", truth.us.time
        )
    )
    high, low = max(days, key=lambda c: c.high), min(days, key=lambda c: c.low)
    return {
        "h52p": dollars(high.high, 4),
        "h52d": f"{high.day:%Y%m%d}",
        "l52p": dollars(low.low, 4),
        "l52d": f"{low.day:%Y%m%d}",
    }


def _in_won(truth: Truth, shown: UsShown) -> dict[str, object]:
    """The same price at today's rate, and the close before at that day's."""
    us = truth.us
    day = us.rates.day(us.time)
    before = us.rates.bar(us.rates.before(day)).open
    earlier = us.market.bar(
        shown.listing.code, us.calendar.previous_session(shown.hours.day)
    ).reference
    return {
        "t_xprc": won(shown.last, us.rate),
        "t_xdif": won(abs(shown.change), us.rate),
        "t_xrat": signed(shown.rate),
        "t_rate": dollars(us.rate),
        "t_xsgn": sign(shown.change),
        "p_xprc": won(shown.base, before),
        "p_xdif": won(abs(shown.base - earlier), before),
        "p_xrat": signed(share(shown.base - earlier, earlier)),
        "p_rate": dollars(before),
        "p_xsng": sign(shown.base - earlier),
    }


def asking_price(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Ten levels a side, our own resting orders among them; changes against the second before."""
    shown = look(truth, ask)
    us, call = truth.us, "overseas_inquire_asking_price"
    local = us.calendar.local(us.time)
    sides = {"bid": Side.BUY, "ask": Side.SELL}
    now = {name: us.book(shown.listing.code).levels(side) for name, side in sides.items()}
    before = _second_before(truth, shown)
    totals = {name: sum(level.quantity for level in levels) for name, levels in now.items()}
    earlier = {name: sum(before[name]) for name in sides}
    head = {
        "rsym": rsym(shown.listing),
        "zdiv": PLACES,
        "curr": "USD",
        "base": dollars(shown.base, 4),
        "open": dollars(shown.open, 4),
        "high": dollars(shown.high, 4),
        "low": dollars(shown.low, 4),
        "last": dollars(shown.last, 4),
        "dymd": f"{local:%Y%m%d}",
        "dhms": f"{local:%H%M%S}",
        "bvol": totals["bid"],
        "avol": totals["ask"],
        "bdvl": totals["bid"] - earlier["bid"],
        "advl": totals["ask"] - earlier["ask"],
        "code": shown.listing.code,
        "ropen": _against(shown.open, shown.base),
        "rhigh": _against(shown.high, shown.base),
        "rlow": _against(shown.low, shown.base),
        "rclose": signed(shown.rate),
    }
    book: dict[str, object] = {}
    for name, levels in now.items():
        for i in range(10):
            level = levels[i] if i < len(levels) else None
            size = level.quantity if level else 0
            book[f"p{name}{i + 1}"] = dollars(level.price if level else 0, 4)
            book[f"v{name}{i + 1}"] = size
            book[f"d{name}{i + 1}"] = size - (before[name][i] if i < len(before[name]) else 0)
    body = {
        "output1": fill(call, "output1", head),
        "output2": fill(call, "output2", book),
        "output3": fill(call, "output3", {}),
    }
    return done(ask, body)


def _against(price: int, base: int) -> str:
    return signed(share(price - base, base)) if price else " 0.00"


def _second_before(truth: Truth, shown: UsShown) -> Mapping[str, list[int]]:
    """Sizes of others a second ago; nothing before the open."""
    if truth.us.time < shown.hours.open:
        return {"bid": [], "ask": []}
    tick = max(0, shown.hours.tick(truth.us.time) - 1)
    asks, bids = truth.us.market.ladder(shown.listing.code, shown.hours.day, tick)
    return {"bid": [lv.quantity for lv in bids], "ask": [lv.quantity for lv in asks]}


def trades(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """The session's latest trades, the newest first; TDAY 0 the session before, 1 the present one."""
    shown = look(truth, ask)
    today = choice(ask, "TDAY", ("0", "1")) == "1"
    us, code, call = truth.us, shown.listing.code, "overseas_quot_inquire_ccnl"
    day = shown.hours.day if today else us.calendar.previous_session(shown.hours.day)
    hours = us.calendar.hours(day)
    rows: list[dict[str, str]] = []
    base, tape = us.market.bar(code, day).reference, us.market.tape(code, day)
    tick = hours.tick(us.time) if us.time >= hours.open else -1
    if ask.get("KEYB"):
        tick = min(tick, _second_of(ask, hours) - 1)
    while tick >= 0 and len(rows) < ROWS_OF_TRADES:
        last = us.market.price_at(code, day, tick)
        asks, bids = us.market.ladder(code, day, tick)
        for one in reversed(tape.prints(tick)):
            values = {
                "khms": f"{hours.open + timedelta(seconds=tick):%H%M%S}",
                "last": dollars(last, 4),
                "sign": sign(last - base),
                "diff": dollars(abs(last - base), 4),
                "rate": signed(share(last - base, base)),
                "evol": one.quantity,
                "tvol": one.volume,
                "mtyp": "1",
                "pbid": dollars(bids[0].price, 4),
                "pask": dollars(asks[0].price, 4),
                "vpow": share(one.bought, one.sold),
            }
            rows.append(fill(call, "output2", values))
        tick -= 1
    head = {"rsym": rsym(shown.listing), "ZDIV": PLACES, "NREC": len(rows)}
    return done(ask, {"output1": [fill(call, "output1", head)], "output2": rows})


def _second_of(ask: Ask, hours: UsHours) -> int:
    """The second of the session that a key (Seoul, YYYYMMDDHHMMSS) names. Raises Refusal."""
    try:
        at = datetime.strptime(ask.get("KEYB"), "%Y%m%d%H%M%S").replace(tzinfo=SEOUL)
    except ValueError:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [KEYB]") from None
    return int((at - hours.open).total_seconds())


HANDLERS = {
    "overseas_price": price,
    "overseas_price_detail": price_detail,
    "overseas_inquire_asking_price": asking_price,
    "overseas_quot_inquire_ccnl": trades,
}
