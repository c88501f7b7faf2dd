"""The smallest day that still fails: `python -m tests.storm.shrink 57` plays a seed that broke a law again and
again, each time with less of it, and prints what is left for a test of its own."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.storm.seeds import Plan

__all__ = ["events_of", "shrink"]


def events_of(plan: Plan) -> int:
    """What happens in it: strikes, deaths, acts, and steps that are delivered twice."""
    return len(plan.strikes) + len(plan.deaths) + len(plan.acts) + (plan.doubled > 0)


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Every plan with one event less, and the one without its last day."""
    last = len(plan.targets) - 1
    if last and not any(one.day == last for one in (*plan.strikes, *plan.acts)):
        yield replace(
            plan,
            targets=plan.targets[:last],
            start_minute=plan.start_minute[:last],
            deaths=tuple(death for death in plan.deaths if death[0] < last),
        )
    if plan.doubled:
        yield replace(plan, doubled=0.0)
    for n in range(len(plan.acts)):
        yield replace(plan, acts=plan.acts[:n] + plan.acts[n + 1 :])
    for n in range(len(plan.deaths)):
        yield replace(plan, deaths=plan.deaths[:n] + plan.deaths[n + 1 :])
    for n in range(len(plan.strikes)):
        yield replace(plan, strikes=plan.strikes[:n] + plan.strikes[n + 1 :])


def shrink(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """The plan from which nothing can be taken without it passing. Raises ValueError when `plan` passes."""
    if not fails(plan):
        raise ValueError(f"seed {plan.seed} does not fail")
    smaller: Plan | None = plan
    while smaller is not None:
        plan = smaller
        smaller = next((one for one in _smaller(plan) if fails(one)), None)
    return plan


def main(seed: int) -> int:
    from tests.storm.database import storm_place

    logging.disable(logging.ERROR)
    with storm_place(postgres=False) as empty:
        from rebalancing.domain.laws import judge
        from tests.storm.seeds import plan_of
        from tests.storm.story import play

        def broken(plan: Plan) -> list[str]:
            empty()
            found = judge(play(plan).case)
            return [f"{v.law}: {v.text} {v.witness}" for f in found.values() for v in f.violations]

        try:
            least = shrink(plan_of(seed), lambda plan: bool(broken(plan)))
        except ValueError as error:
            print(error)
            return 1
        print(f"{events_of(least)} of {events_of(plan_of(seed))} events are left:\n{least}")
        for one in broken(least):
            print(f"   {one}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
