"""FRED, the Federal Reserve Bank of St. Louis: one published figure a day, read strictly, asked once.

`/series/observations` as its public reference has it: newest first, a holiday's value is ".". The key stands in
the query, so no error here quotes an address.
"""

from __future__ import annotations

import json
import re
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx2

from trading.domain.errors import SourceError
from trading.domain.series import Observation

__all__ = ["VIX", "newest"]

VIX = "VIXCLS"
"""Closes of the CBOE volatility index."""
ROWS = 10
"""More than the longest row of days without a value."""
SECONDS = 3.0
MOST_BYTES = 100_000
_VALUE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)


def newest(
    series: str, until: date, *, base_url: str, api_key: str, http: httpx2.Client | None = None
) -> Observation:
    """The last value published for a day up to `until`. Raises SourceError where there is none."""
    params = {
        "series_id": series,
        "api_key": api_key,
        "file_type": "json",
        "sort_order": "desc",
        "limit": str(ROWS),
        "observation_end": until.isoformat(),
    }
    client = http or httpx2.Client(timeout=SECONDS)
    try:
        body = _read(client, f"{base_url.rstrip('/')}/series/observations", params)
    finally:
        if http is None:
            client.close()
    found = [one for row in _rows(body) if (one := _observation(series, row)) is not None]
    known = [one for one in found if one.day <= until]
    if not known:
        raise SourceError(f"{series}: no value up to {until}")
    return max(known, key=lambda one: one.day)


def _read(client: httpx2.Client, address: str, params: dict[str, str]) -> Any:
    started = time.monotonic()
    try:
        with client.stream("GET", address, params=params) as answer:
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES or time.monotonic() - started > SECONDS:
                    raise SourceError("the answer is too large or too slow")
            status = answer.status_code
    except httpx2.HTTPError as error:
        raise SourceError(type(error).__name__) from None
    if status != 200:
        raise SourceError(f"status {status}")
    try:
        return json.loads(body.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise SourceError("the answer is not JSON") from None


def _rows(body: Any) -> list[Any]:
    rows = body.get("observations") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise SourceError("the answer has no observations")
    return rows


def _observation(series: str, row: Any) -> Observation | None:
    """None for a day without a value. Raises SourceError for one that cannot be read."""
    day, value = (row.get("date"), row.get("value")) if isinstance(row, dict) else (None, None)
    if not isinstance(day, str) or not isinstance(value, str):
        raise SourceError("an observation without a day or a value")
    if value == ".":
        return None
    try:
        when = datetime.strptime(day, "%Y-%m-%d").date()
    except ValueError:
        raise SourceError("an observation without a day") from None
    if not _VALUE.fullmatch(value):
        raise SourceError("an observation that is no number")
    return Observation(series, when, Decimal(value))
