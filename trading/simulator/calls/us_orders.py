"""US orders on the wire: new ones, revisions and cancels, and how the broker words a refusal."""

from __future__ import annotations

from trading.domain.matching import Side
from trading.simulator.calls.orders import SENT_MOCK, SENT_REAL
from trading.simulator.http import Reply, json_reply
from trading.simulator.placing import Placed, Refused, Why
from trading.simulator.truth import Truth
from trading.simulator.us.entry import BUY_TYPES, PRICELESS, SELL_TYPES, UsNewOrder
from trading.simulator.us.listings import EXCHANGES
from trading.simulator.us.money import cents_of
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill

__all__ = ["ASIA", "HANDLERS", "exchange_of", "price_of", "us_refusal", "whole_of"]

ASIA = ("SEHK", "SHAA", "SZAA", "TKSE", "HASE", "VNSE")
MOCK_TYPES = ("00",)

REAL_REFUSALS: dict[Why, tuple[str, str]] = {
    Why.NOT_A_SESSION: ("APAM3099", "해당 시장의 휴장일입니다."),
    Why.BEFORE_OPEN: ("APBK1664", "해외주식 주문가능시간이 아닙니다.(장개시전)"),
    Why.AFTER_CLOSE: ("APBK1664", "해외주식 장이 종료되었습니다."),
    Why.UNKNOWN_CODE: ("APBK0656", "해당종목정보가 없습니다."),
    Why.QUANTITY: ("APBK0400", "주문수량을 확인하여 주십시오."),
    Why.OFF_TICK: ("APBK0506", "호가단위 오류입니다."),
    Why.AUCTION_TYPE: ("APBK1058", "해당 주문구분의 주문가능시간이 아닙니다."),
    Why.NOT_HELD: ("APBK1234", "매도가능수량이 부족합니다."),
    Why.NOT_SELLABLE: ("APBK0400", "주문 가능한 수량을 초과했습니다."),
    Why.NO_CASH: ("APBK0952", "주문가능금액을 초과 했습니다"),
    Why.NO_ORIGINAL: ("APBK1663", "원주문번호가 존재하지 않습니다."),
    Why.NOTHING_LEFT: ("APBK0400", "정정취소 가능수량이 없습니다."),
}
MOCK_REFUSALS: dict[Why, tuple[str, str]] = {
    Why.NOT_A_SESSION: ("40100000", "모의투자 영업일이 아닙니다."),
    Why.BEFORE_OPEN: ("40570000", "모의투자 장시작전 입니다."),
    Why.AFTER_CLOSE: ("40580000", "모의투자 장종료 입니다."),
    Why.QUANTITY: ("40310000", "모의투자 주문수량을 확인하여 주십시오."),
    Why.OFF_TICK: ("40310000", "모의투자 주문단가를 확인하여 주십시오."),
    Why.NOTHING_LEFT: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
    Why.NO_ORIGINAL: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
}


def us_refusal(why: Why, mock: bool) -> Refusal:
    """The broker's code and text for a reason of truth."""
    code, text = REAL_REFUSALS[why]
    if mock:
        code, text = MOCK_REFUSALS.get(why, (code, text))
    return Refusal(code, text)


def exchange_of(ask: Ask) -> str:
    """The US exchange that is named. Raises Refusal: Asia is not offered, other names are mistakes."""
    exchange = ask.get("OVRS_EXCG_CD")
    if exchange in ASIA:
        raise Refusal("APBK0656", "해당 거래소는 제공하지 않습니다.(미국 거래소만 거래 가능)")
    if exchange not in EXCHANGES:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [OVRS_EXCG_CD]")
    return exchange


def order(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """A new order; side and market come from the TR id, the price is dollars."""
    exchange = exchange_of(ask)
    if ask.market != "NASD":
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [OVRS_EXCG_CD]")
    dvsn = ask.get("ORD_DVSN")
    known = MOCK_TYPES if mock else BUY_TYPES if ask.side == "buy" else SELL_TYPES
    if dvsn not in known:
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [ORD_DVSN]")
    if ask.side == "sell" and ask.get("SLL_TYPE") not in ("", "00"):
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [SLL_TYPE]")
    wanted = UsNewOrder(
        account=ask.account,
        code=ask.get("PDNO"),
        exchange=exchange,
        side=Side(ask.side),
        quantity=whole_of(ask.get("ORD_QTY")),
        price=price_of(ask.get("OVRS_ORD_UNPR"), dvsn),
        dvsn=dvsn,
    )
    return _answer(truth, truth.us.place(wanted, ask.seq), wanted, ask, mock, ask.side)


def order_rvsecncl(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Revise (01) or cancel (02) a working order; a cancel of 0 shares takes all that is left."""
    action = ask.get("RVSE_CNCL_DVSN_CD")
    if action not in ("01", "02"):
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [RVSE_CNCL_DVSN_CD]")
    text = ask.get("ORD_QTY")
    quantity = whole_of(text)
    if not quantity and (action == "01" or text not in ("", "0")):
        quantity = -1
    asked = UsNewOrder(ask.account, ask.get("PDNO"), exchange_of(ask), Side.BUY, quantity, 0)
    odno = ask.get("ORGN_ODNO").zfill(10)
    if action == "02":
        placed = truth.us.cancel(asked, odno, ask.seq)
        return _answer(truth, placed, asked, ask, mock, "cancel")
    price = price_of(ask.get("OVRS_ORD_UNPR"), "00")
    placed = truth.us.revise(asked, odno, price, ask.seq)
    return _answer(truth, placed, asked, ask, mock, "revise")


def _answer(
    truth: Truth, placed: Placed | Refused, order: UsNewOrder, ask: Ask, mock: bool, action: str
) -> Reply:
    if isinstance(placed, Refused):
        refusal = us_refusal(placed.why, mock)
        truth.journal.write(
            "us_refused", account=ask.account, ticker=order.code, side=ask.side,
            qty=order.quantity, code=refusal.code, reason=placed.why.value, req_seq=ask.seq,
        )  # fmt: skip
        raise refusal
    ask.options["placed"] = placed
    msg_cd, msg1 = SENT_MOCK[action] if mock else SENT_REAL
    output = {
        "KRX_FWDG_ORD_ORGNO": placed.orgno,
        "ODNO": placed.odno,
        "ORD_TMD": f"{placed.at:%H%M%S}",
    }
    body = {
        "rt_cd": "0",
        "msg_cd": msg_cd,
        "msg1": msg1.ljust(MSG_WIDTH),
        "output": fill(ask.service.call.name, "output", output),
    }
    return json_reply(body, headers={"tr_id": ask.tr_id, "tr_cont": "D"})


def whole_of(text: str) -> int:
    """A whole number of shares; anything else is 0, which the exchange refuses as a quantity."""
    return int(text) if text.isascii() and text.isdigit() else 0


def price_of(text: str, dvsn: str) -> int:
    """The limit in cents, 0 for a price-less type; -1 (no price) for anything else."""
    cents = cents_of(text or "0")
    if cents is None or cents < 0:
        return -1
    if dvsn in PRICELESS:
        return 0 if cents == 0 else -1
    return cents or -1


HANDLERS = {
    "overseas_order": order,
    "overseas_order_rvsecncl": order_rvsecncl,
}
