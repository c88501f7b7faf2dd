"""A broker that falls silent and comes back; a token that is made worthless: against real sockets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from rebalancing.services.watchdog import page_what_hangs
from tests.support.world import World
from trading.domain.errors import BrokerDown, BrokerUnavailable
from trading.models import Alert, AuditEntry
from trading.services import brokers
from trading.services.brokers import abilities_of, broker_for, broker_silent_since, drop_token

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _clean() -> Any:
    cache.clear()
    yield
    cache.clear()


def _break_off(world: World) -> Any:
    """Nobody listens at the broker's address any more; returns how to listen again."""
    broker = broker_for(world.account)
    client = broker._client
    known, client.base_url = client.base_url, "http://127.0.0.1:9"
    client._sleep = lambda _seconds: None

    def again() -> None:
        client.base_url = known

    return again


def _silence(world: World) -> None:
    for _ in range(3):
        with pytest.raises(BrokerUnavailable):
            broker_for(world.account).quote("069500")


def test_a_silent_broker_is_known_left_alone_paged_and_met_again(world: World) -> None:
    again = _break_off(world)
    assert broker_silent_since(world.account) is None
    _silence(world)
    since = broker_silent_since(world.account)
    assert since is not None and timezone.now() - since < timedelta(seconds=30)
    with pytest.raises(BrokerDown):
        broker_for(world.account).quote("069500")

    page_what_hangs()
    assert not Alert.objects.filter(code="broker_silent").exists(), "a minute is given first"
    cache.set(f"jeoul:line-down:{brokers.base_url_of(world.account)}", since - timedelta(minutes=2))
    page_what_hangs()
    assert Alert.objects.filter(code="broker_silent").count() == 1

    again()
    breaker = brokers._breaker(brokers.base_url_of(world.account))
    breaker._next_try = 0.0
    assert broker_for(world.account).quote("069500").last > 0
    assert broker_silent_since(world.account) is None
    Alert.objects.all().delete()
    page_what_hangs()
    assert not Alert.objects.filter(code="broker_silent").exists()


def test_a_revoked_token_is_refused_and_a_new_one_is_asked_for(world: World) -> None:
    broker = broker_for(world.account)
    broker.balance()
    assert drop_token(world.account, "owner")
    issued = [row for row in world.sim.journal() if row["kind"] == "token_issue"]
    world.sim.advance(61)
    broker.balance()
    again = [row for row in world.sim.journal() if row["kind"] == "token_issue"]
    assert len(again) == len(issued) + 1
    assert again[-1]["token"] != issued[-1]["token"]


def test_without_a_token_there_is_nothing_to_revoke(world: World) -> None:
    brokers.token_store_for(world.account).drop()
    before = len(world.sim.journal())
    assert not drop_token(world.account, "owner")
    assert len(world.sim.journal()) == before


def test_a_token_that_nobody_revoked_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broker_for(world.account).balance()
    held = brokers.token_store_for(world.account).current()

    def refuse(*_args: object) -> bool:
        raise BrokerUnavailable("silent")

    monkeypatch.setattr(brokers, "revoke_token", refuse)
    with pytest.raises(BrokerUnavailable):
        drop_token(world.account, "owner")
    assert brokers.token_store_for(world.account).current() == held


@pytest.mark.parametrize(
    ("wire", "code", "offered"),
    [
        ("real", "rankings", True),
        ("mock", "rankings", False),
        ("mock", "orders", True),
        ("mock", "calendar", False),
        ("mock", "notices", True),
    ],
)
def test_what_an_environment_offers(world: World, wire: str, code: str, offered: bool) -> None:
    world.account.wire = wire
    found = {ability.code: ability for ability in abilities_of(world.account)}
    assert found[code].offered is offered
    assert bool(found[code].missing) is not offered


def test_an_admin_revokes_a_token_only_by_saying_so_twice(world: World, client: Any) -> None:
    from django.contrib.auth.models import Permission

    world.owner.is_staff = True
    world.owner.save()
    world.owner.user_permissions.set(Permission.objects.filter(codename__endswith="account"))
    broker_for(world.account).balance()
    client.force_login(world.owner)
    path = f"/admin/trading/account/{world.account.pk}/revoke-token/"
    assert "접속 토큰을 폐기할까요?" in client.get(path).content.decode()
    assert not AuditEntry.objects.filter(action="token_revoked").exists()
    answer = client.post(path, {"_form_submitted": "True"})
    assert answer["HX-Redirect"].endswith(f"/account/{world.account.pk}/change/")
    assert AuditEntry.objects.filter(action="token_revoked").count() == 1
    assert brokers.token_store_for(world.account).current() is None
