"""The plans that wait for a decision, of several accounts at once, with what a person decides by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from rebalancing.domain.states import RunState
from rebalancing.models import Advice, Leg, Run
from rebalancing.selectors.advice_view import Way, way_of
from rebalancing.selectors.difference import Difference, advice_by_run, difference_of
from rebalancing.selectors.run_detail import Money, money_of
from trading.models import Account
from trading.selectors.people import Person, accounts_of

__all__ = ["Checks", "WaitingPlan", "count_checks", "waiting_count", "waiting_plans"]


CONCERNS = ("FAIL", "NEEDS_PERSON")
"""What a person has to have read before deciding."""


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks of one plan by what they found. `noted` passed with an explanation; `asked` leave it to a
    person."""

    passed: int = 0
    noted: int = 0
    asked: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.passed + self.noted + self.asked + self.failed


@dataclass(frozen=True, slots=True)
class WaitingPlan:
    run: Run
    legs: tuple[Leg, ...]
    money: Money
    checks: Checks
    difference: Difference | None

    @property
    def account(self) -> Account:
        return self.run.account

    @property
    def orders(self) -> list[tuple[Leg, Way]]:
        """Every order with how it is sent, in words."""
        return [
            (leg, way_of(leg.order_type, leg.price_strategy, leg.limit_price, leg.slices))
            for leg in self.legs
        ]

    @property
    def concerns(self) -> list[tuple[str, dict[str, Any]]]:
        """The checks that failed or leave it to a person, each with the name it is about; no name where
        it is about the whole account."""
        names = {leg.instrument_id: leg.instrument.name for leg in self.legs}
        return [
            (names.get(check["ticker"], check["ticker"]) if check["ticker"] else "", check)
            for check in self.run.outcome.get("checks", [])
            if check["verdict"] in CONCERNS
        ]

    @property
    def key(self) -> str:
        """The plan as a form names it: run and hash, so that another plan is another key."""
        return f"{self.run.pk}:{self.run.plan_hash}"

    def is_over(self, now: datetime | None) -> bool:
        """Its time has passed, and nobody has driven the run on yet."""
        ends = self.run.plan_expires_at
        return bool(now and ends and now > ends)


def count_checks(verdicts: Iterable[str]) -> Checks:
    found = Counter(verdicts)
    asked, failed, passed = found["NEEDS_PERSON"], found["FAIL"], found["PASS"]
    return Checks(passed, found.total() - passed - asked - failed, asked, failed)


def waiting_count(user: Person) -> int:
    """How many plans of the person's accounts wait."""
    return _waiting().filter(account__in=accounts_of(user)).count()


def waiting_plans(
    accounts: Iterable[Account], only: Iterable[int] | None = None
) -> list[WaitingPlan]:
    """The soonest to expire first. `only` names runs; those that wait no longer are left out."""
    rows = _waiting().filter(account__in=[account.pk for account in accounts])
    if only is not None:
        rows = rows.filter(pk__in=list(only))
    runs = list(
        rows.select_related("account", "snapshot")
        .defer("snapshot__raw", "snapshot__holdings", "snapshot__quotes", "plan")
        .order_by("plan_expires_at", "pk")
    )
    legs, advice = _legs_by_run(runs), advice_by_run(runs)
    return [_plan(run, legs.get(run.pk, []), advice.get(run.pk)) for run in runs]


def _waiting() -> QuerySet[Run]:
    return Run.objects.filter(terminal_at=None, state=RunState.AWAITING_APPROVAL)


def _legs_by_run(runs: Sequence[Run]) -> dict[int, list[Leg]]:
    newest = {run.pk: run.generation for run in runs}
    found: dict[int, list[Leg]] = {}
    rows = Leg.objects.filter(run__in=newest).select_related("instrument").order_by("number")
    for leg in rows:
        if leg.generation == newest[leg.run_id]:
            found.setdefault(leg.run_id, []).append(leg)
    return found


def _plan(run: Run, legs: list[Leg], advice: Advice | None) -> WaitingPlan:
    return WaitingPlan(
        run,
        tuple(legs),
        money_of(run, legs),
        count_checks(check["verdict"] for check in run.outcome.get("checks", [])),
        difference_of(run, legs, advice),
    )
