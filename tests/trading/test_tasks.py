"""When an account is looked after between runs: what is not known always, what is open unless just read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.orders import Orders
from tests.support.world import World
from trading import tasks
from trading.models import Attempt, BrokerOrder
from trading.tasks import reconcile_idle

pytestmark = [pytest.mark.money, pytest.mark.once, pytest.mark.django_db(transaction=True)]
MINUTE = 60


@pytest.mark.parametrize(
    ("age", "left", "looked"),
    [
        (None, "nothing", False),
        (None, "open", True),
        (2, "open", False),
        (9, "open", False),
        (11, "open", True),
        (2, "lost", True),
        (2, "nothing", False),
        (9 * MINUTE, "nothing", False),
        (11 * MINUTE, "nothing", True),
        (5 * 24 * 60 * MINUTE, "nothing", False),
        (5 * 24 * 60 * MINUTE, "open", True),
    ],
)
def test_an_account_is_read_when_something_can_have_changed_and_nobody_has_just_looked(
    world: World, monkeypatch: pytest.MonkeyPatch, age: int | None, left: str, looked: bool
) -> None:
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    orders = Orders(world, Attempt.objects.get())
    BrokerOrder.objects.update(is_final=left != "open")
    if left == "lost":
        orders.attempt("UNKNOWN")
    read: list[int] = []
    newest = None if age is None else world.now - timedelta(seconds=age)
    monkeypatch.setattr(tasks, "newest_whole_list", lambda *_: newest)
    monkeypatch.setattr(tasks, "reconcile_account", lambda account: read.append(account.pk))
    reconcile_idle()
    assert bool(read) is looked
