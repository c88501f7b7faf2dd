"""Codes of runs, checks and alerts as sentences, for templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext as _

from rebalancing.selectors.words import STATE_NAMES, WORDS, check_sentence, price_rule
from trading.models import ApprovalPolicy

register = template.Library()


@register.filter
def state_name(state: str, end_reason: str = "") -> str:
    """The state in words; one that somebody stopped says so instead of sounding finished."""
    if end_reason in ("stopped_by_person", "stopped_by_switch"):
        return str(_("중지됨, 일부 체결"))
    return str(STATE_NAMES.get(state, state))


@register.filter
def rule_name(strategy: str) -> str:
    return price_rule(strategy or "")


@register.filter
def sentence(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """The sentence of a code with its facts."""
    return WORDS.say(code, facts) if code else ""


@register.filter
def explain(reason: Any) -> str:
    """A `Reason`, or the record's copy of one ({"code": …, facts}), as a sentence."""
    if isinstance(reason, Mapping):
        return WORDS.say(str(reason.get("code", "")), reason)
    return WORDS.say(reason.code, reason.facts)


@register.filter
def check_words(check: Mapping[str, Any]) -> str:
    return check_sentence(check["rule"], check["verdict"], check["numbers"])


@register.filter
def expected_amount(leg: Any) -> int:
    """Won at the reference price."""
    return leg.quantity * leg.reference_price  # type: ignore[no-any-return]


@register.filter
def filled_width(leg: Any) -> str:
    return f"{100 * leg.filled_quantity / leg.quantity:.1f}%"


@register.filter
def traded(money: Any) -> int:
    """Won that changed hands, sells and buys together."""
    return money.filled_sells + money.filled_buys  # type: ignore[no-any-return]


@register.filter
def size(points: Any, places: int = 1) -> str:
    """How far, without the direction: the sentence around it says which."""
    return f"{abs(points):.{places}f}"


@register.filter
def cost_is_high(history: Any) -> bool:
    """More than twice what was expected."""
    return bool(history.real_cost > 2 * history.expected_cost)


_ACTORS = {"engine": _("엔진"), "system": _("시스템"), "defaults": _("기본값")}


@register.filter
def actor(by: str) -> str:
    """Who did something: a person by name, what ran by itself in words."""
    return str(_ACTORS.get(by, by))


@register.filter
def policy_name(kind: str) -> str:
    if kind == "automatic":
        return str(_("한도 안 자동"))
    return str(dict(ApprovalPolicy.Kind.choices).get(kind, kind))
