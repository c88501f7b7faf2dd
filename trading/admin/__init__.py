"""The ground floor in the admin: accounts and instruments to edit, the record to read and never change."""

from trading.admin import (
    accounts,
    books,
    checks,
    days,
    instruments,
    limits,
    orders,
    proposals,
    records,
)

__all__ = [
    "accounts",
    "books",
    "checks",
    "days",
    "instruments",
    "limits",
    "orders",
    "proposals",
    "records",
]
