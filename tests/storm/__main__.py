"""Play seeds and leave what they were: evidence, journal and truth of each, of its twin, and the sums.

    python -m tests.storm 0-199            the seeds 0 to 199, on a database of its own
    python -m tests.storm 0-199 --seconds 600    as many of them as fit
    python -m tests.storm directed:4             every fault × leg × profile × crash point, four times
    python -m tests.storm composite:3            the composite storms, each three times on either profile
    python -m tests.storm directed:4,0-199 --coverage    fails unless every fault struck twenty times and every
                                                 pair of circumstances came together
    python -m tests.storm 0-199 --postgres       on PostgreSQL: DATABASE_URL's server, or one started for it

A seed whose folder is there already is read, not played again: a storm that was stopped goes on. What is left
lies in `var/storm/` (of PostgreSQL in `var/storm/postgres/`); exit status 1 when a law was broken, a fault of
the plan never struck, or a law had nothing to look at.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from config.build import build_id  # noqa: E402

FOLDER = ROOT / "var" / "storm"
COULD_BE_IDLE = frozenset({"I2", "I4", "I7", "I19"})
"""Laws about what need not happen in a few seeds: something refused, unknown, cancelled, scheduled."""
ENOUGH = 50
"""From so many seeds on, a fault that was planned and never struck is a failure of the storm."""


@cache
def _made_by() -> str:
    """Names the code that plays and the code that is played: another one plays its seeds anew."""
    storm = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return f"{build_id(ROOT)}-{hashlib.sha256(storm).hexdigest()[:12]}"


def _seeds(text: str) -> list[int]:
    from tests.storm.composites import composite_seeds
    from tests.storm.seeds import directed_seeds

    if "," in text:
        return [seed for part in text.split(",") for seed in _seeds(part)]
    name, _colon, rounds = text.partition(":")
    if name == "composite":
        return list(composite_seeds(rounds=int(rounds or 3)))
    if name == "directed":
        return list(directed_seeds(rounds=int(rounds or 1)))
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
    about = {"outcomes": dict(told.outcomes), "died": told.died, "refused": told.refused}
    about |= {"acted": dict(told.acted), "seconds": round(took, 1), "build": _made_by()}
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _played(folder: Path, plan: Any, empty: Callable[[], None]) -> None:
    """Play a plan on a migrated, empty database unless it was played."""
    from tests.storm.story import play

    about = folder / "about.json"
    if about.exists() and json.loads(about.read_text("utf-8")).get("build") == _made_by():
        return
    empty()
    began = time.monotonic()
    _leave(folder, play(plan), time.monotonic() - began)


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
    from tests.storm.coverage import Seen, coverage_of, seen_in
    from tests.storm.seeds import WAITING, plan_of

    seen: list[Seen] = []
    acted: Counter[str] = Counter()
    planned: set[str] = set()
    examined: Counter[str] = Counter()
    violations: list[dict[str, Any]] = []
    outcomes: Counter[str] = Counter()
    twins: Counter[str] = Counter()
    transient: Counter[str] = Counter()
    crashes = orders = 0
    for seed in seeds:
        plan = plan_of(seed)
        planned |= {strike.fault for strike in plan.strikes} | {act.kind for act in plan.acts}
        for where in ("", "twin"):
            case, about = _read(folder / str(seed) / where)
            ends = twins if where else outcomes
            ends.update(about["outcomes"])
            if not where:
                seen += seen_in(case, plan.profile, about["died"])
                acted.update(about["acted"])
                crashes, orders = crashes + len(about["died"]), orders + len(case.posts)
                transient.update(about["outcomes"] if plan.transient else {})
            for name, finding in judge(case).items():
                examined[name] += finding.examined
                for one in finding.violations:
                    found = {"law": one.law, "text": one.text, "witness": list(one.witness)}
                    violations.append({"seed": seed, "twin": bool(where)} | found)
    fired = Counter(one[0] for one in seen) + acted
    return {
        "seeds": seeds,
        "faults_planned": sorted(planned),
        "faults_waiting": WAITING,
        "faults_fired": dict(sorted(fired.items())),
        "coverage": coverage_of(seen, acted),
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
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    args = parser.parse_args(argv)
    from tests.storm.database import storm_place

    postgres = args.postgres or os.environ.get("DATABASE_URL", "").startswith("postgres")
    folder = FOLDER / "postgres" if postgres else FOLDER
    with storm_place(postgres) as empty:
        from tests.storm.seeds import plan_of, twin_of

        began, done = time.monotonic(), []
        for seed in _seeds(args.seeds):
            if time.monotonic() - began > args.seconds:
                break
            plan = plan_of(seed)
            _played(folder / str(seed), plan, empty)
            _played(folder / str(seed) / "twin", twin_of(plan), empty)
            done.append(seed)
            print(f"── seed {seed} · {time.monotonic() - began:.0f} s", flush=True)
        found = summed(done, folder)
        text = json.dumps(found, ensure_ascii=False, indent=1)
        (folder / "storm.json").write_text(text, encoding="utf-8")
    idle = [name for name, count in found["examined"].items() if not count]
    print(
        f"── {len(done)} seeds · {found['orders']} orders · {sum(found['faults_fired'].values())} faults"
        f" of {len(found['faults_fired'])} kinds · {found['crashes']} crashes"
        f" · {len(found['violations'])} violations · idle: {', '.join(idle) or 'none'}"
    )
    for one in found["violations"][:20]:
        where = f"seed {one['seed']}{' twin' if one['twin'] else ''}"
        print(f"   {where} {one['law']}: {one['text']} {one['witness']}")
    never = sorted(set(found["faults_planned"]) - set(found["faults_fired"]))
    if never:
        print(f"   never struck: {', '.join(never)}")
    tried = found["coverage"]
    print(
        f"   pairs: {tried['pairs_seen']} of {tried['pairs_expected']} · struck fewer than twenty times: "
        f"{', '.join(tried['too_few']) or 'none'}"
    )
    if args.coverage and (tried["too_few"] or tried["pairs_missing"]):
        print(f"   never together: {'; '.join(tried['pairs_missing'][:20]) or 'none'}")
        return 1
    few = len(done) < ENOUGH
    wrong = found["violations"] or not found["orders"] or not set(idle) <= COULD_BE_IDLE
    return int(bool(wrong) or bool(never and not few))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
