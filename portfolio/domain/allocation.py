"""How the account is spread over asset classes right now, cash being one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from portfolio.domain.valuation import value_holdings
from trading.domain.targets import CASH, OTHER

__all__ = ["CurrentAllocation", "Groups", "current_allocation", "groups_of"]

Groups = Mapping[str, str | Mapping[str, Decimal]]
"""The class of each known ticker; for a ticker of several classes, its wanted size in each."""


@dataclass(frozen=True, slots=True)
class CurrentAllocation:
    """Won: the whole account, each class, and each ticker inside its class.

    Held tickers that belong to no class stand under OTHER.
    """

    equity: int
    classes: dict[str, int]
    tickers: dict[str, dict[str, int]]


def groups_of(
    mp: Mapping[str, Decimal], sub: Mapping[str, Mapping[str, Decimal]]
) -> dict[str, str | dict[str, Decimal]]:
    """The class of every ticker the Sub-MPs name; the sizes in each where there are several."""
    sizes: dict[str, dict[str, Decimal]] = {}
    for asset_class, tickers in sorted(sub.items()):
        for ticker, share in tickers.items():
            wanted = mp.get(asset_class, Decimal(0)) * share
            sizes.setdefault(ticker, {})[asset_class] = wanted
    return {t: next(iter(size)) if len(size) == 1 else size for t, size in sizes.items()}


def current_allocation(
    cash: int,
    holdings: Mapping[str, int],
    prices: Mapping[str, int],
    groups: Groups,
    classes: Iterable[str] = (),
) -> CurrentAllocation:
    """Value by class in won.

    `classes` are listed even when nothing is held in them. Raises InputError naming every held
    ticker without a price.
    """
    tickers: dict[str, dict[str, int]] = {}
    for ticker, won in value_holdings(holdings, prices).items():
        for asset_class, part in _split(won, groups.get(ticker, OTHER)).items():
            tickers.setdefault(asset_class, {})[ticker] = part
    totals = dict.fromkeys([*classes, CASH], 0)
    totals |= {name: sum(inside.values()) for name, inside in sorted(tickers.items())}
    totals[CASH] += cash
    return CurrentAllocation(sum(totals.values()), totals, tickers)


def _split(won: int, group: str | Mapping[str, Decimal]) -> dict[str, int]:
    """Share a value among the classes that want the ticker, in proportion; odd won to the last.

    Counted in one class only, the other would look short for ever and trigger a run every day.
    """
    if isinstance(group, str):
        return {group: won}
    names, total = sorted(group), sum(group.values(), Decimal(0))
    if not total:
        return {names[0]: won}
    parts = {name: int(won * group[name] / total) for name in names[:-1]}
    return parts | {names[-1]: won - sum(parts.values())}
