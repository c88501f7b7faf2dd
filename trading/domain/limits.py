"""The pre-trade gate: every rule, on values read just before, all reasons at once.

The same function replays a stored check, so `GateInputs` holds everything a verdict depends on.
A rule that cannot be evaluated refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import is_on_tick

__all__ = [
    "NOT_ASKED",
    "GateInputs",
    "GateLimits",
    "RULE_SET_VERSION",
    "RuleResult",
    "evaluate_gate",
    "tightest",
]

RULE_SET_VERSION = "gate-5"
NOT_ASKED = -1
"""What a stored check says of a figure that its rule set did not ask for."""


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Defaults of the product. An account's rows may tighten each, and loosen the won and the share of volume
    alone."""

    quote_age_seconds: int = 5
    collar_percent: str = "3"
    max_quantity: int = 1_000_000
    max_order_won: int = 5_000_000_000
    max_ticker_day_won: int = 10_000_000_000
    max_run_won: int = 20_000_000_000
    max_day_won: int = 20_000_000_000
    volume_share_percent: str = "10"
    per_minute: int = 60
    per_day: int = 200
    duplicate_seconds: int = 60


def tightest(limits: Sequence[GateLimits]) -> GateLimits:
    """The smaller of each; with no limits at all the product's own."""
    found = list(limits) or [GateLimits()]
    return GateLimits(
        **{
            one.name: min((getattr(each, one.name) for each in found), key=Decimal)
            for one in fields(GateLimits)
        }
    )


@dataclass(frozen=True, slots=True)
class GateInputs:
    """What the gate looks at. Times are ISO text, money whole won, so that a stored row replays."""

    action: str
    origin: str
    side: str
    quantity: int
    limit_price: int | None
    kind: str
    now: str
    switch: str
    environment_ok: bool
    market_open: bool
    cancel_allowed_now: bool
    instrument_tradable: bool
    approval_ok: bool
    deadline: str
    lane_free: bool
    account_paused: bool
    opposite_open: int
    duplicates: int
    sent_last_minute: int
    sent_today: int
    quote_at: str | None = None
    quote_last: int | None = None
    upper_limit: int | None = None
    lower_limit: int | None = None
    halted: bool | None = None
    vi: bool | None = None
    warning: str = ""
    sellable: int | None = None
    open_sell_shares: int = 0
    orderable_won: int | None = None
    orderable_at: str | None = None
    cash_changed_at: str | None = None
    reserved_won: int = 0
    needed_won: int = 0
    budget_won: int | None = None
    budget_used_won: int = 0
    ticker_won: int = 0
    run_won: int = 0
    day_won: int = 0
    """Won that today's orders have traded or still may: on this name, of this run, on the account."""
    previous_volume: int | None = NOT_ASKED
    limits: dict[str, Any] | None = None
    """The limits in force, by name; None in checks of older rule sets: those followed the product's own."""
    other_build: str = ""
    """Another build that may still send for the account, or whose order has no answer."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule: passed or not, and the numbers that decided it."""

    rule: str
    passed: bool
    numbers: dict[str, Any]


class Verdict(NamedTuple):
    """What one rule found."""

    passed: bool
    numbers: dict[str, Any]


Rule = Callable[[GateInputs, GateLimits], Verdict]


def evaluate_gate(inputs: GateInputs, limits: GateLimits | None = None) -> list[RuleResult]:
    """Every rule that applies to `inputs`; the verdict is PASS only when all passed."""
    limits = limits or GateLimits(**(inputs.limits or {}))
    rules = _CANCEL_RULES if inputs.action == "cancel" else _ORDER_RULES
    return [_guarded(name, rule, inputs, limits) for name, rule in rules.items()]


def _guarded(name: str, rule: Rule, inputs: GateInputs, limits: GateLimits) -> RuleResult:
    try:
        passed, numbers = rule(inputs, limits)
    except Exception as error:
        # Fail closed: a rule that breaks has not passed.
        return RuleResult(name, False, {"error": type(error).__name__})
    return RuleResult(name, bool(passed), numbers)


def _switch(i: GateInputs, _: GateLimits) -> Verdict:
    allowed = i.switch == "ACTIVE" or (i.switch == "REDUCING" and i.side == "SELL")
    return Verdict(allowed, {"state": i.switch})


def _environment(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.environment_ok, {})


def _build(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(not i.other_build, {"other": i.other_build})


def _account(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(not i.account_paused, {})


def _session(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.market_open, {"now": i.now})


def _cancel_session(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.cancel_allowed_now, {"now": i.now})


def _instrument(i: GateInputs, _: GateLimits) -> Verdict:
    passed = i.instrument_tradable and i.halted is False
    return Verdict(passed, {"tradable": i.instrument_tradable, "halted": i.halted})


def _interruption(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.vi is False, {"vi": i.vi})


def _restricted(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.side == "SELL" or not i.warning, {"warning": i.warning})


def _approval(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.approval_ok, {})


def _deadline(i: GateInputs, _: GateLimits) -> Verdict:
    passed = datetime.fromisoformat(i.now) <= datetime.fromisoformat(i.deadline)
    return Verdict(passed, {"deadline": i.deadline})


def _lane(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.lane_free, {})


def _quantity(i: GateInputs, limits: GateLimits) -> Verdict:
    passed = 1 <= i.quantity <= limits.max_quantity
    return Verdict(passed, {"quantity": i.quantity, "max": limits.max_quantity})


def _quote_age(i: GateInputs, limits: GateLimits) -> Verdict:
    assert i.quote_at is not None
    age = (datetime.fromisoformat(i.now) - datetime.fromisoformat(i.quote_at)).total_seconds()
    return Verdict(-1 <= age <= limits.quote_age_seconds, {"age_seconds": round(age, 1)})


def _grid(i: GateInputs, _: GateLimits) -> Verdict:
    passed = i.limit_price is None or is_on_tick(i.limit_price, InstrumentKind(i.kind))
    return Verdict(passed, {"price": i.limit_price})


def _band(i: GateInputs, _: GateLimits) -> Verdict:
    assert i.lower_limit is not None and i.upper_limit is not None
    passed = i.limit_price is None or i.lower_limit <= i.limit_price <= i.upper_limit
    return Verdict(passed, {"low": i.lower_limit, "high": i.upper_limit})


def _collar(i: GateInputs, limits: GateLimits) -> Verdict:
    assert i.quote_last is not None
    if i.limit_price is None:
        return Verdict(True, {"last": i.quote_last})
    away = abs(Decimal(i.limit_price) / i.quote_last - 1) * 100
    return Verdict(
        away <= Decimal(limits.collar_percent),
        {"price": i.limit_price, "last": i.quote_last, "away_percent": str(round(away, 2))},
    )


def _notional(i: GateInputs, limits: GateLimits) -> Verdict:
    amount = _won(i)
    return Verdict(amount <= limits.max_order_won, {"won": amount, "max": limits.max_order_won})


def _won(i: GateInputs) -> int:
    """At worst: a purchase at market may cost as much as the day allows."""
    price = i.limit_price or (i.upper_limit if i.side == "BUY" else i.quote_last)
    assert price is not None
    return price * i.quantity


def _ticker_day(i: GateInputs, limits: GateLimits) -> Verdict:
    won = i.ticker_won + _won(i)
    return Verdict(won <= limits.max_ticker_day_won, {"won": won, "max": limits.max_ticker_day_won})


def _run(i: GateInputs, limits: GateLimits) -> Verdict:
    if i.origin != "run":
        return Verdict(True, {})
    won = i.run_won + _won(i)
    return Verdict(won <= limits.max_run_won, {"won": won, "max": limits.max_run_won})


def _day(i: GateInputs, limits: GateLimits) -> Verdict:
    won = i.day_won + _won(i)
    return Verdict(won <= limits.max_day_won, {"won": won, "max": limits.max_day_won})


def _volume(i: GateInputs, limits: GateLimits) -> Verdict:
    """A sale is not held back for want of the figure: it makes the account safer."""
    if i.previous_volume == NOT_ASKED or (i.previous_volume is None and i.side == "SELL"):
        return Verdict(True, {})
    assert i.previous_volume is not None
    share = Decimal(limits.volume_share_percent)
    passed = Decimal(100) * i.quantity <= share * i.previous_volume
    return Verdict(passed, {"quantity": i.quantity, "volume": i.previous_volume, "max": str(share)})


def _pace(i: GateInputs, limits: GateLimits) -> Verdict:
    passed = i.sent_last_minute < limits.per_minute
    return Verdict(passed, {"last_minute": i.sent_last_minute, "max": limits.per_minute})


def _order_count(i: GateInputs, limits: GateLimits) -> Verdict:
    """Apart from the pace: that passes within a minute, the day's count not before tomorrow."""
    passed = i.sent_today < limits.per_day and limits.per_minute > 0
    return Verdict(passed, {"today": i.sent_today, "max": limits.per_day})


def _duplicate(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.duplicates == 0, {"same_within_minute": i.duplicates})


def _self_trade(i: GateInputs, _: GateLimits) -> Verdict:
    return Verdict(i.opposite_open == 0, {"opposite_open": i.opposite_open})


def _shares(i: GateInputs, _: GateLimits) -> Verdict:
    if i.side != "SELL":
        return Verdict(True, {})
    assert i.sellable is not None
    free = i.sellable - i.open_sell_shares
    return Verdict(i.quantity <= free, {"quantity": i.quantity, "sellable": free})


def _cash(i: GateInputs, _: GateLimits) -> Verdict:
    if i.side != "BUY":
        return Verdict(True, {})
    assert i.orderable_won is not None and i.orderable_at is not None
    fresh = i.cash_changed_at is None or datetime.fromisoformat(
        i.cash_changed_at
    ) <= datetime.fromisoformat(i.orderable_at)
    enough = i.needed_won + i.reserved_won <= i.orderable_won
    return Verdict(
        fresh and enough,
        {
            "needed": i.needed_won,
            "reserved": i.reserved_won,
            "orderable": i.orderable_won,
            "fresh": fresh,
        },
    )


def _budget(i: GateInputs, _: GateLimits) -> Verdict:
    """The broker's figure may lag behind what it accepted; our own sum since the cash was confirmed
    does not."""
    if i.side != "BUY" or i.budget_won is None:
        return Verdict(True, {})
    return Verdict(
        i.needed_won + i.budget_used_won <= i.budget_won,
        {"needed": i.needed_won, "used": i.budget_used_won, "confirmed": i.budget_won},
    )


_ORDER_RULES: dict[str, Rule] = {
    "switch": _switch,
    "environment": _environment,
    "one_build": _build,
    "account_not_paused": _account,
    "session_open": _session,
    "instrument_tradable": _instrument,
    "not_interrupted": _interruption,
    "no_warning_on_buy": _restricted,
    "approved": _approval,
    "before_deadline": _deadline,
    "lane_free": _lane,
    "quantity": _quantity,
    "quote_fresh": _quote_age,
    "price_on_tick": _grid,
    "price_inside_daily_limits": _band,
    "price_collar": _collar,
    "order_amount": _notional,
    "ticker_amount": _ticker_day,
    "run_amount": _run,
    "day_amount": _day,
    "volume_share": _volume,
    "pace": _pace,
    "order_count": _order_count,
    "no_duplicate": _duplicate,
    "no_self_trade": _self_trade,
    "shares": _shares,
    "cash": _cash,
    "budget": _budget,
}
_CANCEL_RULES: dict[str, Rule] = {
    "environment": _environment,
    "session_open": _cancel_session,
    "lane_free": _lane,
    "quantity": _quantity,
}
