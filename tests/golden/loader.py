"""Finds the golden cases and names them; holds no arithmetic."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def golden_dir() -> Path:
    return Path(os.environ.get("GOLDEN_DIR") or ROOT.parent / "shared" / "quant" / "golden")


def golden_params(stem: str) -> list[Any]:
    """One pytest parameter per case of `stem`.json, or one skipped parameter when it is absent."""
    path = golden_dir() / f"{stem}.json"
    if not path.exists():
        skip = pytest.mark.skip(reason=f"golden cases absent: {stem}.json")
        return [pytest.param(None, id=f"{stem}-absent", marks=skip)]
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
    total, seen = Counter(case["name"] for case in cases), Counter()
    params = []
    for case in cases:
        name = case["name"]
        seen[name] += 1
        suffix = f"-{seen[name]}" if total[name] > 1 else ""
        params.append(pytest.param(case, id=f"{stem}-{name}{suffix}"))
    return params
