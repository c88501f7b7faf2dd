"""What a storm has tried: how often each fault struck, and which pairs of circumstances never came together.

Source: the coverage gate of the fault model. A fault counts where it altered a reply, or what a person or a
process did while a run was alive; a circumstance is the leg it struck, the profile, and whether a process had
died that day, before its request or after the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations as pairs_of
from typing import Any

from tests.storm.seeds import EVERY, OF_A_CANCEL, sides_of

__all__ = ["ENOUGH", "FEED", "Seen", "coverage_of", "expected_pairs", "seen_in"]

ENOUGH = 20
"""So often each fault has to strike."""
PROFILES = ("real", "mock")
DEATHS = ("none", "before", "after")
LONG_LISTS = frozenset({"B07"})
"""Strike the second page of a list: a day of so many orders is drawn, not directed. Counted, without pairs."""
CANNOT = frozenset({("fault=A26", "profile=mock")})
"""The mock takes two calls a second: one that is sent twice in the same moment is refused there."""
FEED = "down"
"""No process of the bed listens to the broker's notices: the other half of that circumstance is not counted."""
Seen = tuple[str, str, str, str]
"""(fault, leg, profile, death)"""


def death_of(point: str) -> str:
    """A crash point by the side of the request it is on; the empty one is no death."""
    name = point.partition(":")[0]
    if not name:
        return "none"
    return "before" if name.endswith("T2_commit") else "after"


def legs_of(fault: str) -> tuple[str, ...]:
    """The legs that a fault is tried on; one of a list or of the state of things is on none of its own."""
    if fault in OF_A_CANCEL:
        return ("cancel",)
    return tuple(side or "-" for side in sides_of(fault))


def seen_in(case: Any, profile: str, died: Mapping[str, str]) -> Iterable[Seen]:
    """Each strike of a seed. `died` names for each day (2026-11-02) the crash point that ended a process."""
    sides = {row["id"]: row["side"].lower() for row in case.view("intent")}
    leg = {
        nonce: "cancel" if attempt["action"] == "cancel" else sides.get(attempt["intent_id"], "-")
        for nonce, attempt in case.attempts.items()
    }
    nonces = {post["seq"]: str(post.get("nonce")) for post in case.posts}
    for row in case.kind("fault_fired"):
        day = str(row["vt"])[:10]
        yield (
            row["fault"],
            leg.get(nonces.get(row.get("req_seq"), ""), "-"),
            profile,
            death_of(died.get(day, "")),
        )


_NAMES = ("fault", "leg", "profile", "death")


def expected_pairs() -> set[tuple[str, str]]:
    """Every pair of circumstances that can come together, as `fault=A03` and `leg=sell`."""
    found = set()
    for fault in EVERY.keys() - LONG_LISTS:
        for leg in legs_of(fault):
            for profile in PROFILES:
                for death in DEATHS:
                    found |= _pairs((fault, leg, profile, death))
    return found - CANNOT


def _pairs(one: Seen) -> set[tuple[str, str]]:
    named = [f"{name}={value}" for name, value in zip(_NAMES, one, strict=True)]
    return set(pairs_of(named, 2))


def coverage_of(seen: Iterable[Seen], acted: Mapping[str, int]) -> dict[str, Any]:
    """`{"fired", "too_few", "pairs_expected", "pairs_seen", "pairs_missing", "feed"}`; `acted` is what the bed
    did itself, by id."""
    strikes = list(seen)
    fired = Counter(one[0] for one in strikes) + Counter(dict(acted))
    wanted = expected_pairs()
    had: set[tuple[str, str]] = set()
    for one in strikes:
        had |= _pairs(one)
    return {
        "fired": dict(sorted(fired.items())),
        "too_few": sorted(name for name in {*EVERY, *acted} if fired[name] < ENOUGH),
        "pairs_expected": len(wanted),
        "pairs_seen": len(wanted & had),
        "pairs_missing": sorted(" ".join(pair) for pair in wanted - had),
        "feed": FEED,
    }
