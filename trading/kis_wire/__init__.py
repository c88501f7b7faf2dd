"""KIS's calls as data: paths, TR ids, field names and widths. No logic lives here.

The client (`trading.brokers.kis`) and the simulator (`trading.simulator`) share this table and
nothing else, so that a mistake of meaning in one is not a mistake in both.
Source: the broker's portal workbook and samples of 2026-07-09.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Call", "Field", "Output", "Param", "Tr", "calls"]


@dataclass(frozen=True, slots=True)
class Tr:
    """One transaction id in each environment; `variant` names what chooses it (side, period)."""

    variant: str
    real: str | None
    mock: str | None
    legacy_real: str | None
    legacy_mock: str | None


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    required: bool
    width: int | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    width: int | None
    meaning: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Output:
    """One block of a reply: `kind` is `object` or `array`."""

    key: str
    kind: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call; `paging` names the continuation fields, or is None."""

    name: str
    title: str
    method: str
    path: str
    mock: bool
    paging: str | None
    trs: tuple[Tr, ...]
    params: tuple[Param, ...]
    outputs: tuple[Output, ...]


@cache
def calls() -> dict[str, Call]:
    """Every call by name, read once from `calls.json`."""
    rows = json.loads(Path(__file__).with_name("calls.json").read_text(encoding="utf-8"))
    return {name: _call(name, row) for name, row in rows.items()}


def _call(name: str, row: dict) -> Call:
    return Call(
        name=name,
        title=row["title"],
        method=row["method"],
        path=row["path"],
        mock=row["mock"],
        paging=row["paging"],
        trs=tuple(Tr(**tr) for tr in row["trs"]),
        params=tuple(Param(**param) for param in row["params"]),
        outputs=tuple(
            Output(key=o["key"], kind=o["kind"], fields=tuple(Field(**f) for f in o["fields"]))
            for o in row["outputs"]
        ),
    )
