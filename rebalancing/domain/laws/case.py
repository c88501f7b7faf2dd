"""What a checker judges: our evidence, and the exchange's journal and truth, as rows and nothing else.

Shapes: `invariants.md` §0b. Nothing here or in the laws knows the code that made the rows: what the platform
says of itself is compared with what the other side wrote down. Without a journal and a truth (a live account)
only what the evidence alone can show is judged.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

__all__ = [
    "CANCEL",
    "ENDED_RUNS",
    "NEW",
    "Case",
    "Finding",
    "Row",
    "Rows",
    "Violation",
    "moment",
    "rows_of",
]

Row = Mapping[str, Any]
Rows = tuple[Row, ...]
ORDER_PATHS = ("/order-cash", "/order-rvsecncl")
NEW, CANCEL = "order", "cancel"
ENDED_RUNS = frozenset(
    ("NO_ACTION", "VETOED", "DENIED", "APPROVAL_EXPIRED", "COMPLETED", "COMPLETED_WITH_SHORTFALL",
     "FAILED", "CANCELED")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that was broken: `witness` names the smallest rows that show it."""

    law: str
    text: str
    witness: tuple[str, ...] = ()


@dataclass
class Finding:
    """How many things a law looked at, and where it was broken. Nothing looked at proves nothing."""

    examined: int = 0
    violations: list[Violation] = field(default_factory=list)

    def broken(self, law: str, text: str, *witness: object) -> None:
        self.violations.append(Violation(law, text, tuple(str(one) for one in witness)))


def moment(text: object) -> datetime | None:
    """An ISO time with offset; None of nothing. Raises ValueError for a time that says no zone."""
    if text in (None, ""):
        return None
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is None:
        raise ValueError(f"{text} says no zone")
    return found


def rows_of(lines: Iterable[str]) -> Rows:
    """Rows of JSON lines; a number with a fraction stays what it was written as, so that it can be told."""
    return tuple(json.loads(line) for line in lines if line.strip())


def _grouped(rows: Rows, name: str) -> dict[str, Rows]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str(row[name])].append(row)
    return {key: tuple(group) for key, group in found.items()}


@dataclass(frozen=True)
class Case:
    """One history: all of it that there is."""

    evidence: Rows
    journal: Rows | None = None
    truth: Row | None = None

    @cached_property
    def views(self) -> dict[str, Rows]:
        return _grouped(self.evidence, "view")

    @cached_property
    def kinds(self) -> dict[str, Rows]:
        return _grouped(self.journal or (), "kind")

    def view(self, name: str) -> Rows:
        return self.views.get(name, ())

    def kind(self, name: str) -> Rows:
        return self.kinds.get(name, ())

    @property
    def env(self) -> Row:
        return next(iter(self.view("env")), {})

    @cached_property
    def intents(self) -> dict[int, Row]:
        return {row["id"]: row for row in self.view("intent")}

    @cached_property
    def attempts(self) -> dict[str, Row]:
        """By their nonce, which every order request carries."""
        return {row["nonce"]: row for row in self.view("attempt")}

    @cached_property
    def runs(self) -> dict[int, Row]:
        return {row["id"]: row for row in self.view("run")}

    @cached_property
    def posts(self) -> Rows:
        """Order requests that reached the broker, in their order."""
        return tuple(
            row
            for row in self.kind("http_req")
            if row.get("method", "POST") == "POST" and str(row["path"]).endswith(ORDER_PATHS)
        )

    @cached_property
    def accepted(self) -> Rows:
        """Orders that the exchange took, cancels and changes left out."""
        return tuple(row for row in self.kind("accepted") if not row.get("orgn_odno"))

    @cached_property
    def accepted_by(self) -> dict[int, Rows]:
        """By the request that caused them."""
        found: dict[int, list[Row]] = defaultdict(list)
        for row in self.accepted:
            if row.get("req_seq") is not None:
                found[row["req_seq"]].append(row)
        return {key: tuple(group) for key, group in found.items()}

    @cached_property
    def posts_of(self) -> dict[int, Rows]:
        """Of an attempt the requests that carried its nonce, copies made on the way left out."""
        found: dict[int, list[Row]] = defaultdict(list)
        for row in self.posts:
            attempt = self.attempts.get(str(row.get("nonce")))
            if attempt is not None and row.get("replay_of") is None:
                found[attempt["id"]].append(row)
        return {key: tuple(group) for key, group in found.items()}

    @cached_property
    def decided(self) -> dict[int, tuple[str, ...]]:
        """What persons decided about each intent."""
        found: dict[int, list[str]] = defaultdict(list)
        for row in self.view("decision"):
            found[row["intent_id"]].append(row["verdict"])
        return {key: tuple(words) for key, words in found.items()}

    @cached_property
    def fired(self) -> frozenset[str]:
        """Faults that struck."""
        return frozenset(row["fault"] for row in self.kind("fault_fired"))

    def runs_of(self, intent: Row) -> Row | None:
        return self.runs.get(intent["origin_id"]) if intent["origin"] == "run" else None

    @staticmethod
    def order_of(row: Row) -> str:
        """Which order a journal row is about: numbers begin anew every day."""
        return f"{row['vt'][:10]}/{row['odno']}"

    def key_of(self, order: Row) -> str:
        """The `odno_key` of an accepted or true order."""
        return "/".join(str(order[name]) for name in ("account", "trade_date", "orgno", "odno"))

    @cached_property
    def true_orders(self) -> dict[str, Row]:
        found = (self.truth or {}).get("orders", ())
        return {self.key_of(row): row for row in found if not row.get("orgn_odno")}
