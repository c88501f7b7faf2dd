"""The goldens of advised plans: what a model returns is used whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from rebalancing.domain.netting import Side
from rebalancing.domain.planning import validate_execution_plan
from tests.golden.cases import exact, golden_cases


@dataclass(frozen=True)
class Wanted:
    ticker: str
    side: Side
    quantity: int


@pytest.mark.parametrize("case", golden_cases("flow", "plan_"))
def test_advised_plan(case):
    given, expected = case["input"], case["expect"]
    reasons = validate_execution_plan(
        [Wanted(t["ticker"], Side(t["action"]), t["quantity"]) for t in given["trades"]],
        given["plan"],
        exact(given["ref_price"]),
        given["tick"],
        Decimal(str(given["collar"])),
    )
    assert (not reasons) is expected["ok"]
    assert {reason.code for reason in reasons} == set(expected["why"])
