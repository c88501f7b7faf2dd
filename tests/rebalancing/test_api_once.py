"""`Idempotency-Key`: the same request again gets the same answer and does nothing, whatever happens between."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.urls import URLResolver
from django.utils import timezone
from rest_framework.test import APIClient

from config.api_urls import urlpatterns
from rebalancing.models import RebalancingConfig, Run, RunSchedule
from tests.rebalancing.contract_calls import (
    BASE,
    CALLS,
    Call,
    client_for,
    facts_of,
    filled,
    path_of,
)
from tests.support.authenticator import enrolled
from tests.support.world import World, make_user
from trading.domain.errors import StateConflict
from trading.models import Account, AccountMember, Alert, AuditEntry, IdempotencyKey
from trading.services.idempotency import KEPT, Asked, once

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
CONFIG = f"{BASE}/rebalancing/config"
SCHEDULES = f"{BASE}/rebalancing/schedules"
BODY = {"mp_threshold_percent": "3.5", "sub_mp_threshold_percent": "5.0"}
KEY = {"HTTP_IDEMPOTENCY_KEY": "once-0001"}
WRITES = [c for c in CALLS if c.method != "get" and c.path != "/rebalancing/runs"]


def made_by(user: Any) -> int:
    """Rows of thresholds but for the defaults, which are written at first use."""
    return RebalancingConfig.objects.filter(updated_by=user.get_username()).count()


def audited() -> int:
    return AuditEntry.objects.count()


def keyed(client: APIClient, call: Call, known: dict[str, Any], **more: Any) -> Any:
    path = path_of(call, known)
    body = filled(call.body or {}, known) | more
    return getattr(client, call.method)(path, body, format="json", **KEY)


@pytest.mark.parametrize("call", WRITES, ids=lambda c: f"{c.method} {c.path}")
def test_every_change_is_made_once_for_a_key_and_answered_alike(world: World, call: Call) -> None:
    facts = facts_of(world)
    client = client_for(world.owner)
    call.prepare(client, facts)
    first = keyed(client, call, facts)
    assert first.status_code == call.status, first.content[:300]
    assert "Idempotency-Replayed" not in first
    acts = audited()
    again = keyed(client, call, facts)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Idempotency-Replayed"] == "true"
    other = keyed(client, call, facts, beside="another body")
    assert (other.status_code, other.json()["code"]) == (409, "key_used_for_another_request")
    assert audited() == acts, "neither did anything"


def test_without_a_key_a_change_is_made_as_often_as_it_is_asked_for(world: World) -> None:
    client = client_for(world.owner)
    for _time in range(2):
        assert client.post(CONFIG, BODY, format="json").status_code == 201
    assert made_by(world.owner) == 2
    assert not IdempotencyKey.objects.exists()


def views(patterns: list[Any]) -> list[Any]:
    found: list[Any] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found += views(pattern.url_patterns)
        elif hasattr(pattern.callback, "view_class"):
            found.append(pattern.callback.view_class)
    return found


@pytest.mark.once
def test_every_address_that_changes_something_takes_a_key() -> None:
    methods = {
        (view.__name__, method): getattr(getattr(view, method), "done_once", False)
        for view in views(urlpatterns)
        for method in ("post", "put", "patch")
        if hasattr(view, method)
    }
    assert len(methods) >= 11
    assert [name for name, marked in methods.items() if not marked] == [("RunsView", "post")]


@pytest.mark.once
def test_the_same_body_is_the_same_whatever_its_order_and_spaces(world: World) -> None:
    client = client_for(world.owner)
    one = b'{"mp_threshold_percent": "3.5", "sub_mp_threshold_percent": "5.0"}'
    two = b'{"sub_mp_threshold_percent":"5.0","mp_threshold_percent":"3.5"}'
    told = [
        client.post(CONFIG, body, content_type="application/json", **KEY) for body in (one, two)
    ]
    assert [answer.status_code for answer in told] == [201, 201]
    assert told[1]["Idempotency-Replayed"] == "true"


def test_a_refusal_is_not_stored_so_that_the_key_is_free_for_the_right_request(
    world: World,
) -> None:
    client = client_for(world.owner)
    body = {"account": world.account.pk, "at": "08:00"}
    for _time in range(2):
        refused = client.post(SCHEDULES, body, format="json", **KEY)
        assert refused.status_code == 400 and "Idempotency-Replayed" not in refused
    assert not IdempotencyKey.objects.exists() and not RunSchedule.objects.exists()
    made = client.post(SCHEDULES, body | {"at": "09:40"}, format="json", **KEY)
    assert made.status_code == 201 and RunSchedule.objects.count() == 1
    missing = client.post(SCHEDULES, {"at": "09:40"}, format="json", HTTP_IDEMPOTENCY_KEY="k" * 8)
    assert missing.status_code == 400 and IdempotencyKey.objects.count() == 1


def test_a_refusal_that_keeps_something_keeps_it_with_a_key_too(world: World) -> None:
    run = world.drive(world.open(), approve=False)
    world.sim.advance(601)
    path = f"{BASE}/rebalancing/runs/{run.pk}/approve"
    answer = client_for(world.owner).post(path, {"plan_hash": run.plan_hash}, format="json", **KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "approval_expired")
    assert Run.objects.get(pk=run.pk).state == "APPROVAL_EXPIRED"
    assert Alert.objects.filter(code="approval_expired", run_id=run.pk).count() == 1
    assert not IdempotencyKey.objects.exists()


def asked(user: Any, body: Any = None, key: str = "once-0002") -> Asked:
    return Asked(user, key, "POST", "/somewhere", body or {})


def test_an_act_that_breaks_leaves_neither_itself_nor_its_key(world: World) -> None:
    def broken() -> tuple[int, str]:
        RebalancingConfig.objects.create(updated_by="broken")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        once(asked(world.owner), broken, (StateConflict,))
    assert not RebalancingConfig.objects.filter(updated_by="broken").exists()
    assert not IdempotencyKey.objects.exists()
    assert once(asked(world.owner), lambda: (201, '{"a":1}'), ()).again is False
    assert once(asked(world.owner), broken, ()).body == '{"a":1}', "it is not even asked"


def test_two_that_ask_at_the_same_moment_get_one_act_and_one_answer(world: World) -> None:
    together, told = threading.Barrier(4), []

    def ask() -> None:
        try:
            client = client_for(world.owner)
            together.wait(30)
            told.append(client.post(CONFIG, BODY, format="json", **KEY))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in told] == [201] * 4
    assert len({answer.content for answer in told}) == 1
    assert sorted(answer.get("Idempotency-Replayed", "") for answer in told) == ["", *["true"] * 3]
    assert made_by(world.owner) == 1


def test_a_key_is_one_persons_one_methods_and_one_addresss(world: World) -> None:
    other = make_user("other", "admin")
    for client in (client_for(world.owner), client_for(other)):
        assert "Idempotency-Replayed" not in client.post(CONFIG, BODY, format="json", **KEY)
    assert RebalancingConfig.objects.filter(updated_by__in=["owner", "other"]).count() == 2
    made = client_for(world.owner).post(
        SCHEDULES, {"account": world.account.pk, "at": "09:40"}, format="json", **KEY
    )
    assert made.status_code == 201 and "Idempotency-Replayed" not in made
    assert client_for(world.owner).get(CONFIG, **KEY).status_code == 200, "reading asks for no key"
    assert IdempotencyKey.objects.count() == 3


def test_after_seven_days_a_key_is_new_and_the_old_ones_are_gone(world: World) -> None:
    client = client_for(world.owner)
    client.post(CONFIG, BODY, format="json", **KEY)
    client.post(CONFIG, BODY, format="json", HTTP_IDEMPOTENCY_KEY="once-0009")
    just_before = timezone.now() - KEPT + timedelta(minutes=1)
    IdempotencyKey.objects.update(made_at=just_before)
    assert "Idempotency-Replayed" in client.post(CONFIG, BODY, format="json", **KEY)
    IdempotencyKey.objects.update(made_at=just_before - timedelta(minutes=2))
    anew = client.post(CONFIG, BODY, format="json", **KEY)
    assert anew.status_code == 201 and "Idempotency-Replayed" not in anew
    assert [row.key for row in IdempotencyKey.objects.all()] == ["once-0001"]


@pytest.mark.once
@pytest.mark.parametrize(
    "key", ["", "short", "k" * 65, "has a space", "다섯글자보다길다", "k" * 7 + "\t"]
)
def test_a_key_that_is_none_is_a_400_and_changes_nothing(world: World, key: str) -> None:
    before = RebalancingConfig.objects.count()
    answer = client_for(world.owner).post(CONFIG, BODY, format="json", HTTP_IDEMPOTENCY_KEY=key)
    assert answer.status_code == 400
    assert answer.json()["violations"][0]["code"] == "idempotency_key"
    assert RebalancingConfig.objects.count() == before


@pytest.mark.once
def test_a_number_of_hundreds_of_digits_is_a_404_with_a_key_too(world: World) -> None:
    path = f"{BASE}/alerts/{'1' * 300}/acknowledge"
    assert client_for(world.owner).post(path, **KEY).status_code == 404


@pytest.mark.once
def test_a_code_that_was_shown_once_is_not_asked_for_again_by_the_same_request(
    world: World,
) -> None:
    phone = enrolled(world.owner)
    client = client_for(world.owner)
    shown = {"HTTP_X_ONE_TIME_CODE": phone.code()}
    assert client.post(CONFIG, BODY, format="json", **KEY).status_code == 403
    first = client.post(CONFIG, BODY, format="json", **KEY, **shown)
    again = client.post(CONFIG, BODY, format="json", **KEY, **shown)
    bare = client.post(CONFIG, BODY, format="json", **KEY)
    assert [first.status_code, again.status_code, bare.status_code] == [201, 201, 201]
    assert again["Idempotency-Replayed"] == bare["Idempotency-Replayed"] == "true"
    new = client.post(CONFIG, BODY, format="json", HTTP_IDEMPOTENCY_KEY="once-0003", **shown)
    assert new.status_code == 400, "another request needs a code of its own"
    assert client.post(CONFIG, BODY, format="json").status_code == 403


@pytest.mark.once
def test_who_has_lost_the_role_is_not_even_given_the_old_answer(world: World) -> None:
    assert client_for(world.owner).post(CONFIG, BODY, format="json", **KEY).status_code == 201
    world.owner.groups.clear()
    world.owner.__dict__.pop("_jeoul_roles", None)
    assert client_for(world.owner).post(CONFIG, BODY, format="json", **KEY).status_code == 403


@pytest.mark.once
@pytest.mark.parametrize("stays", [True, False])
def test_who_has_left_an_account_is_not_given_an_answer_of_that_time(
    world: World, stays: bool
) -> None:
    client = client_for(world.owner)
    made = client.post(
        SCHEDULES, {"account": world.account.pk, "at": "09:40"}, format="json", **KEY
    )
    assert made.status_code == 201
    if not stays:
        AccountMember.objects.all().delete()
    again = client.post(
        SCHEDULES, {"account": world.account.pk, "at": "09:40"}, format="json", **KEY
    )
    if stays:
        assert again["Idempotency-Replayed"] == "true"
    else:
        assert (again.status_code, again.json()["code"]) == (409, "key_of_an_account_left")
        assert "schedule" not in again.content.decode()


def test_one_key_for_two_accounts_at_once_makes_one_run(world: World) -> None:
    """The other request is told that the key is taken, and no second run is made."""
    second = Account.objects.create(
        name="Second", environment="sim", wire="real", account_no="11112222-01",
        app_key=world.account.app_key, app_secret=world.account.app_secret,
    )  # fmt: skip
    AccountMember.objects.create(account=second, user=world.owner)
    together, told = threading.Barrier(2), []

    def ask(account: int) -> None:
        try:
            client = client_for(world.owner)
            together.wait(30)
            told.append(
                client.post(f"{BASE}/rebalancing/runs", {"account": account}, format="json", **KEY)
            )
        finally:
            connection.close()

    threads = [
        threading.Thread(target=ask, args=(account,)) for account in (world.account.pk, second.pk)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Run.objects.count() <= 1, [answer.content[:200] for answer in told]


def test_a_slot_of_a_programs_key_is_taken_on_every_account(world: World) -> None:
    """The database holds it, whoever asks first; a schedule's slots are each account's own."""
    second = Account.objects.create(
        name="Second", environment="sim", wire="real", account_no="11112222-01",
        app_key="k", app_secret="s",
    )  # fmt: skip
    made = world.open(slot="api:1:abc", dry_run=True)
    values = {f.attname: getattr(made, f.attname) for f in Run._meta.concrete_fields}
    other = {k: v for k, v in values.items() if k not in ("id", "account_id", "slot")}
    Run(**other, account=second, slot="schedule:1").save()
    Run.objects.filter(account=second).delete()
    with pytest.raises(IntegrityError):
        Run(**other, account=second, slot="api:1:abc").save()
