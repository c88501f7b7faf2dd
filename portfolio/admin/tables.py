"""The portfolios of a list as a spreadsheet's file: the newest version of each, a row for each weight."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from portfolio.domain.weights_csv import write_table
from portfolio.selectors.csv_words import csv_headings, csv_labels
from trading.models import Instrument

__all__ = ["models_table", "subs_table"]


def models_table(portfolios: QuerySet[Any]) -> str:
    """Whose, which version, which asset class and how much."""
    asset_class, _ticker, percent, _name = csv_headings()
    labels, rows = csv_labels(), []
    for head, version in _newest(portfolios):
        for code, weight in version.weights_by_class().items():
            rows.append((*head, labels[code], weight))
    return write_table((*_whose(), asset_class, percent), rows)


def subs_table(portfolios: QuerySet[Any]) -> str:
    """Whose, which version, which class, which instrument and how much."""
    asset_class, ticker, percent, name = csv_headings()
    labels, rows = csv_labels(), []
    names = dict(Instrument.objects.values_list("ticker", "name"))
    for head, version in _newest(portfolios):
        of_class = labels[version.portfolio.asset_class]
        for code, weight in version.weights_by_ticker().items():
            rows.append((*head, of_class, code, names.get(code, ""), weight))
    return write_table((*_whose(), asset_class, ticker, name, percent), rows)


def _whose() -> tuple[str, ...]:
    return (_("코드"), _("포트폴리오 이름"), _("버전"))


def _newest(portfolios: QuerySet[Any]) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for portfolio in portfolios.order_by("code").prefetch_related("versions__weights"):
        version = next(iter(portfolio.versions.all()), None)
        if version is not None:
            found.append(((portfolio.code, portfolio.name, f"v{version.number}"), version))
    return found
