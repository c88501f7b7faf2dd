"""The ground moves: the database goes at the very commit, Redis comes back empty, fills look alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings as django_settings
from django.db import OperationalError, connections, transaction
from django.utils import timezone

from tests.support.truth import check_truth
from tests.support.world import World
from trading.models import Attempt, BrokerOrder, Intent, Ledger
from trading.services import brokers, gateway, rate
from trading.services.booking import book_rows
from trading.services.brokers import broker_for

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
LOST = "server closed the connection unexpectedly"


def posts(world: World) -> list[dict[str, Any]]:
    return [
        row
        for row in world.sim.journal()
        if row["kind"] == "http_req" and row["path"].endswith("/order-cash")
    ]


# --- G06: whether it was committed is not known ------------------------------------------------
class LostAtCommit:
    """The connection is lost while the first send record is committed: after it, or before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, kept: bool, readable: bool) -> None:
        self.kept, self.readable = kept, readable
        self.due, self.done = False, False
        self._database = connections["default"]
        self._commit, self._connect = self._database._commit, self._database.connect
        monkeypatch.setattr(self._database, "_commit", self.commit)
        monkeypatch.setattr(self._database, "connect", self.connect)
        monkeypatch.setattr(gateway, "crashpoint", self.point)
        self._away = 0

    def point(self, name: str) -> None:
        self.due = name == "before_T2_commit" and not self.done

    def commit(self) -> None:
        if not self.due:
            self._commit()
            return
        self.due, self.done = False, True
        if self.kept:
            self._commit()
        self._away = 0 if self.readable else 1
        raise OperationalError(LOST)

    def connect(self) -> None:
        if self._away:
            self._away -= 1
            raise OperationalError(LOST)
        self._connect()


@pytest.mark.parametrize("kept", [True, False], ids=["it was committed", "it was not"])
def test_a_connection_lost_at_the_commit_sends_the_order_once(
    world: World, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """Read again on a new connection: only what is really there may be sent."""
    lost = LostAtCommit(monkeypatch, kept=kept, readable=True)
    run = world.drive(world.open())
    assert lost.done and run.state == "COMPLETED"
    first = Intent.objects.filter(action="order").earliest("pk")
    assert first.attempts.count() == 1, "the promise that was not kept left nothing behind"
    check_truth(world)


def test_a_promise_that_cannot_be_read_again_is_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = LostAtCommit(monkeypatch, kept=True, readable=False)
    run = world.open()
    with pytest.raises(OperationalError):  # the task dies of it; the sweep finds the run again
        world.drive(run, until=lambda _run: lost.done)
    assert lost.done and posts(world) == []
    assert Attempt.objects.get().state == "SENDING", "it was committed and nobody could know"
    Attempt.objects.update(
        wall_deadline_at=timezone.now()
    )  # twenty seconds of the wall's clock go by
    run = world.drive(run, until="PAUSED_UNKNOWN")
    mine = Attempt.objects.order_by("pk").first()
    assert mine is not None and (mine.state, mine.absent_presumed) == ("UNKNOWN", True)
    nonces = {row["nonce"] for row in posts(world)}
    assert mine.nonce not in nonces, "a person decides; nothing of it ever left"
    check_truth(world)


# --- G11: Redis has forgotten everything -------------------------------------------------------
def forget_here() -> None:
    rate._window.cache_clear()
    rate.budget_for.cache_clear()


@pytest.fixture
def forget(world: World, settings: Any) -> Iterator[Callable[[], None]]:
    """Empty what processes share: a database of Redis that is this test's own, else this process's memory."""
    if not django_settings.REDIS_URL:
        yield forget_here
        return
    settings.REDIS_URL = urlsplit(django_settings.REDIS_URL)._replace(path="/11").geturl()
    brokers.forget_brokers()
    forget_here()
    client = redis.Redis.from_url(settings.REDIS_URL)
    yield client.flushdb
    client.close()
    forget_here()


def test_redis_flushed_in_the_middle_of_a_run_loses_and_doubles_nothing(
    world: World, forget: Callable[[], None]
) -> None:
    run, flushes = world.open(), []

    def flush_at_every_state(now: Any) -> bool:
        if now.state not in flushes:
            flushes.append(now.state)
            forget()
        return False

    run = world.drive(run, until=flush_at_every_state)
    assert run.state == "COMPLETED" and len(flushes) >= 8
    assert len({row["nonce"] for row in posts(world)}) == len(posts(world))
    check_truth(world)


# --- C02, C03: only a cumulative number tells one fill from two --------------------------------
def test_two_equal_fills_of_one_second_are_two_and_one_told_twice_is_one(world: World) -> None:
    world.drive(world.open())
    today = world.now.date()
    listed = broker_for(world.account).orders(today, today).rows[0]
    row = replace(listed, order_no="0000099999", side="BUY", quantity=30)

    def told(filled: int, won: int) -> None:
        shown = replace(
            row,
            filled_quantity=filled,
            filled_amount=won,
            cancelled_quantity=0,
            remaining_quantity=row.quantity - filled,
        )
        with transaction.atomic():
            book_rows(world.account, [shown], world.now, session_over=False)

    for filled, won in ((10, 100_000), (10, 100_000), (20, 200_000), (20, 200_000)):
        told(filled, won)
    order = BrokerOrder.objects.get(order_no=row.order_no)
    steps = Ledger.objects.filter(order=order).order_by("pk")
    assert [(s.quantity, s.amount) for s in steps] == [(10, 100_000), (10, 100_000)]
    assert (order.filled_quantity, order.filled_amount) == (20, 200_000)
