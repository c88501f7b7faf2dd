"""What stops trading by itself, each with the case that does not: the record, the clock, the day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from rebalancing.models import Leg
from rebalancing.selectors.standing import standing_of
from rebalancing.services import watch as looks
from rebalancing.services.advance import run_advance
from rebalancing.services.runs import run_cancel
from rebalancing.tasks import watch
from tests.support.truth import check_truth
from tests.support.world import ACCOUNT_NO, World
from trading.brokers.kis.client import Said
from trading.models import Alert, Attempt, AuditEntry, AuditHead, Intent, Reservation, Snapshot
from trading.selectors.day import first_of_the_day, result_of_the_day, worth_at_the_close
from trading.services.audit import audit
from trading.services.brokers import broker_for
from trading.services.chain_watch import ChainWatch, stop_when_the_chain_breaks
from trading.services.deciding import decide_unknown
from trading.services.guards import stop_when_the_clock_is_off
from trading.services.reconcile import reconcile_account
from trading.services.snapshots import take_snapshot
from trading.services.states import move
from trading.services.switches import account_scope, engage, release, switch_state, write_kill_file

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


# --- the record -------------------------------------------------------------------------------
class Hours:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def write(count: int = 1) -> None:
    for n in range(count):
        with transaction.atomic():
            audit("tester", "tested", f"row:{n}")


def forge() -> None:
    """A row written past the application: it follows, but nobody with the key wrote it."""
    head = AuditHead.objects.get(pk=1)
    last = AuditEntry.objects.get(seq=head.seq)
    last.seq, last.prev_hash, last.hash = head.seq + 1, head.hash, "f" * 64
    last.save(force_insert=True)
    AuditHead.objects.filter(pk=1).update(seq=last.seq, hash=last.hash)


def test_a_stopped_run_with_an_order_nobody_can_find_waits_for_a_person(world: World) -> None:
    """Nothing else works any more: it does not stay stopping for ever."""
    world.sim.arm("A02", match={"side": "sell"})
    run = world.drive(world.open(), until="SELL_WAIT")
    assert Attempt.objects.filter(state="UNKNOWN").count() == 1
    engage("global", "HALTED", "owner", "test")
    run = world.drive(run, until="PAUSED_UNKNOWN")
    decide_unknown(Attempt.objects.get(state="UNKNOWN").pk, "absent", "owner")
    run = world.drive(run)
    assert (run.state, run.end_reason) == ("COMPLETED_WITH_SHORTFALL", "stopped_by_switch")
    check_truth(world)


def test_a_stop_asks_again_for_a_cancel_that_was_accepted_and_did_not_take(world: World) -> None:
    """The order is marked as being cancelled, and the broker lists it as working all the same."""
    run = world.drive(world.open(), until="APPROVED")
    world.sim.arm("E01", match={"side": "sell"}, params={"share": 0.4})
    run = world.drive(run, until=lambda _run: Intent.objects.filter(state="PARTIAL").exists())
    order = Intent.objects.get(state="PARTIAL")
    with transaction.atomic():
        move(order, "CANCELING", at=world.now, by="test")
    engage("global", "HALTED", "owner", "test")
    run = world.drive(run, until="HALTED")
    world.sim.advance(20)
    run_advance(run.pk)
    assert not Attempt.objects.filter(action="cancel").exists(), "half a minute is given first"
    run = world.drive(run)
    order.refresh_from_db()
    assert (order.state, run.is_terminal) == ("CANCELED", True)
    assert Attempt.objects.filter(action="cancel").count() == 1
    check_truth(world)


def test_a_forged_row_stops_everything_once_and_a_release_holds(world: World) -> None:
    chain = ChainWatch()
    write(3)
    assert stop_when_the_chain_breaks(chain) is None
    write(2)
    assert stop_when_the_chain_breaks(chain) is None
    assert switch_state(world.account) == "ACTIVE"
    forge()
    broken = AuditHead.objects.get(pk=1).seq
    assert stop_when_the_chain_breaks(chain) == broken
    assert switch_state(world.account) == "HALTED"
    found = Alert.objects.get(code="audit_broken")
    assert (found.severity, found.account, found.facts) == ("page", world.account, {"seq": broken})
    release("global", "owner", "", "looked", "owner_practice")
    for look in (chain, ChainWatch()):
        assert stop_when_the_chain_breaks(look) is None
    assert switch_state(world.account) == "ACTIVE"


def test_a_chain_that_was_cut_or_whose_end_was_changed_breaks(world: World) -> None:
    chain = ChainWatch()
    write(3)
    assert chain.next_break() is None
    head = AuditHead.objects.get(pk=1)
    AuditHead.objects.filter(pk=1).update(seq=head.seq - 1)
    assert chain.next_break() == head.seq
    AuditHead.objects.filter(pk=1).update(seq=head.seq, hash="0" * 64)
    assert chain.next_break() is not None


def test_what_was_rewritten_long_ago_is_found_within_the_hour(world: World, settings: Any) -> None:
    hours = Hours()
    chain = ChainWatch(hours)
    write(3)
    assert chain.next_break() is None
    settings.AUDIT_KEY = "another key: no row of before was written with it"
    assert chain.next_break() is None, "only what is new is read each time"
    hours.at = 3601
    assert chain.next_break() == 1


def test_the_watch_looks_at_the_chain(world: World) -> None:
    world.drive(world.open())
    watch()
    assert switch_state(world.account) == "ACTIVE"
    forge()
    watch()
    assert switch_state(world.account) == "HALTED"


# --- the clock --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seconds", "stops"), [(0, False), (29, False), (-29, False), (31, True), (-31, True)]
)
def test_a_clock_that_is_off_stops_the_account(world: World, seconds: int, stops: bool) -> None:
    hours = Hours()
    skew = timedelta(seconds=seconds)
    assert not stop_when_the_clock_is_off(world.account, skew, hours), "seen once"
    hours.at = 4
    assert stop_when_the_clock_is_off(world.account, skew, hours) is stops
    assert (switch_state(world.account) == "HALTED") is stops
    assert Alert.objects.filter(code="clock_off", severity="page").exists() is stops
    stop_when_the_clock_is_off(world.account, None, hours)


def test_a_good_reading_between_two_bad_ones_forgives_the_first(world: World) -> None:
    hours, off = Hours(), timedelta(minutes=5)
    stop_when_the_clock_is_off(world.account, off, hours)
    hours.at = 4
    stop_when_the_clock_is_off(world.account, timedelta(0), hours)
    assert not stop_when_the_clock_is_off(world.account, off, hours)
    assert switch_state(world.account) == "ACTIVE"
    stop_when_the_clock_is_off(world.account, None, hours)


def test_the_brokers_time_is_read_from_its_answers(world: World) -> None:
    broker = broker_for(world.account)
    assert broker.clock_skew() is None, "nothing was asked yet"
    broker.quote("069500")
    skew = broker.clock_skew()
    assert skew is not None and abs(skew) <= timedelta(seconds=2)
    said = broker._client.server_said
    assert said is not None
    for seconds in (40, -40):
        broker._client.server_said = Said(said.at - timedelta(seconds=seconds), said.asked)
        wrong = broker.clock_skew()
        assert wrong is not None and abs(wrong - timedelta(seconds=seconds)) <= timedelta(seconds=2)


def test_each_list_compares_the_clocks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(
        "trading.services.reconcile.stop_when_the_clock_is_off",
        lambda account, skew: seen.append(skew),
    )
    reconcile_account(world.account)
    assert len(seen) == 1 and abs(seen[0]) <= timedelta(seconds=2)


# --- the day ----------------------------------------------------------------------------------
def look(world: World) -> Snapshot:
    return take_snapshot(world.account, ["069500"])


def fall(world: World, percent: int) -> None:
    """Everything the account holds falls by so much from the previous close."""
    for ticker, quote in look(world).quotes.items():
        if ticker in world.truth()["positions"][ACCOUNT_NO]:
            price = quote["reference"] * (100 - percent) // 100
            world.sim.set_price(ticker, price // 100 * 100 if price > 10_000 else price // 5 * 5)


@pytest.mark.parametrize(
    ("percent", "state"), [(1, "ACTIVE"), (4, "REDUCING"), (9, "HALTED")], ids=str
)
def test_a_day_that_loses_too_much_stops_the_account(
    world: World, percent: int, state: str
) -> None:
    first = look(world)
    assert switch_state(world.account) == "ACTIVE"
    fall(world, percent)
    newest = look(world)
    assert newest.equity < first.equity
    assert switch_state(world.account) == state
    codes = set(Alert.objects.filter(severity="page").values_list("code", flat=True))
    named = {"ACTIVE": set(), "REDUCING": {"daily_loss_reducing"}, "HALTED": {"daily_loss_halted"}}
    assert codes == named[state]


def test_money_that_leaves_is_no_loss_and_money_that_comes_hides_none(world: World) -> None:
    look(world)
    world.sim.move_cash(ACCOUNT_NO, -6_000_000)
    look(world)
    assert switch_state(world.account) == "ACTIVE"
    world.sim.move_cash(ACCOUNT_NO, 30_000_000)
    fall(world, 9)
    look(world)
    assert switch_state(world.account) == "HALTED"


@pytest.mark.parametrize(("cash", "state"), [(0, "HALTED"), (200_000_000, "ACTIVE")])
def test_a_loss_is_measured_against_the_whole_account(world: World, cash: int, state: str) -> None:
    world.sim.move_cash(ACCOUNT_NO, cash)
    look(world)
    fall(world, 9)
    look(world)
    assert switch_state(world.account) == state


def test_the_day_begins_with_the_first_look_after_the_opening(world: World) -> None:
    early, first, newest = look(world), look(world), look(world)
    assert first_of_the_day(newest) == early
    before_nine = world.now.replace(hour=8, minute=59)
    Snapshot.objects.filter(pk=early.pk).update(taken_at=before_nine)
    assert first_of_the_day(newest) == first


def test_what_was_traded_before_the_first_look_is_in_it_already(world: World) -> None:
    run = world.drive(world.open())
    first = look(world)
    newest = look(world)
    moved = sum(
        row["quantity"] * (newest.quotes[t]["last"] - newest.quotes[t]["reference"])
        for t, row in newest.holdings.items()
    )
    assert result_of_the_day(first, newest) == moved
    assert run.snapshot is not None
    assert result_of_the_day(run.snapshot, newest) != moved


def test_rebalancing_itself_is_no_loss(world: World) -> None:
    look(world)
    world.drive(world.open())
    world.settle(60)
    look(world)
    assert switch_state(world.account) == "ACTIVE"
    check_truth(world)


def test_a_release_holds_until_the_next_step_is_reached(world: World) -> None:
    look(world)
    fall(world, 4)
    look(world)
    release(account_scope(world.account), "owner", "", "meant to", "owner_practice")
    look(world)
    assert switch_state(world.account) == "ACTIVE"
    fall(world, 9)
    look(world)
    assert switch_state(world.account) == "HALTED"


def test_the_first_look_of_the_day_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "KEPT", 2)
    first = look(world)
    for _ in range(4):
        look(world)
    looks._forget_old(world.account)
    assert Snapshot.objects.filter(pk=first.pk).exists()
    assert Snapshot.objects.count() == 3


@pytest.mark.parametrize(
    ("percent", "switch", "buys"),
    [(99, "ACTIVE", True), (90, "REDUCING", False), (80, "HALTED", False)],
)
def test_a_day_that_is_lost_between_the_sells_and_the_buys_buys_nothing(
    world: World, percent: int, switch: str, buys: bool
) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    assert run.snapshot is not None
    for ticker in ("148070", "114260", "360750"):
        world.sim.set_price(ticker, run.snapshot.quotes[ticker]["reference"] * percent // 500 * 5)
    world.drive(run)
    assert switch_state(world.account) == switch
    assert bool([row for row in world.accepted() if row["side"] == "buy"]) is buys


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


def test_the_worth_minus_the_days_change_is_yesterdays_close_whatever_was_traded(
    world: World,
) -> None:
    first = look(world)
    before = standing_of(world.account)
    assert before is not None
    yesterday = before.equity - before.day_change
    assert yesterday == worth_at_the_close(first)
    world.drive(world.open())
    booked = standing_of(world.account)
    assert booked is not None and booked.booked_at is not None
    assert booked.equity - booked.day_change == yesterday
    world.settle(60)
    look(world)
    seen = standing_of(world.account)
    assert seen is not None and seen.booked_at is None
    assert seen.equity - seen.day_change == yesterday
