"""Orders on the wire: new, revised and cancelled, with the broker's codes for every refusal."""

from __future__ import annotations

from trading.domain.matching import OrderType, Side, TimeInForce
from trading.simulator.http import Reply, json_reply
from trading.simulator.order_types import MOCK_TYPES, ONE_PRICE, TYPES, takes
from trading.simulator.placing import NewOrder, Placed, Refused, Why
from trading.simulator.truth import Truth
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, fill

__all__ = ["HANDLERS", "PRICED", "order_cash", "order_rvsecncl", "refusal_of"]

PRICED = frozenset({OrderType.LIMIT, OrderType.CONDITIONAL})

REAL_REFUSALS: dict[Why, tuple[str, str]] = {
    Why.NOT_A_SESSION: ("APBK0919", "주문일자가 장운영일자와 다릅니다."),
    Why.BEFORE_OPEN: ("APBK0918", "장운영시간이 아닙니다.(장개시전)"),
    Why.AFTER_CLOSE: ("APBK1058", "주문가능시간이 아닙니다."),
    Why.UNKNOWN_CODE: ("APBK0656", "해당종목정보가 없습니다."),
    Why.QUANTITY: ("APBK0400", "주문수량을 확인하여 주십시오."),
    Why.OFF_TICK: ("APBK0506", "호가단위 오류입니다."),
    Why.OUTSIDE_LIMITS: ("APBK0506", "주문단가가 상하한가 범위를 벗어났습니다."),
    Why.HALTED: ("APBK0634", "거래정지 종목입니다."),
    Why.NO_PRICE: ("APBK0506", "최유리/최우선 호가가 없습니다."),
    Why.AUCTION_TYPE: ("APBK1058", "동시호가 시간에는 사용할 수 없는 주문구분입니다."),
    Why.NOT_HELD: ("APBK1234", "매도가능수량이 부족합니다."),
    Why.NOT_SELLABLE: ("APBK0400", "주문 가능한 수량을 초과했습니다."),
    Why.NO_CASH: ("APBK0952", "주문가능금액을 초과 했습니다"),
    Why.NO_ORIGINAL: ("APBK1663", "원주문번호가 존재하지 않습니다."),
    Why.NOTHING_LEFT: ("APBK0400", "정정취소 가능수량이 없습니다."),
    Why.TYPE: ("OPSQ2001", "ERROR : INPUT FIELD INVALID [ORD_DVSN]"),
    Why.NOT_ON_VENUE: ("APBK0656", "해당 시장에서 거래할 수 없는 종목입니다."),
    Why.NO_MARKET_PRE: ("APBK0918", "장운영시간이 아닙니다.([프리마켓] 시장가 매매 불가 시간)"),
    Why.NO_MARKET_AFTER: (
        "APBK3013",
        "[애프터마켓]시장가매매불가: 지정가 및 최유리/최우선지정가 주문만 가능합니다.",
    ),
}
MOCK_REFUSALS: dict[Why, tuple[str, str]] = {
    Why.NOT_A_SESSION: ("40100000", "모의투자 영업일이 아닙니다."),
    Why.BEFORE_OPEN: ("40570000", "모의투자 장시작전 입니다."),
    Why.AFTER_CLOSE: ("40580000", "모의투자 장종료 입니다."),
    Why.QUANTITY: ("40310000", "모의투자 주문수량을 확인하여 주십시오."),
    Why.OFF_TICK: ("40310000", "모의투자 주문단가를 확인하여 주십시오."),
    Why.OUTSIDE_LIMITS: ("40310000", "모의투자 주문단가가 상하한가 범위를 벗어났습니다."),
    Why.NOTHING_LEFT: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
    Why.NO_ORIGINAL: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
}
SENT_REAL = ("APBK0013", "주문 전송 완료 되었습니다.")
SENT_MOCK = {
    "buy": ("40600000", "모의투자 매수주문이 완료 되었습니다."),
    "sell": ("40590000", "모의투자 매도주문이 완료 되었습니다."),
    "revise": ("40630000", "모의투자 정정주문이 완료 되었습니다."),
    "cancel": ("40630000", "모의투자 취소주문이 완료 되었습니다."),
}


def refusal_of(why: Why, mock: bool) -> Refusal:
    """The broker's code and text for a reason of truth."""
    code, text = REAL_REFUSALS[why]
    if mock:
        code, text = MOCK_REFUSALS.get(why, (code, text))
    return Refusal(code, text)


def order_cash(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """A new cash order; the side comes from the TR id."""
    code = ask.get("PDNO")
    dvsn, order_type, tif = _order_type(ask, mock)
    venue = _venue(ask, mock)
    if not takes(venue, dvsn, truth.time.date()):
        raise refusal_of(Why.TYPE, mock)
    quantity, price = _whole(ask.get("ORD_QTY")), _price(ask.get("ORD_UNPR"), dvsn)
    order = NewOrder(
        ask.account, code, Side(ask.side), quantity, order_type, price, tif, dvsn, venue
    )
    placed = truth.place(
        order,
        ask.seq,
        reach=_reach(ask, quantity),
        hide=ask.options.get("hide", 0.0),
        slow=ask.options.get("slow", 0.0),
    )
    return _answer(truth, placed, ask, mock, ask.side, (code, ask.side, quantity))


def order_rvsecncl(truth: Truth, ask: Ask, mock: bool) -> Reply:
    """Revise (01) or cancel (02) a working order; the answer carries a new number."""
    original = (ask.get("KRX_FWDG_ORD_ORGNO"), ask.get("ORGN_ODNO").zfill(10))
    whole = ask.get("QTY_ALL_ORD_YN").upper() == "Y"
    quantity = None if whole else _whole(ask.get("ORD_QTY"))
    action = ask.get("RVSE_CNCL_DVSN_CD")
    if action == "02":
        placed = truth.cancel(original, ask.account, quantity, ask.seq)
        return _answer(truth, placed, ask, mock, "cancel", ("", "", quantity or 0))
    if action != "01":
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [RVSE_CNCL_DVSN_CD]")
    dvsn, order_type, tif = _order_type(ask, mock)
    price = _price(ask.get("ORD_UNPR"), dvsn)
    placed = truth.revise(original, ask.account, quantity, (dvsn, order_type, tif), price, ask.seq)
    return _answer(truth, placed, ask, mock, "revise", ("", "", quantity or 0))


def _answer(
    truth: Truth,
    placed: Placed | Refused,
    ask: Ask,
    mock: bool,
    action: str,
    what: tuple[str, str, int],
) -> Reply:
    if isinstance(placed, Refused):
        refusal = refusal_of(placed.why, mock)
        code, side, quantity = what
        truth.journal.write(
            "refused", account=ask.account, ticker=code, side=side, qty=quantity,
            code=refusal.code, reason=placed.why.value, req_seq=ask.seq,
        )  # fmt: skip
        raise refusal
    ask.options["placed"] = placed
    msg_cd, msg1 = SENT_MOCK[action] if mock else SENT_REAL
    output = {
        "KRX_FWDG_ORD_ORGNO": placed.orgno,
        "ODNO": placed.odno,
        "ORD_TMD": f"{placed.at:%H%M%S}",
    }
    return json_reply(
        {
            "rt_cd": "0",
            "msg_cd": msg_cd,
            "msg1": msg1.ljust(MSG_WIDTH),
            "output": fill(ask.service.call.name, "output", output),
        },
        headers={"tr_id": ask.tr_id, "tr_cont": "D"},
    )


def _order_type(ask: Ask, mock: bool) -> tuple[str, OrderType, TimeInForce]:
    dvsn = ask.get("ORD_DVSN")
    kind = TYPES.get(dvsn)
    if kind is None or (mock and dvsn not in MOCK_TYPES):
        raise refusal_of(Why.TYPE, mock)
    return dvsn, kind.order_type, kind.tif


def _venue(ask: Ask, mock: bool) -> str:
    venue = ask.get("EXCG_ID_DVSN_CD") or "KRX"
    if venue != "KRX" and (mock or venue not in ("NXT", "SOR")):
        raise Refusal("OPSQ2001", "ERROR : INPUT FIELD INVALID [EXCG_ID_DVSN_CD]")
    return venue


def _whole(text: str) -> int:
    """A whole number of shares; anything else is 0, which the exchange refuses as a quantity."""
    return int(text) if text.isascii() and text.isdigit() else 0


def _price(text: str, dvsn: str) -> int:
    """The limit in won, 0 for a price-less type; -1 (off every grid) for what is not a price."""
    whole = text.isascii() and text.isdigit()
    price = int(text) if whole else -1 if text else 0
    if TYPES[dvsn].order_type in PRICED and dvsn not in ONE_PRICE:
        return price or -1
    if price:
        raise Refusal("APBK0506", "시장가 등 단가가 없는 주문은 주문단가를 0으로 입력하십시오.")
    return 0


def _reach(ask: Ask, quantity: int) -> int | None:
    share = ask.options.get("reach")
    return None if share is None else max(1, int(quantity * share)) if quantity > 1 else 0


HANDLERS = {
    "order_cash": order_cash,
    "order_rvsecncl": order_rvsecncl,
}
