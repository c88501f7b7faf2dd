"""Orders that this broker's accounts may not give: on credit, and in America's daytime session.

They are read, checked and refused with a reason, as any order is that an account has no right to.
"""

from __future__ import annotations

from typing import NoReturn

from trading.simulator.calls.us_orders import exchange_of, whole_of
from trading.simulator.http import Reply
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, Refusal

__all__ = ["HANDLERS"]

NO_CREDIT = ("APBK0952", "신용거래 약정이 없는 계좌입니다.")
NO_LOAN = ("APBK1234", "신용 매도가능수량이 없습니다.")
NO_DAYTIME = ("APBK1664", "해외주식 주간거래 주문가능시간이 아닙니다.")
NO_ORIGINAL = ("APBK1663", "원주문번호가 존재하지 않습니다.")


def order_credit(truth: Truth, ask: Ask, mock: bool) -> Reply:
    if ask.get("PDNO") not in truth.market:
        _refuse(truth, ask, ("APBK0656", "해당종목정보가 없습니다."))
    _refuse(truth, ask, NO_CREDIT if ask.service.variant == "buy" else NO_LOAN)


def daytime_order(truth: Truth, ask: Ask, mock: bool) -> Reply:
    exchange_of(ask)
    _refuse(truth, ask, NO_DAYTIME)


def daytime_change(truth: Truth, ask: Ask, mock: bool) -> Reply:
    exchange_of(ask)
    _refuse(truth, ask, NO_ORIGINAL)


def _refuse(truth: Truth, ask: Ask, why: tuple[str, str]) -> NoReturn:
    code, text = why
    truth.journal.write(
        "refused", account=ask.account, ticker=ask.get("PDNO"), side=ask.service.variant,
        qty=whole_of(ask.get("ORD_QTY")), code=code, reason=text, req_seq=ask.seq,
    )  # fmt: skip
    raise Refusal(code, text)


HANDLERS = {
    "order_credit": order_credit,
    "overseas_daytime_order": daytime_order,
    "overseas_daytime_order_rvsecncl": daytime_change,
}
