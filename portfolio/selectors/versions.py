"""The versions of an MP or a Sub-MP, and two of them side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portfolio.domain.comparison import WeightChange, compare_weights, moved_percent
from portfolio.models import AssetClass, ModelPortfolio, SubPortfolio
from trading.models import Instrument

__all__ = ["Comparison", "NoVersion", "compare_versions", "versions_of"]

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
MOST = 200
"""Versions offered to choose from; an older one is still reached by its number."""


class NoVersion(LookupError):
    """The portfolio has no version of this number, or it is no number."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`names` are for people: class → its name, ticker → the instrument's."""

    before: Any
    after: Any
    changes: tuple[WeightChange, ...]
    names: dict[str, str]
    moved: Decimal

    @property
    def pair(self) -> tuple[Any, ...]:
        """Both, the older first; one where they are the same."""
        return (self.before,) if self.before == self.after else (self.before, self.after)

    @property
    def is_same(self) -> bool:
        return not any(change.points for change in self.changes)


def versions_of(portfolio: ModelPortfolio | SubPortfolio) -> list[Any]:
    """Newest first, their weights read along."""
    return list(portfolio.versions.prefetch_related("weights")[:MOST])


def compare_versions(
    portfolio: ModelPortfolio | SubPortfolio, first: str = "", second: str = ""
) -> Comparison | None:
    """Version `first` beside version `second`, by their numbers as they stand in an address.

    Without numbers the newest and the one before it; None where there are fewer than two versions to
    choose from and nothing was asked. Raises NoVersion for a number that is none of this portfolio's.
    """
    newest = list(portfolio.versions.values_list("number", flat=True)[:2])
    if not first and not second and len(newest) < 2:
        return None
    after = _version(portfolio, second or str(newest[0] if newest else ""))
    usual = portfolio.versions.filter(number__lt=after.number).first() or after
    before = _version(portfolio, first) if first else usual
    old, new = _weights(before), _weights(after)
    is_model = isinstance(portfolio, ModelPortfolio)
    changes = tuple(compare_weights(old, new, AssetClass.values if is_model else ()))
    names = _class_names() if is_model else _tickers({*old, *new})
    return Comparison(before, after, changes, names, moved_percent(changes))


def _version(portfolio: ModelPortfolio | SubPortfolio, number: str) -> Any:
    if not _NUMBER.fullmatch(number):
        raise NoVersion(number)
    found = portfolio.versions.filter(number=int(number)).first()
    if found is None:
        raise NoVersion(number)
    return found


def _weights(version: Any) -> dict[str, Decimal]:
    by_class = getattr(version, "weights_by_class", None)
    return dict(by_class() if by_class else version.weights_by_ticker())


def _class_names() -> dict[str, str]:
    return {code: str(label) for code, label in AssetClass.choices}


def _tickers(tickers: set[str]) -> dict[str, str]:
    return dict(Instrument.objects.filter(ticker__in=tickers).values_list("ticker", "name"))
