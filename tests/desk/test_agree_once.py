"""Agreeing to what only the broker can tell: with a key or without, no other write waits for the broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from rebalancing.services.keepers import config_change
from tests.desk.conftest import DeskWorld
from tests.support.authenticator import enrolled
from trading.domain.errors import StateConflict
from trading.models import IdempotencyKey, Proposal
from trading.services.idempotency import CLAIMED
from trading.services.proposals import Keeper, agree, keeper_of, propose, register

pytestmark = [pytest.mark.django_db(transaction=True)]
BASE = "/api/macro-trading/proposals"
KEY = {"HTTP_IDEMPOTENCY_KEY": "agree-0001"}
Carries = Callable[[Proposal, str], object]


@contextmanager
def asking_the_broker(carry_out: Carries) -> Iterator[None]:
    before = keeper_of("config")
    register("config", Keeper(before.standing, carry_out, asks_broker=True))
    try:
        yield
    finally:
        register("config", before)


def agreed(four: DeskWorld, made: Proposal, **headers: str) -> Any:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(four.people["approver"])
    return client.post(f"{BASE}/{made.pk}/agree", **headers)


def wider() -> Proposal:
    return propose(config_change({"mp_threshold_percent": "9.0"}), by="admin")


@pytest.mark.parametrize("headers", [{}, KEY], ids=["no key", "key"])
def test_the_broker_is_asked_outside_every_transaction(
    four: DeskWorld, headers: dict[str, str]
) -> None:
    inside: list[bool] = []
    with asking_the_broker(lambda _p, _s: inside.append(connection.in_atomic_block)):
        made = wider()
        answer = agreed(four, made, **headers)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "agreed"), answer.content
        assert inside == [False]
        if headers:
            again = agreed(four, made, **headers)
            assert (again.status_code, again.content) == (200, answer.content)
            assert again["Idempotency-Replayed"] == "true" and inside == [False]


def test_agreeing_inside_somebodys_transaction_is_refused_before_anything_is_done(
    four: DeskWorld,
) -> None:
    with asking_the_broker(lambda _p, _s: pytest.fail("asked")):
        made = wider()
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            agree(made.pk, four.people["approver"])
    made.refresh_from_db()
    assert made.outcome == ""


def test_the_same_key_meanwhile_is_told_to_wait_and_does_nothing(four: DeskWorld) -> None:
    told: list[Any] = []

    def slow(_proposal: Proposal, _second: str) -> None:
        answer = agreed(four, made, **KEY)
        told.append((answer.status_code, answer.json()["code"]))

    with asking_the_broker(slow):
        made = wider()
        assert agreed(four, made, **KEY).status_code == 200
    assert told == [(409, "key_in_use")]


def test_a_refusal_of_the_broker_leaves_key_and_proposal_free(four: DeskWorld) -> None:
    def refused(_proposal: Proposal, _second: str) -> None:
        raise StateConflict("too_early")

    with asking_the_broker(refused):
        made = wider()
        answer = agreed(four, made, **KEY)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_early")
    assert not IdempotencyKey.objects.exists()
    with asking_the_broker(lambda _p, _s: None):
        assert agreed(four, made, **KEY).status_code == 200


@pytest.mark.parametrize(
    ("late", "status"), [(timedelta(seconds=-30), 409), (timedelta(seconds=30), 200)]
)
def test_the_key_of_a_program_that_died_is_free_after_a_while(
    four: DeskWorld, late: timedelta, status: int
) -> None:
    with asking_the_broker(lambda _p, _s: None):
        made = wider()
        dead = {"user": four.people["approver"], "key": "agree-0001", "method": "POST"}
        path, digest = f"{BASE}/{made.pk}/agree", EMPTY
        at = timezone.now() - CLAIMED - late
        IdempotencyKey.objects.create(**dead, path=path, digest=digest, made_at=at)
        answer = agreed(four, made, **KEY)
    assert answer.status_code == status, answer.content
    if status == 409:
        assert answer.json()["code"] == "key_in_use"


EMPTY = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
"""The digest of a body without a word."""


def test_a_code_that_was_shown_is_not_asked_for_again_by_the_same_request(four: DeskWorld) -> None:
    phone = enrolled(four.people["approver"])
    done: list[int] = []
    with asking_the_broker(lambda p, _s: done.append(p.pk)):
        made = wider()
        assert agreed(four, made, **KEY).status_code == 422 and not IdempotencyKey.objects.exists()
        first = agreed(four, made, **KEY, HTTP_X_ONE_TIME_CODE=phone.code())
        again = agreed(four, made, **KEY)
    assert [first.status_code, again.status_code] == [200, 200] and done == [made.pk]
