"""What a finished run traded, in lines that people read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext

from trading.models import Instrument

__all__ = ["fill_lines"]


def fill_lines(fills: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line a leg of a history row: side, name, shares of those planned, won, fee and tax."""
    rows = list(fills)
    names = Instrument.objects.in_bulk([str(row["ticker"]) for row in rows])
    return [_line(row, names) for row in rows]


def _line(row: Mapping[str, Any], names: Mapping[str, Instrument]) -> str:
    ticker = str(row["ticker"])
    known = names.get(ticker)
    said = {
        "name": f"{known.name} {ticker}" if known else ticker,
        "filled": f"{row['filled']:,}",
        "planned": f"{row['planned']:,}",
        "won": f"{row['amount']:,}",
        "cost": f"{row['fee'] + row['tax']:,}",
    }
    if row["side"] == "SELL":
        return gettext(
            "매도 %(name)s: %(planned)s주 중 %(filled)s주, %(won)s원 (수수료와 세금 %(cost)s원)"
        ) % said  # fmt: skip
    return gettext(
        "매수 %(name)s: %(planned)s주 중 %(filled)s주, %(won)s원 (수수료와 세금 %(cost)s원)"
    ) % said  # fmt: skip
