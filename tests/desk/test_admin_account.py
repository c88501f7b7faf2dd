"""The account's form in the admin: who lets whom in, what pauses and lifts, and a record that is true."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import pre_save
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from rebalancing.services.wakeups import make_wakeups
from tests.desk.conftest import DeskWorld
from tests.support.forms import form_of
from trading.models import Account, AccountMember, AuditEntry, Switch, Transition
from trading.services.pauses import pause_account

MEMBERS = "accountmember_set"


def form(**changes: str) -> dict[str, str]:
    data = {
        "name": "Mine",
        "wrapper": "general",
        "is_active": "on",
        "app_key": "",
        "app_secret": "",
        "paused_reason": "",
        "commission_stock": "0.00015",
        "commission_fund": "0.00015",
    }
    for prefix in (MEMBERS, "approval_policies"):
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return data | changes


def joining(world: DeskWorld, name: str) -> dict[str, str]:
    return form() | {
        f"{MEMBERS}-TOTAL_FORMS": "1",
        f"{MEMBERS}-0-user": str(world.people[name].pk),
        f"{MEMBERS}-0-account": str(world.account.pk),
    }


def path(world: DeskWorld) -> str:
    return f"/admin/trading/account/{world.account.pk}/change/"


def audited(action: str) -> list[dict[str, Any]]:
    rows = AuditEntry.objects.filter(action=action).order_by("seq")
    return [json.loads(row.payload) for row in rows]


def test_another_person_is_let_in_and_the_record_names_them(
    staff: Client, targeted: DeskWorld
) -> None:
    assert staff.post(path(targeted), joining(targeted, "stranger")).status_code == 302
    assert audited("account_members") == [{"added": ["stranger"], "removed": []}]


@pytest.mark.parametrize(("others", "status"), [(True, 200), (False, 302)])
def test_nobody_lets_themselves_in_where_others_are(
    staff: Client, targeted: DeskWorld, others: bool, status: int
) -> None:
    """An account that nobody may see is its maker's."""
    mine = targeted.people["admin"]
    AccountMember.objects.filter(user=mine).delete()
    if not others:
        AccountMember.objects.all().delete()
    answer = staff.post(path(targeted), joining(targeted, "admin"))
    assert answer.status_code == status
    assert AccountMember.objects.filter(user=mine).exists() is not others
    if others:
        assert "다른 관리자가 넣어야 합니다" in answer.content.decode()


def leaving(world: DeskWorld, *names: str) -> dict[str, str]:
    rows = list(AccountMember.objects.filter(user__username__in=names).order_by("pk"))
    data = form() | {
        f"{MEMBERS}-TOTAL_FORMS": str(len(rows)),
        f"{MEMBERS}-INITIAL_FORMS": str(len(rows)),
    }
    for number, row in enumerate(rows):
        data |= {
            f"{MEMBERS}-{number}-id": str(row.pk),
            f"{MEMBERS}-{number}-user": str(row.user_id),
            f"{MEMBERS}-{number}-account": str(world.account.pk),
            f"{MEMBERS}-{number}-DELETE": "on",
        }
    return data


@pytest.mark.parametrize(("others", "inside"), [(("trader",), False), ((), True)])
def test_who_takes_every_member_out_does_not_get_in_either(
    staff: Client, targeted: DeskWorld, others: tuple[str, ...], inside: bool
) -> None:
    """An account that was never anybody else's is still its maker's, out and in again."""
    AccountMember.objects.exclude(user__username__in=("admin", *others)).delete()
    mine = targeted.people["admin"]
    gone = leaving(targeted, "admin", *others)
    assert staff.post(path(targeted), gone).status_code == 302
    assert not AccountMember.objects.exists()
    answer = staff.post(path(targeted), joining(targeted, "admin"))
    assert answer.status_code == (302 if inside else 200)
    assert AccountMember.objects.filter(user=mine).exists() is inside
    let_in = staff.post(path(targeted), joining(targeted, "stranger"))
    assert let_in.status_code == 302


def test_nobody_takes_over_the_row_of_another_member(staff: Client, targeted: DeskWorld) -> None:
    mine = targeted.people["admin"]
    AccountMember.objects.filter(user=mine).delete()
    row = AccountMember.objects.filter(account=targeted.account).earliest("pk")
    data = joining(targeted, "admin") | {
        f"{MEMBERS}-INITIAL_FORMS": "1",
        f"{MEMBERS}-0-id": str(row.pk),
    }
    answer = staff.post(path(targeted), data)
    assert "다른 관리자가 넣어야 합니다" in answer.content.decode()
    assert not AccountMember.objects.filter(user=mine).exists()


def test_a_pause_is_made_and_lifted_by_the_service(staff: Client, targeted: DeskWorld) -> None:
    assert staff.post(path(targeted), form(paused_reason="moving house")).status_code == 302
    assert Account.objects.get().paused_reason == "moving house"
    assert staff.post(path(targeted), form()).status_code == 302
    assert Account.objects.get().paused_reason == ""
    assert audited("account_paused") == audited("account_resumed") == [{"reason": "moving house"}]


def shown(client: Client, world: DeskWorld) -> dict[str, str]:
    """What the page posts besides what a person types: everything as it was seen."""
    posted = form_of(client.get(path(world)), "account_form")
    return {name: value for name, value in posted.items() if name.startswith("initial-")}


def test_a_pause_made_after_the_page_was_opened_survives_its_saving(
    staff: Client, targeted: DeskWorld
) -> None:
    seen = shown(staff, targeted)
    pause_account(targeted.account, "moving house", "owner")
    assert staff.post(path(targeted), form(name="Other") | seen).status_code == 302
    saved = Account.objects.get()
    assert (saved.name, saved.paused_reason) == ("Other", "moving house")
    assert not audited("account_resumed")
    answer = staff.post(path(targeted), form(paused_reason="holiday") | seen)
    assert "그 사이 중지 사유가 바뀌었습니다" in answer.content.decode()
    assert Account.objects.get().paused_reason == "moving house"
    lifted = staff.post(path(targeted), form(name="Other") | shown(staff, targeted))
    assert lifted.status_code == 302 and Account.objects.get().paused_reason == ""


@pytest.mark.parametrize("wanted", ["", "holiday"])
def test_a_pause_made_while_the_form_is_being_saved_survives(
    staff: Client, targeted: DeskWorld, wanted: str
) -> None:
    def meanwhile(sender: object, instance: Account, **_given: Any) -> None:
        Account.objects.filter(pk=instance.pk).update(
            paused_reason=Account.EXTERNAL_ORDER, wrapper="isa"
        )

    pre_save.connect(meanwhile, sender=Account)
    try:
        answer = staff.post(path(targeted), form(name="Other", paused_reason=wanted), follow=True)
    finally:
        pre_save.disconnect(meanwhile, sender=Account)
    saved = Account.objects.get()
    assert (saved.name, saved.wrapper, saved.paused_reason) == ("Other", "isa", "external_order")
    assert ("중지 사유는 그대로 두었습니다" in answer.content.decode()) is bool(wanted)
    assert not audited("account_paused")


def test_what_an_order_from_outside_paused_is_not_lifted_by_a_form(
    staff: Client, targeted: DeskWorld
) -> None:
    Account.objects.update(paused_reason="external_order")
    answer = staff.post(path(targeted), form())
    assert "대사 화면에서 확인한 뒤" in answer.content.decode()
    assert Account.objects.get().paused_reason == "external_order"
    assert staff.post(path(targeted), form(paused_reason="external_order")).status_code == 302


def test_the_history_says_of_keys_only_what_is_true(staff: Client, targeted: DeskWorld) -> None:
    assert staff.post(path(targeted), form(name="Other")).status_code == 302
    assert staff.post(path(targeted), form(name="Other", app_key="fresh")).status_code == 302
    first, second = LogEntry.objects.order_by("pk")
    assert "app_key" not in first.change_message and "앱 키" not in first.get_change_message()
    assert "앱 키" in second.get_change_message() or "app_key" in second.change_message
    assert "앱 시크릿" not in second.get_change_message()


# --- records of accounts that are not one's own -------------------------------------------------
@pytest.mark.parametrize(
    ("person", "member", "seen"),
    [("approver", True, True), ("approver", False, False), ("admin", False, True)],
)
def test_changes_and_stops_of_an_account_are_read_by_its_people_and_by_admins(
    staff: Client, targeted: DeskWorld, person: str, member: bool, seen: bool
) -> None:
    someone = targeted.people[person]
    someone.is_staff = True
    someone.save()
    Group.objects.get(name=person).permissions.set(Permission.objects.all())
    if not member:
        AccountMember.objects.filter(user=someone).delete()
    assert _rows_of(targeted, person) == (seen, seen)


def _rows_of(world: DeskWorld, person: str) -> tuple[bool, bool]:
    """Whether a change of a run of the account is listed, and a stop of the account."""
    run = world.run()
    Transition.objects.create(
        object_type="run", object_id=run.pk, to_state="CREATED", at=timezone.now(), by="x"
    )
    Switch.objects.create(
        scope=f"account:{world.account.pk}",
        state="HALTED",
        by="x",
        reason="drill",
        at=timezone.now(),
    )
    client = world.client(person)
    moves = client.get("/admin/trading/transition/").context["cl"].queryset
    stops = client.get("/admin/trading/switch/").context["cl"].queryset
    return (
        moves.filter(object_type="run", object_id=run.pk).exists(),
        stops.filter(scope=f"account:{world.account.pk}").exists(),
    )


# --- wake-ups -----------------------------------------------------------------------------------
@pytest.mark.parametrize(("period", "status"), [("microseconds", 200), ("seconds", 302)])
def test_nothing_is_woken_more_often_than_once_a_second(
    staff: Client, period: str, status: int
) -> None:
    added = staff.post(
        "/admin/django_celery_beat/intervalschedule/add/", {"every": "1", "period": period}
    )
    assert added.status_code == status
    make_wakeups()
    row = PeriodicTask.objects.filter(interval__isnull=False).latest("pk")
    rhythm = IntervalSchedule.objects.create(every=1, period=period)
    page = f"/admin/django_celery_beat/periodictask/{row.pk}/change/"
    changed = staff.post(page, {"enabled": "on", "interval": str(rhythm.pk), "crontab": ""})
    assert changed.status_code == status


@pytest.mark.parametrize(("member", "status", "policies"), [(True, 302, 1), (False, 200, 0)])
def test_a_policy_is_added_for_ones_own_accounts_alone(
    staff: Client, targeted: DeskWorld, member: bool, status: int, policies: int
) -> None:
    account = Account.objects.create(
        name="Foreign", environment="sim", wire="mock", app_key="k", app_secret="s"
    )
    if member:
        AccountMember.objects.create(account=account, user=targeted.people["admin"])
    page = staff.get("/admin/trading/approvalpolicy/add/").content.decode()
    assert ("Foreign" in page) is member
    policy = {
        "account": str(account.pk),
        "kind": "owner_practice",
        "automatic": "on",
        "max_turnover_percent": "100",
        "max_cost_won": "1000000000",
        "max_price_move_percent": "2",
    }
    assert staff.post("/admin/trading/approvalpolicy/add/", policy).status_code == status
    assert account.approval_policies.count() == policies
