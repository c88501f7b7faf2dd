"""Codes of runs, checks and alerts as sentences, for templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from rebalancing.selectors.deeds import why_question
from rebalancing.selectors.triggers import TRIGGERS, trigger_sentence
from rebalancing.selectors.words import WORDS, check_sentence, end_said, price_rule, run_state_name
from trading.selectors.said import actor_said, policy_said

register = template.Library()


@register.filter
def state_name(state: str, end_reason: str = "") -> str:
    return run_state_name(state, end_reason)


@register.filter
def rule_name(strategy: str) -> str:
    return price_rule(strategy or "")


@register.filter
def sentence(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """The sentence of a code with its facts."""
    return end_said(code, facts)


@register.filter
def explain(reason: Any) -> str:
    """A `Reason`, or the record's copy of one ({"code": …, facts}), as a sentence."""
    if isinstance(reason, Mapping):
        return WORDS.say(str(reason.get("code", "")), reason)
    return WORDS.say(reason.code, reason.facts)


@register.filter
def check_words(check: Mapping[str, Any]) -> str:
    return check_sentence(check["rule"], check["verdict"], check["numbers"])


_ABILITIES = {
    "orders": _("현금 주문·정정·취소, 체결 조회"),
    "balance": _("잔고와 주문 가능 금액"),
    "quotes": _("현재가와 호가"),
    "candles": _("일봉과 당일 분봉"),
    "stream": _("실시간 체결가·호가"),
    "notices": _("실시간 주문 통보"),
    "open_orders": _("정정·취소 가능 주문 조회"),
    "sellable": _("매도 가능 수량 조회"),
    "realised": _("실현손익 조회"),
    "calendar": _("휴장일 조회"),
    "many_quotes": _("여러 종목 한 번에 조회"),
    "past_minutes": _("지난 날의 분봉"),
    "indices": _("지수"),
    "flows": _("투자자별 매매동향"),
    "rankings": _("순위"),
    "finance": _("재무"),
    "funds": _("ETF NAV"),
    "news": _("뉴스 제목"),
    "reserved_orders": _("예약주문"),
    "market_state": _("장 운영·VI 통보"),
    "us_orders": _("미국 주식 주문·잔고"),
    "us_quotes": _("미국 주식 시세"),
    "us_open_orders": _("미국 미체결 조회"),
}


@register.filter
def ability_name(code: str) -> str:
    return str(_ABILITIES[code])


@register.filter
def expected_amount(leg: Any) -> int:
    """Won at the reference price."""
    return leg.quantity * leg.reference_price  # type: ignore[no-any-return]


@register.filter
def filled_width(leg: Any) -> str:
    return f"{100 * leg.filled_quantity / leg.quantity:.1f}%"


@register.filter
def why_asked(leg: Any, run: Any) -> str:
    """What is asked about the leg, in the tense of its run's state."""
    over = run.is_terminal or leg.done or leg.generation < run.generation
    return why_question(leg.side, leg.filled_quantity, over)


@register.filter
def traded(money: Any) -> int:
    """Won that changed hands, sells and buys together."""
    return money.filled_sells + money.filled_buys  # type: ignore[no-any-return]


@register.filter
def size(points: Any, places: int = 1) -> str:
    """How far, without the direction: the sentence around it says which."""
    return f"{abs(points):.{places}f}"


@register.filter
def resolved(why: Any, side: str) -> str:
    """What two reasons that pull two ways come to; empty where none speaks against the trade."""
    return why.resolve(side)  # type: ignore[no-any-return]


@register.filter
def cost_is_high(history: Any) -> bool:
    """More than twice what was expected."""
    return bool(history.real_cost > 2 * history.expected_cost)


@register.filter
def trigger_name(run: Any) -> str:
    """What the schedule waited for that opened `run`."""
    return str(TRIGGERS.get(run.trigger_kind, run.trigger_kind))


@register.filter
def trigger_words(run: Any) -> str:
    """Why a run trades although no threshold need be reached; empty for every other run."""
    return trigger_sentence(run)


@register.filter
def actor(by: str) -> str:
    """Who did something: a person by name, what ran by itself in words."""
    return actor_said(by)


@register.filter
def policy_name(kind: str) -> str:
    return policy_said(kind)
