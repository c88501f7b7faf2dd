"""Reserved US orders on the wire: taken, taken back, listed with what became of them."""

from __future__ import annotations

from trading.domain.matching import Side
from trading.simulator.calls.accounts import SIDE_CODES, SIDE_NAMES
from trading.simulator.calls.orders import SENT_MOCK, SENT_REAL
from trading.simulator.calls.us_accounts import (
    after_of,
    between,
    choice,
    day_of,
    plain,
    us_paged,
    venues_of,
)
from trading.simulator.calls.us_orders import exchange_of, price_of, us_refusal, whole_of
from trading.simulator.http import Reply, json_reply
from trading.simulator.placing import Refused
from trading.simulator.truth import Truth
from trading.simulator.us.entry import UsNewOrder
from trading.simulator.us.listings import EXCHANGES, LISTINGS, PRODUCT_TYPES
from trading.simulator.us.money import dollars
from trading.simulator.us.reserved import Reserved
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill, page

__all__ = ["HANDLERS"]

SIDES = {"usBuy": Side.BUY, "usSell": Side.SELL}
PAGE = 20
NO_ASIA = "해당 거래소는 제공하지 않습니다.(미국 거래소만 거래 가능)"


def reserve(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """A reservation for the session that opens tonight; limit, for a sale MOO (31) too."""
    if ask.service.variant not in SIDES:
        raise Refusal("APBK0656", NO_ASIA)
    side, exchange = SIDES[ask.service.variant], exchange_of(ask)
    choice(ask, "RVSE_CNCL_DVSN_CD", ("", "00"))
    known = ("", "00") if mock or side is Side.BUY else ("", "00", "31")
    dvsn = choice(ask, "ORD_DVSN", known) or "00"
    order = UsNewOrder(
        account=ask.account,
        code=ask.get("PDNO"),
        exchange=exchange,
        side=side,
        quantity=whole_of(ask.get("FT_ORD_QTY")),
        price=price_of(ask.get("FT_ORD_UNPR3"), dvsn),
        dvsn=dvsn,
    )
    found = truth.us.reserve(order, ask.seq)
    if isinstance(found, Refused):
        raise us_refusal(found.why, mock)
    ask.options["placed"] = found
    values = {
        "ODNO": found.number,
        "RSVN_ORD_RCIT_DT": f"{found.received:%Y%m%d}",
        "OVRS_RSVN_ODNO": found.number,
    }
    msg_cd, msg1 = SENT_MOCK[side.value] if mock else SENT_REAL
    return _sent(ask, msg_cd, msg1, fill("overseas_order_resv", "output", values))


def take_back(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """A reservation that has not been sent is taken back."""
    day, number = day_of(ask, "RSVN_ORD_RCIT_DT"), ask.get("OVRS_RSVN_ODNO").zfill(10)
    found = truth.us.unreserve(ask.account, day, number)
    if isinstance(found, Refused):
        raise us_refusal(found.why, mock)
    ask.options["placed"] = found
    output = fill("overseas_order_resv_ccnl", "output", {"OVRS_RSVN_ODNO": found.number})
    return _sent(ask, "APBK1711", "취소주문이 접수되었습니다.", output)


def _sent(ask: Ask, msg_cd: str, msg1: str, output: dict[str, str]) -> Reply:
    body = {"rt_cd": "0", "msg_cd": msg_cd, "msg1": msg1.ljust(MSG_WIDTH), "output": output}
    return json_reply(body, headers={"tr_id": ask.tr_id, "tr_cont": "D"})


def listed(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Reservations of a span of Seoul days, the oldest first, with the orders they became."""
    first, last = between(ask, "INQR_STRT_DT", "INQR_END_DT")
    venues = venues_of(ask, mock)
    if ask.service.variant != "us":
        return plain(ask, mock, {"output": []}, empty=True)
    rows = [
        one
        for one in truth.us.reserved
        if one.order.account == ask.account
        and first <= one.received.date() <= last
        and one.order.exchange in venues
        and ask.get("PRDT_TYPE_CD") in ("", PRODUCT_TYPES[one.order.exchange])
    ]
    chosen, after = page(rows, [one.number for one in rows], after_of(ask), PAGE)
    body = {"output": [_row(truth, one) for one in chosen]}
    return us_paged(ask, mock, body, after, empty=not rows)


def _row(truth: Truth, one: Reserved) -> dict[str, str]:
    order, ledger = one.order, truth.us.shown(one.order.account)
    became = ledger.orders.get((one.session, one.odno))
    state = ("02", "전송") if one.odno else ("03", "거부") if one.reason else ("01", "접수")
    values = {
        "cncl_yn": "Y" if one.cancelled else "N",
        "rsvn_ord_rcit_dt": f"{one.received:%Y%m%d}",
        "ovrs_rsvn_odno": one.number,
        "ord_dt": f"{one.session:%Y%m%d}" if one.odno else "",
        "ord_gno_brno": truth.us.orgno if one.odno else "",
        "odno": one.odno,
        "sll_buy_dvsn_cd": SIDE_CODES[order.side],
        "sll_buy_dvsn_cd_name": SIDE_NAMES[order.side],
        "ovrs_rsvn_ord_stat_cd": state[0],
        "ovrs_rsvn_ord_stat_cd_name": state[1],
        "pdno": order.code,
        "prdt_type_cd": PRODUCT_TYPES[order.exchange],
        "prdt_name": LISTINGS[order.code].name,
        "ord_rcit_tmd": f"{one.received:%H%M%S}",
        "ord_fwdg_tmd": f"{one.sent:%H%M%S}" if one.sent else "",
        "tr_dvsn_name": state[1],
        "ovrs_excg_cd": order.exchange,
        "tr_mket_name": EXCHANGES[order.exchange],
        "ord_stfno": "999999",
        "ft_ord_qty": order.quantity,
        "ft_ord_unpr3": dollars(order.price, 8),
        "ft_ccld_qty": became.filled if became else 0,
        "nprc_rson_text": one.reason,
    }
    return fill("overseas_order_resv_list", "output", values)


HANDLERS = {
    "overseas_order_resv": reserve,
    "overseas_order_resv_ccnl": take_back,
    "overseas_order_resv_list": listed,
}
