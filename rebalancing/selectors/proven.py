"""What has really happened on practice accounts, counted: read before real money is let in.

Each line is something that goes wrong only in practice. A line without a case says so; none is ever assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, QuerySet

from rebalancing.domain.states import RunState
from rebalancing.models import Run
from trading.domain.orders import AttemptState
from trading.models import Account, Approval, Attempt, BrokerOrder, OrderAction, RuleCheck, Switch
from trading.selectors.people import Person, accounts_of
from trading.selectors.scopes import GLOBAL, account_scope

__all__ = ["PRACTICE", "Case", "Proof", "proven"]

ENDED_ALONE = (RunState.COMPLETED, RunState.COMPLETED_WITH_SHORTFALL, RunState.NO_ACTION)
"""How a run ends that did what it was to do; one that was denied, expired or stopped did not."""
PRACTICE = (Account.Environment.SIM, Account.Environment.MOCK)


@dataclass(frozen=True, slots=True)
class Case:
    """How often, and when last; `last` is None where it never happened."""

    count: int = 0
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing, on the simulator and on the broker's own practice host."""

    code: str
    simulator: Case
    practice: Case

    @property
    def seen(self) -> bool:
        return bool(self.simulator.count or self.practice.count)


def proven(user: Person) -> list[Proof]:
    """In the order of a run, over the practice accounts that the person may see."""
    accounts = accounts_of(user).filter(environment__in=PRACTICE)
    return [
        Proof(code, found.get("sim", Case()), found.get("mock", Case()))
        for code, found in _counted(accounts)
    ]


def _counted(accounts: QuerySet[Account]) -> list[tuple[str, Mapping[str, Case]]]:
    runs = Run.objects.filter(account__in=accounts, dry_run=False)
    orders = BrokerOrder.objects.filter(account__in=accounts, original_order_no="")
    ours = orders.exclude(source=BrokerOrder.Source.EXTERNAL)
    attempts = Attempt.objects.filter(intent__account__in=accounts)
    cancels = attempts.filter(action=OrderAction.CANCEL, state=AttemptState.ACKED)
    return [
        ("runs", _cases(runs.filter(state=RunState.COMPLETED), "account", "terminal_at")),
        ("shortfalls", _cases(
            runs.filter(state=RunState.COMPLETED_WITH_SHORTFALL), "account", "terminal_at"
        )),
        ("approvals", _cases(
            Approval.objects.filter(account__in=accounts, verdict=Approval.Verdict.APPROVE)
            .exclude(auth_level="policy"),
            "account", "decided_at",
        )),
        ("vetoes", _cases(
            RuleCheck.objects.filter(intent__account__in=accounts, verdict="VETO"),
            "intent__account", "at",
        )),
        ("fills", _cases(ours.filter(filled_quantity__gt=0), "account", "last_seen_at")),
        ("parts", _cases(
            ours.filter(filled_quantity__gt=0, filled_quantity__lt=F("quantity"), is_final=True),
            "account", "last_seen_at",
        )),
        ("cancels", _cases(
            orders.filter(
                Exists(cancels.filter(intent__target_order=OuterRef("pk"))),
                is_final=True, cancelled_quantity__gt=0,
            ),
            "account", "last_seen_at",
        )),
        ("refusals", _cases(
            attempts.filter(state=AttemptState.REJECTED), "intent__account", "answered_at"
        )),
        ("adopted", _cases(
            ours.filter(source=BrokerOrder.Source.ADOPTED), "account", "first_seen_at"
        )),
        ("external", _cases(
            orders.filter(source=BrokerOrder.Source.EXTERNAL), "account", "first_seen_at"
        )),
        ("stops", _stops(accounts)),
        ("schedules", _cases(
            runs.filter(requester_kind=Run.Requester.SCHEDULE, state__in=ENDED_ALONE),
            "account", "terminal_at",
        )),
    ]  # fmt: skip


def _cases(rows: QuerySet[Any], account: str, moment: str) -> dict[str, Case]:
    """Cases by environment, in one question."""
    told = (
        rows.order_by()
        .values(environment=F(f"{account}__environment"))
        .annotate(count=Count("pk"), last=Max(moment))
    )
    return {row["environment"]: Case(row["count"], row["last"]) for row in told}


def _stops(accounts: QuerySet[Account]) -> dict[str, Case]:
    """Stops by people: of single accounts, and of everything, which tried each environment that the person
    practises in."""
    where = {account_scope(account): account.environment for account in accounts}
    found: dict[str, Case] = {}
    rows = (
        Switch.objects.filter(scope__in=[GLOBAL, *where], state=Switch.State.HALTED)
        .exclude(by="system")
        .order_by()
        .values("scope")
        .annotate(count=Count("pk"), last=Max("at"))
    )
    for row in rows:
        tried = set(where.values()) if row["scope"] == GLOBAL else {where[row["scope"]]}
        for environment in tried:
            found[environment] = _more(found.get(environment, Case()), row["count"], row["last"])
    return found


def _more(case: Case, count: int, last: datetime) -> Case:
    return Case(case.count + count, max(last, case.last) if case.last else last)
