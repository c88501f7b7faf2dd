"""A person corrects one day of the calendar: closed, open, or at other hours."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from trading.models import MarketDay
from trading.services.audit import audit

__all__ = ["correct_day"]


def correct_day(day: date, override: str, *, by: str, reason: str, second: str = "") -> MarketDay:
    """From now on `day` is what `override` says; the broker's own word is kept beside it. Audited, with the
    second person who agreed."""
    with transaction.atomic():
        found, _made = MarketDay.objects.select_for_update().get_or_create(day=day)
        before, now = found.override, _now()
        found.override, found.reason, found.changed_by, found.changed_at = override, reason, by, now
        found.save(update_fields=["override", "reason", "changed_by", "changed_at"])
        told: dict[str, object] = {"from": before, "to": override, "reason": reason}
        if second:
            told["second"] = second
        audit(
            by,
            "calendar_corrected",
            f"day:{day.isoformat()}",
            told,
        )
    return found


def _now() -> datetime:
    """The wall's time: a calendar belongs to no account."""
    return timezone.now()
