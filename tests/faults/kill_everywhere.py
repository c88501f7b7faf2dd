"""Kill the worker once at each commit and around each order POST; the end must always be the same.

    make kills                 every place of a run, on a PostgreSQL and a Redis it starts itself
    make kills COMMITS=10-30   only the commits 10 to 30

A first run that nobody kills shows which places there are; then each has a run of its own, with a real
worker, and what did not die where it should is a failure. The simulator's journal is the referee.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMITS = ("before-commit", "commit")


def places_of(passed: Mapping[str, int], span: str = "") -> list[str]:
    """Every passing of every place; with `span` (`10-30`) only the commits of these numbers."""
    if not span:
        return [f"{name}:{n}" for name in sorted(passed) for n in range(1, passed[name] + 1)]
    first, _, last = span.partition("-")
    numbers = range(int(first), min(int(last or first), passed["commit"]) + 1)
    return [f"{name}:{n}" for n in numbers for name in COMMITS]


def report(places: list[str], record: Path, seconds: float) -> bool:
    """Print the figures; True when every place killed once and all ended alike."""
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    rows = [json.loads(line) for line in lines]
    ends = {json.dumps(row["holdings"], sort_keys=True) for row in rows}
    killed = {row["place"] for row in rows}
    slowest = max((row["recovered"] or 0.0 for row in rows), default=0.0)
    print(
        f"── {len(places)} places · {len(killed)} killed · {len(ends)} distinct final holdings"
        f" · slowest to go on {slowest:.1f} s · {seconds:.0f} s"
    )
    return bool(places) and killed == set(places) and len(ends) == 1


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tests.support.servers import private_servers

    started = time.monotonic()
    span = sys.argv[1] if len(sys.argv) > 1 else ""
    with private_servers() as servers, tempfile.TemporaryDirectory(prefix="jeoul-storm-") as name:
        folder = Path(name)
        env = os.environ | {
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "JEOUL_IGNORE_DOTENV": "1",
            "STORM_COUNTS": str(folder / "counts.json"),
            # hundreds of processes: none compiles again what another has compiled
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        }
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        if _pytest(env, "tests/faults/count_places.py"):
            return 1
        counts = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
        places = places_of(counts, span)
        (folder / "places").write_text("\n".join(places), encoding="utf-8")
        told = {"STORM_PLACES": str(folder / "places"), "STORM_RECORD": str(folder / "record")}
        failed = _pytest(env | told, "-n", "2", "tests/faults/test_kill.py")
        alike = report(places, folder / "record", time.monotonic() - started)
    return 0 if alike and not failed else 1


def _pytest(env: Mapping[str, str], *arguments: str) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=dict(env), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
