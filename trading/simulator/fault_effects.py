"""What each fault does: one small function per effect, called at the point it was armed for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trading.domain.costs import CommissionRates
from trading.domain.sessions import SEOUL
from trading.simulator.faults import AFTER, AT, LATE, Armed, Delivery
from trading.simulator.http import Reply, Request, encode, html_reply, json_reply
from trading.simulator.lies import LIES
from trading.simulator.lies.busts import bust
from trading.simulator.placing import NewOrder
from trading.simulator.truth import Truth
from trading.simulator.wire import MSG_WIDTH, Ask, Refusal, refuse

if TYPE_CHECKING:
    from trading.simulator.world import World

__all__ = ["STATE_EFFECTS", "Strike", "due_time", "fire_state"]

ORDERS = frozenset({"order_cash", "overseas_order", "order_resv", "overseas_order_resv"})
CHANGES = frozenset(
    {"order_rvsecncl", "overseas_order_rvsecncl", "order_resv_rvsecncl", "overseas_order_resv_ccnl"}
)
SIDES = {"01": "sell", "02": "buy"}
INQUIRIES = frozenset(
    {
        "inquire_daily_ccld",
        "inquire_balance",
        "inquire_psbl_rvsecncl",
        "order_resv_ccnl",
        "overseas_inquire_ccnl",
        "overseas_inquire_nccs",
        "overseas_inquire_balance",
        "overseas_order_resv_list",
    }
)


class Strike:
    """One request on its way through the points at which armed faults may strike it."""

    def __init__(self, world: World, request: Request, seq: int) -> None:
        self.world = world
        self.request = request
        self.seq = seq
        self.ask: Ask | None = None
        self.reply: Reply | None = None
        self.pending: list[tuple[Armed, Callable[[], bool]]] = []

    def at(self, point: str) -> Delivery | None:
        """Let the due faults of `point` strike; the first that takes over the reply wins."""
        if point == AFTER:
            self._settle_pending()
        for armed in self.world.faults.due(point, self.matches):
            delivery, struck = self._strike(armed)
            if struck:
                self._fired(armed)
            if delivery:
                return delivery
        return None

    def late(self) -> None:
        """Faults that strike once the reply is on its way."""
        for armed in self.world.faults.due(LATE, self.matches):
            if fire_state(self.world, armed):
                self._fired(armed)

    def matches(self, armed: Armed) -> bool:
        if not self._in_scope(armed.spec.scope):
            return False
        facts = self.facts()
        return all(str(facts.get(name, "")) == str(value) for name, value in armed.match.items())

    def facts(self) -> dict[str, Any]:
        """What a match can look at."""
        ask = self.ask
        if ask is None:
            return {"tr_id": self.request.headers.get("tr_id", "")}
        side = ask.side or SIDES.get(ask.get("SLL_BUY_DVSN_CD"), "")
        ticker = ask.get("PDNO") or ask.get("FID_INPUT_ISCD")
        if ask.service.call.name == "order_rvsecncl":
            original = self.original()
            if original:
                side, ticker = original.side.value, original.code
        return {
            "tr_id": ask.tr_id,
            "ticker": ticker,
            "side": side,
            "account": ask.account,
            "page": ask.page_number(),
        }

    def original(self) -> Any:
        """The order that a revise or cancel is about, None when there is none."""
        assert self.ask is not None
        truth = self.world.truth
        key = (truth.time.date(), self.ask.get("ORGN_ODNO").zfill(10))
        return truth.account(self.ask.account).truth.orders.get(key)

    def _in_scope(self, scope: str) -> bool:
        if scope == "token":
            return self.request.path == "/oauth2/tokenP"
        if self.ask is None:
            return scope == "state" and not self.request.path.startswith("/oauth2/")
        name = self.ask.service.call.name
        if scope == "order":
            return name in ORDERS or name in CHANGES
        if scope == "cancel":
            return name in CHANGES
        if scope == "inquiry":
            return name in INQUIRIES
        return scope in ("any", "state")

    def accepted(self) -> bool:
        """True when this request is an order that truth has taken."""
        return self.ask is not None and "placed" in self.ask.options

    def _strike(self, armed: Armed) -> tuple[Delivery | None, bool]:
        effect = EFFECTS.get(armed.fault)
        if effect is None:
            return None, fire_state(self.world, armed)
        return effect(self, armed)

    def later(self, armed: Armed, really: Callable[[], bool]) -> tuple[None, bool]:
        """Prepared before acceptance; counts as fired only if `really` says so after it."""
        self.pending.append((armed, really))
        return None, False

    def _settle_pending(self) -> None:
        for armed, really in self.pending:
            if self.accepted() and really():
                self._fired(armed)
        self.pending.clear()

    def _fired(self, armed: Armed) -> None:
        self.world.journal.write(
            "fault_fired", fault=armed.fault, req_seq=self.seq, arm=armed.number
        )
        self.world.faults.fired(armed)


Struck = tuple[Delivery | None, bool]
NOTHING: Struck = (None, False)


def _cut(strike: Strike, armed: Armed) -> Struck:
    return Delivery(None, wait=armed.number_param("seconds", 0), cut=True), True


def _cut_if_accepted(strike: Strike, armed: Armed) -> Struck:
    return _cut(strike, armed) if strike.accepted() else NOTHING


def _half_reply(strike: Strike, armed: Armed) -> Struck:
    if not strike.accepted() or strike.reply is None:
        return NOTHING
    whole = len(encode(strike.reply, strike.world.truth.time))
    half = whole - len(strike.reply.body) // 2
    part = int(armed.number_param("bytes", half))
    return Delivery(strike.reply, part=min(part, whole - 1), cut=True), True


def _html(status: int) -> Callable[[Strike, Armed], Struck]:
    def effect(strike: Strike, armed: Armed) -> Struck:
        if armed.accepted is not False and not strike.accepted():
            return NOTHING
        reply = html_reply(int(armed.number_param("status", status)))
        if armed.params.get("empty"):
            reply.body = b""
        return Delivery(reply), True

    return effect


def _code(default: str, status: int | None = None) -> Callable[[Strike, Armed], Struck]:
    """A JSON refusal in place of the reply; for two-way faults only if truth agrees."""

    def effect(strike: Strike, armed: Armed) -> Struck:
        if armed.accepted and not strike.accepted():
            return NOTHING
        code = str(armed.params.get("code", default))
        chosen = armed.params.get("status", status)
        refusal = Refusal(code, str(armed.params.get("text", "")), int(chosen) if chosen else None)
        return Delivery(refuse(refusal, _tr_id(strike))), True

    return effect


def _business_refusal(default: str) -> Callable[[Strike, Armed], Struck]:
    def effect(strike: Strike, armed: Armed) -> Struck:
        ask = strike.ask
        assert ask is not None
        code = str(armed.params.get("code", default))
        text = str(armed.params.get("text", REFUSAL_TEXTS.get(code, "주문이 거부되었습니다.")))
        facts = strike.facts()
        overseas = ask.service.call.name.startswith("overseas_")
        strike.world.journal.write(
            "us_refused" if overseas else "refused", account=ask.account,
            ticker=facts["ticker"], side=facts["side"],
            qty=int(ask.get("ORD_QTY") or ask.get("FT_ORD_QTY") or 0),
            code=code, reason="fault", req_seq=ask.seq,
        )  # fmt: skip
        rt_cd = str(armed.params.get("rt_cd", "1"))
        body = {"rt_cd": rt_cd, "msg_cd": code, "msg1": text.ljust(MSG_WIDTH)}
        status = int(armed.number_param("status", 200))
        return Delivery(json_reply(body, status, {"tr_id": ask.tr_id, "tr_cont": "D"})), True

    return effect


REFUSAL_TEXTS = {
    "APBK0918": "장운영시간이 아닙니다.",
    "APBK0919": "주문가능금액을 초과 했습니다",
    "APBK0952": "주문가능금액을 초과 했습니다",
    "APBK0400": "주문 가능한 수량을 초과했습니다.",
    "APBK0656": "해당종목정보가 없습니다.",
    "40310000": "모의투자 주문수량/단가를 확인하여 주십시오.",
}


def _no_number(strike: Strike, armed: Armed) -> Struck:
    if not strike.accepted() or strike.reply is None:
        return NOTHING
    body = json.loads(strike.reply.body)
    odno = armed.params.get("odno", "")
    if odno is None:
        body.pop("output", None)
    else:
        body["output"]["ODNO"] = str(odno)
    return Delivery(json_reply(body, 200, strike.reply.headers)), True


def _slow(strike: Strike, armed: Armed) -> Struck:
    seconds = armed.number_param("seconds", 9.9)
    return (Delivery(strike.reply, wait=seconds), True) if seconds > 0 else NOTHING


def _twice(strike: Strike, armed: Armed) -> Struck:
    ask, truth = strike.ask, strike.world.truth
    if not strike.accepted() or ask is None or ask.service.call.name != "order_cash":
        return NOTHING
    row = truth.account(ask.account).truth.orders[ask.options["placed"].key]
    copy = NewOrder(
        ask.account, row.code, row.side, row.quantity, row.order_type, row.price, row.tif,
        row.dvsn, row.venue,
    )  # fmt: skip
    return None, hasattr(truth.place(copy, ask.seq), "odno")


def _redirect(strike: Strike, armed: Armed) -> Struck:
    where = str(armed.params.get("location", "https://127.0.0.1:9/elsewhere"))
    reply = Reply(int(armed.number_param("status", 307)), b"", {"Location": where})
    return Delivery(reply), True


def _fill_first(strike: Strike, armed: Armed) -> Struck:
    assert strike.ask is not None
    domestic = strike.ask.service.call.name == "order_rvsecncl"
    order = strike.original() if domestic else None
    if order is None or order.remaining <= 0:
        return NOTHING
    return None, strike.world.truth.fill_now(order.odno) > 0


def _hide(strike: Strike, armed: Armed) -> Struck:
    """Something only where the lists would have shown the order before."""
    ask, truth = strike.ask, strike.world.truth
    assert ask is not None
    if ask.service.call.name != "order_cash":
        return NOTHING
    ask.options["hide"] = armed.number_param("seconds", 30)

    def hidden() -> bool:
        account, placed = truth.account(ask.account), ask.options["placed"]
        until = account.truth.orders[placed.key].hidden_until
        return until is not None and until > account.shown_since(placed.odno, truth.time)

    return strike.later(armed, hidden)


def _slow_proceeds(strike: Strike, armed: Armed) -> Struck:
    """Something only for a sale that trades as it comes."""
    ask, truth = strike.ask, strike.world.truth
    assert ask is not None
    if ask.service.call.name != "order_cash" or ask.side != "sell":
        return NOTHING
    seconds = armed.number_param("seconds", 30)
    if seconds <= 0:
        return NOTHING
    ask.options["slow"] = seconds

    def blocked() -> bool:
        placed = ask.options["placed"]
        if placed.filled <= 0:
            truth.slow_proceeds.pop(placed.odno, None)
        return bool(placed.filled > 0)

    return strike.later(armed, blocked)


def _partial_then_halt(strike: Strike, armed: Armed) -> Struck:
    ask, truth = strike.ask, strike.world.truth
    assert ask is not None
    if ask.service.call.name != "order_cash" or ask.get("ORD_QTY") == "1":
        return NOTHING  # one share has no part that could be filled
    ask.options["reach"] = armed.number_param("share", 0.5)
    code, seconds = ask.get("PDNO"), armed.params.get("seconds")

    def halted() -> bool:
        placed = ask.options["placed"]
        row = truth.account(ask.account).truth.orders[placed.key]
        if not 0 < placed.filled < row.quantity:
            return False
        truth.halt(code, True, float(seconds) if seconds else None)
        return True

    return strike.later(armed, halted)


def _page_error(strike: Strike, armed: Armed) -> Struck:
    if armed.params.get("cut"):
        return _cut(strike, armed)
    return _code("EGW00201")(strike, armed)


def _empty_list(strike: Strike, armed: Armed) -> Struck:
    if strike.reply is None or strike.reply.status != 200:
        return NOTHING
    body = json.loads(strike.reply.body)
    lists = [k for k in ("output", "output1") if isinstance(body.get(k), list) and body[k]]
    if not lists:
        return NOTHING
    for key in lists:
        body[key] = []
    for key, width in (("ctx_area_nk100", 100), ("ctx_area_nk200", 200)):
        if key in body:
            body[key] = " " * width
    return Delivery(json_reply(body, 200, {**strike.reply.headers, "tr_cont": "D"})), True


def _token_minute(strike: Strike, armed: Armed) -> Struck:
    text = "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)"
    body = {"error_description": text, "error_code": "EGW00133"}
    if armed.params.get("shape") == "msg":
        body = {"rt_cd": "1", "msg_cd": "EGW00133", "msg1": text}
    sent = strike.request.body.decode("utf-8", "replace")
    try:
        appkey = str(json.loads(sent or "{}").get("appkey", ""))
    except (ValueError, AttributeError):
        appkey = ""
    strike.world.journal.write("token_refuse", appkey=appkey, token=None)
    return Delivery(json_reply(body, 403)), True


EFFECTS: dict[str, Callable[[Strike, Armed], Struck]] = {
    "A02": _cut,
    "A03": _cut_if_accepted,
    "A04": _half_reply,
    "A05": _html(500),
    "A06": _html(502),
    "A07": _code("EGW00301"),
    "A08": _code("EGW00202"),
    "A09": _code("EGW00201"),
    "A10": _code("EGW00215"),
    "A11": _code("EGW00123"),
    "A12": _no_number,
    "A14": _business_refusal("APBK0952"),
    "A15": _business_refusal("APBK0918"),
    "A16": _code("APBK9999", 200),
    "A17": _slow,
    "A18": _twice,
    "A19": _redirect,
    "A21": _cut_if_accepted,
    "A22": _fill_first,
    "A27": _code("EGW02004"),
    "B01": _hide,
    "B03": _page_error,
    "B06": _empty_list,
    "D01": _token_minute,
    "E01": _partial_then_halt,
    "F02": _slow_proceeds,
    **LIES,
}


def _tr_id(strike: Strike) -> str:
    return strike.request.headers.get("tr_id", "")


# --- faults of the state ----------------------------------------------------------------------


def _revoke_tokens(world: World, params: dict[str, Any]) -> bool:
    return world.keys.revoke_all(str(params.get("code", "EGW00123")), params.get("appkey")) > 0


def _gap(world: World, params: dict[str, Any]) -> bool:
    truth: Truth = world.truth
    code = str(params.get("ticker", ""))
    if code not in world.market or not world.options.calendar.is_session(truth.time.date()):
        return False
    before = world.market.shown(code, truth.time).last
    world.market.gap(code, truth.time.date(), float(params.get("percent", -8)))
    truth.recheck(code)
    return world.market.shown(code, truth.time).last != before


def _lock(world: World, params: dict[str, Any]) -> bool:
    truth: Truth = world.truth
    code, day = str(params.get("ticker", "")), truth.time.date()
    if code not in world.market or not world.options.calendar.is_session(day):
        return False
    world.market.lock(code, day, str(params.get("limit", "lower")))
    truth.recheck(code)
    return True


def _move_cash(world: World, params: dict[str, Any]) -> bool:
    amount = int(params.get("amount", 0))
    reason = "deposit" if amount > 0 else "withdraw"
    return bool(world.truth.move_cash(str(params.get("account", "")), amount, reason))


def _charge_more(world: World, params: dict[str, Any]) -> bool:
    """Every later fill pays `percent` points more of its won than the account's rate."""
    more = Decimal(str(params.get("percent", "0.01"))) / 100
    rates = world.truth.rates
    world.truth.rates = CommissionRates(stock=rates.stock + more, fund=rates.fund + more)
    return bool(more)


def _shortfall(world: World, params: dict[str, Any]) -> bool:
    if "amount" in params:
        return _move_cash(world, {**params, "amount": -abs(int(params["amount"]))})
    return _gap(world, {"percent": -5, **params})


def _interrupt(world: World, params: dict[str, Any]) -> bool:
    code, seconds = str(params.get("ticker", "")), params.get("seconds")
    if code not in world.market:
        return False
    return world.market.interrupt(code, world.truth.time, float(seconds) if seconds else None)


STATE_EFFECTS: dict[str, Callable[[World, dict[str, Any]], bool]] = {
    "D02": _revoke_tokens,
    "E02": _interrupt,
    "E04": _gap,
    "E05": _lock,
    "E13": bust,
    "F01": _shortfall,
    "F04": _move_cash,
    "F08": _charge_more,
}


def fire_state(world: World, armed: Armed) -> bool:
    """Change truth as the fault says; True when something really changed."""
    params = dict(armed.params)
    for name in ("ticker", "account"):
        if name in armed.match:
            params.setdefault(name, armed.match[name])
    return STATE_EFFECTS[armed.fault](world, params)


def due_time(armed: Armed, now: datetime) -> datetime | None:
    """When an at_vt fault strikes: its `at`, or now; None for the other points."""
    if armed.when != AT:
        return None
    text = armed.params.get("at")
    if not text:
        return now
    at = datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=SEOUL)
