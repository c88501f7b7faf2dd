"""Answers that the database did not take, kept on disk as hints that still need an inquiry."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings

__all__ = ["keep_hint", "take_hint"]


def _path(nonce: str) -> Path:
    return settings.SPOOL_DIR / f"attempt-{nonce}.json"


def keep_hint(nonce: str, facts: dict[str, Any]) -> None:
    """Write and fsync; readable by the owner alone."""
    settings.SPOOL_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(_path(nonce), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(facts, file)
        file.flush()
        os.fsync(file.fileno())


def take_hint(nonce: str) -> dict[str, Any]:
    """The hint of an attempt that is being resolved, removed; empty when there is none.

    It is evidence for the record, never a reason to decide: the broker's list alone decides.
    """
    path = _path(nonce)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    path.unlink(missing_ok=True)
    return found
