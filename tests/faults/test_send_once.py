"""One fault at a time around an order: nothing sent twice, nothing lost, every end true.

The simulator's journal is the referee: each order the exchange accepted has one request behind it, and
what we booked is what it filled.
"""

from __future__ import annotations

from typing import Any

import pytest

from rebalancing.models import Leg, Run
from rebalancing.services.advance import run_advance
from tests.support.truth import check_truth
from tests.support.world import World
from trading.domain.errors import StateConflict
from trading.models import (
    Alert,
    Attempt,
    AuditEntry,
    BrokerOrder,
    Intent,
)
from trading.services import answers, epochs, gateway
from trading.services.brokers import broker_for
from trading.services.deciding import decide_unknown
from trading.services.reconcile import reconcile_account

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


AFTER_ACCEPT = ["A03", "A04", "A05"]


@pytest.mark.parametrize("side", ["sell", "buy"])
@pytest.mark.parametrize("fault", AFTER_ACCEPT)
def test_an_accepted_order_without_a_readable_answer_is_adopted(
    world: World, fault: str, side: str
) -> None:
    params = {"seconds": 0} if fault == "A03" else {}
    world.sim.arm(fault, match={"side": side}, params=params)
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    adopted = BrokerOrder.objects.filter(source="ADOPTED")
    assert adopted.count() == 1 and adopted.get().side.lower() == side
    assert [row["fault"] for row in world.journal("fault_fired")] == [fault]
    assert Alert.objects.filter(code="order_unknown", acknowledged_at=None).count() == 0
    check_truth(world)


@pytest.mark.parametrize("fault", ["A09", "A10", "A11"])
def test_a_refusal_before_the_order_engine_is_sent_again_as_a_new_attempt(
    world: World, fault: str
) -> None:
    world.sim.arm(fault, match={"side": "sell"})
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    assert Attempt.objects.filter(state="REJECTED", soft=True).count() == 1
    check_truth(world)


def test_a_business_refusal_is_final_and_named(world: World) -> None:
    world.sim.arm("A14", match={"side": "sell"}, params={"code": "APBK0400"})
    run = world.drive(world.open())
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    leg = Leg.objects.filter(run=run, side="SELL").order_by("number").first()
    assert leg is not None and leg.filled_quantity == 0 and leg.outcome == "rejected"
    assert run.end_facts["missing"][0]["ticker"] == leg.instrument_id
    check_truth(world)


def test_a_request_lost_before_acceptance_is_parked_for_a_person(world: World) -> None:
    world.sim.arm("A02", match={"side": "sell"})
    run = world.drive(world.open(), until="PAUSED_UNKNOWN")
    assert run.state == "PAUSED_UNKNOWN"
    attempt = Attempt.objects.get(state="UNKNOWN")
    assert attempt.absent_presumed
    assert len(world.accepted()) == Attempt.objects.filter(state="ACKED", action="order").count()
    assert Alert.objects.filter(code="unknown_absent", severity="page").exists()
    with pytest.raises(StateConflict, match="no_such_candidate"):
        decide_unknown(attempt.pk, "adopt", "owner", "0000000001")
    decide_unknown(attempt.pk, "absent", "owner")
    run = world.drive(run)
    assert run.state == "COMPLETED", "what the person declared absent is ordered anew, once"
    check_truth(world)


def test_absence_cannot_be_declared_before_the_window_has_passed(world: World) -> None:
    world.sim.arm("A02", match={"side": "sell"})
    world.drive(world.open(), until=lambda run: Attempt.objects.filter(state="UNKNOWN").exists())
    attempt = Attempt.objects.get(state="UNKNOWN")
    with pytest.raises(StateConflict, match="too_early"):
        decide_unknown(attempt.pk, "absent", "owner")


def test_a_success_without_a_number_is_not_a_success(world: World) -> None:
    world.sim.arm("A12", match={"side": "buy"})
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    check_truth(world)


def test_an_unlisted_code_proves_nothing(world: World) -> None:
    world.sim.arm("A16", match={"side": "sell"}, params={"accepted": True})
    run = world.drive(world.open())
    assert run.state == "COMPLETED"
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    check_truth(world)


def test_nothing_is_posted_when_the_connection_cannot_be_made(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    world.sim.stop()
    for _ in range(3):
        run_advance(run.pk)
    assert Attempt.objects.count() == 0
    assert Run.objects.get(pk=run.pk).state == "SELLING"


def test_a_token_revoked_mid_run_is_renewed_once(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.arm("D02", when="at_vt")
    run = world.drive(run)
    assert run.state == "COMPLETED"
    assert len(world.journal("token_issue")) == 2
    check_truth(world)


def test_an_incomplete_order_list_allows_no_conclusion(world: World) -> None:
    world.drive(world.open(), until="SELL_WAIT")
    world.sim.arm("B06", match={}, count=1)
    before = BrokerOrder.objects.count()
    reconcile_account(world.account)
    assert BrokerOrder.objects.filter(is_final=True, remaining_quantity__gt=0).count() == 0
    assert BrokerOrder.objects.count() == before


@pytest.mark.once
def test_empty_lists_are_no_word_that_an_order_was_not_taken(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    world.sim.arm("A03", match={"side": "sell"}, params={"seconds": 0})
    run = world.drive(run, until=lambda _run: Attempt.objects.filter(state="UNKNOWN").exists())
    world.sim.arm("B06", match={}, count=2)
    found = reconcile_account(world.account)
    assert (found.complete, found.rows) == (True, 0), "the list says that there is nothing"
    assert Attempt.objects.filter(state="UNKNOWN").count() == 1
    run = world.drive(run)
    assert run.state == "COMPLETED"
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    check_truth(world)


def test_two_workers_on_one_intent_send_once(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    run_advance(run.pk)
    intent = Intent.objects.filter(action="order").earliest("pk")
    again = gateway.send(intent.pk, by="second worker")
    assert again.state in ("ACKED", "PARTIAL", "FILLED")
    assert Attempt.objects.filter(intent=intent).count() == 1
    check_truth_of_posts(world)


def check_truth_of_posts(world: World) -> None:
    posts = [row for row in world.journal("http_req") if "/trading/order-" in row["path"]]
    assert len(posts) == Attempt.objects.exclude(state="NOT_SENT").count()


def test_a_new_process_reconciles_before_it_sends(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    epochs.forget_epoch()
    world.sim.arm("B03", match={}, count=20)
    run_advance(run.pk)
    assert Attempt.objects.count() == 0


def test_the_broker_of_an_account_is_the_simulator_only_on_loopback(world: World) -> None:
    from trading.domain.errors import ConfigurationError

    world.account.environment = "real"
    with pytest.raises(ConfigurationError, match="not on loopback"):
        broker_for(world.account)


def test_the_broker_gone_in_the_middle_of_a_run_is_waited_for(world: World) -> None:
    from trading.simulator.server import Server

    run = world.drive(world.open(), until="SELL_WAIT")
    port = int(world.sim.base_url.rsplit(":", 1)[1])
    control = int(world.sim.control_url.rsplit(":", 1)[1])
    world.sim.server.stop()
    for _ in range(2):
        run_advance(run.pk)
    assert Run.objects.get(pk=run.pk).state == "SELL_WAIT"
    world.sim.server = Server(world.sim.world, "127.0.0.1", port, control)
    world.sim.server.start()
    run = world.drive(run)
    assert run.state == "COMPLETED"
    check_truth(world)


def test_an_answer_the_database_does_not_take_is_kept_as_a_hint_and_adopted(
    world: World, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    from django.db import OperationalError

    run = world.drive(world.open(), until="SELLING")
    real = answers._apply

    def fails_once(*arguments: Any) -> Any:
        monkeypatch.setattr(answers, "_apply", real)
        raise OperationalError("the connection was lost")

    monkeypatch.setattr(answers, "_apply", fails_once)
    with pytest.raises(OperationalError):
        run_advance(run.pk)
    spooled = list(settings.SPOOL_DIR.glob("attempt-*.json"))
    assert len(spooled) == 1 and oct(spooled[0].stat().st_mode & 0o777) == "0o600"
    Attempt.objects.update(wall_deadline_at=world.now.replace(year=2020))
    run = world.drive(run)
    assert run.state == "COMPLETED"
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    assert not spooled[0].exists(), "the hint went into the record"
    assert "spooled_answer" in AuditEntry.objects.get(action="order_adopted").payload
    check_truth(world)


def test_no_secret_and_no_account_number_is_in_what_a_run_leaves_behind(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    world.drive(world.open())
    text = caplog.text
    assert "step_done" in text
    assert "CANARY" not in text and "99887766" not in text
