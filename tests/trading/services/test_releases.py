"""Trading goes on after a stop: alone where one person may, by two where two must."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.support.locks import Locks
from tests.support.world import make_user
from trading.domain.errors import InputError, StateConflict
from trading.models import (
    Account,
    AccountMember,
    ApprovalPolicy,
    AuditEntry,
    ReleaseRequest,
    Switch,
)
from trading.services.releases import (
    agree_release,
    ask_release,
    open_requests,
    release_policy,
    withdraw_release,
)
from trading.services.switches import (
    GLOBAL,
    account_scope,
    engage,
    is_engaged,
    release,
    switch_state,
    write_kill_file,
)

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def accounts(settings: Any, tmp_path: Any) -> dict[str, Account]:
    settings.KILL_FILE = tmp_path / "KILL"
    made = {
        kind: Account.objects.create(
            name=kind,
            environment=kind,
            wire="mock" if kind == "mock" else "real",
            account_no=number,
        )
        for kind, number in (("real", "11112222-01"), ("mock", "33334444-01"))
    }
    for account in made.values():
        engage(account_scope(account), "HALTED", "trader", "looks wrong")
    kim = make_user("kim", "admin")
    AccountMember.objects.bulk_create(
        AccountMember(account=account, user=kim) for account in made.values()
    )
    return made


def asked_on(account: Account) -> ReleaseRequest:
    asked = ask_release(account_scope(account), "kim", "checked")
    assert isinstance(asked, ReleaseRequest)
    return asked


def test_one_person_releases_a_practice_account_at_once(accounts: dict[str, Account]) -> None:
    done = ask_release(account_scope(accounts["mock"]), "kim", "checked")
    assert isinstance(done, Switch) and done.state == "ACTIVE"
    assert switch_state(accounts["mock"]) == "ACTIVE"


def test_a_real_account_goes_on_only_when_a_second_person_agrees(
    accounts: dict[str, Account],
) -> None:
    real = accounts["real"]
    asked = asked_on(real)
    assert switch_state(real) == "HALTED"
    with pytest.raises(InputError) as refused:
        agree_release(asked.pk, "kim")
    assert [reason.code for reason in refused.value.reasons] == ["second_person_required"]
    assert switch_state(real) == "HALTED"
    row = agree_release(asked.pk, "lee")
    assert (row.by, row.second, row.policy, row.state) == ("kim", "lee", "four_eyes", "ACTIVE")
    assert switch_state(real) == "ACTIVE"
    with pytest.raises(StateConflict, match="release_not_open"):
        agree_release(asked.pk, "lee")


def test_the_shells_person_is_the_desks_person(accounts: dict[str, Account]) -> None:
    asked = ask_release(account_scope(accounts["real"]), "shell:kim", "checked")
    with pytest.raises(InputError):
        agree_release(asked.pk, "kim")
    agree_release(asked.pk, "lee")


@pytest.mark.parametrize("name", ["shell", "nobody", "trader", "stranger", "gone"])
def test_only_an_admin_of_the_account_asks_for_two(accounts: dict[str, Account], name: str) -> None:
    """In the name of nobody a person would ask from the shell and agree on the desk."""
    real = accounts["real"]
    for who, role in (("trader", "trader"), ("gone", "admin"), ("stranger", "admin")):
        user = make_user(who, role)
        if who != "stranger":
            AccountMember.objects.create(account=real, user=user)
        if who == "gone":
            user.is_active = False
            user.save()
    for by in (name, f"shell:{name}"):
        with pytest.raises(InputError) as refused:
            ask_release(account_scope(real), by, "checked")
        assert [one.code for one in refused.value.reasons] == ["release_needs_an_admin"]
    assert not ReleaseRequest.objects.exists()


@pytest.mark.parametrize("how", ["role", "account", "switched off", "stays"])
def test_a_request_counts_only_while_who_asked_may_still_ask(
    accounts: dict[str, Account], how: str
) -> None:
    asked = asked_on(accounts["real"])
    kim = get_user_model().objects.get(username="kim")
    if how == "role":
        kim.groups.clear()
    elif how == "account":
        AccountMember.objects.filter(user=kim).delete()
    elif how == "switched off":
        get_user_model().objects.update(is_active=False)
    else:
        assert agree_release(asked.pk, "lee").state == "ACTIVE"
        return
    with pytest.raises(InputError) as refused:
        agree_release(asked.pk, "lee")
    assert [one.code for one in refused.value.reasons] == ["proposer_may_no_longer"]
    assert switch_state(accounts["real"]) == "HALTED"


def test_a_request_lapses_after_half_an_hour_and_may_be_made_again(
    accounts: dict[str, Account],
) -> None:
    asked = asked_on(accounts["real"])
    with pytest.raises(StateConflict, match="release_already_asked"):
        asked_on(accounts["real"])
    ReleaseRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert open_requests([asked.scope]) == []
    with pytest.raises(StateConflict, match="release_not_open"):
        agree_release(asked.pk, "lee")
    assert ReleaseRequest.objects.get(pk=asked.pk).outcome == "expired"
    agree_release(asked_on(accounts["real"]).pk, "lee")


def test_a_request_taken_back_releases_nothing(accounts: dict[str, Account]) -> None:
    asked = asked_on(accounts["real"])
    withdraw_release(asked.pk, "lee")
    with pytest.raises(StateConflict):
        agree_release(asked.pk, "lee")
    assert switch_state(accounts["real"]) == "HALTED"


def test_who_asked_agreed_and_withdrew_is_on_record(accounts: dict[str, Account]) -> None:
    withdraw_release(asked_on(accounts["real"]).pk, "lee")
    agree_release(asked_on(accounts["real"]).pk, "park")
    rows = AuditEntry.objects.filter(object=f"switch:{account_scope(accounts['real'])}")
    assert [(row.action, row.actor) for row in rows.order_by("seq")] == [
        ("switch_engage", "trader"),
        ("release_asked", "kim"),
        ("release_withdrawn", "lee"),
        ("release_asked", "kim"),
        ("switch_release", "kim"),
    ]


def test_a_stop_locks_the_accounts_it_rules_and_no_others(
    accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = Locks(monkeypatch)
    engage(account_scope(accounts["real"]), "HALTED", "trader", "again")
    assert locks.of(Account) == ["Account"]


def test_a_stop_is_written_although_the_lock_does_not_come(
    accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_release(account_scope(accounts["mock"]), "kim", "checked")
    assert switch_state(accounts["mock"]) == "ACTIVE"
    Locks(monkeypatch, refuse=Account)
    engage(account_scope(accounts["mock"]), "HALTED", "trader", "now")
    assert switch_state(accounts["mock"]) == "HALTED"


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [((), "four_eyes"), (("owner",), "owner"), (("owner_practice",), "owner_practice")],
)
def test_the_strictest_policy_under_a_scope_decides(
    accounts: dict[str, Account], kinds: tuple[str, ...], wanted: str
) -> None:
    for kind in kinds:
        ApprovalPolicy.objects.create(
            account=accounts["real"], kind=kind, created_by="kim", agreed_by="lee"
        )
    assert release_policy(GLOBAL) == wanted
    assert release_policy(account_scope(accounts["mock"])) == "owner_practice"


def test_an_owners_account_waits_for_a_second_factor(accounts: dict[str, Account]) -> None:
    ApprovalPolicy.objects.create(
        account=accounts["real"], kind="owner", created_by="kim", agreed_by="lee"
    )
    with pytest.raises(InputError) as refused:
        ask_release(account_scope(accounts["real"]), "kim", "")
    assert [r.code for r in refused.value.reasons] == [
        "release_needs_second_factor",
        "reason_required",
    ]


def test_nothing_is_asked_where_nothing_is_stopped(accounts: dict[str, Account]) -> None:
    with pytest.raises(StateConflict, match="only_accounts_stopped"):
        ask_release(GLOBAL, "kim", "checked")
    mock = account_scope(accounts["mock"])
    ask_release(mock, "kim", "checked")
    with pytest.raises(StateConflict, match="not_engaged"):
        ask_release(mock, "kim", "checked")
    write_kill_file("shell:kim", "the database was down")
    assert isinstance(ask_release(GLOBAL, "kim", "checked"), ReleaseRequest)


def test_releasing_one_account_leaves_the_stop_of_all_in_place(
    accounts: dict[str, Account],
) -> None:
    write_kill_file("shell:kim", "drill")
    ask_release(account_scope(accounts["mock"]), "lee", "checked")
    assert not is_engaged(account_scope(accounts["mock"]))
    assert is_engaged(GLOBAL) and switch_state(accounts["mock"]) == "HALTED"


def test_the_shell_only_asks_where_two_are_needed(accounts: dict[str, Account]) -> None:
    def shell(account: Account) -> dict[str, Any]:
        out = StringIO()
        options = {"scope": account_scope(account), "reason": "checked", "json": True}
        call_command("kill", "release", user="kim", stdout=out, **options)
        return dict(json.loads(out.getvalue()))

    assert shell(accounts["mock"])["state"] == "ACTIVE"
    answer = shell(accounts["real"])
    assert ReleaseRequest.objects.get(pk=answer["requested"]).by == "shell:kim"
    assert switch_state(accounts["real"]) == "HALTED"
    with pytest.raises(CommandError):
        shell(accounts["real"])


def test_the_database_itself_refuses_an_agreement_with_oneself(
    accounts: dict[str, Account],
) -> None:
    asked = asked_on(accounts["real"])
    with pytest.raises(IntegrityError), transaction.atomic():
        ReleaseRequest.objects.filter(pk=asked.pk).update(outcome="agreed", second="kim")
    ReleaseRequest.objects.filter(pk=asked.pk).update(outcome="agreed", second="lee")


@pytest.mark.parametrize(
    "scope", ["acount:1", "account:999999", "account:ABC", "account:²", "Global", ""]
)
def test_a_stop_of_nothing_is_refused(accounts: dict[str, Account], scope: str) -> None:
    before = Switch.objects.count()
    with pytest.raises(CommandError, match="no scope"):
        call_command("kill", "halt", scope=scope)
    assert Switch.objects.count() == before


def test_the_shell_says_that_a_stricter_stop_is_there(accounts: dict[str, Account]) -> None:
    with pytest.raises(CommandError, match="already_stricter"):
        call_command("kill", "reduce", scope=account_scope(accounts["real"]))


@pytest.mark.parametrize("undone", [True, False])
def test_the_kill_file_goes_only_with_the_row_that_explains_it(
    accounts: dict[str, Account], settings: Any, undone: bool
) -> None:
    write_kill_file("shell:kim", "drill")
    with transaction.atomic():
        release(GLOBAL, "kim", "", "checked", "owner_practice")
        transaction.set_rollback(undone)
    assert settings.KILL_FILE.exists() is undone
