"""The claims of docs/features.md against the tests that really passed."""

from __future__ import annotations

from collections.abc import Iterable

from tests.test_features import CLAIMS, rows

__all__ = ["unproven"]


def unproven(passed: Iterable[str]) -> list[str]:
    """Features that work, or partly work, by a test that is not among the node ids `passed`."""
    ran = {_plain(node) for node in passed}
    return [
        f"F{number} by {test}"
        for number, state, _missing, test in rows()
        if state in CLAIMS and _plain(test) not in ran
    ]


def _plain(node: str) -> str:
    """Without the parameters and the group that pytest appends."""
    return node.split("[")[0].split("@")[0]
