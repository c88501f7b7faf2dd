"""Notes between processes: kept, prolonged, forgotten; a cache that is gone costs nothing but the note."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisGone

from trading.services import notes


@pytest.fixture(autouse=True)
def _clean() -> Any:
    cache.clear()
    yield
    cache.clear()


def test_a_first_note_stays_and_a_plain_one_is_renewed() -> None:
    notes.note_now("n", keep=60, first=True)
    began = notes.noted("n")
    notes.note_now("n", keep=60, first=True)
    assert notes.noted("n") == began is not None
    notes.note_now("n", keep=60)
    assert notes.noted("n") > began
    notes.forget_note("n")
    assert notes.noted("n") is None


class Gone:
    """A cache whose server does not answer."""

    def __getattr__(self, _name: str) -> Any:
        def refuse(*_args: object, **_how: object) -> None:
            raise RedisGone("connection refused")

        return refuse


def test_a_cache_that_is_gone_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "cache", Gone())
    notes.note_now("n", keep=None)
    notes.note_now("n", keep=5, first=True)
    notes.forget_note("n")
    assert notes.noted("n") is None


@pytest.mark.django_db
def test_pages_open_without_the_cache(
    monkeypatch: pytest.MonkeyPatch, client: Any, settings: Any
) -> None:
    from tests.support.world import make_user
    from trading.models import Account, AccountMember

    settings.SIM_CLOCK_URL = ""
    monkeypatch.setattr(notes, "cache", Gone())
    account = Account.objects.create(
        name="Main", environment="sim", wire="real", account_no="99887766-01",
        app_key="k" * 36, app_secret="s" * 180,
    )  # fmt: skip
    user = make_user("viewer", "viewer")
    AccountMember.objects.create(account=account, user=user)
    client.force_login(user)
    assert client.get("/").status_code == client.get("/health/").status_code == 200
