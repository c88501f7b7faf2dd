"""Measures one benchmark in this process and prints its entries as one line of JSON."""

from __future__ import annotations

import importlib
import json
import sys

from benchmarks import NAMES


def main() -> int:
    name = sys.argv[1]
    if name not in NAMES:
        return 2
    entries = importlib.import_module(f"benchmarks.{name}").figures()
    print(json.dumps(entries, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
