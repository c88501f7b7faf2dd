"""Weights in a spreadsheet's file: `asset_class,ticker,percent`, a row without a ticker is a class's own share.

All or nothing: one row that cannot be meant refuses the whole file, and every such row is named.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.errors import InputError, Reason
from trading.domain.targets import validate_percentages

__all__ = [
    "COLUMNS",
    "MOST_BYTES",
    "MOST_ROWS",
    "Weights",
    "read_weights",
    "safe_cell",
    "write_table",
    "write_weights",
]

COLUMNS = ("asset_class", "ticker", "percent")
MOST_BYTES = 1024 * 1024
MOST_ROWS = 5_000
MOST_NAMED = 20
"""Wrong rows named in one answer; the rest is only counted."""
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?", re.ASCII)
_TICKER = re.compile(r"[0-9A-Z]{6,7}", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Weights:
    """Percent by asset class, and inside each class by ticker; each list sums to 100."""

    mp: Mapping[str, Decimal] = field(default_factory=dict)
    sub: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)


def read_weights(
    data: bytes, classes: Iterable[str], words: Mapping[str, str] | None = None
) -> Weights:
    """The weights of a file in UTF-8 or CP949. `classes` are the asset classes there are; `words` says what
    headings and classes in a reader's language stand for, in small letters.

    Raises InputError: `csv_too_big`, `csv_not_text` (a spreadsheet's own format, or bytes of no known
    encoding), `csv_columns`, `csv_too_many_rows`, else one reason for each wrong row (`csv_row_…` with its
    number) or list of weights.
    """
    meant = words or {}
    rows = _rows(_text(data), meant)
    known = set(classes)
    mp: dict[str, Decimal] = {}
    sub: dict[str, dict[str, Decimal]] = {}
    problems: list[Reason] = []
    for number, row in rows:
        name, ticker, percent = (str(row.get(column) or "").strip() for column in COLUMNS)
        name, percent = meant.get(name.lower(), name), percent.removesuffix("%").strip()
        wrong = _problems(number, name, ticker, percent, known)
        within = sub.setdefault(name, {}) if ticker else mp
        if not wrong and (ticker or name) in within:
            wrong = [Reason("csv_row_twice", {"row": number, "name": ticker or name})]
        if wrong:
            problems += wrong
        else:
            within[ticker or name] = Decimal(percent)
    if problems:
        raise InputError(_fewer(problems))
    problems = validate_percentages(mp, scope="MP")
    for name, tickers in sorted(sub.items()):
        problems += validate_percentages(tickers, scope=name)
    if problems:
        raise InputError(problems)
    return Weights(mp, sub)


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise InputError(Reason("csv_too_big", {"max": MOST_BYTES // 1024}))
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0") or b"\x00" in data:
        raise InputError(Reason("csv_not_text"))
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(Reason("csv_not_text"))


def _rows(text: str, meant: Mapping[str, str]) -> list[tuple[int, dict[str, str | None]]]:
    """(line number, cells) of every row that is not empty."""
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    try:
        typed = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        names = [meant.get(name, name) for name in typed]
        if any(names.count(column) != 1 for column in COLUMNS):
            raise InputError(Reason("csv_columns", {"expected": list(COLUMNS)}))
        reader.fieldnames = names
        found: list[tuple[int, dict[str, str | None]]] = []
        for row in reader:
            if len(found) >= MOST_ROWS:
                raise InputError(Reason("csv_too_many_rows", {"max": MOST_ROWS}))
            if any(str(value or "").strip() for value in row.values()):
                found.append((reader.line_num, row))
    except csv.Error as error:
        raise InputError(Reason("csv_not_text")) from error
    if not found:
        raise InputError(Reason("no_weights", {"scope": "CSV"}))
    return found


def _problems(number: int, name: str, ticker: str, percent: str, known: set[str]) -> list[Reason]:
    found = []
    if name not in known:
        found.append(Reason("csv_row_class", {"row": number, "name": name[:20]}))
    if ticker and not _TICKER.fullmatch(ticker):
        found.append(Reason("csv_row_ticker", {"row": number, "name": ticker[:20]}))
    if not _PERCENT.fullmatch(percent):
        found.append(Reason("csv_row_percent", {"row": number, "value": percent[:20]}))
    return found


def _fewer(problems: list[Reason]) -> list[Reason]:
    more = len(problems) - MOST_NAMED
    return [*problems[:MOST_NAMED], *([Reason("csv_more_rows", {"n": more})] if more > 0 else [])]


def write_weights(
    weights: Weights,
    names: Mapping[str, str],
    headings: Sequence[str] = (*COLUMNS, "name"),
    labels: Mapping[str, str] | None = None,
) -> str:
    """The same in a file that `read_weights` takes, with the names of the instruments beside them; `headings`
    and `labels` of classes are a reader's words."""
    rows: list[Sequence[object]] = []
    told = labels or {}
    for name, percent in weights.mp.items():
        rows.append((told.get(name, name), "", percent, ""))
        for ticker, share in weights.sub.get(name, {}).items():
            rows.append((told.get(name, name), ticker, share, names.get(ticker, "")))
    return write_table(headings, rows)


def write_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A file for a spreadsheet: its first bytes tell that it is UTF-8, and a text that looks like a formula
    is made text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    for row in rows:
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return "\ufeff" + out.getvalue()


def safe_cell(text: str) -> str:
    """`text` as a spreadsheet shows it instead of calculating it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
