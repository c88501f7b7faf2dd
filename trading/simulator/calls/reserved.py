"""Reserved orders on the wire: taken, changed, taken back, listed with what became of them."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial

from trading.domain.matching import Side
from trading.simulator.calls.accounts import SIDE_CODES
from trading.simulator.calls.orders import PRICED, REAL_REFUSALS, refusal_of
from trading.simulator.http import Reply, json_reply
from trading.simulator.order_types import ONE_PRICE, TYPES
from trading.simulator.placing import NewOrder, Refused, Why
from trading.simulator.reservations import Reservation
from trading.simulator.truth import Truth
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill, found, page

__all__ = ["HANDLERS"]

SIDES = {code: side for side, code in SIDE_CODES.items()}
RESERVED = frozenset({"00", "01", "02", "05"})
PAGE = 20
DONE, WAITING, CANCELLED, REFUSED = "처리", "미처리", "취소", "거부"
STATES = {"": (DONE, WAITING, CANCELLED, REFUSED), "0": (DONE, WAITING, CANCELLED, REFUSED),
          "1": (DONE, REFUSED), "2": (WAITING, CANCELLED)}  # fmt: skip


def reserve(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """A reservation for the next session, or for every session up to RSVN_ORD_END_DT."""
    one = truth.reservations.take(_order(ask), _until(ask), truth.time, truth.market, truth.journal)
    if isinstance(one, Refused):
        raise refusal_of(one.why, mock)
    ask.options["placed"] = one
    output = fill("order_resv", "output", {"RSVN_ORD_SEQ": one.seq})
    return _sent(ask, "APBK2938", "예약주문이 접수되었습니다.", output)


def change(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Take back (CTSC0009U) or change (CTSC0013U) one that is still to be sent, or sent again."""
    seq, kept = ask.get("RSVN_ORD_SEQ"), truth.reservations
    if ask.service.variant == "cancel":
        one = kept.cancel(ask.account, seq, truth.time, truth.filled, truth.journal)
    else:
        one = kept.revise(
            seq, _order(ask), _until(ask), truth.time, truth.market, truth.filled, truth.journal
        )
    if isinstance(one, Refused):
        raise refusal_of(one.why, mock)
    ask.options["placed"] = one
    output = fill("order_resv_rvsecncl", "output", {"NRML_PRCS_YN": "Y"})
    return _sent(ask, "APBK2939", "예약주문 정정취소가 접수되었습니다.", output)


def _until(ask: Ask) -> date | None:
    end = ask.get("RSVN_ORD_END_DT")
    return _day(end, "RSVN_ORD_END_DT") if end else None


def _order(ask: Ask) -> NewOrder:
    dvsn = ask.get("ORD_DVSN_CD")
    side = SIDES.get(ask.get("SLL_BUY_DVSN_CD"))
    if dvsn not in RESERVED:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [ORD_DVSN_CD]")
    if side is None:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [SLL_BUY_DVSN_CD]")
    kind = TYPES[dvsn]
    priced = kind.order_type in PRICED and dvsn not in ONE_PRICE
    quantity, price = ask.get("ORD_QTY"), ask.get("ORD_UNPR")
    return NewOrder(
        account=ask.account,
        code=ask.get("PDNO"),
        side=Side(side),
        quantity=int(quantity) if quantity.isascii() and quantity.isdigit() else 0,
        order_type=kind.order_type,
        price=int(price) if priced and price.isascii() and price.isdigit() else 0,
        tif=kind.tif,
        dvsn=dvsn,
    )


def _sent(ask: Ask, msg_cd: str, msg1: str, output: dict[str, str]) -> Reply:
    body = {"rt_cd": "0", "msg_cd": msg_cd, "msg1": msg1.ljust(MSG_WIDTH), "output": output}
    return json_reply(body, headers={"tr_id": ask.tr_id, "tr_cont": "D"})


def listed(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Reservations that are meant for a day of the span, the oldest first; fills as the order list
    shows them."""
    first = _day(ask.get("RSVN_ORD_ORD_DT"), "RSVN_ORD_ORD_DT")
    last = _day(ask.get("RSVN_ORD_END_DT"), "RSVN_ORD_END_DT")
    states = STATES.get(ask.get("PRCS_DVSN_CD"))
    if states is None:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [PRCS_DVSN_CD]")
    rows = [
        one
        for one in truth.reservations.rows
        if one.order.account == ask.account
        and first <= one.until
        and one.first <= last
        and _state(truth, one) in states
        and (ask.get("CNCL_YN") == "Y" or one.cancelled is None)
        and ask.get("RSVN_ORD_SEQ") in ("", str(one.seq))
        and ask.get("PDNO") in ("", one.order.code)
        and ask.get("SLL_BUY_DVSN_CD") in ("", "00", SIDE_CODES[one.order.side])
    ]
    after = ask.get("CTX_AREA_NK200") if ask.next_page else ""
    chosen, more = page(rows, [str(one.seq) for one in rows], after, PAGE)
    msg_cd, msg1 = found(mock, bool(more), bool(after), not rows)
    body = {
        "ctx_area_fk200": "!^".join((ask.account[:8], ask.get("PRCS_DVSN_CD"))).ljust(200),
        "ctx_area_nk200": more.ljust(200),
        "output": [_row(truth, one) for one in chosen],
        "rt_cd": "0",
        "msg_cd": msg_cd,
        "msg1": msg1.ljust(MSG_WIDTH),
    }
    return json_reply(body, headers={"tr_id": ask.tr_id, "tr_cont": "M" if more else "D"})


def _shown(truth: Truth, account: str, key: tuple[date, str]) -> tuple[int, int]:
    """(shares, won) that the broker's screens show as filled of an order by now."""
    row = truth.shown(account, truth.time).orders.get(key)
    return (row.filled, row.amount) if row else (0, 0)


def _state(truth: Truth, one: Reservation) -> str:
    """Waiting as long as it will be tried; then whether any session took it."""
    if one.cancelled is not None:
        return CANCELLED
    if truth.reservations.waits(one, truth.time, partial(_shown, truth)):
        return WAITING
    return DONE if one.sent else REFUSED


def _row(truth: Truth, one: Reservation) -> dict[str, str]:
    order = one.order
    fills = [_shown(truth, order.account, key) for key in one.sent]
    reason = REAL_REFUSALS[Why(one.reason)][1] if one.reason else ""
    values = {
        "rsvn_ord_seq": one.seq,
        "rsvn_ord_ord_dt": f"{one.first:%Y%m%d}",
        "rsvn_ord_rcit_dt": f"{one.received:%Y%m%d}",
        "pdno": order.code,
        "ord_dvsn_cd": order.dvsn,
        "ord_rsvn_qty": order.quantity,
        "tot_ccld_qty": sum(shares for shares, _won in fills),
        "cncl_ord_dt": f"{one.cancelled:%Y%m%d}" if one.cancelled else "",
        "ord_tmd": f"{one.sent_at:%H%M%S}" if one.sent_at else "",
        "ctac_tlno": "0",
        "rjct_rson2": reason,
        "odno": one.sent[-1][1] if one.sent else "",
        "rsvn_ord_rcit_tmd": f"{one.received:%H%M%S}",
        "kor_item_shtn_name": truth.market.listing(order.code).name,
        "sll_buy_dvsn_cd": SIDE_CODES[order.side],
        "ord_rsvn_unpr": order.price,
        "tot_ccld_amt": sum(won for _shares, won in fills),
        "loan_dt": "",
        "cncl_rcit_tmd": f"{one.cancelled:%H%M%S}" if one.cancelled else "",
        "prcs_rslt": _state(truth, one),
        "ord_dvsn_name": "현금매수" if order.side is Side.BUY else "현금매도",
        "tmnl_mdia_kind_cd": "31",
        "rsvn_end_dt": f"{one.until:%Y%m%d}",
    }
    return fill("order_resv_ccnl", "output", values)


def _day(text: str, name: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]") from None


HANDLERS = {
    "order_resv": reserve,
    "order_resv_rvsecncl": change,
    "order_resv_ccnl": listed,
}
