"""Targets of an account from a file of weights: new versions, and the decision that binds them, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import IntegrityError, transaction

from portfolio.domain.weights_csv import Weights
from portfolio.models import ModelPortfolio, SubPortfolio, TargetDecision
from portfolio.services import create_model_version, create_sub_version
from rebalancing.services.keepers import targets_change
from rebalancing.services.targets import current_target
from trading.domain.errors import InputError, Reason, StateConflict
from trading.domain.targets import CASH
from trading.models import Account, Proposal
from trading.services.account_lock import lock_account
from trading.services.proposals import ask

__all__ = ["PlanLine", "import_plan", "import_targets"]

NEUTRAL = "CSV"
"""How a portfolio from a file is called in every language; a person gives it a better name."""


def import_targets(
    account: Account, weights: Weights, *, by: str, reason: str, seen: int | None
) -> TargetDecision | Proposal:
    """Bind the account to `weights`, or under four eyes propose to: what is as it was keeps its version, what
    differs gets a new one.

    New versions are of the portfolios the account is bound to now, as long as no other account follows them;
    else of ones with a neutral name, because everybody reads the names of portfolios and not everybody the
    account's. `seen` is the decision that the person compared with, None where there was none.
    Raises StateConflict when another rules by now, InputError with every reason, also where nothing would
    change; then nothing was made.
    """
    unneeded = [name for name in weights.sub if name == CASH or not weights.mp.get(name)]
    if unneeded:
        raise InputError([Reason("csv_class_without_weight", {"name": name}) for name in unneeded])
    try:
        with transaction.atomic():
            return _bound(account, weights, by=by, reason=reason, seen=seen)
    except IntegrityError as error:  # another import took the same free name at this moment
        raise StateConflict("targets_changed") from error


def _bound(
    account: Account, weights: Weights, *, by: str, reason: str, seen: int | None
) -> TargetDecision | Proposal:
    lock_account(account.pk)
    current = current_target(account)
    if (current.pk if current else None) != seen:
        raise StateConflict("targets_changed")
    plan = import_plan(account, weights)
    if not any(line.changes for line in plan):
        raise InputError(Reason("csv_nothing_changes"))
    made = [_made(account, line, weights, by, reason) for line in plan]
    found: TargetDecision | Proposal = ask(
        targets_change(account, made[0], made[1:], reason), by=by
    )
    return found


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What becomes of the MP (`asset_class` empty) or of a class's Sub-MP: `kept` is the version that stays,
    None where a new one is made; `portfolio` is what it is a version of, None where that is new too."""

    asset_class: str
    portfolio: ModelPortfolio | SubPortfolio | None
    kept: Any

    @property
    def changes(self) -> bool:
        return self.kept is None


def import_plan(account: Account, weights: Weights) -> list[PlanLine]:
    """What `import_targets` would do, the MP first; it writes nothing."""
    current = current_target(account)
    bound = current.model_version if current else None
    lines = [_line(account, "", bound, weights.mp)]
    subs = current.sub_versions.select_related("portfolio") if current else ()
    by_class = {version.portfolio.asset_class: version for version in subs}
    for name, tickers in weights.sub.items():
        lines.append(_line(account, name, by_class.get(name), tickers))
    return lines


def _line(account: Account, name: str, bound: Any, wanted: Mapping[str, Decimal]) -> PlanLine:
    if bound is None:
        return PlanLine(name, None, None)
    have = bound.weights_by_ticker() if name else bound.weights_by_class()
    if _told(have) == _told(wanted):
        return PlanLine(name, bound.portfolio, bound)
    way = "sub_versions__portfolio" if name else "model_version__portfolio"
    shared = _followed_by_others(account, **{way: bound.portfolio})
    return PlanLine(name, None if shared else bound.portfolio, None)


def _told(weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """A class or a name without weight is no part of a portfolio."""
    return {name: weight for name, weight in weights.items() if weight}


def _made(
    account: Account,
    line: PlanLine,
    weights: Weights,
    by: str,
    reason: str,
) -> Any:
    if line.kept is not None:
        return line.kept
    name = line.asset_class
    portfolio: Any = line.portfolio or (_new_sub(name) if name else _new_model())
    if name:
        return create_sub_version(portfolio, weights.sub[name], by=by, note=reason)
    return create_model_version(portfolio, weights.mp, by=by, note=reason)


def _followed_by_others(account: Account, **of: object) -> bool:
    """A change for one account must not become the newest version of what another follows."""
    return TargetDecision.objects.filter(**of).exclude(account=account).exists()


def _new_model() -> ModelPortfolio:
    return ModelPortfolio.objects.create(code=_free_code(ModelPortfolio, "MP"), name=NEUTRAL)


def _new_sub(asset_class: str) -> SubPortfolio:
    code = _free_code(SubPortfolio, asset_class[:3].title())
    return SubPortfolio.objects.create(code=code, name=NEUTRAL, asset_class=asset_class)


def _free_code(model: type[ModelPortfolio] | type[SubPortfolio], begin: str) -> str:
    """The next free one: it tells nobody whose account it is of."""
    taken = set(
        model.objects.filter(code__startswith=f"{begin}-{NEUTRAL}").values_list("code", flat=True)
    )
    return next(code for n in count(1) if (code := f"{begin}-{NEUTRAL}{n}") not in taken)
