"""Thresholds and limits of the engine: a change is a new row, which rules from the next run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from rebalancing.models import RebalancingConfig
from rebalancing.services.targets import current_config
from trading.domain.errors import InputError, Reason
from trading.services.audit import audit

__all__ = ["CONFIG_VALUES", "add_config"]

CONFIG_VALUES = (
    "mp_threshold_percent",
    "sub_mp_threshold_percent",
    "min_trade_won",
    "cash_buffer_percent",
)


def add_config(values: Mapping[str, Any], *, by: str, second: str = "") -> RebalancingConfig:
    """A row with these values; what is not given stays as it is. Audited, with the second person who agreed.

    Raises InputError naming every field whose value is out of range.
    """
    with transaction.atomic():
        current_config()
        # the first row stays for ever: whoever changes the newest one at the same time waits here
        list(RebalancingConfig.objects.select_for_update().order_by("pk")[:1])
        old = current_config()
        kept = {name: getattr(old, name) for name in CONFIG_VALUES}
        row = RebalancingConfig(**(kept | dict(values)), updated_by=by, agreed_by=second)
        try:
            row.full_clean()
        except ValidationError as error:
            raise InputError(
                [Reason("config_out_of_range", {"name": name}) for name in error.message_dict]
            ) from error
        row.save(force_insert=True)
        told = {name: str(getattr(row, name)) for name in CONFIG_VALUES}
        if second:
            told["second"] = second
        audit(by, "rebalancing_config", f"config:{row.pk}", dict(told))
    return row
