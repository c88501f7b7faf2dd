"""Golden cases as test parameters, named by file and case so that `-k` finds either."""

from __future__ import annotations

import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

DEFAULT_DIR = Path(__file__).resolve().parents[2].parent / "shared" / "quant" / "golden"


def golden_cases(stem: str, prefix: str) -> list:
    """Cases of `<stem>.json` whose name starts with `prefix`; one skipped case when there is no
    file.

    Repeated names get -2, -3 … in file order.
    """
    path = Path(os.environ.get("GOLDEN_DIR") or DEFAULT_DIR) / f"{stem}.json"
    if not path.is_file():
        skipped = pytest.mark.skip(reason=f"{path} is not here")
        return [pytest.param(None, marks=skipped, id=f"{stem}-{prefix}absent")]
    seen: Counter[str] = Counter()
    params = []
    for case in json.loads(path.read_text())["cases"]:
        if case["name"].startswith(prefix):
            seen[case["name"]] += 1
            repeat = f"-{seen[case['name']]}" if seen[case["name"]] > 1 else ""
            params.append(pytest.param(case, id=f"{stem}-{case['name']}{repeat}"))
    return params


def exact(value: object) -> object:
    """JSON numbers as the product takes them: whole ones as int, others as Decimal."""
    if isinstance(value, dict):
        return {name: exact(inner) for name, inner in value.items()}
    if isinstance(value, float):
        return int(value) if value.is_integer() else Decimal(str(value))
    return value


def decimals(values: dict[str, float]) -> dict[str, Decimal]:
    return {name: Decimal(str(value)) for name, value in values.items()}
