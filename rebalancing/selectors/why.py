"""Why a name was traded: its share before and as targeted, and which band had been left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from rebalancing.models import Run
from rebalancing.selectors.gaps import class_name
from trading.domain.targets import CASH, OTHER

__all__ = ["Why", "why_of", "whys"]

_ZERO = Decimal(0)
Percentages = Mapping[str, Decimal]
_RESOLVED = {
    ("BUY", True): _(
        "자산군은 많지만 그 안에서 이 종목이 %(off)s %%p 모자랍니다. 둘을 합치면 총자산의 %(net)s %%p가"
        " 모자라 삽니다."
    ),
    ("BUY", False): _(
        "자산군 안에서는 많지만 자산군이 %(off)s %%p 모자랍니다. 둘을 합치면 총자산의 %(net)s %%p가"
        " 모자라 삽니다."
    ),
    ("SELL", True): _(
        "자산군은 모자라지만 그 안에서 이 종목이 %(off)s %%p 많습니다. 둘을 합치면 총자산의 %(net)s %%p가"
        " 남아 팝니다."
    ),
    ("SELL", False): _(
        "자산군 안에서는 모자라지만 자산군이 %(off)s %%p 많습니다. 둘을 합치면 총자산의 %(net)s %%p가"
        " 남아 팝니다."
    ),
}
"""By side, and whether it is the share within the class that speaks for the trade."""


@dataclass(frozen=True, slots=True)
class Why:
    """Percents of the whole account; drifts in points. `class_drift` and `name_drift` are None where
    the band held, and when both are, the name only moved along with the others. `class_off` and `name_off`
    are the same distances whether the band held or not; None where the record has none."""

    asset_class: str
    now: Decimal
    target: Decimal
    class_now: Decimal
    class_target: Decimal
    class_drift: Decimal | None
    name_drift: Decimal | None
    class_off: Decimal | None = None
    name_off: Decimal | None = None

    def resolve(self, side: str) -> str:
        """Why the name is traded towards `side` although a band that was left speaks against it: its class
        and its share within the class pull two ways, and this is what they come to. Empty where nothing
        speaks against it, or where the sum does not speak for it."""
        wanted = -1 if side == "BUY" else 1
        told = [drift for drift in (self.class_drift, self.name_drift) if drift is not None]
        if not any(drift * wanted < 0 for drift in told):
            return ""
        net = self.now - self.target
        if net * wanted <= 0 or self.class_off is None or self.name_off is None:
            return ""
        within = self.name_off * wanted > 0
        facts = {
            "off": f"{abs(self.name_off if within else self.class_off):.1f}",
            "net": f"{abs(net):.1f}",
        }
        return _RESOLVED[side, within] % facts

    @property
    def class_name(self) -> str:
        return class_name(self.asset_class)


def whys(
    worth: Mapping[str, int],
    equity: int,
    mp: Percentages,
    sub: Mapping[str, Percentages],
    drift: Mapping[str, Any],
) -> dict[str, Why]:
    """Ticker → why. `worth` is won by ticker; `drift` is the run's own record of drift and triggers."""
    if equity <= 0:
        return {}
    broken = {tuple(trigger) for trigger in drift.get("triggers", [])}
    classes = {ticker: code for code, inside in sub.items() for ticker in inside}
    found = {}
    for ticker in {*worth, *classes}:
        code = classes.get(ticker, OTHER)
        target = mp.get(code, _ZERO) * sub.get(code, {}).get(ticker, _ZERO) / 100
        goal = mp.get(code, _ZERO)
        off = Decimal(str(drift.get("mp", {}).get(code, 0)))
        inside = drift.get("sub", {}).get(ticker)
        found[ticker] = Why(
            code,
            Decimal(100 * worth.get(ticker, 0)) / equity,
            target,
            goal + off,
            goal,
            off if ("MP", code) in broken else None,
            Decimal(str(inside)) if ("SUB", ticker) in broken and inside is not None else None,
            off,
            None if inside is None else Decimal(str(inside)),
        )
    return found


def why_of(run: Run) -> dict[str, Why]:
    """Of a run that looked at the account and knew its target; empty before that."""
    snapshot, target = run.snapshot, run.target
    if snapshot is None or target is None or not run.outcome.get("drift"):
        return {}
    worth = {
        ticker: row["quantity"] * snapshot.quotes[ticker]["last"]
        for ticker, row in snapshot.holdings.items()
        if ticker in snapshot.quotes
    }
    mp = {code: Decimal(text) for code, text in target.snapshot["mp"].items()}
    sub = {
        code: {ticker: Decimal(text) for ticker, text in inside.items()}
        for code, inside in target.snapshot["sub"].items()
        if code != CASH
    }
    return whys(worth, snapshot.cash + sum(worth.values()), mp, sub, run.outcome["drift"])
