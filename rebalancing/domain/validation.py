"""Would these trades do what the plan says: enough cash, right weights, nothing outsized, sendable.

V1 cash, V2 weights, V3 single names, V4 orders (`docs/formulas.md` §7). Every check is reported with
its numbers, passed or not. One FAIL and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from rebalancing.domain.legs import Leg
from rebalancing.domain.netting import Side, Trade
from rebalancing.domain.pricing import DEFAULT_COLLAR, is_inside_collar
from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import is_on_tick
from trading.domain.sizing import DEFAULT_BUFFER
from trading.domain.targets import TargetWeights

__all__ = [
    "CheckResult",
    "PlanFacts",
    "TradeChecks",
    "Verdict",
    "check_trades",
    "is_acceptable",
    "needs_person",
    "validate_plan",
]

_CASH_MARGIN = Decimal("1.01")
_WEIGHT_MARGIN = Fraction(1, 100)
SINGLE_NAME_LIMIT = Fraction(1, 2)
_SLACK = Fraction(1, 10**9)


class Verdict(StrEnum):
    """PASS_… are passes that need a sentence of explanation; NEEDS_PERSON is not for a schedule."""

    PASS = "PASS"
    PASS_GRANULAR = "PASS_GRANULAR"
    PASS_FILTERED = "PASS_FILTERED"
    NEEDS_PERSON = "NEEDS_PERSON"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule, the name it looked at (None: the whole set), what it found, and the numbers."""

    rule: str
    ticker: str | None
    verdict: Verdict
    numbers: dict[str, object]


@dataclass(frozen=True, slots=True)
class TradeChecks:
    """V1–V3 on bare trades. Amounts in won; `anomalies` are names traded beyond half of equity."""

    cash_ok: bool
    cash_available: int
    cash_required: Decimal
    weights: dict[str, Verdict]
    anomalies: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.cash_ok and not self.anomalies and Verdict.FAIL not in self.weights.values()


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """All that the checks need to know besides the trades.

    `best_shares` is the allocator's answer; `held_back` names trades that the minimum-trade filter
    dropped, or shrank because a dropped sale brings no cash; `weights` are the targets as stated.
    """

    cash: int
    equity: int
    holdings: Mapping[str, int]
    prices: Mapping[str, int]
    weights: TargetWeights
    best_shares: Mapping[str, int]
    kinds: Mapping[str, InstrumentKind]
    held_back: Collection[str] = ()
    untradable: Collection[str] = ()
    buffer: Decimal = DEFAULT_BUFFER
    collar: Decimal = DEFAULT_COLLAR
    legs: Sequence[Leg] = field(default=())


def check_trades(
    trades: Mapping[str, int],
    prices: Mapping[str, int],
    cash: int,
    equity: int,
    holdings: Mapping[str, int],
    target_weights: Mapping[str, Decimal],
) -> TradeChecks:
    """V1, V2 and V3 on signed share counts, against the weights as given.

    V1: sells + cash must exceed 1.01 × buys, strictly; without buys it holds. V2: within 1 % of
    equity PASS, within one share PASS_GRANULAR, else FAIL. V3: a trade above 50 % of equity is an
    anomaly.
    """
    amounts = {ticker: count * prices[ticker] for ticker, count in trades.items()}
    buys = sum(won for won in amounts.values() if won > 0)
    available = cash - sum(won for won in amounts.values() if won < 0)
    required = _CASH_MARGIN * buys
    verdicts = {}
    for ticker in sorted({*trades, *target_weights, *holdings}):
        after = _weight_after(ticker, trades, prices, equity, holdings)
        miss = abs(after - Fraction(target_weights.get(ticker, Decimal(0))))
        verdicts[ticker] = _weight_verdict(miss, Fraction(prices.get(ticker, 0), equity))
    return TradeChecks(
        cash_ok=not buys or available > required,
        cash_available=available,
        cash_required=required,
        weights=verdicts,
        anomalies=tuple(t for t, won in sorted(amounts.items()) if _is_outsized(won, equity)),
    )


def validate_plan(trades: Sequence[Trade], facts: PlanFacts) -> tuple[CheckResult, ...]:
    """Every check of V1–V4, in that order, for the trades and the legs that carry them out.

    The weights compared with are those that can be reached (`TargetWeights.effective`). The
    allocator's own optimum never fails V2: what it misses is said with the best reachable weight. A
    name beyond half of equity is NEEDS_PERSON when an account without holdings buys a target, else
    FAIL.
    """
    signed = {trade.ticker: trade.signed for trade in trades}
    effective = facts.weights.effective(facts.buffer)
    checks = check_trades(signed, facts.prices, facts.cash, facts.equity, facts.holdings, effective)
    return (
        _cash_result(checks),
        *_weight_results(signed, checks, effective, facts),
        *_size_results(trades, checks, facts),
        *_order_results(trades, facts),
    )


def is_acceptable(checks: Sequence[CheckResult]) -> bool:
    """True when nothing failed. Such a plan may still be one for a person: see `needs_person`."""
    return all(check.verdict is not Verdict.FAIL for check in checks)


def needs_person(checks: Sequence[CheckResult]) -> bool:
    """True when a person must decide, whatever the account's approval policy says."""
    return any(check.verdict is Verdict.NEEDS_PERSON for check in checks)


def _weight_after(
    ticker: str,
    trades: Mapping[str, int],
    prices: Mapping[str, int],
    equity: int,
    holdings: Mapping[str, int],
) -> Fraction:
    count = holdings.get(ticker, 0) + trades.get(ticker, 0)
    return Fraction(count * prices[ticker], equity) if count else Fraction(0)


def _weight_verdict(miss: Fraction, one_share: Fraction) -> Verdict:
    if miss <= _WEIGHT_MARGIN + _SLACK:
        return Verdict.PASS
    return Verdict.PASS_GRANULAR if miss <= one_share + _SLACK else Verdict.FAIL


def _is_outsized(won: int, equity: int) -> bool:
    return abs(won) > SINGLE_NAME_LIMIT * equity


def _cash_result(checks: TradeChecks) -> CheckResult:
    numbers = {"available": checks.cash_available, "required": checks.cash_required}
    return CheckResult("V1", None, Verdict.PASS if checks.cash_ok else Verdict.FAIL, numbers)


def _weight_results(
    signed: Mapping[str, int], checks: TradeChecks, effective: TargetWeights, facts: PlanFacts
) -> list[CheckResult]:
    results = []
    for ticker, verdict in checks.weights.items():
        best = facts.best_shares.get(ticker, 0)
        if verdict is Verdict.FAIL:
            after = facts.holdings.get(ticker, 0) + signed.get(ticker, 0)
            if after == best:
                verdict = Verdict.PASS_GRANULAR
            elif ticker in facts.held_back:
                verdict = Verdict.PASS_FILTERED
        price = facts.prices.get(ticker, 0)
        weight = _weight_after(ticker, signed, facts.prices, facts.equity, facts.holdings)
        numbers: dict[str, object] = {
            "target": facts.weights.get(ticker, Decimal(0)),
            "effective": effective.get(ticker, Decimal(0)),
            "after": _decimal(weight),
            "one_share": _decimal(Fraction(price, facts.equity)),
            "reachable": _decimal(Fraction(best * price, facts.equity)),
        }
        results.append(CheckResult("V2", ticker, verdict, numbers))
    return results


def _size_results(
    trades: Sequence[Trade], checks: TradeChecks, facts: PlanFacts
) -> list[CheckResult]:
    first_funding = not any(facts.holdings.values())
    results = []
    for trade in trades:
        verdict = Verdict.PASS
        if trade.ticker in checks.anomalies:
            wanted = trade.side is Side.BUY and facts.weights.get(trade.ticker, Decimal(0)) > 0
            verdict = Verdict.NEEDS_PERSON if first_funding and wanted else Verdict.FAIL
        numbers: dict[str, object] = {
            "amount": trade.amount,
            "equity": facts.equity,
            "limit": int(SINGLE_NAME_LIMIT * facts.equity),
        }
        results.append(CheckResult("V3", trade.ticker, verdict, numbers))
    return results


def _order_results(trades: Sequence[Trade], facts: PlanFacts) -> list[CheckResult]:
    results = []
    for trade in trades:
        legs = [leg for leg in facts.legs if (leg.ticker, leg.side) == (trade.ticker, trade.side)]
        held = facts.holdings.get(trade.ticker, 0)
        problems = [
            problem
            for problem, found in (
                ("more_than_held", trade.side is Side.SELL and trade.quantity > held),
                ("bad_price", facts.prices.get(trade.ticker, 0) <= 0),
                ("not_tradable", trade.ticker in facts.untradable),
                ("unknown_kind", trade.ticker not in facts.kinds),
                *_leg_problems(trade, legs, facts),
            )
            if found
        ]
        numbers: dict[str, object] = {
            "quantity": trade.quantity,
            "held": held,
            "price": facts.prices.get(trade.ticker, 0),
            "limits": [leg.limit_price for leg in legs if leg.limit_price is not None],
            "problems": problems,
        }
        verdict = Verdict.FAIL if problems else Verdict.PASS
        results.append(CheckResult("V4", trade.ticker, verdict, numbers))
    return results


def _leg_problems(trade: Trade, legs: Sequence[Leg], facts: PlanFacts) -> list[tuple[str, bool]]:
    kind = facts.kinds.get(trade.ticker)
    limits = [leg.limit_price for leg in legs if leg.limit_price is not None]
    outside = [p for p in limits if not is_inside_collar(p, trade.price, facts.collar)]
    return [
        ("limit_off_tick", kind is not None and any(not is_on_tick(p, kind) for p in limits)),
        ("limit_outside_collar", bool(outside)),
        ("legs_do_not_add_up", bool(facts.legs) and _total(legs) != trade.quantity),
    ]


def _total(legs: Sequence[Leg]) -> int:
    return sum(leg.quantity for leg in legs)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
