"""Everything the page of one run shows, read with few queries and named for the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rebalancing.models import Leg, RebalancingHistory, Run
from rebalancing.selectors.gaps import class_name
from trading.models import Approval, Instrument, Intent, Ledger

__all__ = [
    "CheckGroup",
    "DriftPair",
    "Fill",
    "Money",
    "Sent",
    "approvals_of",
    "check_groups",
    "drift_pairs",
    "fills_of",
    "history_of",
    "legs_of",
    "money_of",
    "names_in",
    "run_of",
    "sent_of",
]


def run_of(run_id: int, accounts: Any) -> Run | None:
    """The run when it belongs to one of `accounts`; a run of anybody else's does not exist."""
    return (
        Run.objects.filter(pk=run_id, account__in=accounts)
        .select_related("account", "snapshot", "target__model_version__portfolio", "config")
        .defer("snapshot__raw")
        .first()
    )


def legs_of(run: Run) -> list[Leg]:
    """The legs of the newest plan, sells first as they are sent."""
    return list(
        Leg.objects.filter(run=run, generation=run.generation)
        .select_related("instrument")
        .order_by("number")
    )


def approvals_of(run: Run) -> list[Approval]:
    return list(Approval.objects.filter(subject=run.subject).order_by("id"))


def history_of(run: Run) -> RebalancingHistory | None:
    return RebalancingHistory.objects.filter(run=run).first()


@dataclass(frozen=True, slots=True)
class Money:
    """What the plan moves, in won, at reference prices; cash before, confirmed and after."""

    sells: int
    buys: int
    expected_cost: int
    filled_sells: int
    filled_buys: int
    fees: int
    taxes: int
    cash_before: int | None
    cash_after: int | None
    equity: int | None
    real_cost: int | None = None

    @property
    def price_difference(self) -> int | None:
        """What is left of the real cost after fees and taxes; below zero the prices were better."""
        return None if self.real_cost is None else self.real_cost - self.fees - self.taxes

    @property
    def cost_is_high(self) -> bool:
        return self.real_cost is not None and self.real_cost > 2 * self.expected_cost

    @property
    def turnover_percent(self) -> Decimal | None:
        return Decimal(100 * (self.sells + self.buys)) / self.equity if self.equity else None

    @property
    def cash_planned(self) -> int | None:
        if self.cash_before is None:
            return None
        return self.cash_before + self.sells - self.buys - self.expected_cost


def money_of(run: Run, legs: list[Leg], history: RebalancingHistory | None = None) -> Money:
    sells = [leg for leg in legs if leg.side == "SELL"]
    buys = [leg for leg in legs if leg.side == "BUY"]
    return Money(
        sells=sum(leg.quantity * leg.reference_price for leg in sells),
        buys=sum(leg.quantity * leg.reference_price for leg in buys),
        expected_cost=sum(leg.expected_cost for leg in legs),
        filled_sells=sum(leg.filled_amount for leg in sells),
        filled_buys=sum(leg.filled_amount for leg in buys),
        fees=sum(leg.fee for leg in legs),
        taxes=sum(leg.tax for leg in legs),
        cash_before=run.snapshot.cash if run.snapshot else None,
        cash_after=run.end_facts.get("cash"),
        equity=run.snapshot.equity if run.snapshot else None,
        real_cost=history.real_cost if history else None,
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """The orders of one leg that left the house: how many, and their limits (none: at market)."""

    count: int
    low: int | None
    high: int | None


def sent_of(run: Run) -> dict[int, Sent]:
    """Leg → what was really sent for it. A chased or sliced leg has several orders."""
    rows = (
        Intent.objects.filter(
            origin=Intent.Origin.RUN, origin_id=run.pk, action="order", attempts__isnull=False
        )
        .distinct()
        .values_list("id", "leg_id", "limit_price")
    )
    limits: dict[int, list[int | None]] = {}
    for _id, leg, limit in rows:
        limits.setdefault(leg or 0, []).append(limit)
    found = {}
    for leg, each in limits.items():
        priced = [limit for limit in each if limit is not None]
        found[leg] = Sent(len(each), min(priced, default=None), max(priced, default=None))
    return found


@dataclass(frozen=True, slots=True)
class Fill:
    """One booked step of one of the run's orders."""

    at: datetime
    ticker: str
    name: str
    side: str
    quantity: int
    amount: int
    fee: int
    tax: int
    order_no: str

    @property
    def price(self) -> int:
        return round(self.amount / self.quantity)


def fills_of(run: Run) -> list[Fill]:
    rows = (
        Ledger.objects.filter(
            order__owner__origin=Intent.Origin.RUN, order__owner__origin_id=run.pk
        )
        .select_related("order__instrument")
        .order_by("id")
    )
    return [
        Fill(
            row.posted_at,
            row.order.instrument_id,
            row.order.instrument.name,
            row.order.side,
            row.quantity,
            row.amount,
            row.fee,
            row.tax,
            row.order.order_no,
        )
        for row in rows
    ]


def names_in(run: Run, legs: list[Leg]) -> dict[str, str]:
    """Ticker → name for everything the run talks about."""
    known = {leg.instrument_id: leg.instrument.name for leg in legs}
    drift = run.outcome.get("drift", {})
    wanted = {check["ticker"] for check in run.outcome.get("checks", []) if check["ticker"]}
    wanted |= {*drift.get("sub", {}), *(t["ticker"] for t in run.outcome.get("filtered", []))}
    missing = wanted - set(known)
    if missing:
        known |= dict(Instrument.objects.filter(ticker__in=missing).values_list("ticker", "name"))
    return known


@dataclass(frozen=True, slots=True)
class DriftPair:
    """Drift of one class or name before and after the run, in points."""

    level: str
    code: str
    name: str
    before: Decimal | None
    after: Decimal | None
    triggered: bool
    still: bool = False
    """Beyond its threshold afterwards too."""


def drift_pairs(
    run: Run, history: RebalancingHistory | None, names: Mapping[str, str]
) -> list[DriftPair]:
    before = run.outcome.get("drift", {})
    after = history.drift_after if history else {}
    triggers = {tuple(t) for t in before.get("triggers", [])}
    left = {tuple(t) for t in after.get("triggers", [])}
    pairs = []
    for level, key in (("MP", "mp"), ("SUB", "sub")):
        old, new = before.get(key, {}), after.get(key, {})
        for code in dict.fromkeys([*old, *new]):
            name = class_name(code) if level == "MP" else names.get(code, code)
            pairs.append(
                DriftPair(
                    level,
                    code,
                    name,
                    _number(old.get(code)),
                    _number(new.get(code)),
                    (level, code) in triggers,
                    (level, code) in left,
                )
            )
    return pairs


def _number(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """The checks of one rule. `worst` is FAIL, note or PASS; what is not plain is shown open."""

    rule: str
    checks: tuple[dict[str, Any], ...]

    @property
    def passed(self) -> int:
        return sum(check["verdict"] != "FAIL" for check in self.checks)

    @property
    def worst(self) -> str:
        verdicts = {check["verdict"] for check in self.checks}
        if "FAIL" in verdicts:
            return "FAIL"
        return "PASS" if verdicts == {"PASS"} else "note"

    @property
    def open(self) -> bool:
        return self.worst != "PASS" or len(self.checks) == 1


def check_groups(run: Run) -> list[CheckGroup]:
    """V1 to V4, each with its checks in the order they were made."""
    checks = run.outcome.get("checks", [])
    rules = dict.fromkeys(check["rule"] for check in checks)
    return [CheckGroup(rule, tuple(c for c in checks if c["rule"] == rule)) for rule in rules]
