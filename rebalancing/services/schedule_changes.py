"""A person makes or changes a schedule: it counts from that moment on, and the record says who did it."""

from __future__ import annotations

from django.db import transaction

from rebalancing.models import RunSchedule
from trading.domain.errors import ConfigurationError
from trading.services.audit import audit
from trading.services.clock import market_clock

__all__ = ["save_schedule"]


def save_schedule(schedule: RunSchedule, *, by: str, anew: bool) -> None:
    """Store `schedule`, audited. `anew` says that it is new or acts at other times than before: then it
    has no past, so that a time that went by today is not made up for, and money is counted from now."""
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
