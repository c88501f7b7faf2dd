"""KIS's calls and channels as data: paths, TR ids, field names and widths. No logic lives here.

The client (`trading.brokers.kis`) and the simulator (`trading.simulator`) share this table and
nothing else, so that a mistake of meaning in one is not a mistake in both.
Source: the broker's portal workbook and samples of 2026-07-09.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Call", "Channel", "Field", "Output", "Param", "Tr", "calls", "channels"]


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
    """One REST call; `paging` names how a list goes on, or is None: context fields, the `tr_cont`
    header alone, or a key field of the rows."""

    name: str
    title: str
    group: str
    method: str
    path: str
    mock: bool
    paging: str | None
    trs: tuple[Tr, ...]
    params: tuple[Param, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """One WebSocket channel: `key` says what a registration names; `appended` came to the end later."""

    name: str
    tr_id: str
    mock: str | None
    key: str
    encrypted: bool
    fields: tuple[str, ...]
    labels: tuple[str, ...]
    appended: tuple[str, ...]


@cache
def calls() -> dict[str, Call]:
    """Every call by name, read once from `calls.json`."""
    return {name: _call(name, row) for name, row in _read("calls.json").items()}


@cache
def channels() -> dict[str, Channel]:
    """Every WebSocket channel by name, read once from `channels.json`."""
    return {name: _channel(name, row) for name, row in _read("channels.json").items()}


def _read(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name(file).read_text(encoding="utf-8"))
    return found


def _call(name: str, row: dict[str, Any]) -> Call:
    return Call(
        name=name,
        title=row["title"],
        group=row["group"],
        method=row["method"],
        path=row["path"],
        mock=row["mock"],
        paging=row["paging"],
        trs=tuple(Tr(*tr) for tr in row["trs"]),
        params=tuple(Param(*param) for param in row["params"]),
        outputs=tuple(
            Output(o["key"], o["kind"], tuple(Field(*field) for field in o["fields"]))
            for o in row["outputs"]
        ),
    )


def _channel(name: str, row: dict[str, Any]) -> Channel:
    return Channel(
        name=name,
        tr_id=row["tr_id"],
        mock=row["mock"],
        key=row["key"],
        encrypted=row["encrypted"],
        fields=tuple(field for field, _label in row["fields"]),
        labels=tuple(label for _field, label in row["fields"]),
        appended=tuple(field for field, _label in row["appended"]),
    )
