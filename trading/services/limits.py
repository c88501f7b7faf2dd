"""A person changes what an account's orders may be at most."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from trading.domain.errors import ConfigurationError, InputError, Reason
from trading.models import Account, TradingLimits
from trading.selectors.limits import LIMIT_NAMES, newest_limits
from trading.services.account_lock import lock_account
from trading.services.audit import audit
from trading.services.clock import market_clock

__all__ = ["add_limits"]


def add_limits(
    account: Account, values: Mapping[str, Any], *, by: str, reason: str = "", second: str = ""
) -> TradingLimits:
    """A row with these values; what is not given stays as it is. Audited, with the second person who agreed.

    Raises InputError naming every field that is out of range, and where nothing would change.
    """
    with transaction.atomic():
        lock_account(account.pk)
        old = newest_limits(account)
        kept = {name: getattr(old, name) for name in LIMIT_NAMES}
        if all(kept[name] == value for name, value in values.items()):
            raise InputError(Reason("limits_unchanged"))
        row = TradingLimits(
            account=account,
            **(kept | dict(values)),
            reason=reason[:300],
            created_at=_now(account),
            created_by=by,
            agreed_by=second,
        )
        try:
            row.full_clean()
        except ValidationError as error:
            raise InputError(
                [Reason("limit_out_of_range", {"name": name}) for name in error.message_dict]
            ) from error
        row.save(force_insert=True)
        told: dict[str, object] = {
            name: _plain(getattr(row, name))
            for name in LIMIT_NAMES
            if getattr(row, name) != kept[name]
        }
        told["limits"] = row.pk
        if second:
            told["second"] = second
        if reason:
            told["reason"] = reason[:300]
        audit(by, "limits_changed", f"account:{account.pk}", told)
    return row


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


def _now(account: Account) -> datetime:
    """The clock that the account's plans are approved by."""
    try:
        return market_clock(account).now()
    except ConfigurationError:
        return timezone.now()
