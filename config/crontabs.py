"""What a crontab says by the rules of the program that reads it, and whether it can ever be due."""

from __future__ import annotations

from celery.schedules import ParseException, crontab

__all__ = ["PARTS", "ever_due", "is_readable"]

PARTS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def is_readable(part: str, value: str) -> bool:
    """Whether beat understands `value` as its `part`: of Sunday it knows 0 and not 7."""
    return _is_one({part: value})


def ever_due(day_of_month: str, month_of_year: str) -> bool:
    """False for what no year has, as 31 April or 30 February. Both must be readable.

    29 February comes, and with every weekday sooner or later.
    """
    return _is_one({"day_of_month": day_of_month, "month_of_year": month_of_year})


def _is_one(parts: dict[str, str]) -> bool:
    """Beat stumbles over a row that is none, each time it reads its rows."""
    try:
        crontab(**parts)
    except (ParseException, ValueError):
        return False
    return True
