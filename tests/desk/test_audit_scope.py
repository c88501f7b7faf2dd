"""The audit chain is read of one's own accounts and of what is about none, on every door."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from rebalancing.models import RunSchedule
from tests.desk.conftest import DeskWorld
from trading.models import Account, AccountMember, Alert, AuditEntry
from trading.selectors.audit_scope import audit_seen_by
from trading.services.audit import audit
from trading.services.roles import ensure_roles

pytestmark = [pytest.mark.money]
WORDS = (
    "intent:x",
    "run:",
    "run:99999999999999999999",
    "user:1",
    "config:1",
    "mp:1",
    "switch:global",
)
"""Subjects about no account, or about no row that there is."""


@pytest.fixture
def other(targeted: DeskWorld) -> Account:
    ensure_roles()
    return Account.objects.create(
        name="Other", environment="mock", wire="mock", app_key="k", app_secret="s",
        account_no="11112222-01",
    )  # fmt: skip


def subjects(desk: DeskWorld, account: Account) -> list[str]:
    """One of every kind that belongs to `account`."""
    run = desk.run(account=account)
    schedule = RunSchedule.objects.create(account=account, at=time(9, 40))
    alert = Alert.objects.create(
        severity="info", code="x", subject="x", account=account, created_at=run.created_at
    )
    names = [f"account:{account.pk}", f"targets:{account.pk}", f"switch:account:{account.pk}"]
    names.append(f"limits:{account.pk}")
    return [*names, f"run:{run.pk}", f"schedule:{schedule.pk}", f"alert:{alert.pk}"]


def note(names: list[str]) -> None:
    with transaction.atomic():
        for name in names:
            audit("somebody", "run_opened", name)


def read(user: Any) -> set[str]:
    return set(audit_seen_by(user).values_list("object", flat=True))


def test_of_other_accounts_nothing_is_read_and_of_ones_own_all(
    targeted: DeskWorld, other: Account
) -> None:
    mine, theirs = subjects(targeted, targeted.account), subjects(targeted, other)
    note([*mine, *theirs, *WORDS])
    approver = targeted.people["approver"]
    assert read(approver) & {*mine, *theirs, *WORDS} == {*mine, *WORDS}
    AccountMember.objects.create(account=other, user=approver)
    assert read(approver) >= {*mine, *theirs, *WORDS}
    assert read(targeted.people["nobody"]) == set()


def test_every_door_reads_the_same(targeted: DeskWorld, other: Account, staff: Client) -> None:
    mine, theirs = subjects(targeted, targeted.account), subjects(targeted, other)
    note([*mine, *theirs])
    api = APIClient()
    api.force_authenticate(targeted.people["approver"])
    told = api.get("/api/macro-trading/audit?page_size=200").json()["results"]
    assert {row["object"] for row in told} & {*mine, *theirs} == set(mine)
    page = staff.get("/admin/trading/auditentry/?q=somebody").context["cl"].result_list
    assert {row.object for row in page} & {*mine, *theirs} == set(mine)
    foreign = AuditEntry.objects.get(object=theirs[0])
    path = f"/admin/trading/auditentry/{foreign.pk}/change/"
    assert staff.get(path).status_code == 302, "there is no such row for them"
