"""Which approval policy rules: on a real account a looser one waits for a second person."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.support.world import make_user
from trading.domain.errors import RuleViolation, StateConflict
from trading.domain.policies import needs_second_person
from trading.models import Account, AccountMember, ApprovalPolicy, AuditEntry
from trading.selectors.policies import policy_in_force
from trading.services.policies import agree_policy, policy_of, waiting_policy

pytestmark = pytest.mark.django_db


def account_in(environment: str) -> Account:
    account = Account.objects.create(
        name="a", environment=environment, wire="real", account_no="11112222-01"
    )
    AccountMember.objects.create(account=account, user=make_user("kim", "admin"))
    return account


def add(account: Account, kind: str, *, automatic: bool = False) -> ApprovalPolicy:
    return ApprovalPolicy.objects.create(
        account=account, kind=kind, automatic=automatic, created_by="kim"
    )


@pytest.mark.parametrize(
    ("real", "kind", "automatic", "second"),
    [
        (True, "four_eyes", False, False),
        (True, "four_eyes", True, True),
        (True, "owner", False, True),
        (True, "owner_practice", False, True),
        (False, "four_eyes", True, False),
        (False, "owner_practice", True, False),
    ],
)
def test_who_must_agree(real: bool, kind: str, automatic: bool, second: bool) -> None:
    assert needs_second_person(real=real, kind=kind, automatic=automatic) is second


def test_one_admin_cannot_make_a_real_account_approve_by_itself() -> None:
    account = account_in("real")
    strict = add(account, "four_eyes")
    loose = add(account, "four_eyes", automatic=True)
    assert policy_of(account) == strict
    assert waiting_policy(account) == loose
    with pytest.raises(RuleViolation) as refused:
        agree_policy(loose.pk, "kim")
    assert refused.value.reasons[0].code == "policy_needs_another_person"
    agree_policy(loose.pk, "lee")
    assert policy_of(account) == loose
    assert waiting_policy(account) is None
    entry = AuditEntry.objects.get(action="approval_policy_agreed")
    assert (entry.actor, json.loads(entry.payload)) == ("lee", {"policy": loose.pk})
    with pytest.raises(StateConflict, match="policy_not_waiting"):
        agree_policy(loose.pk, "lee")


def test_a_stricter_policy_rules_at_once_and_overtakes_one_that_waits() -> None:
    account = account_in("real")
    loose = add(account, "owner")
    strict = add(account, "four_eyes")
    assert policy_in_force(account) == strict
    with pytest.raises(StateConflict, match="policy_superseded"):
        agree_policy(loose.pk, "lee")


@pytest.mark.parametrize("how", ["role", "account", "switched off", "stays"])
def test_a_looser_policy_counts_only_while_who_made_it_may_make_one(how: str) -> None:
    account = account_in("real")
    strict = add(account, "four_eyes")
    loose = add(account, "owner")
    kim = get_user_model().objects.get(username="kim")
    if how == "role":
        kim.groups.clear()
    elif how == "account":
        AccountMember.objects.all().delete()
    elif how == "switched off":
        get_user_model().objects.update(is_active=False)
    else:
        assert agree_policy(loose.pk, "lee") == policy_of(account)
        return
    with pytest.raises(RuleViolation) as refused:
        agree_policy(loose.pk, "lee")
    assert [one.code for one in refused.value.reasons] == ["proposer_may_no_longer"]
    assert policy_of(account) == strict


def test_a_practice_account_takes_the_newest_at_once() -> None:
    account = account_in("sim")
    add(account, "four_eyes")
    newest = add(account, "owner_practice", automatic=True)
    assert policy_in_force(account) == newest
    assert waiting_policy(account) is None


def test_the_database_refuses_an_agreement_with_oneself() -> None:
    loose = add(account_in("real"), "owner")
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalPolicy.objects.filter(pk=loose.pk).update(agreed_by="kim")


@pytest.mark.parametrize(("days", "waits"), [(6, True), (8, False)])
def test_a_policy_that_nobody_agreed_to_lapses_after_a_week(days: int, waits: bool) -> None:
    account = account_in("real")
    add(account, "four_eyes")
    loose = add(account, "owner")
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=True):
        assert (waiting_policy(account) == loose) == waits
        if waits:
            agree_policy(loose.pk, "lee")
            assert policy_of(account) == loose
        else:
            with pytest.raises(StateConflict, match="policy_not_waiting"):
                agree_policy(loose.pk, "lee")
            assert policy_of(account).kind == "four_eyes"
