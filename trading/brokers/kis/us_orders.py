"""US orders on KIS's wire: the bytes of each, and the lists that tell what became of them.

Nothing is posted here: the bytes leave through the same line as domestic ones (`orders.Line`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from trading.brokers.kis import orders
from trading.brokers.kis.client import KisClient
from trading.brokers.kis.tables import Row, number, read_table, whole
from trading.brokers.kis.us import BOOKED, NAMED
from trading.domain.errors import BrokerError, BrokerGarbled, BrokerMisconfigured
from trading.domain.ports import PreparedPost
from trading.domain.us import UsExchange, UsOrderList, UsOrderRequest, UsOrderRow, UsOrderType

__all__ = ["KisUsOrders"]

_TYPES: Mapping[UsOrderType, str] = {
    UsOrderType.LIMIT: "00",
    UsOrderType.MARKET_ON_OPEN: "31",
    UsOrderType.LIMIT_ON_OPEN: "32",
    UsOrderType.MARKET_ON_CLOSE: "33",
    UsOrderType.LIMIT_ON_CLOSE: "34",
}
_ANY_US = "NASD"
"""Chooses the TR id of the whole US, whatever the exchange."""


class KisUsOrders:
    """Reads raise BrokerError; `prepare` raises BrokerMisconfigured where the environment takes none."""

    def __init__(self, client: KisClient) -> None:
        self._client = client

    def prepare(self, request: UsOrderRequest) -> PreparedPost:
        """The bytes of `request`, exactly as they will be sent."""
        if self._client.wire == "mock" and request.order_type is not UsOrderType.LIMIT:
            raise BrokerMisconfigured("the practice host takes limits alone")
        if request.cancels:
            return orders.post_of(
                self._client, "overseas_order_rvsecncl", "", self._cancel(request)
            )
        side = "sell" if request.side == "SELL" else "buy"
        body = self._client.credentials.account | {
            "OVRS_EXCG_CD": BOOKED[request.exchange],
            "PDNO": request.symbol,
            "ORD_QTY": str(request.quantity),
            "OVRS_ORD_UNPR": "0" if request.limit is None else f"{request.limit:f}",
            "CTAC_TLNO": "",
            "MGCO_APTM_ODNO": "",
            "SLL_TYPE": "00" if request.side == "SELL" else "",
            "ORD_SVR_DVSN_CD": "0",
            "ORD_DVSN": _TYPES[request.order_type],
        }
        return orders.post_of(self._client, "overseas_order", f"{side}:{_ANY_US}", body)

    def orders(self, since: date, until: date) -> UsOrderList:
        """Every order of these days (New York's), in whatever state. Never raises: a failed page makes it
        incomplete. Order numbers restart daily, so a row is known by its day and number."""
        params = self._client.credentials.account | {
            # the practice host takes no filter at all
            "PDNO": "" if self._client.wire == "mock" else "%",
            "ORD_STRT_DT": f"{since:%Y%m%d}",
            "ORD_END_DT": f"{until:%Y%m%d}",
            "SLL_BUY_DVSN": "00",
            "CCLD_NCCS_DVSN": "00",
            "OVRS_EXCG_CD": "" if self._client.wire == "mock" else "%",
            "SORT_SQN": "DS",
            "ORD_DT": "",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
        }
        found: dict[tuple[date, str], UsOrderRow] = {}
        try:
            for body in self._client.pages("overseas_inquire_ccnl", params):
                for row in read_table("overseas_inquire_ccnl", body).rows["output"]:
                    order = _order_row(row)
                    if found.setdefault((order.trade_date, order.order_no), order) != order:
                        raise BrokerGarbled("one order is listed twice with different numbers")
        except BrokerError as error:
            return UsOrderList(tuple(found.values()), False, str(error)[:200])
        return UsOrderList(tuple(found.values()), True)

    def working(self) -> tuple[UsOrderRow, ...] | None:
        """Orders of which something may still fill, from every page; None on the practice host, which does
        not offer the question. Raises BrokerGarbled when one is listed twice."""
        if not self._client.offers("overseas_inquire_nccs"):
            return None
        found: dict[str, UsOrderRow] = {}
        params = self._client.credentials.account | {
            "OVRS_EXCG_CD": BOOKED[UsExchange.NASDAQ],
            "SORT_SQN": "DS",
        }
        for body in self._client.pages("overseas_inquire_nccs", params):
            for row in read_table("overseas_inquire_nccs", body).rows["output"]:
                order = _order_row(row)
                if order.order_no in found:
                    raise BrokerGarbled(f"order {order.order_no} is listed twice")
                found[order.order_no] = order
        return tuple(order for order in found.values() if order.remaining_quantity > 0)

    # --- inside -------------------------------------------------------------------------------
    def _cancel(self, request: UsOrderRequest) -> dict[str, str]:
        return self._client.credentials.account | {
            "OVRS_EXCG_CD": BOOKED[request.exchange],
            "PDNO": request.symbol,
            "ORGN_ODNO": request.cancels,
            "RVSE_CNCL_DVSN_CD": "02",
            "ORD_QTY": str(request.quantity),
            "OVRS_ORD_UNPR": "0",
            "MGCO_APTM_ODNO": "",
            "ORD_SVR_DVSN_CD": "0",
        }


def _order_row(row: Row) -> UsOrderRow:
    exchange = NAMED.get(str(row.get("ovrs_excg_cd")))
    day, symbol = row.get("ord_dt"), row.get("pdno")
    order_no = str(row.get("odno") or "")
    if exchange is None or not isinstance(symbol, str) or not symbol:
        raise BrokerGarbled("an order without a symbol or on an unknown exchange")
    if not isinstance(day, date) or not (order_no.isascii() and order_no.isdigit()):
        raise BrokerGarbled("an order without a day or a number")
    quantity, filled, left = (whole(row, n) for n in ("ft_ord_qty", "ft_ccld_qty", "nccs_qty"))
    original = str(row.get("orgn_odno") or "")
    if min(quantity, filled, left) < 0 or filled > quantity or filled + left > quantity:
        raise BrokerGarbled("an order's quantities do not add up")
    limit = number(row, "ft_ord_unpr3")
    return UsOrderRow(
        trade_date=day,
        order_no=order_no.zfill(10),
        original_order_no=original.zfill(10) if original.strip("0") else "",
        symbol=symbol,
        exchange=exchange,
        side=_side(row),
        quantity=quantity,
        limit=limit if limit > 0 else None,
        filled_quantity=filled,
        filled_amount=number(row, "ft_ccld_amt3"),
        remaining_quantity=left,
        refusal=str(row.get("rjct_rson_name") or row.get("rjct_rson") or "").strip(),
    )


def _side(row: Row) -> Literal["SELL", "BUY"]:
    code = row.get("sll_buy_dvsn_cd")
    if code not in ("01", "02"):
        raise BrokerGarbled("an order that neither buys nor sells")
    return "SELL" if code == "01" else "BUY"
