"""New versions of model portfolios and sub-portfolios; an old version never changes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction

from portfolio.models import (
    AssetClass,
    ModelPortfolio,
    ModelPortfolioVersion,
    ModelPortfolioWeight,
    SubPortfolio,
    SubPortfolioVersion,
    SubPortfolioWeight,
)
from trading.domain.errors import InputError, Reason
from trading.domain.targets import validate_percentages
from trading.models import Instrument
from trading.services.audit import audit

__all__ = ["create_model_version", "create_sub_version"]


def create_model_version(
    portfolio: ModelPortfolio, weights: Mapping[str, Decimal], *, by: str, note: str = ""
) -> ModelPortfolioVersion:
    """The next version of `portfolio` with these percentages by asset class.

    Raises InputError listing every reason: unknown class, sum not 100, negative, finer than 0.01.
    """
    problems = validate_percentages(weights, scope="MP")
    problems += [
        Reason("class_unknown", {"class": name})
        for name in weights
        if name not in AssetClass.values
    ]
    if problems:
        raise InputError(problems)
    with transaction.atomic():
        version = ModelPortfolioVersion.objects.create(
            portfolio=portfolio,
            number=_next(portfolio),
            total=sum(weights.values(), Decimal(0)),
            note=note[:200],
            created_by=by,
        )
        ModelPortfolioWeight.objects.bulk_create(
            ModelPortfolioWeight(version=version, asset_class=name, weight=weight)
            for name, weight in weights.items()
        )
        audit(by, "mp_version", f"mp:{portfolio.pk}", {"version": version.number})
    return version


def create_sub_version(
    portfolio: SubPortfolio, weights: Mapping[str, Decimal], *, by: str, note: str = ""
) -> SubPortfolioVersion:
    """The next version of `portfolio` with these percentages by ticker.

    Raises InputError listing every reason, among them instruments nobody has registered.
    """
    problems = validate_percentages(weights, scope=portfolio.asset_class)
    known = set(Instrument.objects.filter(ticker__in=weights).values_list("ticker", flat=True))
    problems += [
        Reason("instrument_unknown", {"ticker": ticker})
        for ticker in sorted(weights)
        if ticker not in known
    ]
    if problems:
        raise InputError(problems)
    with transaction.atomic():
        version = SubPortfolioVersion.objects.create(
            portfolio=portfolio,
            number=_next(portfolio),
            total=sum(weights.values(), Decimal(0)),
            note=note[:200],
            created_by=by,
        )
        SubPortfolioWeight.objects.bulk_create(
            SubPortfolioWeight(version=version, instrument_id=ticker, weight=weight)
            for ticker, weight in weights.items()
        )
        audit(by, "sub_version", f"sub:{portfolio.pk}", {"version": version.number})
    return version


def _next(portfolio: ModelPortfolio | SubPortfolio) -> int:
    """The number after the newest one; whoever else makes a version now waits for ours."""
    type(portfolio).objects.select_for_update().get(pk=portfolio.pk)
    newest = portfolio.versions.order_by("-number").first()
    return newest.number + 1 if newest else 1
