"""Runs the benchmarks, each in a process of its own, and writes `bench.json`.

python -m benchmarks            all
python -m benchmarks memory     one; the other entries of bench.json stay
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import NAMES

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "bench.json"


def kept() -> dict[str, Any]:
    """The entries of an earlier call; empty when there are none."""
    try:
        found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def measured(name: str) -> dict[str, Any]:
    """The entries of one benchmark. Raises CalledProcessError when it could not measure."""
    command = [sys.executable, "-m", "benchmarks.one", name]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.decode().splitlines()[-1])
    return found


def main() -> int:
    names = [name for name in sys.argv[1:] if name] or list(NAMES)
    if strange := sorted(set(names) - set(NAMES)):
        print(f"no benchmark {', '.join(strange)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    broken = 0
    for name in names:
        started = time.monotonic()
        try:
            entries = measured(name)
        except subprocess.CalledProcessError:
            print(f"{name}: could not be measured, see above", file=sys.stderr)
            broken += 1
            continue
        RESULT.write_text(json.dumps(kept() | entries, indent=1, ensure_ascii=False) + "\n")
        for key, entry in entries.items():
            goal = f"  (goal {entry['goal']})" if entry.get("goal") is not None else ""
            print(f"{key:32} {entry['value']:>10} {entry['unit']}{goal}")
        print(f"{'':32} measured in {time.monotonic() - started:.0f} s", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
