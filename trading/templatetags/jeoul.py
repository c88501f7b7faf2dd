"""Numbers, times and ages as every page writes them: separators, units, signs and arrows."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from trading.selectors.moments import moment_said, wall_moment_said
from trading.selectors.said import actor_said, reason_said
from trading.services.clock import has_two_clocks

register = template.Library()
DASH = "–"
MINUS = "−"


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _grouped(value: Decimal, places: int) -> str:
    return f"{abs(value):,.{places}f}"


def _signed(value: Decimal, places: int) -> str:
    rounded = round(value, places)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else "±"
    return sign + _grouped(rounded, places)


@register.filter
def inside(title: Any) -> str:
    """A heading as it stands inside an English sentence: Status becomes status, MP and Sub-MP stay."""
    text = str(title)
    first = text.split(" ")[0]
    return text if any(c.isupper() for c in first[1:]) else text[:1].lower() + text[1:]


@register.filter
def count(value: Any) -> str:
    """A whole number with separators."""
    number = _decimal(value)
    if number is None:
        return DASH
    return (MINUS if number < 0 else "") + _grouped(number, 0)


@register.filter
def won(value: Any) -> str:
    """12,345원."""
    number = _decimal(value)
    if number is None:
        return DASH
    # the sign stands before the currency, wherever that stands
    return (MINUS if number < 0 else "") + _("%(amount)s원") % {"amount": _grouped(number, 0)}


@register.filter
def shares(value: Any) -> str:
    """50주."""
    return DASH if _decimal(value) is None else _("%(count)s주") % {"count": count(value)}


@register.filter
def percent(value: Any, places: int = 2) -> str:
    number = _decimal(value)
    return DASH if number is None else f"{number:,.{places}f} %"


@register.filter
def points(value: Any) -> str:
    """Drift with its sign: +3.42 %p."""
    number = _decimal(value)
    return DASH if number is None else f"{_signed(number, 2)} %p"


def _direction(number: Decimal) -> tuple[str, str, str]:
    if number > 0:
        return "up", "▲", _("상승")
    return ("down", "▼", _("하락")) if number < 0 else ("flat", "–", _("변동 없음"))


def _change(number: Decimal, text: str) -> SafeString:
    name, arrow, words = _direction(number)
    return format_html(
        '<span class="change change-{}"><span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{}</span> {}</span>',
        name,
        arrow,
        words,
        text,
    )


@register.filter
def change_won(value: Any) -> SafeString | str:
    """A change in won: arrow, sign and colour together, so that none of them is needed alone."""
    number = _decimal(value)
    if number is None:
        return DASH
    signed = _signed(number, 0)
    text = _("%(sign)s%(amount)s원") % {"sign": signed[0], "amount": signed[1:]}
    return _change(number, text)


@register.filter
def change_percent(value: Any) -> SafeString | str:
    number = _decimal(value)
    return DASH if number is None else _change(round(number, 2), f"{_signed(number, 2)} %")


@register.filter
def clock(value: datetime | None) -> str:
    """09:41:07 in Seoul."""
    return localtime(value).strftime("%H:%M:%S") if value else DASH


@register.filter
def day_clock(value: datetime | None) -> str:
    """11.20 09:41."""
    return localtime(value).strftime("%m.%d %H:%M") if value else DASH


@register.filter
def made_at(value: datetime | None) -> str:
    """2026-12-01 09:41:07 by the wall's clock, marked where accounts live on another one."""
    return wall_moment_said(value) if has_two_clocks() else moment_said(value)


@register.filter
def by_whom(name: str) -> str:
    """Who did something: a person by name, what ran by itself in words."""
    return actor_said(name)


@register.filter
def own_words(reason: str) -> str:
    """A reason: a program's in the reader's language, a person's as they wrote it."""
    return reason_said(reason)


@register.filter
def age(span: timedelta | None) -> str:
    """How long ago, in the largest unit: 방금, 42초 전, 3분 전, 2시간 전, 5일 전."""
    if span is None:
        return DASH
    seconds = max(0, int(span.total_seconds()))
    if seconds < 5:
        return _("방금")
    return _("%(span)s 전") % {"span": duration(seconds)}


@register.filter
def duration(value: Any) -> str:
    """42초, 3분, 2시간, 5일."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    number = _decimal(value)
    if number is None:
        return DASH
    seconds = max(0, int(number))
    if seconds < 60:
        return _("%(n)d초") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)d분") % {"n": seconds // 60}
    if seconds < 86_400:
        return _("%(n)d시간") % {"n": seconds // 3600}
    return _("%(n)d일") % {"n": seconds // 86_400}


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """The value under a key that is only known in the template."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def seconds_until(now: datetime | None, then: datetime | None) -> int:
    """Whole seconds from `now` to `then`; 0 when it has passed."""
    return max(0, int((then - now).total_seconds())) if now and then else 0
