"""Which targets an account follows: the newest decision, and how a new one is made."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from portfolio.models import (
    ModelPortfolioVersion,
    SubPortfolioVersion,
    TargetDecision,
)
from rebalancing.models import RebalancingConfig
from trading.domain.errors import InputError, Reason
from trading.domain.targets import CASH, validate_targets
from trading.models import Account
from trading.services.audit import audit

__all__ = [
    "current_config",
    "current_target",
    "decide_targets",
    "get_target_mp_allocation",
    "get_target_sub_mp_allocation",
]


def current_target(account: Account) -> TargetDecision | None:
    return TargetDecision.objects.filter(account=account).order_by("-pk").first()


def current_config() -> RebalancingConfig:
    """The newest configuration; the defaults are written as a row at first use, so that every run
    can name the row it followed."""
    found = RebalancingConfig.objects.order_by("-pk").first()
    return found or RebalancingConfig.objects.create(updated_by="defaults")


def get_target_mp_allocation(target: TargetDecision) -> dict[str, Decimal]:
    """Asset class → percent."""
    return {name: Decimal(text) for name, text in target.snapshot["mp"].items()}


def get_target_sub_mp_allocation(target: TargetDecision) -> dict[str, dict[str, Decimal]]:
    """Asset class → ticker → percent inside the class."""
    return {
        name: {ticker: Decimal(text) for ticker, text in tickers.items()}
        for name, tickers in target.snapshot["sub"].items()
    }


def decide_targets(
    account: Account,
    model_version: ModelPortfolioVersion,
    sub_versions: list[SubPortfolioVersion],
    *,
    by: str,
    reason: str = "",
    second: str = "",
) -> TargetDecision:
    """Bind `account` to these versions from now on. `second` is who agreed, where it takes two.

    Raises InputError listing every reason: a class with weight and no Sub-MP, two Sub-MPs for one
    class, an instrument that may not be traded.
    """
    mp = model_version.weights_by_class()
    sub: dict[str, dict[str, Decimal]] = {}
    problems: list[Reason] = []
    for version in sub_versions:
        asset_class = version.portfolio.asset_class
        if asset_class in sub:
            problems.append(Reason("class_twice", {"class": asset_class}))
        sub[asset_class] = version.weights_by_ticker()
        problems += [
            Reason("instrument_not_tradable", {"ticker": row.instrument_id})
            for row in version.weights.select_related("instrument")
            if not row.instrument.tradable
        ]
    problems += [
        Reason("class_without_sub", {"class": name})
        for name, weight in mp.items()
        if weight > 0 and name != CASH and name not in sub
    ]
    used = {name: tickers for name, tickers in sub.items() if mp.get(name, Decimal(0)) > 0}
    problems += validate_targets(mp, used)
    if problems:
        raise InputError(problems)
    with transaction.atomic():
        decision = TargetDecision.objects.create(
            account=account,
            model_version=model_version,
            snapshot={
                "mp": {name: str(weight) for name, weight in mp.items()},
                "sub": {
                    name: {ticker: str(weight) for ticker, weight in tickers.items()}
                    for name, tickers in used.items()
                },
            },
            reason=reason,
            decided_by=by,
            agreed_by=second,
        )
        decision.sub_versions.set(sub_versions)
        told: dict[str, object] = {"decision": decision.pk}
        if second:
            told["second"] = second
        audit(by, "targets_decided", f"account:{account.pk}", told)
    return decision
