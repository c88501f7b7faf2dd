"""The audit chain: each row's HMAC covers the one before, so nothing can be changed or left out."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

__all__ = [
    "Anchor",
    "AuditRow",
    "anchor_of",
    "chain_hash",
    "first_break",
    "follows",
    "key_id",
    "payload_hash",
]


@dataclass(frozen=True, slots=True)
class AuditRow:
    seq: int
    at: str
    actor: str
    action: str
    object: str
    payload_hash: str
    key_id: str
    prev_hash: str
    hash: str


def key_id(key: str) -> str:
    """Names the key without revealing it."""
    return hashlib.sha256(f"audit:{key}".encode()).hexdigest()[:12]


def payload_hash(payload: str) -> str:
    return hashlib.sha256(payload.encode()).hexdigest()


def chain_hash(key: str, prev_hash: str, fields: Mapping[str, object]) -> str:
    """hex HMAC-SHA256(key, prev_hash ‖ canonical JSON of `fields`)."""
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key.encode(), (prev_hash + text).encode(), hashlib.sha256).hexdigest()


def follows(key: str, row: AuditRow, seq: int, previous: str) -> bool:
    """True when `row` is the one after row `seq` with the hash `previous`, unchanged."""
    fields = {
        "seq": row.seq,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "object": row.object,
        "payload_hash": row.payload_hash,
        "key_id": row.key_id,
    }
    return (
        row.seq == seq + 1
        and row.prev_hash == previous
        and row.hash == chain_hash(key, previous, fields)
    )


def first_break(key: str, rows: Iterable[AuditRow]) -> int | None:
    """The first sequence number that does not follow, or None when the chain is whole."""
    seq, previous = 0, ""
    for row in rows:
        if not follows(key, row, seq, previous):
            return seq + 1
        seq, previous = row.seq, row.hash
    return None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The chain's head at one time, written down where whoever can write the database cannot."""

    at: str
    seq: int
    hash: str
    key_id: str

    def line(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def anchor_of(line: str) -> Anchor:
    """Reads one line. Raises ValueError for what is no anchor."""
    found = json.loads(line)
    if not isinstance(found, dict) or not isinstance(found.get("seq"), int):
        raise ValueError(f"no anchor: {line[:80]}")
    return Anchor(*(found.get(name, "") for name in ("at", "seq", "hash", "key_id")))
