"""Somebody else trades in the account: what pauses, what does not, and what is kept."""

from __future__ import annotations

import pytest

from rebalancing.models import Leg, Run
from rebalancing.services.runs import run_cancel, run_resume
from tests.support.truth import check_truth
from tests.support.world import ACCOUNT_NO, World
from trading.domain.errors import RuleViolation, StateConflict
from trading.models import (
    Account,
    Alert,
    AuditEntry,
    Intent,
    Lot,
)
from trading.services.ledger import EXTERNAL, sleeve_of
from trading.services.pauses import lift_pause
from trading.services.reconcile import reconcile_account

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def audited() -> list[str]:
    found = AuditEntry.objects.filter(action__in=["account_paused", "account_resumed"])
    return [f"{row.action} {row.actor}" for row in found.order_by("seq")]


def external_order(world: World) -> Run:
    """A run that was paused because somebody bought one of its names elsewhere."""
    run = world.drive(world.open(), until="SELL_WAIT")
    ticker = Leg.objects.filter(run=run, side="BUY").earliest("pk").instrument_id
    world.sim.manual_order(ACCOUNT_NO, ticker, "buy", 1, None)
    return world.drive(run, until="PAUSED_EXTERNAL")


def test_a_person_trading_the_same_name_elsewhere_pauses_the_run(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    ticker = Leg.objects.filter(run=run, side="BUY").earliest("pk").instrument_id
    world.sim.manual_order(ACCOUNT_NO, ticker, "buy", 1, None)
    run = world.drive(run, until="PAUSED_EXTERNAL")
    assert run.state == "PAUSED_EXTERNAL"
    assert Alert.objects.filter(code="external_order").exists()
    run_resume(run.pk, "owner")
    run = world.drive(run)
    assert run.state in ("COMPLETED", "COMPLETED_WITH_SHORTFALL")
    check_truth(world)


def test_somebody_elses_order_pauses_the_account_and_resuming_lifts_both(world: World) -> None:
    run = external_order(world)
    world.account.refresh_from_db()
    assert world.account.paused_reason == "external_order"
    run_resume(run.pk, "owner")
    world.account.refresh_from_db()
    assert world.account.paused_reason == ""
    assert audited() == ["account_paused engine", "account_resumed owner"]
    run = world.drive(run)
    assert run.state in ("COMPLETED", "COMPLETED_WITH_SHORTFALL")
    assert "buy" in {row["side"] for row in world.accepted() if row["req_seq"] is not None}


def test_a_run_that_is_closed_leaves_the_account_paused_until_somebody_lifts_it(
    world: World,
) -> None:
    run = external_order(world)
    run_resume(run.pk, "owner", close=True)
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    world.account.refresh_from_db()
    with pytest.raises(RuleViolation) as refused:
        world.open()
    assert [reason.code for reason in refused.value.reasons] == ["account_paused_external"]
    lift_pause(world.account, "owner")
    with pytest.raises(StateConflict, match="account_not_paused"):
        lift_pause(world.account, "owner")
    world.account.refresh_from_db()
    assert world.open().state == "CREATED"


def test_stopping_a_run_that_is_paused_cancels_what_works_and_ends_it(world: World) -> None:
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm("E01", match={"ticker": sold.instrument_id}, params={"share": 0.4})
    run = world.drive(run, until="SELL_WAIT")
    ticker = Leg.objects.filter(run=run, side="BUY").earliest("pk").instrument_id
    world.sim.manual_order(ACCOUNT_NO, ticker, "buy", 1, None)
    run = world.drive(run, until="PAUSED_EXTERNAL")
    working = Intent.objects.get(leg_id=sold.pk, action="order")
    assert working.state == "PARTIAL"
    run_cancel(run.pk, "owner")
    run = world.drive(run)
    assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "stopped_by_person")
    working.refresh_from_db()
    assert working.state == "CANCELED"
    assert {row["side"] for row in world.accepted() if row["req_seq"] is not None} == {"sell"}
    check_truth(world)


def test_an_outside_order_on_a_name_of_no_run_pauses_nothing(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.manual_order(ACCOUNT_NO, "130730", "buy", 1, None)
    run = world.drive(run)
    assert run.state == "COMPLETED"
    assert Alert.objects.filter(code="external_order").exists()
    world.account.refresh_from_db()
    assert world.account.paused_reason == "" and audited() == []


def test_what_an_admin_paused_is_not_lifted_by_resuming(world: World) -> None:
    Account.objects.filter(pk=world.account.pk).update(paused_reason="moving house")
    with pytest.raises(StateConflict, match="account_not_paused"):
        lift_pause(world.account, "owner")
    world.account.refresh_from_db()
    assert world.account.paused_reason == "moving house"


def test_what_somebody_bought_and_sold_between_two_looks_leaves_no_lot_behind(
    world: World,
) -> None:
    world.drive(world.open())
    for side, quantity in (("buy", 30), ("sell", 20), ("buy", 5), ("sell", 15)):
        world.sim.manual_order(ACCOUNT_NO, "130730", side, quantity, None)
        world.settle()
    check_truth(world)
    lots = Lot.objects.filter(instrument_id="130730").order_by("pk")
    assert [(lot.quantity, lot.open_quantity) for lot in lots] == [(30, 0), (5, 0)]
    assert all(lot.cost > 0 for lot in lots)  # none had to be invented


def test_shares_sold_that_were_never_seen_to_arrive_show_the_lot_they_came_from(
    world: World,
) -> None:
    world.drive(world.open())
    Lot.objects.filter(instrument_id="069500").update(open_quantity=0)
    world.sim.manual_order(ACCOUNT_NO, "069500", "sell", 10, None)
    world.settle()
    reconcile_account(world.account)
    ghost = Lot.objects.filter(instrument_id="069500").latest("pk")
    assert (ghost.quantity, ghost.open_quantity, ghost.cost) == (10, 0, 0)


def test_a_sale_takes_the_lots_of_its_own_sleeve_before_older_ones_of_others(world: World) -> None:
    world.drive(world.open())
    ours = Lot.objects.create(
        account=world.account,
        sleeve=sleeve_of(world.account),
        instrument_id="130730",
        quantity=30,
        open_quantity=30,
        cost=1,
        opened_at=world.now,
    )
    for side, quantity in (("buy", 30), ("sell", 10)):
        world.sim.manual_order(ACCOUNT_NO, "130730", side, quantity, None)
        world.settle()
        reconcile_account(world.account)
    theirs = Lot.objects.filter(instrument_id="130730").latest("pk")
    ours.refresh_from_db()
    assert (ours.open_quantity, theirs.sleeve.code, theirs.open_quantity) == (30, EXTERNAL, 20)
