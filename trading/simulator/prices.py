"""Where the simulated market's daily bars come from: a seeded demo world, or a file of real days.

A source answers one question: the bar of a code on a session, given the close before it. Statistics
are floats; every price handed on is a whole won on the grid and inside the day's ±30 %.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import daily_limits, tick_size

__all__ = [
    "BarSource",
    "DayBar",
    "DemoSource",
    "FileSource",
    "Listing",
    "demo_source",
    "nearest",
    "within",
]


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument: `base` won on the first day, `sigma` and `volume` (shares) of a day."""

    code: str
    name: str
    kind: InstrumentKind
    base: int
    sigma: float
    volume: int

    @property
    def shares(self) -> int:
        """Shares listed."""
        return self.volume * 200

    @property
    def market(self) -> str:
        return "KOSDAQ" if self.kind is InstrumentKind.KOSDAQ else "KOSPI"


@dataclass(frozen=True, slots=True)
class DayBar:
    """One session in won and shares; `reference` is the price its limits hang on.

    `traded` is False on a day without trades: the instrument is halted from open to close.
    """

    reference: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    traded: bool = True


class BarSource(Protocol):
    """Bars by code and session."""

    listings: Mapping[str, Listing]

    def bar(self, code: str, day: date, previous_close: int | None) -> DayBar: ...

    def past(self, code: str, day: date, close: int) -> DayBar:
        """The bar of a session before the world began, which ended at `close`."""
        ...

    def last_day(self) -> date | None:
        """The last session the source knows, None when it never ends."""
        ...


def nearest(price: float, kind: InstrumentKind) -> int:
    """The grid price nearest to `price`, at least the first tick."""
    safe = max(price, 1.0)
    tick = tick_size(int(safe), kind)
    return max(tick, round(safe / tick) * tick)


def within(price: float, reference: int, kind: InstrumentKind) -> int:
    """`price` pulled inside the day's limits around `reference`, on the grid."""
    low, high = daily_limits(reference, kind)
    return min(max(nearest(price, kind), low), high)


GAP_CHANCE = 0.03
GAP_SIZE = (0.03, 0.08)


@dataclass
class DemoSource:
    """A seeded random walk for each listing; a few days open with a gap unless `tame`."""

    seed: int
    listings: Mapping[str, Listing]
    tame: bool = False

    def last_day(self) -> date | None:
        return None

    def bar(self, code: str, day: date, previous_close: int | None) -> DayBar:
        listing = self.listings[code]
        return walk(listing, self.seed, day, previous_close or listing.base, self.tame)

    def past(self, code: str, day: date, close: int) -> DayBar:
        return walk_back(self.listings[code], self.seed, day, close, self.tame)


def walk_back(listing: Listing, seed: int, day: date, close: int, tame: bool) -> DayBar:
    """One day of the walk told from its end: the day that closed at `close`."""
    rng = random.Random(f"{seed}:past:{listing.code}:{day.isoformat()}")
    sigma, kind = listing.sigma, listing.kind
    moved = min(max(rng.gauss(0, sigma), -0.2), 0.2)
    if rng.random() < GAP_CHANCE and not tame:
        moved += rng.choice((-1, 1)) * rng.uniform(*GAP_SIZE) * min(1.0, sigma / 0.01)
    reference = nearest(close / (1 + moved), kind)
    opened = reference * (1 + rng.gauss(0, 0.3 * sigma))
    high = max(opened, close) * (1 + abs(rng.gauss(0, 0.4 * sigma)))
    low = min(opened, close) * (1 - abs(rng.gauss(0, 0.4 * sigma)))
    volume = max(100, int(listing.volume * math.exp(rng.gauss(0, 0.3))))
    o, h, lo = (within(price, reference, kind) for price in (opened, high, low))
    return DayBar(reference, o, max(h, o, close), min(lo, o, close), close, volume)


def walk(listing: Listing, seed: int, day: date, reference: int, tame: bool) -> DayBar:
    """One day of the random walk, a pure function of its arguments."""
    rng = random.Random(f"{seed}:bar:{listing.code}:{day.isoformat()}")
    sigma, kind = listing.sigma, listing.kind
    gap = rng.gauss(0, 0.3 * sigma)
    if rng.random() < GAP_CHANCE and not tame:
        gap += rng.choice((-1, 1)) * rng.uniform(*GAP_SIZE) * min(1.0, sigma / 0.01)
    opened = reference * (1 + gap)
    closed = opened * (1 + rng.gauss(0, sigma))
    high = max(opened, closed) * (1 + abs(rng.gauss(0, 0.4 * sigma)))
    low = min(opened, closed) * (1 - abs(rng.gauss(0, 0.4 * sigma)))
    volume = max(100, int(listing.volume * math.exp(rng.gauss(0, 0.3))))
    o, h, lo, c = (within(price, reference, kind) for price in (opened, high, low, closed))
    return DayBar(reference, o, max(h, o, c), min(lo, o, c), c, volume)


def _listing(code: str, name: str, kind: str, base: int, sigma: float, volume: int) -> Listing:
    return Listing(code, name, InstrumentKind(kind), base, sigma, volume)


DEMO_LISTINGS: tuple[Listing, ...] = (
    _listing("069500", "KODEX 200", "etf", 56_000, 0.011, 9_000_000),
    _listing("102110", "TIGER 200", "etf", 56_200, 0.011, 2_500_000),
    _listing("360750", "TIGER 미국S&P500", "etf", 24_500, 0.009, 6_000_000),
    _listing("133690", "TIGER 미국나스닥100", "etf", 152_000, 0.012, 600_000),
    _listing("114260", "KODEX 국고채3년", "etf", 61_500, 0.001, 60_000),
    _listing("148070", "KOSEF 국고채10년", "etf", 115_000, 0.003, 40_000),
    _listing("153130", "KODEX 단기채권", "etf", 112_500, 0.0003, 150_000),
    _listing("130730", "KOSEF 단기자금", "etf", 110_400, 0.0003, 30_000),
    _listing("411060", "ACE KRX금현물", "etf", 28_500, 0.010, 2_000_000),
    _listing("132030", "KODEX 골드선물(H)", "etf", 24_800, 0.010, 500_000),
    _listing("091160", "KODEX 반도체", "etf", 62_000, 0.020, 1_500_000),
    _listing("005930", "삼성전자", "kospi", 98_000, 0.017, 17_000_000),
    _listing("000660", "SK하이닉스", "kospi", 560_000, 0.026, 3_500_000),
    _listing("035420", "NAVER", "kospi", 262_000, 0.020, 900_000),
    _listing("035720", "카카오", "kospi", 61_000, 0.022, 1_800_000),
    _listing("051910", "LG화학", "kospi", 382_000, 0.023, 350_000),
    _listing("005380", "현대차", "kospi", 268_000, 0.018, 800_000),
    _listing("068270", "셀트리온", "kospi", 187_000, 0.019, 700_000),
    _listing("247540", "에코프로비엠", "kosdaq", 152_000, 0.030, 900_000),
)


def demo_source(seed: int, tame: bool = False) -> DemoSource:
    """The demo universe: real names and codes as labels, invented prices."""
    return DemoSource(seed, {listing.code: listing for listing in DEMO_LISTINGS}, tame)


FUND_NAMES = ("KODEX", "TIGER", "KOSEF", "ACE ", "KBSTAR", "RISE ", "ARIRANG", "PLUS ", "HANARO")


class FileListings(Mapping[str, Listing]):
    """The listings of a file, each made when first asked for."""

    def __init__(self, codes: Sequence[str], make: Callable[[str], Listing]) -> None:
        self._codes = dict.fromkeys(codes)
        self._make = make
        self._made: dict[str, Listing] = {}

    def __getitem__(self, code: str) -> Listing:
        if code not in self._codes:
            raise KeyError(code)
        if code not in self._made:
            self._made[code] = self._make(code)
        return self._made[code]

    def __contains__(self, code: object) -> bool:
        return code in self._codes

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)


Row = tuple[int, int, int, int, int]
COLUMNS = ("code", "date", "open", "high", "low", "close", "volume")
PRICED = COLUMNS[2:]


class FileSource:
    """Daily bars of a Parquet file (code, date, open, high, low, close, volume [, name, kind]).

    A code that skips a day inside its own span does not trade on it; after its last day the seeded
    walk goes on from the last close. Rows without a positive close are dropped.
    """

    def __init__(
        self, columns: Mapping[str, Any], seed: int, tame: bool = False, fund: bool = False
    ) -> None:
        """`columns` are equally long sequences; ValueError when a needed one is missing."""
        missing = set(COLUMNS) - columns.keys()
        if missing:
            raise ValueError(f"missing columns {', '.join(sorted(missing))}")
        self.seed, self.tame, self.fund = seed, tame, fund
        codes = np.asarray(columns["code"], dtype=str)
        days = np.asarray(columns["date"], dtype="datetime64[D]")
        order = np.lexsort((days, codes))
        self._codes, self._days = codes[order], days[order]
        numbers = [np.nan_to_num(np.asarray(columns[c], dtype=float)) for c in PRICED]
        self._bars = np.rint(np.stack(numbers, axis=1)[order]).astype(np.int64)
        names, starts = np.unique(self._codes, return_index=True)
        ends = [*starts[1:], len(self._codes)]
        self._spans = {
            str(c): (int(a), int(b)) for c, a, b in zip(names, starts, ends, strict=True)
        }
        self._labels = {
            name: np.asarray(columns[name], dtype=object)[order]
            for name in ("name", "kind")
            if name in columns
        }
        self._read: dict[str, tuple[list[date], list[Row]]] = {}
        self.listings: Mapping[str, Listing] = FileListings(sorted(self._spans), self._listing)

    @classmethod
    def read(cls, path: Path | str, seed: int, tame: bool = False) -> FileSource:
        """Load a file. Raises ValueError when a needed column is missing."""
        import pyarrow.parquet as parquet

        wanted = {*COLUMNS, "name", "kind"}
        known = set(parquet.read_schema(str(path)).names)
        table = parquet.read_table(str(path), columns=sorted(wanted & known))
        columns = {
            name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names
        }
        try:
            return cls(columns, seed, tame, fund="etf" in Path(path).as_posix().lower())
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def last_day(self) -> date | None:
        return _as_date(self._days.max()) if len(self._days) else None

    def _rows(self, code: str) -> tuple[list[date], list[Row]]:
        """The sessions and bars of one code, oldest first."""
        if code not in self._read:
            start, end = self._spans[code]
            kept = self._bars[start:end, 3] > 0
            bars: list[list[int]] = self._bars[start:end][kept].tolist()
            days: list[date] = self._days[start:end][kept].astype("datetime64[D]").tolist()
            self._read[code] = days, [tuple(row) for row in bars]  # type: ignore[misc]
        return self._read[code]

    def _label(self, code: str, name: str) -> str | None:
        """The last text that the file gives for a code, None without one."""
        labels = self._labels.get(name)
        found = labels[self._spans[code][1] - 1] if labels is not None else None
        return str(found) if found else None

    def _listing(self, code: str) -> Listing:
        bars = self._rows(code)[1]
        known = {listing.code: listing for listing in DEMO_LISTINGS}.get(code)
        label = self._label(code, "name") or (known.name if known else code)
        kind = _kind_of(label, self._label(code, "kind"), known, self.fund)
        closes = [bar[3] for bar in bars[-60:]] or [1_000]
        moves = [math.log(b / a) for a, b in zip(closes, closes[1:], strict=False)] or [0.01]
        sigma = min(0.08, max(0.0003, math.sqrt(sum(m * m for m in moves) / len(moves))))
        volumes = [bar[4] for bar in bars[-60:]]
        volume = max(100, sum(volumes) // max(1, len(volumes)))
        return Listing(code, label, kind, nearest(closes[-1], kind), sigma, volume)

    def bar(self, code: str, day: date, previous_close: int | None) -> DayBar:
        listing, (days, bars) = self.listings[code], self._rows(code)
        at = bisect_left(days, day)
        before = previous_close
        if before is None and at > 0:
            before = nearest(bars[at - 1][3], listing.kind)
        if at < len(days) and days[at] == day:
            return _file_bar(bars[at], before, listing.kind)
        reference = before or listing.base
        if at >= len(days):
            return walk(listing, self.seed, day, reference, self.tame)
        return DayBar(reference, reference, reference, reference, reference, 0, traded=False)

    def past(self, code: str, day: date, close: int) -> DayBar:
        """The file's own day; one that it does not have had no trades."""
        days = self._rows(code)[0]
        at = bisect_left(days, day)
        if at < len(days) and days[at] == day:
            return self.bar(code, day, None)
        return DayBar(close, close, close, close, close, 0, traded=False)


def _as_date(day: Any) -> date:
    found: date = day.astype("datetime64[D]").item()
    return found


def _file_bar(row: Row, before: int | None, kind: InstrumentKind) -> DayBar:
    opened, high, low, closed, volume = row
    if volume <= 0 or opened <= 0 or low <= 0:
        still = before or nearest(closed, kind)
        return DayBar(still, still, still, still, still, 0, traded=False)
    reference = before or nearest(opened, kind)
    floor, ceiling = daily_limits(reference, kind)
    if not floor <= opened <= ceiling or not floor <= closed <= ceiling:
        reference = nearest(opened, kind)
    o, h, lo, c = (within(price, reference, kind) for price in (opened, high, low, closed))
    return DayBar(reference, o, max(h, o, c), min(lo, o, c), c, volume)


def _kind_of(label: str, text: str | None, known: Listing | None, fund: bool) -> InstrumentKind:
    if text:
        return InstrumentKind(text.lower())
    if known:
        return known.kind
    return InstrumentKind.ETF if fund or label.startswith(FUND_NAMES) else InstrumentKind.KOSPI
