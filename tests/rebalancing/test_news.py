"""The socket of the pages: for members only, hints only, and it takes no orders."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser

from config.asgi import application
from rebalancing.consumers import RunNewsConsumer
from rebalancing.services.news import announce
from tests.support.sockets import Socket
from tests.support.world import make_user
from trading.models import Account, AccountMember
from trading.services.hints import account_group
from trading.services.switches import GLOBAL, engage, release

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def account_for(user: Any) -> Account:
    account = Account.objects.create(
        name="x",
        environment="sim",
        wire="real",
        account_no="11112222-01",
        app_key="k",
        app_secret="s",
    )
    AccountMember.objects.create(account=account, user=user)
    return account


def socket(user: Any) -> Socket:
    talk = Socket(RunNewsConsumer.as_asgi(), "/ws/runs")
    talk.scope["user"] = user
    return talk


@pytest.mark.asyncio
async def test_a_member_hears_that_something_changed_and_nothing_else(
    transactional_db: None,
) -> None:
    from channels.layers import get_channel_layer

    user = await sync_to_async(make_user)("member", "viewer")
    account = await sync_to_async(account_for)(user)
    talk = socket(user)
    connected = await talk.connect()
    assert connected
    await get_channel_layer().group_send(
        account_group(account.pk), {"type": "run.changed", "run": 7}
    )
    assert await talk.receive_json() == {"run": 7}
    await talk.disconnect()


@pytest.mark.asyncio
@pytest.mark.parametrize("who", ["anonymous", "no role", "no account"])
async def test_whoever_may_see_nothing_is_refused(transactional_db: None, who: str) -> None:
    if who == "anonymous":
        user: Any = AnonymousUser()
    elif who == "no role":
        user = await sync_to_async(make_user)("nobody")
        await sync_to_async(account_for)(user)
    else:
        user = await sync_to_async(make_user)("viewer2", "viewer")
    connected = await socket(user).connect()
    assert not connected


@pytest.mark.asyncio
@pytest.mark.parametrize("frame", ['{"type": "kill.release"}', "buy 10", "{}", "x" * 100_000])
async def test_a_page_that_talks_is_disconnected(transactional_db: None, frame: str) -> None:
    user = await sync_to_async(make_user)("member", "viewer")
    await sync_to_async(account_for)(user)
    talk = socket(user)
    await talk.connect()
    await talk.send_text(frame)
    closed = await talk.receive_output(5)
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


@pytest.mark.asyncio
async def test_a_socket_from_another_site_is_refused(transactional_db: None) -> None:
    headers = [(b"origin", b"https://evil.example"), (b"host", b"localhost")]
    talk = Socket(application, "/ws/runs", headers=headers)
    connected = await talk.connect()
    assert not connected


@pytest.mark.asyncio
@pytest.mark.parametrize("everything", [False, True])
async def test_a_stop_and_its_release_are_hinted_to_whoever_they_concern(
    transactional_db: None, everything: bool
) -> None:
    user = await sync_to_async(make_user)("member", "viewer")
    account = await sync_to_async(account_for)(user)
    talk = socket(user)
    await talk.connect()
    scope = GLOBAL if everything else f"account:{account.pk}"
    await sync_to_async(engage)(scope, "HALTED", "somebody", "test")
    assert await talk.receive_json() == {"run": 0}
    await sync_to_async(release)(scope, "somebody", "", "seen to", "owner_practice")
    assert await talk.receive_json() == {"run": 0}
    await talk.disconnect()


@pytest.mark.asyncio
async def test_a_stop_of_another_account_is_no_news(transactional_db: None) -> None:
    user = await sync_to_async(make_user)("member", "viewer")
    account = await sync_to_async(account_for)(user)
    talk = socket(user)
    await talk.connect()
    await sync_to_async(engage)(f"account:{account.pk + 1}", "HALTED", "somebody", "test")
    await sync_to_async(announce)(9, account.pk)
    assert await talk.receive_json() == {"run": 9}, "the first thing heard is about one's own"
    await talk.disconnect()
