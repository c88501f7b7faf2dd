"""Which targets an account follows, and which it followed before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portfolio.models import AssetClass, TargetDecision
from trading.domain.targets import CASH
from trading.models import Account, Instrument

__all__ = [
    "TargetClass",
    "class_label",
    "decisions_of",
    "target_classes",
    "weight_lines",
    "weights_said",
]


def class_label(code: str) -> str:
    return str(dict(AssetClass.choices).get(code, code))


def weight_lines(snapshot: Mapping[str, Any]) -> list[str]:
    """A decision's copy of its weights, a line for each class: its share, then its instruments inside it."""
    lines = []
    every = {ticker for inside in snapshot.get("sub", {}).values() for ticker in inside}
    names = dict(Instrument.objects.filter(ticker__in=every).values_list("ticker", "name"))
    for code, share in snapshot.get("mp", {}).items():
        inside = snapshot.get("sub", {}).get(code, {}) if code != CASH else {}
        tickers = " · ".join(
            f"{names.get(ticker, ticker)} {inner}\N{NO-BREAK SPACE}%"
            for ticker, inner in inside.items()
        )
        lines.append(f"{class_label(code)} {share} %" + (f": {tickers}" if tickers else ""))
    return lines


@dataclass(frozen=True, slots=True)
class TargetClass:
    """One asset class of a decision with its names; `share` is of the account, `inner` of the class."""

    code: str
    name: str
    share: Decimal
    names: tuple[tuple[str, str, Decimal, Decimal], ...]


def decisions_of(account: Account, most: int = 10) -> list[TargetDecision]:
    return list(
        TargetDecision.objects.filter(account=account)
        .select_related("model_version__portfolio")
        .prefetch_related("sub_versions__portfolio")[:most]
    )


def target_classes(decision: TargetDecision) -> list[TargetClass]:
    """(ticker, name, % of the class, % of the account) by class, as decided."""
    sub = decision.snapshot["sub"]
    names = dict(
        Instrument.objects.filter(
            ticker__in=[ticker for tickers in sub.values() for ticker in tickers]
        ).values_list("ticker", "name")
    )
    return [
        TargetClass(
            code,
            class_label(code),
            Decimal(share),
            ()
            if code == CASH
            else tuple(
                (t, names.get(t, t), Decimal(inner), Decimal(share) * Decimal(inner) / 100)
                for t, inner in sorted(sub.get(code, {}).items(), key=lambda i: -Decimal(i[1]))
            ),
        )
        for code, share in decision.snapshot["mp"].items()
    ]


def weights_said(weights: Iterable[tuple[Any, Decimal]]) -> str:
    """주식 60 % · 채권 30 %: names with their shares, no more places than they need; a dash for none."""
    told = (f"{name} {weight.normalize():f} %" for name, weight in weights)
    return " · ".join(told) or "–"
