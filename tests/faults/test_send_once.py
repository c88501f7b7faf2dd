"""One fault at a time around an order: nothing sent twice, nothing lost, every end true.

The simulator's journal is the referee: each order the exchange accepted has one request behind it, and
what we booked is what it filled.
"""

from __future__ import annotations

from typing import Any

import pytest

from rebalancing.models import Leg, Run
from rebalancing.services.advance import run_advance
from rebalancing.services.runs import run_cancel, run_resume
from tests.support.truth import check_truth
from tests.support.world import World, world_of
from trading.domain.errors import RuleViolation, StateConflict
from trading.models import (
    Account,
    Alert,
    Attempt,
    AuditEntry,
    BrokerOrder,
    Instrument,
    Intent,
    Lot,
    Reservation,
)
from trading.services import answers, epochs, gateway
from trading.services.brokers import broker_for
from trading.services.pauses import lift_pause
from trading.services.reconcile import decide_unknown, reconcile_account
from trading.services.switches import account_scope, engage, write_kill_file

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
NUMBER = "99887766-01"


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


@pytest.mark.parametrize("where", ["account", "global", "file"])
def test_the_kill_switch_stops_what_was_not_sent_and_cancels_what_works(
    world: World, where: str
) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    sent = len(world.accepted())
    if where == "file":
        write_kill_file("test", "drill")
    else:
        engage(account_scope(world.account) if where == "account" else "global", "HALTED", "t", "d")
    run = world.drive(run)
    assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "stopped_by_switch")
    assert len(world.accepted()) == sent
    assert not Reservation.objects.filter(closed_at=None).exists()
    check_truth(world)


def test_reducing_lets_sells_through_and_blocks_buys(world: World) -> None:
    run = world.drive(world.open(), until="SELLING")
    engage(account_scope(world.account), "REDUCING", "t", "d")
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    assert {row["side"] for row in world.accepted()} == {"sell"}
    assert set(Leg.objects.filter(side="BUY").values_list("filled_quantity", flat=True)) == {0}


def test_a_person_stops_a_run_that_is_selling(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    run_cancel(run.pk, "owner")
    run = world.drive(run)
    assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "stopped_by_person")
    assert {row["side"] for row in world.accepted()} == {"sell"}
    check_truth(world)


def test_a_person_trading_the_same_name_elsewhere_pauses_the_run(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    ticker = Leg.objects.filter(run=run, side="BUY").earliest("pk").instrument_id
    world.sim.manual_order(NUMBER, ticker, "buy", 1, None)
    run = world.drive(run, until="PAUSED_EXTERNAL")
    assert run.state == "PAUSED_EXTERNAL"
    assert Alert.objects.filter(code="external_order").exists()
    run_resume(run.pk, "owner")
    run = world.drive(run)
    assert run.state in ("COMPLETED", "COMPLETED_WITH_SHORTFALL")
    check_truth(world)


def external_order(world: World) -> Run:
    """A run that was paused because somebody bought one of its names elsewhere."""
    run = world.drive(world.open(), until="SELL_WAIT")
    ticker = Leg.objects.filter(run=run, side="BUY").earliest("pk").instrument_id
    world.sim.manual_order(NUMBER, ticker, "buy", 1, None)
    return world.drive(run, until="PAUSED_EXTERNAL")


def audited() -> list[str]:
    found = AuditEntry.objects.filter(action__in=["account_paused", "account_resumed"])
    return [f"{row.action} {row.actor}" for row in found.order_by("seq")]


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


def test_an_outside_order_on_a_name_of_no_run_pauses_nothing(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.manual_order(NUMBER, "130730", "buy", 1, None)
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


def test_prices_that_moved_after_the_plan_make_a_new_one(world: World) -> None:
    run = world.drive(world.open(), approve=False)
    leg = Leg.objects.filter(run=run).earliest("number")
    world.sim.set_price(leg.instrument_id, _near(leg.reference_price, 97))
    first = run.plan_hash
    run = world.drive(run, until=lambda r: r.generation == 2 and r.state == "AWAITING_APPROVAL")
    assert run.generation == 2
    assert world.accepted() == []
    run = world.drive(run)
    assert run.plan_hash != first
    assert run.state in ("COMPLETED", "COMPLETED_WITH_SHORTFALL")


def _near(price: int, percent: int) -> int:
    return price * percent // 100 // 5 * 5


def test_partly_filled_sells_shrink_the_buys_to_the_cash_that_came(world: World) -> None:
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number").instrument_id
    world.sim.arm("E01", match={"ticker": sold}, params={"share": 0.4})
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    assert run.end_facts["missing"]
    check_truth(world)


def test_cash_withdrawn_mid_run_is_reported_though_every_leg_filled(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.move_cash(NUMBER, -1_000_000)
    run = world.drive(run)
    assert run.state == "COMPLETED"
    found = Alert.objects.get(code="cash_differs").facts
    assert found["expected"] - found["broker"] == 1_000_000


def test_cash_that_falls_short_after_the_sells_shrinks_the_buys(
    transactional_db: None, settings: Any
) -> None:
    mp = {"STOCK": 50, "BOND": 35, "ALTERNATIVE": 15, "CASH": 0}
    with world_of(cash=3_000_000, mp=mp) as world:
        run = world.drive(world.open(), until="SELL_WAIT")
        world.sim.move_cash(NUMBER, -2_900_000)
        run = world.drive(run)
        assert run.state == "COMPLETED_WITH_SHORTFALL"
        buys = list(Leg.objects.filter(run=run, side="BUY"))
        assert all(leg.filled_quantity <= leg.quantity for leg in buys)
        assert any(leg.filled_quantity < leg.quantity for leg in buys)
        assert any(leg.filled_quantity for leg in buys)
        assert world.truth()["cash"][NUMBER]["d2_cash"] >= 0
        assert Alert.objects.filter(code="run_shortfall").exists()


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("2026-11-20T16:30:00+09:00", "market_closed"),
        ("2026-11-20T15:11:00+09:00", "too_late_today"),
        ("2026-11-21T10:00:00+09:00", "not_a_trading_day"),
        ("2026-06-03T10:00:00+09:00", "not_a_trading_day"),
        ("2026-11-19T09:35:00+09:00", "market_closed"),
    ],
)
def test_a_run_does_not_start_outside_the_session(
    transactional_db: None, settings: Any, start: str, code: str
) -> None:
    from datetime import datetime

    with world_of(start=datetime.fromisoformat(start)) as world:
        with pytest.raises(RuleViolation) as refused:
            world.open()
        assert code in {reason.code for reason in refused.value.reasons}
        assert not Run.objects.exists()


def test_on_the_exam_day_the_hours_are_an_hour_later(transactional_db: None, settings: Any) -> None:
    from datetime import datetime

    with world_of(start=datetime.fromisoformat("2026-11-19T15:45:00+09:00")) as world:
        assert world.drive(world.open()).state == "COMPLETED"


def test_a_halted_name_ends_the_run_before_anything_is_sent(world: World) -> None:
    world.sim.halt("005930", True)
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("VETOED", "checks_failed")
    assert "005930" in {check["ticker"] for check in run.end_facts["checks"]}
    assert world.accepted() == []


def test_an_instrument_the_broker_does_not_know_fails_the_run_by_name(world: World) -> None:
    target = world.account.target_decisions.get()
    snapshot = target.snapshot
    snapshot["sub"]["ALTERNATIVE"] = {"999999": "100.00"}
    type(target).objects.filter(pk=target.pk).update(snapshot=snapshot)
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("FAILED", "cannot_plan")
    assert run.end_facts["reasons"][0]["ticker"] == "999999"
    assert world.accepted() == []


def test_an_order_left_open_at_the_close_expires_and_the_run_says_so(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    world.sim.advance(8 * 3600)
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    check_truth(world)


def test_the_broker_of_an_account_is_the_simulator_only_on_loopback(world: World) -> None:
    from trading.domain.errors import ConfigurationError

    world.account.environment = "real"
    with pytest.raises(ConfigurationError, match="not on loopback"):
        broker_for(world.account)


def test_a_snapshot_older_than_a_minute_makes_no_plan(world: World) -> None:
    run = world.drive(world.open(), until="NETTED")
    world.sim.advance(61)
    run = world.drive(run)
    assert (run.state, run.end_reason) == ("FAILED", "snapshot_too_old")
    fresh = world.drive(world.open(), until="NETTED")
    world.sim.advance(50)
    assert world.drive(fresh, approve=False).state == "AWAITING_APPROVAL"


def test_a_price_that_cannot_be_read_is_never_a_zero(world: World) -> None:
    run = world.drive(world.open(), until="SNAPSHOT")
    world.sim.arm("B03", match={}, params={"code": "EGW00002"}, count=200)
    for _ in range(3):
        run_advance(run.pk)
    assert Run.objects.get(pk=run.pk).state == "SNAPSHOT"
    world.sim.disarm()
    assert world.drive(run).state == "COMPLETED"


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


def test_a_partial_fill_that_is_still_open_at_the_close_is_counted_and_expires(
    world: World,
) -> None:
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm("E01", match={"ticker": sold.instrument_id}, params={"share": 0.4})
    run = world.drive(run, until="SELL_WAIT")
    world.sim.advance(8 * 3600)
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    sold.refresh_from_db()
    assert 0 < sold.filled_quantity < sold.quantity
    assert Intent.objects.filter(leg_id=sold.pk, action="order").latest("pk").state in (
        "EXPIRED",
        "CANCELED",
    )
    check_truth(world)


def test_a_name_nobody_may_trade_fails_its_check_by_name(world: World) -> None:
    Instrument.objects.filter(ticker="411060").update(tradable=False)
    run = world.drive(world.open())
    assert (run.state, run.end_reason) == ("VETOED", "checks_failed")
    assert {check["ticker"] for check in run.end_facts["checks"]} == {"411060"}
    Instrument.objects.filter(ticker="411060").update(tradable=True)
    assert world.drive(world.open()).state == "COMPLETED"


def test_what_filled_before_yesterdays_close_is_booked_the_next_morning(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    assert not Intent.objects.filter(filled_quantity__gt=0).exists(), "nothing was polled yet"
    world.sim.advance(3 * 24 * 3600)
    run = world.drive(run)
    assert (run.state, run.created_at.date() < world.now.date()) == (
        "COMPLETED_WITH_SHORTFALL",
        True,
    )
    assert {row["side"] for row in world.accepted()} == {"sell"}
    sold = Intent.objects.filter(action="order")
    assert sold.exists() and all(intent.state == "FILLED" for intent in sold)
    check_truth(world)


def test_an_answer_lost_yesterday_is_found_on_its_own_day(world: World) -> None:
    world.sim.arm("A03", match={"side": "sell"}, params={"seconds": 0})
    run = world.drive(
        world.open(), until=lambda r: Attempt.objects.filter(state="UNKNOWN").exists()
    )
    world.sim.advance(3 * 24 * 3600)
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    assert BrokerOrder.objects.filter(source="ADOPTED").count() == 1
    check_truth(world)


def test_what_somebody_bought_and_sold_between_two_looks_leaves_no_lot_behind(
    world: World,
) -> None:
    world.drive(world.open())
    for side, quantity in (("buy", 30), ("sell", 20), ("buy", 5), ("sell", 15)):
        world.sim.manual_order(NUMBER, "130730", side, quantity, None)
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
    world.sim.manual_order(NUMBER, "069500", "sell", 10, None)
    world.settle()
    reconcile_account(world.account)
    ghost = Lot.objects.filter(instrument_id="069500").latest("pk")
    assert (ghost.quantity, ghost.open_quantity, ghost.cost) == (10, 0, 0)
