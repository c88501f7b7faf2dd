"""A refusal is checked against the list: nothing there lets it go again, an order there stops all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from rebalancing.models import Run
from rebalancing.services.advance import run_advance
from tests.support.truth import check_truth
from tests.support.world import World
from trading.domain.orders import REJECT_CODES, RejectCode
from trading.models import Alert, Attempt, BrokerOrder, Intent
from trading.services import refusals
from trading.services.reconcile import reconcile_account
from trading.services.refusals import check_refusals, unchecked_refusals
from trading.services.switches import switch_state
from trading.tasks import reconcile_idle

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def paths(world: World) -> list[str]:
    return [row["path"].rsplit("/", 1)[1] for row in world.journal("http_req")]


def refused() -> Attempt:
    return Attempt.objects.filter(state="REJECTED").earliest("pk")


def test_too_many_ledger_calls_is_sent_again_only_after_a_clean_list(world: World) -> None:
    world.sim.arm("A10", match={"side": "sell"})
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    attempt = refused()
    assert attempt.msg_cd == "EGW00215"
    again = attempt.intent.attempts.get(number=2)
    asked = paths(world)
    first = asked.index("order-cash")
    second = asked.index("order-cash", first + 1)
    assert "inquire-daily-ccld" in asked[first:second]
    assert attempt.last_checked_at and attempt.last_checked_at <= again.committed_at
    assert switch_state(world.account) == "ACTIVE"
    check_truth(world)


def test_while_the_list_cannot_be_read_nothing_is_sent_again(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    assert reconcile_account(world.account).complete
    world.sim.arm("A10", match={"tr_id": "TTTC0011U"})
    world.sim.arm("B03", match={"tr_id": "TTTC0081R"}, count=500)
    for _ in range(2):
        run_advance(run.pk)
    assert "B03" in {row["fault"] for row in world.journal("fault_fired")}
    intent = refused().intent
    assert (intent.state, intent.attempts.count()) == ("REJECTED", 1)
    world.sim.disarm()
    run = world.drive(run)
    assert run.state == "COMPLETED"
    check_truth(world)


@pytest.mark.parametrize("code", ["EGW00215", "EGW00201", "APBK0400"])
def test_an_order_that_was_refused_and_yet_taken_stops_the_account(world: World, code: str) -> None:
    world.sim.arm("A08", match={"side": "sell"}, params={"code": code, "accepted": True})
    run = world.drive(world.open())
    attempt = refused()
    assert attempt.intent.attempts.count() == 1, "never sent again"
    assert attempt.intent.state in ("REJECTED", "REVOKED")
    assert switch_state(world.account) == "HALTED"
    page = Alert.objects.get(code="refusal_was_wrong")
    assert (page.severity, page.facts["msg_cd"]) == ("page", code)
    order = BrokerOrder.objects.get(flag=refusals.REFUSED_YET_LISTED)
    assert (order.order_no, order.source) == (page.order_no, "EXTERNAL")
    taken = [row for row in world.accepted() if row["ticker"] == order.instrument_id]
    assert len(taken) == 1
    assert Run.objects.get(pk=run.pk).is_terminal


def test_it_stops_once_and_a_release_holds(world: World) -> None:
    world.sim.arm("A08", match={"side": "sell"}, params={"code": "APBK0400", "accepted": True})
    world.drive(world.open())
    from trading.services.switches import account_scope, release

    release(account_scope(world.account), "owner", "", "looked", "owner_practice")
    reconcile_account(world.account)
    assert switch_state(world.account) == "ACTIVE"


def test_an_order_that_shows_up_after_the_clean_list_stops_the_account_too(world: World) -> None:
    world.sim.arm("B01", match={"side": "sell"}, params={"seconds": 40})
    world.sim.arm("A08", match={"side": "sell"}, params={"code": "EGW00201", "accepted": True})
    run = world.drive(world.open(), until=lambda _run: len(world.accepted()) > 1)
    assert switch_state(world.account) == "ACTIVE"
    world.settle(60)
    reconcile_account(world.account)
    assert switch_state(world.account) == "HALTED"
    assert Alert.objects.filter(code="refusal_was_wrong", severity="page").count() == 1
    assert world.drive(run).is_terminal


@pytest.mark.parametrize(("seconds", "state"), [(-1, "REJECTED"), (0, "AUTHORIZED")])
def test_only_a_list_that_was_asked_for_after_the_refusal_confirms_it(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, state: str
) -> None:
    monkeypatch.setattr("trading.services.answers._verify", lambda _account: None)
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm("A10", match={"tr_id": "TTTC0011U"})
    world.drive(run, until=lambda _run: Attempt.objects.filter(state="REJECTED").exists())
    attempt, today = refused(), world.now.date()
    assert attempt.answered_at is not None
    asked_at = attempt.answered_at + timedelta(seconds=seconds)
    with transaction.atomic():
        check_refusals(world.account, [], today, asked_at, world.now, complete=True)
    assert refused().intent.state == state
    assert unchecked_refusals(world.account, world.now).exists() is (state == "REJECTED")


def test_a_refusal_that_nobody_checked_is_checked_between_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.services.answers._verify", lambda _account: None)
    monkeypatch.setattr("trading.services.reconcile.check_refusals", lambda *_a, **_k: None)
    world.sim.arm("A14", match={"side": "sell"}, params={"code": "APBK0400"})
    world.drive(world.open())
    monkeypatch.undo()
    assert unchecked_refusals(world.account, world.now).count() == 1
    reconcile_idle()
    assert not unchecked_refusals(world.account, world.now).exists()
    assert Intent.objects.filter(state="REJECTED").count() == 1


def test_a_code_that_was_seen_on_an_account_of_our_own_is_not_checked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(rule.provisional for rule in REJECT_CODES.values()), "none was seen yet"
    monkeypatch.setitem(REJECT_CODES, "APBK0400", RejectCode(provisional=False))
    monkeypatch.setattr(refusals, "_PROVISIONAL", ["EGW00201"])
    monkeypatch.setattr(refusals._REFUSED_SINCE, "_plans", {})  # its codes are built in
    world.sim.arm("A14", match={"side": "sell"}, params={"code": "APBK0400"})
    world.drive(world.open())
    assert refused().last_checked_at is None
