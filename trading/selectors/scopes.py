"""Whose a row is: how a switch names what it rules, and which rows belong to accounts."""

from __future__ import annotations

from django.db.models import Exists, Model, OuterRef, Q

from trading.models import Account

__all__ = ["GLOBAL", "account_scope", "of_accounts"]

GLOBAL = "global"
"""The scope of a switch that rules everything."""


def account_scope(account: Account) -> str:
    return f"account:{account.pk}"


def of_accounts(model: type[Model], path: str, accounts: list[int]) -> Q | Exists:
    """Rows of these accounts, asked so that a list can be read newest first and left after a page.

    One account is named by its number and not by a subquery; a row that names its account through another one
    looks that up by key, row by row: a join would be sorted whole.
    """
    first, _dots, rest = path.partition("__")
    if rest:
        other = model._meta.get_field(first).related_model
        assert isinstance(other, type)
        owner = other._default_manager.filter(pk=OuterRef(f"{first}_id"))
        return Exists(owner.filter(of_accounts(other, rest, accounts)))
    return Q(**({first: accounts[0]} if len(accounts) == 1 else {f"{first}__in": accounts}))
