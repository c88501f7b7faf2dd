"""What quotation calls ask for: markets, days, codes and numbers, read from their parameters or refused."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from trading.simulator.market import Shown
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask, Refusal

__all__ = ["chosen", "day_of", "instrument", "last_day_of", "number_of", "require"]


def require(ask: Ask, name: str, allowed: Collection[str]) -> str:
    """A parameter that must be one of `allowed`. Raises Refusal."""
    value = ask.get(name)
    if value not in allowed:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]")
    return value


def chosen(ask: Ask, name: str, default: str, allowed: Collection[str]) -> str:
    """As `require`, but an empty one means `default`."""
    return require(ask, name, allowed) if ask.get(name) else default


def day_of(ask: Ask, name: str) -> date:
    """A day written YYYYMMDD. Raises Refusal."""
    try:
        return datetime.strptime(ask.get(name), "%Y%m%d").date()
    except ValueError:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]") from None


def last_day_of(ask: Ask, name: str, otherwise: date) -> date:
    """As `day_of`; an empty one, or zeros, means `otherwise`."""
    return day_of(ask, name) if ask.get(name).strip("0") else otherwise


def number_of(ask: Ask, name: str) -> float | None:
    """A number, None for an empty one. Raises Refusal for anything else."""
    text = ask.get(name)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD INVALID [{name}]") from None


def instrument(truth: Truth, code: str) -> Shown:
    """An instrument at the present. Raises Refusal for a code that is not listed here."""
    if code not in truth.market:
        raise Refusal("MCA05918", "종목코드 오류입니다.")
    return truth.market.shown(code, truth.time)
