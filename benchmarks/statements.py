"""The SQL of one run of ten names in one market, in a process and on a database of its own.

    python -m benchmarks.statements mock messy

Prints one line of JSON: the most statements that one step of each state has sent, the worst first.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.place import django_place

__all__ = ["MARKETS", "measured"]

MARKETS = [(wire, manners) for wire in ("real", "mock") for manners in ("tame", "messy")]


def measured(wire: str, manners: str) -> dict[str, int]:
    """The same figures from a process of its own. Raises CalledProcessError when it could not measure."""
    command = [sys.executable, "-m", "benchmarks.statements", wire, manners]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, int] = json.loads(done.stdout.decode().splitlines()[-1])
    return found


def main() -> int:
    wire, manners = sys.argv[1:]
    with django_place():
        from tests.support.ten_names import count_statements, ten_names

        with ten_names(wire=wire, tame=manners == "tame", seed=3) as world:
            print(json.dumps(count_statements(world)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
