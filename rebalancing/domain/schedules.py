"""When a schedule wants to act: a rule, the exchange's calendar and the clock give slots, or none.

Decided on the calendar alone, never on the last row of some data: a day is the last session of its
month because the next session lies in another month.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from trading.domain.errors import Reason
from trading.domain.sessions import LAST_START, Calendar

__all__ = [
    "GRACE",
    "Edge",
    "Kind",
    "Period",
    "Rule",
    "Slot",
    "Timing",
    "due_slots",
    "moment_on",
    "refusals_of",
    "shifted",
    "upcoming",
]

GRACE = timedelta(minutes=10)
"""How late a slot still counts as on time."""
OPENS, LAST, CLOSES = time(9), time(15, 10), time(15, 30)
OLDEST = 100
"""Sessions looked back for a slot nobody dealt with: more than a quarter has."""
MOST_MISSED = 10
AHEAD = timedelta(days=800)


class Kind(StrEnum):
    """What a schedule waits for."""

    DRIFT = "drift"
    PERIODIC = "periodic"
    CASH_FLOW = "cash_flow"


class Period(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"


class Edge(StrEnum):
    FIRST = "first"
    LAST = "last"


class Timing(StrEnum):
    ON_TIME = "on_time"
    CAUGHT_UP = "caught_up"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Rule:
    """A time of day on an ordinary session; a periodic one only on the edge of its period."""

    at: time
    kind: Kind = Kind.DRIFT
    period: Period = Period.MONTH
    edge: Edge = Edge.LAST
    catch_up: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment that has come. `name` is what fires once: it does not change when the hours do."""

    name: str
    moment: datetime
    timing: Timing


def shifted(at: time, day: date, calendar: Calendar) -> datetime:
    """The moment of `at` on the session `day`, as far from its hours as on an ordinary day.

    A day that closes later is later as a whole; one that only opens later moves what would come
    before its opening. Raises ValueError when `day` does not trade.
    """
    hours = calendar.session_hours(day)
    zone = hours.open.tzinfo
    usual = datetime.combine(day, at, zone)
    moment = usual + max(timedelta(0), hours.close - datetime.combine(day, CLOSES, zone))
    if moment < hours.open:
        moment = usual + (hours.open - datetime.combine(day, OPENS, zone))
    return moment


def moment_on(rule: Rule, day: date, calendar: Calendar) -> datetime | None:
    """When `rule` acts on `day`; None when it does not."""
    try:
        if not calendar.is_session(day):
            return None
        if rule.kind is Kind.PERIODIC and not _is_edge(rule, day, calendar):
            return None
    except ValueError:
        return None  # the calendar does not know: nothing is done on a day nobody knows
    return shifted(rule.at, day, calendar)


def _is_edge(rule: Rule, day: date, calendar: Calendar) -> bool:
    beside = calendar.next_session if rule.edge is Edge.LAST else calendar.previous_session
    return _period(rule, beside(day)) != _period(rule, day)


def _period(rule: Rule, day: date) -> str:
    if rule.period is Period.QUARTER:
        return f"{day.year}Q{(day.month + 2) // 3}"
    return f"{day:%Y-%m}"


def _name(rule: Rule, day: date) -> str:
    """One fire per period, or per day and time; whatever happens to the hours or the calendar."""
    if rule.kind is Kind.PERIODIC:
        return f"{_period(rule, day)}:{rule.edge}"
    return f"{day.isoformat()}T{rule.at:%H:%M}"


def due_slots(
    rule: Rule,
    now: datetime,
    calendar: Calendar,
    *,
    since: datetime | None,
    fired: Container[str],
) -> list[Slot]:
    """Slots that have come, that `fired` does not name and that are to be dealt with now, oldest first.

    Nothing before `since` counts, and without it nothing before today: a new schedule has no past.
    A slot that waits for the next session to be caught up is not listed until that session is open.
    """
    found: list[Slot] = []
    oldest = (since or now).astimezone(now.tzinfo).date()
    for day in _backwards(now.date(), calendar):
        if day < oldest or len(found) >= MOST_MISSED:
            break
        moment = moment_on(rule, day, calendar)
        if moment is None or moment > now or (since is not None and moment < since):
            continue
        name = _name(rule, day)
        if name in fired:
            break  # what is older was dealt with when this was
        timing = _timing(rule, day, moment, now, calendar, newest=not found)
        if timing is not None:
            found.append(Slot(name, moment, timing))
    return found[::-1]


def _backwards(day: date, calendar: Calendar) -> Iterator[date]:
    try:
        if calendar.is_session(day):
            yield day
        for back in range(1, OLDEST):
            yield calendar.previous_session(day, back)
    except ValueError:
        return


def _timing(
    rule: Rule, day: date, moment: datetime, now: datetime, calendar: Calendar, *, newest: bool
) -> Timing | None:
    """How a slot stands at `now`; None while it waits for a session in which it may be caught up."""
    if now <= moment + GRACE:
        return Timing.ON_TIME
    try:
        last_day = calendar.next_session(day) if rule.kind is Kind.PERIODIC else day
        until = calendar.session_hours(last_day).close - LAST_START
        if not (rule.catch_up and newest and now <= until):
            return Timing.MISSED
        return Timing.CAUGHT_UP if _may_start(now, calendar) else None
    except ValueError:
        return Timing.MISSED


def _may_start(now: datetime, calendar: Calendar) -> bool:
    if not calendar.is_session(now.date()):
        return False
    hours = calendar.session_hours(now.date())
    return hours.open <= now <= hours.close - LAST_START


def upcoming(rule: Rule, now: datetime, calendar: Calendar, count: int = 5) -> list[datetime]:
    """The next `count` moments after `now`, as the calendar is known now; fewer where it ends."""
    found: list[datetime] = []
    day = now.date()
    while len(found) < count and day - now.date() < AHEAD:
        moment = moment_on(rule, day, calendar)
        if moment is not None and moment > now:
            found.append(moment)
        try:
            day = calendar.next_session(day)
        except ValueError:
            break
    return found


def refusals_of(rule: Rule, *, min_flow: int, inside_bands: bool) -> list[Reason]:
    """Every ground on which a schedule cannot be."""
    grounds = []
    if not OPENS <= rule.at < LAST:
        grounds.append(Reason("schedule_outside_session", {"at": f"{rule.at:%H:%M}"}))
    if rule.at.second or rule.at.microsecond:
        grounds.append(Reason("schedule_whole_minutes"))
    if rule.kind is Kind.CASH_FLOW and min_flow <= 0:
        grounds.append(Reason("schedule_needs_minimum"))
    if inside_bands and rule.kind is not Kind.PERIODIC:
        grounds.append(Reason("schedule_bands_only_periodic"))
    return grounds
