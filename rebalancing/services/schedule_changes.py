"""A person makes or changes a schedule: it counts from that moment on, and the record says who did it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from rebalancing.domain.schedules import Edge, Kind, Period, Rule, refusals_of
from rebalancing.models import RunSchedule
from trading.domain.errors import ConfigurationError, InputError, Reason, StateConflict
from trading.models import Account
from trading.services.audit import audit
from trading.services.clock import market_clock

__all__ = ["ACTING", "change_schedule", "make_schedule", "save_schedule", "schedule_grounds"]

ACTING = frozenset({"account", "kind", "at", "period", "edge", "enabled", "min_flow_won"})
"""A change of one of these makes a schedule begin anew."""


def schedule_grounds(values: Mapping[str, Any]) -> list[Reason]:
    """Every ground on which a schedule with these values could never start; `at` and `kind` are among them."""
    rule = Rule(
        at=values["at"],
        kind=Kind(values["kind"]),
        period=Period(values.get("period") or Period.MONTH),
        edge=Edge(values.get("edge") or Edge.LAST),
    )
    return refusals_of(
        rule,
        min_flow=values.get("min_flow_won") or 0,
        inside_bands=bool(values.get("inside_bands")),
    )


def make_schedule(account: Account, values: Mapping[str, Any], *, by: str) -> RunSchedule:
    """Raises InputError with every ground against it; StateConflict when the account has one at that time."""
    schedule = RunSchedule(account=account, **values)
    _keep(schedule, by=by, anew=True)
    return schedule


def change_schedule(schedule_id: int, values: Mapping[str, Any], *, by: str) -> RunSchedule:
    """Give the schedule these values and leave the others; nothing is written where nothing differs.

    Raises as `make_schedule` does. The row is locked: the scheduler writes to it, too.
    """
    with transaction.atomic():
        rows = RunSchedule.objects.select_for_update(of=("self",)).select_related("account")
        schedule = rows.get(pk=schedule_id)
        changed = {name for name, value in values.items() if getattr(schedule, name) != value}
        for name in changed:
            setattr(schedule, name, values[name])
        if changed:
            _keep(schedule, by=by, anew=bool(changed & ACTING))
    return schedule


def _keep(schedule: RunSchedule, *, by: str, anew: bool) -> None:
    names = ("at", "kind", "period", "edge", "min_flow_won", "inside_bands")
    if grounds := schedule_grounds({name: getattr(schedule, name) for name in names}):
        raise InputError(grounds)
    try:
        save_schedule(schedule, by=by, anew=anew)
    except IntegrityError as error:
        same = RunSchedule.objects.filter(account=schedule.account, at=schedule.at)
        if not same.exclude(pk=schedule.pk).exists():
            raise
        at = f"{schedule.at:%H:%M}"
        raise StateConflict("schedule_time_taken", at=at) from error


def save_schedule(schedule: RunSchedule, *, by: str, anew: bool) -> None:
    """Store `schedule`, audited. `anew` says that it is new or acts at other times than before: then it
    has no past, so that a time that went by today is not made up for, and money is counted from now."""
    schedule.changed_by = by
    if anew:
        schedule.baseline = None
        try:
            schedule.since = market_clock(schedule.account).now()
        except ConfigurationError:
            schedule.since = None
    with transaction.atomic():
        schedule.save()
        audit(
            by,
            "schedule_changed",
            f"schedule:{schedule.pk}",
            {
                "kind": schedule.kind,
                "at": f"{schedule.at:%H:%M}",
                "period": schedule.period,
                "edge": schedule.edge,
                "inside_bands": schedule.inside_bands,
                "min_flow_won": schedule.min_flow_won,
                "catch_up": schedule.catch_up,
                "enabled": schedule.enabled,
            },
        )
