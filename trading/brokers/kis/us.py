"""The US side of KIS, reads only: quotes, sessions, holdings and what may be spent.

Exchanges have two names here: NAS, NYS and AMS in quotations, NASD, NYSE and AMEX in the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from trading.brokers.kis.backwards import backwards
from trading.brokers.kis.client import KisClient
from trading.brokers.kis.tables import Row, Table, number, positive, read_table, whole
from trading.domain.errors import BrokerGarbled, BrokerUnsupported
from trading.domain.ports import Clock
from trading.domain.us import UsBalance, UsDay, UsExchange, UsHolding, UsPower, UsQuote

__all__ = ["KisUs"]

NEW_YORK = ZoneInfo("America/New_York")
QUOTED = {UsExchange.NASDAQ: "NAS", UsExchange.NYSE: "NYS", UsExchange.AMEX: "AMS"}
BOOKED = {UsExchange.NASDAQ: "NASD", UsExchange.NYSE: "NYSE", UsExchange.AMEX: "AMEX"}
NAMED = {name: exchange for exchange, name in BOOKED.items()}
ADJUSTED, RAW = "1", "0"
"""The other way round than in the domestic candles."""


class KisUs:
    """Raises BrokerError; BrokerUnsupported where the environment does not offer the question, BrokerGarbled
    where what must be there is not, or contradicts itself."""

    def __init__(self, client: KisClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def quote(self, symbol: str, exchange: UsExchange) -> UsQuote:
        at = self._clock.now()
        row = self._ask("overseas_price", self._of(symbol, exchange)).only()
        if row.get("last") is None:
            raise BrokerGarbled(f"{symbol} is not listed on {exchange}")
        return UsQuote(
            symbol=symbol,
            exchange=exchange,
            last=positive(row, "last"),
            base=positive(row, "base"),
            volume=whole(row, "tvol"),
            at=at,
        )

    def days(
        self, symbol: str, exchange: UsExchange, since: date, until: date, *, adjusted: bool = True
    ) -> list[UsDay]:
        """Sessions from `since` to `until` by New York's date, the oldest first."""

        def page(last: date) -> list[UsDay]:
            params = self._of(symbol, exchange) | {
                "GUBN": "0",
                "BYMD": f"{last:%Y%m%d}",
                "MODP": ADJUSTED if adjusted else RAW,
                "KEYB": "",
            }
            rows = self._ask("overseas_dailyprice", params).rows["output2"]
            return [self._day(symbol, row) for row in rows if any(row.values())]

        return backwards(page, lambda one: one.day, since, until, timedelta(days=1))

    def balance(self) -> UsBalance:
        """Holdings on every US exchange, from every page. Raises BrokerGarbled when one is listed twice."""
        # the real host takes NASD for all of them, the practice host for NASDAQ alone
        asked = list(UsExchange) if self._client.wire == "mock" else [UsExchange.NASDAQ]
        found: dict[str, UsHolding] = {}
        for exchange in asked:
            params = self._client.credentials.account | {
                "OVRS_EXCG_CD": BOOKED[exchange],
                "TR_CRCY_CD": "USD",
            }
            for body in self._client.pages("overseas_inquire_balance", params):
                for row in read_table("overseas_inquire_balance", body).rows["output1"]:
                    holding = _holding(row)
                    if found.setdefault(holding.symbol, holding) is not holding:
                        raise BrokerGarbled(f"{holding.symbol} is listed twice in the balance")
        return UsBalance(tuple(h for h in found.values() if h.quantity > 0))

    def power(self, symbol: str, exchange: UsExchange, price: Decimal) -> UsPower:
        """What may be spent on `symbol` at `price`."""
        params = self._client.credentials.account | {
            "OVRS_EXCG_CD": BOOKED[exchange],
            "OVRS_ORD_UNPR": f"{price:f}",
            "ITEM_CD": symbol,
        }
        row = self._ask("overseas_inquire_psamount", params).only()
        if row.get("tr_crcy_cd") != "USD":
            raise BrokerGarbled("tr_crcy_cd is not USD")
        rate = row.get("exrt")
        try:
            won = Decimal(str(rate))
        except ArithmeticError as error:
            raise BrokerGarbled("exrt is not a number") from error
        if not won.is_finite() or won <= 0:
            raise BrokerGarbled("exrt is not positive")
        return UsPower(
            dollars=number(row, "ord_psbl_frcr_amt"),
            shares=whole(row, "max_ord_psbl_qty"),
            rate=won,
        )

    # --- inside -------------------------------------------------------------------------------
    def _ask(self, name: str, params: Mapping[str, str]) -> Table:
        if not self._client.offers(name):
            raise BrokerUnsupported(f"{name} is not offered in this environment")
        return read_table(name, self._client.read(name, params).body)

    @staticmethod
    def _of(symbol: str, exchange: UsExchange) -> dict[str, str]:
        return {"AUTH": "", "EXCD": QUOTED[exchange], "SYMB": symbol}

    def _day(self, symbol: str, row: Row) -> UsDay:
        day = row.get("xymd")
        if not isinstance(day, date):
            raise BrokerGarbled("a session has no day")
        opened, high, low, close = (positive(row, n) for n in ("open", "high", "low", "clos"))
        if not low <= min(opened, close) or not max(opened, close) <= high:
            raise BrokerGarbled("a session whose prices contradict each other")
        today = self._clock.now().astimezone(NEW_YORK).date()
        return UsDay(
            symbol, day, opened, high, low, close, whole(row, "tvol"), is_final=day < today
        )


def _holding(row: Row) -> UsHolding:
    exchange = NAMED.get(str(row.get("ovrs_excg_cd")))
    symbol = row.get("ovrs_pdno")
    if exchange is None or not isinstance(symbol, str) or not symbol:
        raise BrokerGarbled("a holding without a symbol or on an unknown exchange")
    return UsHolding(
        symbol=symbol,
        name=str(row.get("ovrs_item_name") or symbol),
        exchange=exchange,
        quantity=whole(row, "ovrs_cblc_qty"),
        sellable=whole(row, "ord_psbl_qty"),
        average_price=number(row, "pchs_avg_pric"),
        last=positive(row, "now_pric2"),
    )
