"""Between the promise and the POST: what is stopped or late by then is not sent, the rest is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, transaction

from rebalancing.services.advance import run_advance
from tests.support.locks import Locks
from tests.support.truth import check_truth
from tests.support.world import World
from trading.domain.limits import RuleResult
from trading.models import Account, Attempt, AuditEntry, Intent, Lane, Reservation
from trading.services import gateway
from trading.services.switches import account_scope, engage, write_kill_file

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


class Between:
    """Does something once, at a named place of the next send."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: str, act: Callable[[], Any]) -> None:
        self._place, self._act, self.done = place, act, False
        monkeypatch.setattr(gateway, "crashpoint", self)

    def __call__(self, name: str) -> None:
        if name == self._place and not self.done:
            self.done = True
            self._act()


def posts(world: World) -> int:
    return len([row for row in world.journal("http_req") if "/trading/order-" in row["path"]])


def stop(world: World, state: str) -> None:
    if state == "file":
        write_kill_file("t", "meanwhile")
    else:
        engage(account_scope(world.account), state, "t", "meanwhile")


@pytest.mark.parametrize(
    ("stage", "state", "sent"),
    [
        ("SELLING", "HALTED", False),
        ("SELLING", "file", False),
        ("SELLING", "REDUCING", True),
        ("BUYING", "HALTED", False),
        ("BUYING", "REDUCING", False),
    ],
)
def test_a_stop_between_the_promise_and_the_post_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch, stage: str, state: str, sent: bool
) -> None:
    run = world.drive(world.open(), until=stage)
    before = posts(world)
    meanwhile = Between(monkeypatch, "after_T2_commit", lambda: stop(world, state))
    run_advance(run.pk)
    assert meanwhile.done
    assert posts(world) == before + sent
    attempt = Attempt.objects.latest("pk")
    assert attempt.state == ("ACKED" if sent else "NOT_SENT")
    assert attempt.intent.state == ("ACKED" if sent else "AUTHORIZED")
    open_promises = Reservation.objects.filter(intent=attempt.intent, closed_at=None)
    assert open_promises.exists() is sent
    assert AuditEntry.objects.filter(action="order_not_sent").exists() is not sent


@pytest.mark.parametrize(("seconds", "sent"), [(5, True), (7, False)])
def test_a_sender_that_slept_too_long_after_its_promise_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, sent: bool
) -> None:
    run = world.drive(world.open(), until="SELLING")
    asleep = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + asleep[0])
    monkeypatch.setattr(gateway, "time", clock)
    Between(monkeypatch, "after_T2_commit", lambda: asleep.__setitem__(0, float(seconds)))
    run_advance(run.pk)
    assert Attempt.objects.earliest("pk").state == ("ACKED" if sent else "NOT_SENT")
    assert posts(world) == Attempt.objects.exclude(state="NOT_SENT").count()
    run = world.drive(run)
    assert run.state == "COMPLETED"
    check_truth(world)


@pytest.mark.parametrize(
    ("rules", "state"),
    [
        (["quote_fresh"], "AUTHORIZED"),
        (["quote_fresh", "pace"], "AUTHORIZED"),
        (["switch"], "VETOED"),
        (["quote_fresh", "switch"], "VETOED"),
    ],
)
def test_only_refusals_that_all_pass_by_themselves_leave_the_wish_alive(
    world: World, monkeypatch: pytest.MonkeyPatch, rules: list[str], state: str
) -> None:
    run = world.drive(world.open(), until="SELLING")
    lose_the_commits_answer(monkeypatch, committed=False)
    run_advance(run.pk)
    wish = Intent.objects.get(state="AUTHORIZED")
    refused = tuple(RuleResult(rule, False, {}) for rule in rules)
    with transaction.atomic():
        outcome = gateway._refuse(wish, refused, world.now, "t")
    assert Intent.objects.get(pk=wish.pk).state == outcome.state == state
    assert outcome.retry is (state == "AUTHORIZED")
    vetoed = [json.loads(row.payload) for row in AuditEntry.objects.filter(action="order_vetoed")]
    assert vetoed == ([{"rules": rules}] if state == "VETOED" else [])


def test_a_promise_is_made_with_the_account_and_its_lane_locked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = world.drive(world.open(), until=lambda _run: Attempt.objects.exists())
    locked = Locks(monkeypatch)
    held: list[list[str]] = []
    Between(monkeypatch, "before_T2_commit", lambda: held.append(locked.of(Account, Lane)))
    run_advance(run.pk)
    assert held == [["Account", "Lane"]]


def lose_the_commits_answer(monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> None:
    """The next promise's commit raises, after it happened or instead of happening."""
    left = [OperationalError("the connection was lost")]

    @contextmanager
    def atomic(*, durable: bool = False) -> Iterator[None]:
        raising = left.pop() if durable and left else None
        with transaction.atomic(durable=durable):
            yield
            if raising is not None and not committed:
                raise raising
        if raising is not None:
            raise raising

    monkeypatch.setattr(gateway, "transaction", SimpleNamespace(atomic=atomic))


@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_without_an_answer_sends_only_what_is_really_there(
    world: World, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    run = world.drive(world.open(), until="SELLING")
    lose_the_commits_answer(monkeypatch, committed=committed)
    run_advance(run.pk)
    assert posts(world) == Attempt.objects.count() == Reservation.objects.count()
    first = Intent.objects.earliest("pk")
    assert first.state == ("ACKED" if committed else "AUTHORIZED")
    assert first.attempts.count() == int(committed)
    run = world.drive(run)
    assert run.state == "COMPLETED"
    assert not Attempt.objects.exclude(state="ACKED").exists()
    check_truth(world)
