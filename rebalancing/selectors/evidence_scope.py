"""Which rows an export of evidence is about."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from django.db.models import Min, Q, QuerySet

from rebalancing.models import Run
from trading.models import Attempt, BrokerOrder, Enumeration, Intent

__all__ = ["Scope"]


class Scope:
    """Which rows belong: those of a run, or of the accounts; with `since` those that are young or open."""

    def __init__(
        self, run: Run | None, numbers: dict[int, str], since: datetime | None = None
    ) -> None:
        self.run, self.numbers, self.since = run, numbers, since

    @cached_property
    def runs(self) -> QuerySet[Run]:
        rows = Run.objects.filter(account__in=self.numbers)
        if self.run is not None:
            return rows.filter(pk=self.run.pk)
        if self.since is not None:
            return rows.filter(Q(terminal_at=None) | Q(created_at__gte=self.since))
        return rows

    @cached_property
    def intents(self) -> QuerySet[Intent]:
        rows = Intent.objects.filter(account__in=self.numbers)
        of_runs = Q(origin=Intent.Origin.RUN, origin_id__in=self.runs.values("pk"))
        if self.run is not None:
            return rows.filter(of_runs)
        if self.since is not None:
            return rows.filter(of_runs | Q(created_at__gte=self.since))
        return rows

    @cached_property
    def orders(self) -> QuerySet[BrokerOrder]:
        rows = BrokerOrder.objects.filter(account__in=self.numbers)
        if self.run is not None:
            return rows.filter(owner__in=self.intents)
        if self.since is not None:
            return rows.filter(Q(owner__in=self.intents) | Q(first_seen_at__gte=self.since))
        return rows

    @cached_property
    def enumerations(self) -> QuerySet[Enumeration]:
        """Looks at the order lists; of those of a whole day only an absence needs any."""
        rows = Enumeration.objects.filter(account__in=self.numbers)
        if self.since is None:
            return rows
        absent = Attempt.objects.filter(intent__in=self.intents, state="ABSENT")
        first = absent.aggregate(first=Min("committed_at"))["first"]
        return rows.filter(started_at__gte=first) if first else rows.none()
