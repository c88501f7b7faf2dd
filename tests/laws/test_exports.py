"""The laws over what is really exported: names and numbers there are those that the laws look for."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from rebalancing.domain.laws import Case, judge
from tests.support.laws import world_case
from tests.support.world import World
from trading.selectors.scopes import account_scope
from trading.services.switches import engage

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def later(case: Case, seq: int) -> Case:
    """The same history, had its last order's record been committed at another place of the chain."""
    rows: list[Any] = [deepcopy(dict(row)) for row in case.evidence]
    last = max((row for row in rows if row["view"] == "attempt"), key=lambda row: row["seq"])
    last["seq"] = seq
    return Case(tuple(rows), case.journal, case.truth)


@pytest.mark.parametrize("kind", ["global", "account", "strategy", "another account"])
def test_an_order_after_a_stop_of_its_scope_is_flagged_as_it_is_exported(
    world: World, kind: str
) -> None:
    run = world.drive(world.open())
    scopes = {
        "global": "global",
        "account": account_scope(world.account),
        "strategy": f"strategy:{run.strategy}",
        "another account": "account:999999",
    }
    engage(scopes[kind], "HALTED", "owner", "drill")
    case = world_case(world)
    (stop,) = case.view("switch")
    assert not judge(case)["I12"].violations
    broken = judge(later(case, stop["seq"] + 1))["I12"].violations
    assert bool(broken) is (kind != "another account")
