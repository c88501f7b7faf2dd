"""The laws over one world: what we say of ourselves against the simulator's journal and truth."""

from __future__ import annotations

import json
from collections.abc import Collection
from io import StringIO

from django.core.management import call_command

from rebalancing.domain.laws import Case, judge, rows_of
from tests.support.world import World

__all__ = ["check_laws", "world_case"]

ABOUT_LIMITS = frozenset({"I15", "I16"})
"""A world without the broker's limits is asked as fast as it answers."""


def world_case(world: World) -> Case:
    """Everything that was written down, by us through the command that anyone may use."""
    out = StringIO()
    call_command("export_evidence", stdout=out)
    evidence = rows_of(out.getvalue().splitlines())
    journal = rows_of(json.dumps(row) for row in world.sim.journal())
    return Case(evidence, journal, json.loads(json.dumps(world.truth())))


def check_laws(world: World, but: Collection[str] = ()) -> None:
    """Every law but some holds, and those about orders had orders to look at."""
    case = world_case(world)
    found = judge(case)
    broken = [
        one
        for name, finding in found.items()
        if name not in {*but, *(() if world.sim.world.options.minute_rule else ABOUT_LIMITS)}
        for one in finding.violations
    ]
    assert not broken, "\n".join(f"{one.law}: {one.text} {one.witness}" for one in broken)
    if case.posts:
        idle = [name for name in ("I1", "I7", "I9", "I22", "I24") if not found[name].examined]
        assert not idle, f"nothing to look at for {idle}"
