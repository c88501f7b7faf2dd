"""The history of runs: filtered, sorted and in pages, as the address says."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from rebalancing.domain.states import TERMINAL, RunState
from rebalancing.models import Run
from trading.models import Account

__all__ = ["FILTERS", "PAGE_SIZE", "SORTS", "run_page"]

PAGE_SIZE = 50
_DONE = (RunState.COMPLETED, RunState.COMPLETED_WITH_SHORTFALL)
FILTERS: Mapping[str, tuple[str, ...] | None] = {
    "all": None,
    "active": tuple(sorted(set(RunState) - TERMINAL)),
    "done": _DONE,
    "nothing": (RunState.NO_ACTION,),
    "stopped": tuple(sorted(TERMINAL - {*_DONE, RunState.NO_ACTION})),
}
SORTS: Mapping[str, str] = {"new": "-id", "old": "id", "cost": "-history__real_cost"}


def run_page(account: Account, state: str, sort: str, page: str) -> Page[Run]:
    """One page; an unknown filter, sort or page number falls back to the nearest that exists."""
    rows: QuerySet[Run] = Run.objects.filter(account=account)
    states = FILTERS.get(state)
    if states is not None:
        rows = rows.filter(state__in=states)
    order = SORTS.get(sort, "-id")
    if sort == "cost":
        rows = rows.filter(history__isnull=False)
    rows = rows.select_related("history").only(
        "id",
        "state",
        "dry_run",
        "requester",
        "requester_kind",
        "planner",
        "created_at",
        "terminal_at",
        "end_reason",
        "end_facts",
        "account_id",
        "history__equity_before",
        "history__equity_after",
        "history__expected_cost",
        "history__real_cost",
    )
    return Paginator(rows.order_by(order, "-id"), PAGE_SIZE).get_page(page)
