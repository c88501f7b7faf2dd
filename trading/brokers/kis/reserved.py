"""Reserved orders on KIS's wire: the bytes of each, what the answers say, and their list.

Nothing is posted here: the bytes leave through the same line as other orders (`orders.Line`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal

from trading.brokers.kis import orders, parsing
from trading.brokers.kis.client import KisClient
from trading.brokers.kis.tables import Row, number, read_table, whole
from trading.domain.errors import BrokerGarbled, BrokerUnsupported
from trading.domain.orders import Reply
from trading.domain.ports import PreparedPost, RawReply
from trading.domain.reserved import (
    ReservedChange,
    ReservedOrder,
    ReservedRequest,
    ReservedState,
)

__all__ = ["KisReserved"]

_SIDE = {"SELL": "01", "BUY": "02"}
_CASH = "10"
"""Ordinary cash holdings, as in the broker's sample."""


class KisReserved:
    """Reads raise BrokerError, BrokerUnsupported on the practice host, which keeps no reservations; preparing
    one there raises BrokerMisconfigured."""

    def __init__(self, client: KisClient) -> None:
        self._client = client

    def prepare(self, request: ReservedRequest) -> PreparedPost:
        """The bytes of a new reservation."""
        return orders.post_of(self._client, "order_resv", "", self._order(request))

    def prepare_change(self, change: ReservedChange) -> PreparedPost:
        """The bytes of a cancel, or of a revision where the change says what it becomes."""
        body = self._order(change.becomes or change.order) | {
            "RSVN_ORD_SEQ": change.number,
            "RSVN_ORD_ORGNO": "",
            "RSVN_ORD_ORD_DT": "",
            "CTAL_TLNO": "",
        }
        del body["LDNG_DT"]
        variant = "modify" if change.becomes else "cancel"
        return orders.post_of(self._client, "order_resv_rvsecncl", variant, body)

    def read_reply(self, raw: RawReply) -> Reply:
        """The neutral content of an answer to a new reservation: its number stands for an order's."""
        return self._numbered(raw, "RSVN_ORD_SEQ")

    def read_change(self, raw: RawReply, change: ReservedChange) -> Reply:
        """The same of a change: done only where the broker says so itself (NRML_PRCS_YN), and then under the
        number that was changed."""
        reply = self._numbered(raw, "NRML_PRCS_YN")
        done = reply.order_no.upper() == "Y"
        return replace(reply, order_no=change.number if done else "")

    def orders(self, first: date, last: date) -> tuple[ReservedOrder, ...]:
        """Reservations for the sessions of these days, in whatever state, from every page. Raises BrokerGarbled
        when one is listed twice."""
        if not self._client.offers("order_resv_ccnl"):
            raise BrokerUnsupported("reserved orders are not offered in this environment")
        params = self._client.credentials.account | {
            "RSVN_ORD_ORD_DT": f"{first:%Y%m%d}",
            "RSVN_ORD_END_DT": f"{last:%Y%m%d}",
            "TMNL_MDIA_KIND_CD": "00",
            "PRCS_DVSN_CD": "0",
            "CNCL_YN": "Y",
            "RSVN_ORD_SEQ": "",
            "PDNO": "",
            "SLL_BUY_DVSN_CD": "",
        }
        found: dict[str, ReservedOrder] = {}
        for body in self._client.pages("order_resv_ccnl", params):
            for row in read_table("order_resv_ccnl", body).rows["output"]:
                order = _reserved(row)
                if order.number in found:
                    raise BrokerGarbled(f"reservation {order.number} is listed twice")
                found[order.number] = order
        return tuple(found.values())

    # --- inside -------------------------------------------------------------------------------
    def _order(self, request: ReservedRequest) -> dict[str, str]:
        return self._client.credentials.account | {
            "PDNO": request.ticker,
            "ORD_QTY": str(request.quantity),
            "ORD_UNPR": "0" if request.limit is None else str(request.limit),
            "SLL_BUY_DVSN_CD": _SIDE[request.side],
            "ORD_DVSN_CD": "01" if request.limit is None else "00",
            "ORD_OBJT_CBLC_DVSN_CD": _CASH,
            "LOAN_DT": "",
            "RSVN_ORD_END_DT": f"{request.until:%Y%m%d}" if request.until else "",
            "LDNG_DT": "",
        }

    @staticmethod
    def _numbered(raw: RawReply, field: str) -> Reply:
        reply = orders.decode_reply(raw)
        body = parsing.decode(raw.body) if reply.parsed else None
        try:
            found = parsing.rows(body, "output") if body and "output" in body else []
            text = parsing.text(found[0], field) if len(found) == 1 else ""
        except BrokerGarbled:
            text = ""
        return replace(reply, order_no=text)


def _reserved(row: Row) -> ReservedOrder:
    session, until = row.get("rsvn_ord_ord_dt"), row.get("rsvn_end_dt")
    seq, ticker = str(row.get("rsvn_ord_seq") or ""), str(row.get("pdno") or "")
    if not isinstance(session, date) or not seq.isdigit() or not ticker:
        raise BrokerGarbled("a reservation without a session, a number or an instrument")
    quantity, filled = whole(row, "ord_rsvn_qty"), whole(row, "tot_ccld_qty")
    if quantity <= 0 or not 0 <= filled <= quantity:
        raise BrokerGarbled("a reservation's quantities do not add up")
    limit, amount = number(row, "ord_rsvn_unpr"), number(row, "tot_ccld_amt")
    if limit != limit.to_integral_value() or amount != amount.to_integral_value():
        raise BrokerGarbled("a reservation whose won are not whole")
    order_no = str(row.get("odno") or "")
    refusal = str(row.get("rjct_rson2") or "").strip()
    return ReservedOrder(
        number=seq,
        session=session,
        until=until if isinstance(until, date) else None,
        ticker=ticker,
        side=_side(row),
        quantity=quantity,
        limit=int(limit) if limit > 0 else None,
        filled_quantity=filled,
        filled_amount=int(amount),
        state=_state(row, order_no, refusal),
        order_no=order_no.zfill(10) if order_no.strip("0") else "",
        refusal=refusal,
    )


def _state(row: Row, order_no: str, refusal: str) -> ReservedState:
    """A refusal is told by its reason, a cancel by its day: the words of `prcs_rslt` are not documented."""
    if isinstance(row.get("cncl_ord_dt"), date):
        return ReservedState.CANCELLED
    if refusal:
        return ReservedState.REFUSED
    return ReservedState.SENT if order_no.strip("0") else ReservedState.WAITING


def _side(row: Row) -> Literal["SELL", "BUY"]:
    code = row.get("sll_buy_dvsn_cd")
    if code not in ("01", "02"):
        raise BrokerGarbled("a reservation that neither buys nor sells")
    return "SELL" if code == "01" else "BUY"
