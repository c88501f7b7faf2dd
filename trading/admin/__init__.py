"""The ground floor in the admin: accounts and instruments to edit, the record to read and never change."""

from trading.admin import accounts, days, instruments, records

__all__ = ["accounts", "days", "instruments", "records"]
