"""The broker's rows on lanes that wait for an answer, as the reading of the list that saw them keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from trading.domain.ports import OrderRow

__all__ = ["row_as_json", "row_from_json"]


def row_as_json(row: OrderRow) -> dict[str, Any]:
    return asdict(row) | {"trade_date": row.trade_date.isoformat()}


def row_from_json(kept: Mapping[str, Any]) -> OrderRow:
    return OrderRow(**dict(kept) | {"trade_date": date.fromisoformat(kept["trade_date"])})
