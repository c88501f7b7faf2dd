"""Is each mistake that a law or a test is there for really seen? Make it in a copy, and look.

    python -m tests.mutants              every mutant, M01 to M24
    python -m tests.mutants M01 M16      these

The copy without any mistake runs every bed first: one that fails by itself proves nothing. What came of each is
written to `var/mutants.json`. Exit status 1 when one that must die survives, 2 when a patch does not apply or a
bed fails without its mutant.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.mutants.copies import DoesNotApply, copy_of_source, patched, run_all, run_bed
from tests.mutants.table import SIMULATION, TABLE, Mutant

RECORD = Path(__file__).resolve().parents[2] / "var" / "mutants.json"


def _beds(mutants: list[Mutant]) -> list[str]:
    """What fails without any mistake. Each seed and each test is run once, whoever names it."""
    bad = []
    with copy_of_source() as folder:
        for bed in dict.fromkeys(one.bed for one in mutants):
            runs = tuple(dict.fromkeys(r for one in mutants if one.bed == bed for r in one.runs))
            for part in [(run,) for run in runs] if bed == SIMULATION else [runs]:
                found = run_all(folder, bed, part, set())
                print(f"── {bed} {' '.join(part)[:90]} · {found.seconds:.0f} s", flush=True)
                if found.verdict != "survived":
                    bad.append(f"{bed} {part}: {found.verdict} {found.by}")
    return bad


def _keep(name: str, row: dict[str, object]) -> None:
    """Rows of mutants that were not played now stay as they were."""
    kept = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    kept[name] = row
    RECORD.parent.mkdir(exist_ok=True)
    text = json.dumps(dict(sorted(kept.items())), ensure_ascii=False, indent=1)
    RECORD.write_text(text, encoding="utf-8")


def main(names: list[str]) -> int:
    unknown = set(names) - set(TABLE)
    if unknown:
        print(f"no such mutant: {', '.join(sorted(unknown))}")
        return 2
    mutants = [one for name, one in TABLE.items() if not names or name in names]
    if bad := _beds(mutants):
        print("a bed that fails without its mutant proves nothing:", *bad, sep="\n   ")
        return 2
    alive = []
    for one in mutants:
        try:
            with copy_of_source() as folder:
                patched(folder, one.id)
                found = run_bed(folder, one)
        except DoesNotApply as error:
            print(f"a patch does not apply: {error}")
            return 2
        _keep(one.id, {"mistake": one.mistake, "bed": one.bed} | asdict(found))
        print(f"{one.id} {found.verdict:8} {found.seconds:6.1f} s  {found.by}", flush=True)
        if one.must_die and found.verdict != "killed":
            alive.append(one.id)
    if alive:
        print(f"must die and did not: {', '.join(alive)}")
    return int(bool(alive))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
