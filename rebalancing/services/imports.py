"""Targets of an account from a file of weights: new versions, and the decision that binds them, or nothing."""

from __future__ import annotations

from django.db import transaction

from portfolio.domain.weights_csv import Weights
from portfolio.models import AssetClass, ModelPortfolio, SubPortfolio, TargetDecision
from portfolio.services import create_model_version, create_sub_version
from rebalancing.services.targets import current_target, decide_targets
from trading.domain.errors import InputError, Reason, StateConflict
from trading.domain.targets import CASH
from trading.models import Account

__all__ = ["import_targets"]


def import_targets(
    account: Account, weights: Weights, *, by: str, reason: str, seen: int | None
) -> TargetDecision:
    """Make an MP and a Sub-MP a class that follow `weights`, and bind the account to them.

    They are the portfolios the account is bound to now, as long as no other account follows them; else ones
    named after the account. `seen` is the decision that the person compared with, None where there was none.
    Raises StateConflict when another rules by now, InputError with every reason; then nothing was made.
    """
    unneeded = [name for name in weights.sub if name == CASH or not weights.mp.get(name)]
    if unneeded:
        raise InputError([Reason("csv_class_without_weight", {"name": name}) for name in unneeded])
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        current = current_target(account)
        if (current.pk if current else None) != seen:
            raise StateConflict("targets_changed")
        model = create_model_version(_model(account, current), weights.mp, by=by, note=reason)
        subs = [
            create_sub_version(_sub(account, current, name), tickers, by=by, note=reason)
            for name, tickers in weights.sub.items()
        ]
        return decide_targets(account, model, subs, by=by, reason=reason)


def _followed_by_others(account: Account, **of: object) -> bool:
    """A change for one account must not become the newest version of what another follows."""
    return TargetDecision.objects.filter(**of).exclude(account=account).exists()


def _model(account: Account, current: TargetDecision | None) -> ModelPortfolio:
    if current is not None:
        bound = current.model_version.portfolio
        if not _followed_by_others(account, model_version__portfolio=bound):
            return bound
    return ModelPortfolio.objects.get_or_create(
        code=f"MP-A{account.pk}", defaults={"name": account.name}
    )[0]


def _sub(account: Account, current: TargetDecision | None, asset_class: str) -> SubPortfolio:
    if current is not None:
        bound = current.sub_versions.filter(portfolio__asset_class=asset_class).first()
        if bound is not None and not _followed_by_others(
            account, sub_versions__portfolio=bound.portfolio
        ):
            return bound.portfolio
    name = f"{account.name} {AssetClass(asset_class).label}"
    return SubPortfolio.objects.get_or_create(
        code=f"{asset_class[:3].title()}-A{account.pk}",
        defaults={"name": name[:60], "asset_class": asset_class},
    )[0]
