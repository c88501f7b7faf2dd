"""No step of a run sends more than sixty statements, on both faces of the broker, orders chased or not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ten_names import count_statements, ten_names
from tests.support.world import START
from trading.models import Intent

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 60
BUSY = START.replace(hour=9, minute=5)
"""A moment at which that seed's market runs away from some orders, where it is not tame."""


@pytest.mark.parametrize("wire", ["real", "mock"])
@pytest.mark.parametrize("market", ["tame", "chased"])
def test_the_worst_step_of_ten_names(
    transactional_db: None, settings: Any, wire: str, market: str
) -> None:
    with ten_names(wire=wire, tame=market == "tame", seed=3, start=BUSY) as world:
        most = count_statements(world)
    state, statements = next(iter(most.items()))
    assert statements <= MOST, (state, most)
    assert Intent.objects.filter(action="cancel").exists() is (market == "chased")
    assert {"OPEN", "SELLING", "AWAITING_APPROVAL", "BUY_WAIT", "FINAL_RECON"} <= set(most)
