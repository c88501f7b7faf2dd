"""What is done without anybody asking: each job with its last time, what came of it, and its next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from rebalancing.domain.day_jobs import CHECK, CLOSE, JOBS, job_slot, next_moment
from rebalancing.domain.schedules import GRACE, upcoming
from rebalancing.models import RunSchedule
from rebalancing.selectors.upcoming import waits_for
from trading.models import Account, ScheduleFire
from trading.selectors.calendar import known_calendar
from trading.selectors.words import Sentence

__all__ = ["AgendaRow", "agenda_of"]

_TITLES: Mapping[str, Sentence] = {
    CHECK.code: _("오전 점검 09:40"),
    CLOSE.code: _("마감 대사와 잔고 기록 15:40"),
}
_DOTS = {"skipped": "dot-bad", "refused": "dot-warn", "started": "dot-warn"}


@dataclass(frozen=True, slots=True)
class AgendaRow:
    """One job. `late` says that its time has come today and it is not done."""

    title: str
    last: ScheduleFire | None
    next: datetime | None
    now: datetime
    late: bool = False

    @property
    def age(self) -> timedelta | None:
        return self.now - self.last.fired_at if self.last else None

    @property
    def dot(self) -> str:
        if self.late:
            return "dot-warn"
        return _DOTS.get(self.last.outcome, "dot-ok") if self.last else "dot-off"


def agenda_of(account: Account, now: datetime) -> list[AgendaRow]:
    """The jobs of the day, then the account's schedules in the order of their times."""
    calendar = known_calendar()
    schedules = list(RunSchedule.objects.filter(account=account))
    names = [job.name_for(account.pk) for job in JOBS] + [each.job for each in schedules]
    last = _last(names)
    rows = []
    for job in JOBS:
        slot, fire = job_slot(job, now, calendar), last.get(job.name_for(account.pk))
        open_still = slot is not None and (
            fire is None or fire.slot != slot.name or fire.outcome == ScheduleFire.Outcome.STARTED
        )
        late = open_still and slot is not None and now > slot.moment + GRACE
        title = str(_TITLES[job.code])
        rows.append(AgendaRow(title, fire, next_moment(job, now, calendar), now, late))
    for each in schedules:
        comes = upcoming(each.rule, now, calendar, count=1) if each.enabled else []
        title = f"{waits_for(each)} {each.at:%H:%M}"
        rows.append(AgendaRow(title, last.get(each.job), comes[0] if comes else None, now))
    return rows


def _last(names: list[str]) -> dict[str, ScheduleFire]:
    """The newest fire of each job."""
    newest = (
        ScheduleFire.objects.filter(job__in=names)
        .order_by()
        .values("job")
        .annotate(newest=Max("id"))
        .values("newest")
    )
    return {fire.job: fire for fire in ScheduleFire.objects.filter(pk__in=newest)}
