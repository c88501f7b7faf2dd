"""The second factor as people meet it: set up, at the door, before dangerous acts, and when it is lost."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tests.desk.conftest import PASSWORD, DeskWorld
from tests.support.authenticator import Phone, enrolled, signed_in
from trading.models import Alert, AuditEntry, SecondFactor

pytestmark = [pytest.mark.once, pytest.mark.django_db]
PAGE, DOOR, CODE = "/accounts/second-factor/", "/accounts/login/", "/accounts/code/"


def set_up(client: Client) -> tuple[Phone, str]:
    """As a person does: password, key, code; returns the phone and the page with recovery codes."""
    client.post(PAGE, {"act": "begin", "password": PASSWORD})
    phone = Phone.scanning(client.get(PAGE).content.decode())
    return phone, client.post(PAGE, {"act": "confirm", "code": phone.code()}).content.decode()


def recovery_codes(page: str) -> list[str]:
    return [part.split("</code>")[0] for part in page.split("<li><code>")[1:]]


def test_a_person_sets_it_up_and_their_other_sessions_end(desk: DeskWorld) -> None:
    here, elsewhere = desk.client("approver"), desk.client("approver")
    _phone, page = set_up(here)
    assert len(recovery_codes(page)) == 10
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert "권한이나 인증 설정이 바뀌어" in elsewhere.get(DOOR).content.decode()
    assert AuditEntry.objects.filter(action="second_factor_added").count() == 1


def test_setting_it_up_asks_for_the_password_and_a_right_code(desk: DeskWorld) -> None:
    client = desk.client("approver")
    refused = client.post(PAGE, {"act": "begin", "password": "wrong"})
    assert refused.status_code == 422 and not SecondFactor.objects.exists()
    client.post(PAGE, {"act": "begin", "password": PASSWORD})
    refused = client.post(PAGE, {"act": "confirm", "code": "000000"})
    assert refused.status_code == 422 and "코드가 맞지 않거나" in refused.content.decode()
    assert SecondFactor.objects.get().confirmed_at is None
    # what was not finished is asked of nobody
    assert Client().post(DOOR, {"username": "approver", "password": PASSWORD}).url == "/"


def test_neither_seed_nor_recovery_codes_are_readable_at_rest(desk: DeskWorld) -> None:
    from django.db import connection

    phone, page = set_up(desk.client("approver"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT seed FROM trading_secondfactor")
        kept = str(cursor.fetchall())
        cursor.execute("SELECT digest FROM trading_recoverycode")
        kept += str(cursor.fetchall())
    assert phone.seed not in kept
    assert not any(code.replace("-", "") in kept for code in recovery_codes(page))
    assert phone.seed not in desk.client("approver").get(PAGE).content.decode()


def test_the_password_alone_opens_nothing(desk: DeskWorld) -> None:
    phone = enrolled(desk.people["approver"])
    client = Client()
    answer = client.post(DOOR, {"username": "approver", "password": PASSWORD})
    assert answer.url == CODE
    assert client.get("/").status_code == 302
    assert client.get("/api/macro-trading/rebalancing/status").status_code == 401
    assert client.post(CODE, {"code": "123456"}).status_code == 200
    assert client.get("/").status_code == 302
    assert client.post(CODE, {"code": phone.code()}).url == "/"
    assert client.get("/").status_code == 200


def test_the_door_leads_where_the_person_wanted_to_go_and_never_elsewhere(desk: DeskWorld) -> None:
    phone = enrolled(desk.people["approver"])
    for wanted, target in (
        ("/health/", "/health/"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
    ):
        client = Client()
        client.post(DOOR, {"username": "approver", "password": PASSWORD, "next": wanted})
        assert client.post(CODE, {"code": phone.code()}).url == target


def test_half_a_log_in_ends_after_five_minutes(desk: DeskWorld) -> None:
    phone = enrolled(desk.people["approver"])
    client = Client()
    client.post(DOOR, {"username": "approver", "password": PASSWORD})
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        phone_later = Phone(phone.seed)
        assert client.post(CODE, {"code": phone_later.code()}).url == DOOR


def test_a_code_is_taken_once(desk: DeskWorld) -> None:
    """HX-38."""
    phone = enrolled(desk.people["approver"])
    code = phone.code()
    first, second = Client(), Client()
    for client in (first, second):
        client.post(DOOR, {"username": "approver", "password": PASSWORD})
    assert first.post(CODE, {"code": code}).url == "/"
    assert second.post(CODE, {"code": code}).status_code == 200


def test_five_wrong_codes_lock_it_for_a_quarter_of_an_hour_and_page_somebody(
    desk: DeskWorld,
) -> None:
    phone = enrolled(desk.people["approver"])
    client = Client()
    client.post(DOOR, {"username": "approver", "password": PASSWORD})
    told = [client.post(CODE, {"code": f"00000{n}"}).status_code for n in range(5)]
    assert told == [200, 200, 200, 200, 429]
    assert client.post(CODE, {"code": phone.code()}).status_code == 429
    assert Alert.objects.filter(code="code_locked").count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=True):
        assert signed_in(Client(), "approver", PASSWORD, Phone(phone.seed)).url == "/"


def test_a_right_code_forgets_the_wrong_ones_before_it(desk: DeskWorld) -> None:
    phone = enrolled(desk.people["approver"])
    client = Client()
    client.post(DOOR, {"username": "approver", "password": PASSWORD})
    for _ in range(4):
        client.post(CODE, {"code": "000000"})
    assert client.post(CODE, {"code": phone.code()}).url == "/"
    assert SecondFactor.objects.get().failures == 0


def test_a_recovery_code_opens_once(desk: DeskWorld) -> None:
    _phone, page = set_up(desk.client("approver"))
    code = recovery_codes(page)[0]
    for answer in ("/", None):
        client = Client()
        client.post(DOOR, {"username": "approver", "password": PASSWORD})
        told = client.post(CODE, {"code": f" {code.upper()} "})
        assert getattr(told, "url", None) == answer
    assert AuditEntry.objects.filter(action="recovery_code_used").count() == 1


def test_new_recovery_codes_end_the_old_ones(desk: DeskWorld) -> None:
    client = desk.client("approver")
    phone, page = set_up(client)
    fresh = client.post(PAGE, {"act": "codes", "code": phone.code()}).content.decode()
    assert not set(recovery_codes(fresh)) & set(recovery_codes(page))
    other = Client()
    other.post(DOOR, {"username": "approver", "password": PASSWORD})
    assert other.post(CODE, {"code": recovery_codes(page)[1]}).status_code == 200
    assert other.post(CODE, {"code": recovery_codes(fresh)[1]}).url == "/"


def test_it_is_taken_away_with_a_code_only(desk: DeskWorld) -> None:
    client = desk.client("approver")
    phone, _page = set_up(client)
    assert client.post(PAGE, {"act": "remove", "code": "111111"}).status_code == 422
    assert SecondFactor.objects.count() == 1
    assert client.post(PAGE, {"act": "remove", "code": phone.code()}).status_code == 303
    assert SecondFactor.objects.count() == 0
    assert client.get("/").status_code == 200


def test_an_admin_resets_somebody_elses_and_never_their_own(
    staff: Client, targeted: DeskWorld
) -> None:
    targeted.people["admin"].groups.get(name="admin").permissions.set(Permission.objects.all())
    phone = enrolled(targeted.people["approver"])
    theirs = Client()
    signed_in(theirs, "approver", PASSWORD, phone)
    person, admin = targeted.people["approver"], targeted.people["admin"]
    path = "/admin/auth/user/{}/reset-second-factor/"
    assert "초기화합니다" in staff.get(path.format(person.pk)).content.decode()
    assert SecondFactor.objects.count() == 1
    assert staff.post(path.format(person.pk)).status_code == 302
    assert SecondFactor.objects.count() == 0
    assert theirs.get("/").status_code == 302
    assert staff.post(path.format(admin.pk)).status_code in (403, 404)
    assert AuditEntry.objects.get(action="second_factor_removed").actor == "admin"


def test_the_shell_takes_it_away_where_nobody_else_can(desk: DeskWorld) -> None:
    enrolled(desk.people["owner"])
    call_command("second_factor", "reset", "owner", stdout=StringIO())
    assert not SecondFactor.objects.exists()
    assert AuditEntry.objects.get(action="second_factor_removed").actor == "shell"
    for name in ("owner", "nobody-here"):
        with pytest.raises(CommandError, match="no "):
            call_command("second_factor", "reset", name, stdout=StringIO())


def test_a_recovery_code_opens_what_strangers_have_locked(desk: DeskWorld) -> None:
    _phone, page = set_up(desk.client("approver"))
    client = Client()
    client.post(DOOR, {"username": "approver", "password": PASSWORD})
    for n in range(5):
        client.post(CODE, {"code": f"00000{n}"})
    assert client.post(CODE, {"code": recovery_codes(page)[0]}).url == "/"
