"""The reads that specification 000 names, on a snapshot; and the evidence from a time on."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from portfolio.selectors.current import get_current_asset_allocation
from rebalancing.services.watch import refresh_accounts
from tests.support.world import HOLDINGS, World
from trading.selectors.holdings import get_available_cash, get_current_holdings

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def test_before_the_first_look_nothing_is_known(world: World) -> None:
    assert get_current_holdings(world.account) == {}
    assert get_available_cash(world.account) is None
    assert get_current_asset_allocation(world.account) == {}


def test_after_a_look_they_say_what_the_broker_said(world: World) -> None:
    refresh_accounts()
    assert get_current_holdings(world.account) == HOLDINGS
    assert get_available_cash(world.account) == 8_400_000
    shares = get_current_asset_allocation(world.account)
    assert sum(shares.values()) == pytest.approx(Decimal(100))
    assert set(shares) == {"STOCK", "BOND", "ALTERNATIVE", "CASH"}


def exported(*arguments: str) -> list[dict[str, object]]:
    out = StringIO()
    call_command("export_evidence", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_evidence_from_a_time_on_leaves_out_what_was_before(world: World) -> None:
    world.drive(world.open())
    everything = {row["view"] for row in exported()}
    assert {"intent", "ledger", "border"} <= everything
    later = {row["view"] for row in exported("--since", "2099-01-01T00:00:00+09:00")}
    assert not {"intent", "ledger", "border"} & later
    with pytest.raises(CommandError):
        exported("--since", "yesterday")
