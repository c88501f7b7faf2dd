"""What the tests of the hours outside the regular session share: moments, orders, what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.trading.simulator.conftest import Make
from tests.trading.simulator.kis import ACCOUNT, Answer, Hand, odno
from trading.domain.sessions import SEOUL
from trading.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator

SHARE, FUND = "005930", "069500"
NXT = {"EXCG_ID_DVSN_CD": "NXT"}
SOR = {"EXCG_ID_DVSN_CD": "SOR"}
HELD = {"005930": 1_000, "000660": 1_000, "035420": 1_000, "005380": 1_000, "035720": 1_000}
HELD |= {"051910": 1_000, "068270": 1_000, "247540": 1_000, "069500": 1_000, "114260": 1_000}
RICH = [
    {"appkey": DEMO_APPKEY, "appsecret": DEMO_APPSECRET, "account": ACCOUNT, "cash": 10**10}
    | {"holdings": HELD}
]


def on(moment: str, day: str = "2026-11-20") -> datetime:
    return datetime.fromisoformat(f"{day}T{moment}").replace(tzinfo=SEOUL)


def at(make: Make, moment: str, day: str = "2026-11-20", **options: Any) -> Hand:
    """A logged-in hand at a moment of Friday the twentieth, or of another day."""
    return Hand(make(start=on(moment, day), **options)).login()


def told(sim: Simulator, *kinds: str) -> list[dict[str, Any]]:
    return [row for row in sim.journal() if row["kind"] in kinds]


def ends(hand: Hand, answer: Answer) -> tuple[int, int, int]:
    """(filled, left, cancelled) of an order as the list shows it."""
    (row,) = hand.fills(ODNO=odno(answer))
    return int(row["tot_ccld_qty"]), int(row["rmn_qty"]), int(row["cnc_cfrm_qty"])


def until(hand: Hand, moment: str) -> None:
    """Let time pass up to a moment of the present day."""
    now = hand.sim.now()
    target = datetime.combine(now.date(), datetime.fromisoformat(f"{now.date()}T{moment}").time())
    hand.sim.advance((target.replace(tzinfo=SEOUL) - now).total_seconds())
    hand.login()


def reference(hand: Hand, code: str) -> int:
    return hand.sim.world.market.bar(code, hand.sim.now().date()).reference


def close(hand: Hand, code: str) -> int:
    return hand.sim.world.market.close(code, hand.sim.now().date())


def quote(hand: Hand, code: str, market: str = "NX") -> dict[str, str]:
    query = {"FID_COND_MRKT_DIV_CODE": market, "FID_INPUT_ISCD": code}
    return dict(hand.get("price", query).json["output"])


def book(hand: Hand, code: str, market: str = "J") -> dict[str, str]:
    query = {"FID_COND_MRKT_DIV_CODE": market, "FID_INPUT_ISCD": code}
    return dict(hand.get("book", query).json["output1"])
