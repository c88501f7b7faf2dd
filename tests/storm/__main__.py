"""Play seeds and leave what they were: evidence, journal and truth of each, of its twin, and the sums.

    python -m tests.storm 0-199            the seeds 0 to 199, on a database of its own
    python -m tests.storm 0-199 --seconds 600    as many of them as fit

A seed whose folder is there already is read, not played again: a storm that was stopped goes on. What is left
lies in `var/storm/`; exit status 1 when a law was broken or nothing was looked at.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "storm"
COULD_BE_IDLE = frozenset({"I2", "I4", "I7", "I19"})
"""Laws about what need not happen in a few seeds: something refused, unknown, cancelled, scheduled."""


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _lines(path: Path, rows: Any) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def _leave(folder: Path, told: Any, took: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _lines(folder / "evidence.jsonl", told.case.evidence)
    _lines(folder / "journal.jsonl", told.case.journal)
    (folder / "truth.json").write_text(json.dumps(told.case.truth), encoding="utf-8")
    about = {"outcomes": dict(told.outcomes), "crashes": told.crashes, "refused": told.refused}
    about["seconds"] = round(took, 1)
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _played(folder: Path, plan: Any, empty: bytes) -> None:
    """Play a plan on a migrated, empty database unless it was played."""
    from tests.storm.story import play

    if (folder / "about.json").exists():
        return
    _database(empty)
    began = time.monotonic()
    _leave(folder, play(plan), time.monotonic() - began)


def _database(contents: bytes | None = None) -> bytes:
    """The database's file as it is, or another one in its place."""
    from django.db import connection

    connection.close()
    path = Path(str(connection.settings_dict["NAME"]))
    if contents is not None:
        for left in ("-wal", "-shm"):
            path.with_name(path.name + left).unlink(missing_ok=True)
        path.write_bytes(contents)
    return path.read_bytes()


def _read(folder: Path) -> tuple[Any, Any]:
    """(the case that a seed left, what was noted about it)."""
    from rebalancing.domain.laws import Case, rows_of

    def rows(name: str) -> Any:
        return rows_of((folder / name).read_text(encoding="utf-8").splitlines())

    truth, about = (
        json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("truth.json", "about.json")
    )
    return Case(rows("evidence.jsonl"), rows("journal.jsonl"), truth), about


def summed(seeds: list[int], folder: Path = FOLDER) -> dict[str, Any]:
    """`storm.json`: what was played, what struck, what the laws looked at and found."""
    from rebalancing.domain.laws import judge
    from tests.storm.seeds import plan_of

    fired: Counter[str] = Counter()
    planned: set[str] = set()
    examined: Counter[str] = Counter()
    violations: list[dict[str, Any]] = []
    outcomes: Counter[str] = Counter()
    twins: Counter[str] = Counter()
    transient: Counter[str] = Counter()
    crashes = orders = 0
    for seed in seeds:
        plan = plan_of(seed)
        planned |= {strike.fault for strike in plan.strikes}
        for where in ("", "twin"):
            case, about = _read(folder / str(seed) / where)
            ends = twins if where else outcomes
            ends.update(about["outcomes"])
            if not where:
                fired.update(row["fault"] for row in case.kind("fault_fired"))
                crashes, orders = crashes + about["crashes"], orders + len(case.posts)
                transient.update(about["outcomes"] if plan.transient else {})
            for name, finding in judge(case).items():
                examined[name] += finding.examined
                for one in finding.violations:
                    found = {"law": one.law, "text": one.text, "witness": list(one.witness)}
                    violations.append({"seed": seed, "twin": bool(where)} | found)
    return {
        "seeds": seeds,
        "faults_planned": sorted(planned),
        "faults_fired": dict(sorted(fired.items())),
        "crashes": crashes,
        "orders": orders,
        "outcomes": dict(outcomes),
        "transient_only": dict(transient),
        "twins": dict(twins),
        "examined": dict(examined),
        "violations": violations,
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.storm")
    parser.add_argument("seeds", nargs="?", default="0-19")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    args = parser.parse_args(argv)
    sys.path.insert(0, str(ROOT))
    from benchmarks.place import django_place

    with django_place():
        from tests.storm.seeds import plan_of, twin_of

        began, done, empty = time.monotonic(), [], _database()
        for seed in _seeds(args.seeds):
            if time.monotonic() - began > args.seconds:
                break
            plan = plan_of(seed)
            _played(FOLDER / str(seed), plan, empty)
            _played(FOLDER / str(seed) / "twin", twin_of(plan), empty)
            done.append(seed)
            print(f"── seed {seed} · {time.monotonic() - began:.0f} s", flush=True)
        found = summed(done)
        text = json.dumps(found, ensure_ascii=False, indent=1)
        (FOLDER / "storm.json").write_text(text, encoding="utf-8")
    idle = [name for name, count in found["examined"].items() if not count]
    print(
        f"── {len(done)} seeds · {found['orders']} orders · {sum(found['faults_fired'].values())} faults"
        f" of {len(found['faults_fired'])} kinds · {found['crashes']} crashes"
        f" · {len(found['violations'])} violations · idle: {', '.join(idle) or 'none'}"
    )
    for one in found["violations"][:20]:
        where = f"seed {one['seed']}{' twin' if one['twin'] else ''}"
        print(f"   {where} {one['law']}: {one['text']} {one['witness']}")
    return int(bool(found["violations"]) or not set(idle) <= COULD_BE_IDLE or not found["orders"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
