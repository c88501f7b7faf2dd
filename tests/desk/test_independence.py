"""An admin who sets an approver's password does not become two people by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from rebalancing.services.approvals import decide_run
from rebalancing.services.keepers import attempt_run_grounds
from rebalancing.services.second_persons import other_person_grounds
from tests.desk.conftest import HASH, DeskWorld
from tests.support.authenticator import enrolled, with_code
from trading.domain.errors import InputError, RuleViolation
from trading.models import (
    Account,
    Alert,
    ApprovalPolicy,
    AuditEntry,
    CredentialChange,
    SecondFactor,
)
from trading.selectors.words import WORDS
from trading.services.api_tokens import issue_token, known_token
from trading.services.credentials import note_credentials
from trading.services.policies import agree_policy
from trading.services.releases import agree_release, ask_release
from trading.services.second_factor import remove_factor
from trading.services.switches import account_scope, engage, switch_state

pytestmark = [pytest.mark.money, pytest.mark.django_db]
NEW = {
    "password1": "a quiet long evening",
    "password2": "a quiet long evening",
    "usable_password": "true",
}
CODE = "approver_not_independent"


def set_password(client: Client, world: DeskWorld, name: str) -> None:
    path = f"/admin/auth/user/{world.people[name].pk}/password/"
    assert client.post(path, NEW).status_code == 302


def changed(world: DeskWorld, name: str, by: str, kind: str = "password") -> None:
    with transaction.atomic():
        note_credentials(world.people[name], by, kind)


# --- the three places ---------------------------------------------------------------------------
def approve(world: DeskWorld) -> bool:
    """The admin asked for a plan, the approver lets it out. Each of the three tells whether it is done."""
    run = world.run(requester="admin")
    shown = with_code(world.people["approver"])
    decide_run(run.pk, HASH, world.people["approver"], "APPROVE", proof=shown)
    run.refresh_from_db()
    return run.state == "APPROVED"


def release(world: DeskWorld) -> bool:
    scope = account_scope(world.account)
    engage(scope, "HALTED", "trader", "drill")
    agree_release(ask_release(scope, "admin", "checked").pk, "approver")
    return switch_state(world.account) == "ACTIVE"


def agree(world: DeskWorld) -> bool:
    Account.objects.filter(pk=world.account.pk).update(environment="real", wire="real")
    loose = ApprovalPolicy.objects.create(account=world.account, kind="owner", created_by="admin")
    agree_policy(loose.pk, "approver")
    loose.refresh_from_db()
    return loose.agreed_by == "approver"


PLACES = pytest.mark.parametrize("act", [approve, release, agree])
Act = Callable[[DeskWorld], bool]


def refused(act: Act, world: DeskWorld) -> list[Any]:
    with pytest.raises((InputError, RuleViolation)) as error:
        act(world)
    return list(error.value.reasons)


@PLACES
@pytest.mark.parametrize("kind", ["password", "factor"])
def test_whoever_asked_and_set_the_others_credentials_is_no_second_person(
    targeted: DeskWorld, act: Act, kind: str
) -> None:
    targeted.policy("four_eyes")
    changed(targeted, "approver", "admin", kind)
    (reason,) = refused(act, targeted)
    until = timezone.localtime(CredentialChange.objects.get().at + timedelta(hours=24))
    assert (reason.code, reason.facts) == (
        CODE,
        {"who": "approver", "by": "admin", "until": f"{until:%Y-%m-%d %H:%M}"},
    )


@PLACES
def test_nor_where_the_second_set_those_of_who_asked(targeted: DeskWorld, act: Act) -> None:
    targeted.policy("four_eyes")
    changed(targeted, "admin", "approver")
    assert [reason.code for reason in refused(act, targeted)] == [CODE]


@PLACES
def test_a_third_persons_change_stops_nothing(targeted: DeskWorld, act: Act) -> None:
    targeted.policy("four_eyes")
    changed(targeted, "approver", "owner")
    assert act(targeted)


@PLACES
def test_a_day_later_they_are_two_people_again(targeted: DeskWorld, act: Act) -> None:
    targeted.policy("four_eyes")
    with time_machine.travel(timezone.now() - timedelta(hours=24, minutes=1), tick=True):
        changed(targeted, "approver", "admin")
    assert act(targeted)


@PLACES
def test_ones_own_change_stops_nothing(targeted: DeskWorld, act: Act) -> None:
    targeted.policy("four_eyes")
    changed(targeted, "approver", "approver")
    assert not CredentialChange.objects.exists()
    assert act(targeted)


def test_every_reason_is_told_at_once(targeted: DeskWorld) -> None:
    targeted.policy("four_eyes")
    targeted.people["approver"].groups.clear()
    changed(targeted, "approver", "admin")
    codes = [reason.code for reason in refused(approve, targeted)]
    assert CODE in codes and "approver_role_required" in codes


def test_where_one_person_may_decide_alone_nothing_changes(targeted: DeskWorld) -> None:
    targeted.policy("owner_practice")
    changed(targeted, "approver", "admin")
    assert approve(targeted)


def test_a_rejection_needs_no_second_person(targeted: DeskWorld) -> None:
    targeted.policy("four_eyes")
    changed(targeted, "approver", "admin")
    run = targeted.run(requester="admin")
    assert decide_run(run.pk, HASH, targeted.people["approver"], "DENY").state == "DENIED"


# --- as people meet it --------------------------------------------------------------------------
@pytest.mark.parametrize(("asked_by", "status"), [("admin", 403), ("trader", 422)])
def test_an_admin_who_signs_in_as_the_approver_is_refused_in_words(
    staff: Client, targeted: DeskWorld, asked_by: str, status: int
) -> None:
    targeted.policy("four_eyes")
    set_password(staff, targeted, "approver")
    run = targeted.run(requester=asked_by)
    client = Client()
    door = {"username": "approver", "password": NEW["password1"]}
    assert client.post("/accounts/login/", door).url == "/"
    answer = client.post(f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": HASH})
    assert answer.status_code == status
    if status == 422:
        assert "2차 인증" in answer.content.decode(), "what a stolen password alone does not give"
    else:
        assert "admin님이 approver님의 비밀번호나 2차 인증을 바꾸어" in answer.content.decode()


def test_the_person_whose_password_was_set_is_signed_out_and_their_tokens_end(
    staff: Client, targeted: DeskWorld
) -> None:
    theirs, others = targeted.client("approver"), targeted.client("viewer")
    _row, token = issue_token(targeted.people["approver"], "tests", "read", 30)
    assert theirs.get("/").status_code == 200
    assert known_token(token) is not None
    set_password(staff, targeted, "approver")
    assert theirs.get("/").status_code == 302
    assert known_token(token) is None
    assert others.get("/").status_code == 200
    assert staff.get("/").status_code == 200


def test_the_people_of_the_account_read_of_every_change(staff: Client, targeted: DeskWorld) -> None:
    for name in ("approver", "trader", "stranger"):
        set_password(staff, targeted, name)
    rows = CredentialChange.objects.order_by("pk")
    assert [(row.user.username, row.by, row.kind) for row in rows] == [
        (name, "admin", "password") for name in ("approver", "trader", "stranger")
    ]
    told = Alert.objects.filter(code="credentials_changed").order_by("pk")
    assert [(one.account_id, one.facts["who"], one.severity) for one in told] == [
        (targeted.account.pk, "approver", "warning"),
        (targeted.account.pk, "trader", "warning"),
        (None, "stranger", "warning"),
    ]
    said = "admin님이 approver님의 비밀번호나 2차 인증을 바꾸었습니다"
    assert said in targeted.client("viewer").get("/").content.decode()
    with override("en"):
        assert "admin changed the password" in WORDS.say("credentials_changed", told[0].facts)


def test_ones_own_password_in_the_admin_is_no_change_by_another(
    staff: Client, targeted: DeskWorld
) -> None:
    set_password(staff, targeted, "admin")
    assert AuditEntry.objects.filter(action="password_set").count() == 1
    assert not CredentialChange.objects.exists() and not Alert.objects.exists()
    assert staff.get("/admin/").status_code == 200


def test_a_password_that_was_refused_leaves_nothing(staff: Client, targeted: DeskWorld) -> None:
    path = f"/admin/auth/user/{targeted.people['approver'].pk}/password/"
    assert staff.post(path, NEW | {"password2": "another"}).status_code == 200
    assert not CredentialChange.objects.exists() and not Alert.objects.exists()


@pytest.mark.parametrize(("by", "noted"), [("admin", 1), ("approver", 0)])
def test_a_second_factor_taken_by_another_is_noted(
    targeted: DeskWorld, by: str, noted: int
) -> None:
    enrolled(targeted.people["approver"])
    remove_factor(targeted.people["approver"], by)
    assert not SecondFactor.objects.exists()
    assert CredentialChange.objects.filter(kind="factor", by=by).count() == noted


@pytest.mark.parametrize(("usable", "noted"), [("true", 1), ("false", 0)])
def test_whoever_makes_a_person_knows_their_first_password(
    staff: Client, usable: str, noted: int
) -> None:
    new = NEW | {"username": "fresh", "usable_password": usable}
    assert staff.post("/admin/auth/user/add/", new).status_code == 302
    rows = CredentialChange.objects.filter(user__username="fresh", by="admin")
    assert rows.count() == noted


def test_nobody_takes_another_name(staff: Client, targeted: DeskWorld) -> None:
    person = targeted.people["admin"]
    data = {"username": "somebody", "first_name": "Kim", "email": ""}
    assert staff.post(f"/admin/auth/user/{person.pk}/change/", data).status_code == 302
    renamed = get_user_model().objects.get(pk=person.pk)
    assert (renamed.username, renamed.first_name) == ("admin", "Kim")


def test_a_note_stays_as_it_was_written(targeted: DeskWorld) -> None:
    changed(targeted, "approver", "admin")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CredentialChange.objects.update(by="owner")


def test_it_holds_for_what_became_of_an_order_too(targeted: DeskWorld) -> None:
    changed(targeted, "approver", "admin")
    assert [r.code for r in other_person_grounds("admin", "approver")] == [CODE]
    assert other_person_grounds("trader", "approver") == []
    own = other_person_grounds("trader", "trader")
    assert [r.code for r in own] == ["requester_may_not_approve"]


@pytest.mark.parametrize(
    ("asked_by", "codes"),
    [("admin", [CODE]), ("trader", []), ("approver", ["requester_may_not_approve"])],
)
def test_who_decides_about_a_lost_order_is_asked_the_same(
    targeted: DeskWorld, asked_by: str, codes: list[str]
) -> None:
    if asked_by != "approver":
        changed(targeted, "approver", "admin")
    run = targeted.run(requester=asked_by)
    lost: Any = SimpleNamespace(intent=SimpleNamespace(origin="run", origin_id=run.pk))
    assert [r.code for r in attempt_run_grounds(lost, "approver")] == codes


def test_the_password_of_nobody_is_set(staff: Client) -> None:
    assert staff.post("/admin/auth/user/999999/password/", NEW).status_code in (302, 404)
    assert not CredentialChange.objects.exists()


def test_who_set_somebodys_password_is_told_what_the_two_cannot_do_for_a_day(
    staff: Client, targeted: DeskWorld
) -> None:
    set_password(staff, targeted, "approver")
    said = "24시간 동안 나와 approver님은 서로 요청한 것을 승인하지 못합니다."
    assert said in staff.get("/admin/").content.decode()
    set_password(staff, targeted, "admin")
    assert "24시간 동안 나와" not in staff.get("/admin/").content.decode(), "one's own is no matter"
