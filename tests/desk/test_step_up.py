"""A code before dangerous acts: on pages, in the admin, in the API, and by every roundabout way."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from rebalancing.models import RebalancingConfig, Run
from tests.desk.conftest import HASH, PASSWORD, DeskWorld
from tests.support.authenticator import Phone, enrolled, signed_in
from trading.models import Account, Approval, AuditEntry, SecondFactor, Switch
from trading.services.api_tokens import issue_token
from trading.services.switches import account_scope, engage

pytestmark = [pytest.mark.once, pytest.mark.django_db]
PAGE, DOOR, CODE = "/accounts/second-factor/", "/accounts/login/", "/accounts/code/"


def waiting_run(desk: DeskWorld) -> str:
    return f"/rebalancing/runs/{desk.run(requester='trader').pk}/approve/"


def test_an_approval_asks_for_a_code_where_the_person_has_one(targeted: DeskWorld) -> None:
    phone = enrolled(targeted.people["approver"])
    client = Client()
    signed_in(client, "approver", PASSWORD, phone)
    path = waiting_run(targeted)
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        page = client.get(path.replace("approve/", "")).content.decode()
        assert 'id="approve-code"' in page
        refused = client.post(path, {"plan_hash": HASH})
        assert (
            refused.status_code == 422 and "인증 앱의 코드를 입력하세요" in refused.content.decode()
        )
        assert client.post(path, {"plan_hash": HASH, "code": "000000"}).status_code == 422
        assert not Approval.objects.exists()
        later = Phone(phone.seed)
        assert client.post(path, {"plan_hash": HASH, "code": later.code()}).status_code == 303
    assert Approval.objects.get().auth_level == "totp"


def test_within_five_minutes_of_a_code_nothing_is_asked_again(targeted: DeskWorld) -> None:
    client = Client()
    signed_in(client, "approver", PASSWORD, enrolled(targeted.people["approver"]))
    path = waiting_run(targeted)
    assert 'id="approve-code"' not in client.get(path.replace("approve/", "")).content.decode()
    assert client.post(path, {"plan_hash": HASH}).status_code == 303


def test_without_a_second_factor_a_practice_account_asks_for_none(targeted: DeskWorld) -> None:
    assert (
        targeted.client("approver").post(waiting_run(targeted), {"plan_hash": HASH}).status_code
        == 303
    )
    assert Approval.objects.get().auth_level == "password"


def test_a_rejection_needs_no_code(targeted: DeskWorld) -> None:
    client = Client()
    signed_in(client, "approver", PASSWORD, enrolled(targeted.people["approver"]))
    path = waiting_run(targeted).replace("approve", "reject")
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        assert client.post(path, {"plan_hash": HASH}).status_code == 303


def test_an_owner_alone_approves_within_a_minute_of_a_code(targeted: DeskWorld) -> None:
    targeted.policy("owner")
    owner = targeted.people["owner"]
    path = waiting_run(targeted)
    refused = targeted.client("owner").post(path, {"plan_hash": HASH})
    assert refused.status_code == 422 and "2차 인증을 먼저 설정" in refused.content.decode()
    phone, client = enrolled(owner), Client()
    signed_in(client, "owner", PASSWORD, phone)
    with time_machine.travel(timezone.now() + timedelta(seconds=90), tick=True):
        assert client.post(path, {"plan_hash": HASH}).status_code == 422
        data = {"plan_hash": HASH, "code": Phone(phone.seed).code()}
        assert client.post(path, data).status_code == 303


def test_whoever_decides_on_a_real_account_has_to_set_it_up_first(targeted: DeskWorld) -> None:
    Account.objects.filter(pk=targeted.account.pk).update(environment="real")
    client = targeted.client("approver")
    assert client.get("/").url.startswith(PAGE)
    assert client.get(PAGE).status_code == 200
    refused = client.post(waiting_run(targeted), {"plan_hash": HASH})
    assert refused.url.startswith(PAGE) and not Approval.objects.exists()
    assert targeted.client("viewer").get("/").status_code == 200


def test_stopping_never_waits_for_a_code_and_letting_go_does(desk: DeskWorld) -> None:
    phone, client = enrolled(desk.people["owner"]), Client()
    signed_in(client, "owner", PASSWORD, phone)
    scope = {"account": desk.account.pk, "reason": "test", "next": "/health/"}
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        assert client.post("/trading/switch/stop/", scope).url == "/health/"
        assert Switch.objects.first().state == "HALTED"
        asked = client.post("/trading/switch/release/", scope)
        assert asked.url == "/accounts/confirm/?next=%2Fhealth%2F"
        assert Switch.objects.first().state == "HALTED"
        shown = client.post(asked.url, {"code": Phone(phone.seed).code(), "next": "/health/"})
        assert shown.url == "/health/"
        client.post("/trading/switch/release/", scope)
    assert Switch.objects.first().state == "ACTIVE"


def test_a_release_on_an_owners_account_takes_the_code_of_the_last_minute(desk: DeskWorld) -> None:
    desk.policy("owner")
    engage(account_scope(desk.account), "HALTED", "test", "test")
    phone, client = enrolled(desk.people["owner"]), Client()
    signed_in(client, "owner", PASSWORD, phone)
    scope = {"account": desk.account.pk, "reason": "test"}
    with time_machine.travel(timezone.now() + timedelta(seconds=90), tick=True):
        client.post("/trading/switch/release/", scope)
        assert Switch.objects.first().state == "HALTED"
        client.post("/trading/switch/release/", scope | {"code": Phone(phone.seed).code()})
    assert Switch.objects.first().state == "ACTIVE"


SETTINGS = {"mp_threshold_percent": "4.0", "sub_mp_threshold_percent": "6.0"}


def test_settings_in_the_admin_ask_for_a_code_and_come_back(
    staff: Client, targeted: DeskWorld
) -> None:
    phone, client = enrolled(targeted.people["admin"]), Client()
    signed_in(client, "admin", PASSWORD, phone)
    path = "/admin/rebalancing/rebalancingconfig/add/"
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        asked = client.get(path)
        assert (
            asked.url
            == "/accounts/confirm/?next=%2Fadmin%2Frebalancing%2Frebalancingconfig%2Fadd%2F"
        )
        assert client.post(path, SETTINGS).status_code == 200
        assert RebalancingConfig.objects.count() == 1
        shown = client.post(asked.url, {"code": Phone(phone.seed).code(), "next": path})
        assert client.get(shown.url).status_code == 200


def carried_by(page: Any) -> dict[str, str]:
    """What a page that asks for a code sends on with it."""
    found = dict(HIDDEN.findall(page.content.decode()))
    del found["csrfmiddlewaretoken"]
    return found


HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def test_what_was_typed_for_longer_than_a_code_lasts_is_typed_once(
    staff: Client, targeted: DeskWorld
) -> None:
    phone, client = enrolled(targeted.people["admin"]), Client()
    signed_in(client, "admin", PASSWORD, phone)
    path = "/admin/rebalancing/rebalancingconfig/add/"
    typed = SETTINGS | {"min_trade_won": "20000", "cash_buffer_percent": "1.5"}
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        asked = client.post(path, typed)
        carried = carried_by(asked)
        assert carried == typed and asked["Cache-Control"] == "no-store"
        wrong = client.post(path, carried | {"one_time_code": "000000"})
        assert wrong.status_code == 200 and RebalancingConfig.objects.count() == 1
        again = carried_by(wrong)
        assert again == typed
        right = client.post(path, again | {"one_time_code": Phone(phone.seed).code()})
        assert right.status_code == 302
    newest = RebalancingConfig.objects.first()
    assert newest is not None and newest.min_trade_won == 20_000


def test_a_wrong_code_saves_nothing_however_fresh_the_last_one(
    staff: Client, targeted: DeskWorld
) -> None:
    phone, client = enrolled(targeted.people["admin"]), Client()
    signed_in(client, "admin", PASSWORD, phone)
    path, before = "/admin/rebalancing/rebalancingconfig/add/", RebalancingConfig.objects.count()
    page = client.post(path, SETTINGS | {"one_time_code": "000000"})
    assert page.status_code == 200 and RebalancingConfig.objects.count() == before
    assert carried_by(page) == SETTINGS


@pytest.mark.parametrize(
    "never",
    [
        {"icon": SimpleUploadedFile("a.png", b"x")},
        {"password1": "a quiet long evening"},
        {"app_secret": "s" * 180},
        {"APP_KEY": "k" * 36},
        {"account_no": "99887766-01"},
    ],
    ids=lambda form: next(iter(form)),
)
def test_a_form_with_a_file_or_a_secret_in_it_is_filled_in_again(
    staff: Client, targeted: DeskWorld, never: dict[str, Any]
) -> None:
    client = Client()
    signed_in(client, "admin", PASSWORD, enrolled(targeted.people["admin"]))
    path = "/admin/rebalancing/rebalancingconfig/add/"
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        asked = client.post(path, SETTINGS | never)
    assert asked.status_code == 302 and asked.url.startswith("/accounts/confirm/")
    assert RebalancingConfig.objects.count() == 1


def test_who_may_only_read_a_setting_is_asked_for_no_code(
    staff: Client, targeted: DeskWorld
) -> None:
    newest = RebalancingConfig.objects.get()
    page = "/admin/rebalancing/rebalancingconfig/"
    for name, may_add in (("viewer", False), ("admin", True)):
        client = Client()
        signed_in(client, name, PASSWORD, enrolled(targeted.people[name]))
        with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
            assert client.get(f"{page}{newest.pk}/change/").status_code == 200
            assert client.get(f"{page}add/").status_code == (302 if may_add else 403)


def test_a_question_for_a_code_echoes_text_as_text(staff: Client, targeted: DeskWorld) -> None:
    phone, client = enrolled(targeted.people["admin"]), Client()
    signed_in(client, "admin", PASSWORD, phone)
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        hostile = {"reason": '"><script>alert(1)</script>'}
        page = client.post("/admin/rebalancing/rebalancingconfig/add/", SETTINGS | hostile)
    text = page.content.decode()
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text


def api(person: Any) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(person, 'tests', 'full', 30)[1]}")
    return client


def test_the_api_takes_a_code_with_the_call(targeted: DeskWorld) -> None:
    phone, path = enrolled(targeted.people["admin"]), "/api/macro-trading/rebalancing/config"
    client = api(targeted.people["admin"])
    assert client.get(path).status_code == 200
    refused = client.post(path, SETTINGS, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "code_required")
    for language, said in (("ko", "X-One-Time-Code 헤더"), ("en", "the header X-One-Time-Code")):
        told = client.post(path, SETTINGS, format="json", headers={"Accept-Language": language})
        assert said in told.json()["detail"]
    wrong = client.post(path, SETTINGS, format="json", headers={"X-One-Time-Code": "000000"})
    assert (wrong.status_code, wrong.json()["violations"][0]["code"]) == (400, "code_wrong")
    headers = {"X-One-Time-Code": phone.code()}
    assert client.post(path, SETTINGS, format="json", headers=headers).status_code == 201
    assert client.post(path, SETTINGS, format="json", headers=headers).status_code == 400


def test_a_plan_is_approved_by_the_api_with_a_code(targeted: DeskWorld) -> None:
    phone, run = enrolled(targeted.people["approver"]), targeted.run(requester="trader")
    client = api(targeted.people["approver"])
    path = f"/api/macro-trading/rebalancing/runs/{run.pk}/approve"
    refused = client.post(path, {"plan_hash": HASH}, format="json")
    assert (refused.status_code, refused.json()["violations"][0]["code"]) == (422, "code_required")
    assert "X-One-Time-Code 헤더" in refused.json()["detail"]
    assert refused.json()["detail"] == refused.json()["violations"][0]["detail"]
    headers = {"X-One-Time-Code": phone.code()}
    assert client.post(path, {"plan_hash": HASH}, format="json", headers=headers).status_code == 200


def test_a_session_that_never_showed_a_code_gets_nothing(desk: DeskWorld) -> None:
    """HX-20: however such a session came to be."""
    enrolled(desk.people["approver"])
    client = desk.client("approver")
    assert client.get("/").url.startswith("/accounts/confirm/")
    refused = client.get("/api/macro-trading/rebalancing/status")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert "/accounts/confirm/" in refused.json()["detail"]
    part = client.get("/health/part/", headers={"HX-Request": "true"})
    assert part["HX-Redirect"].startswith("/accounts/confirm/")


# --- roundabout ways ----------------------------------------------------------------------------


def test_nobody_with_only_a_password_resets_who_decides_about_real_money(
    targeted: DeskWorld,
) -> None:
    """A superuser and an admin who is no member have everybody's reach, and so everybody's duty."""
    Account.objects.filter(pk=targeted.account.pk).update(environment="real")
    phone = enrolled(targeted.people["approver"])
    get_user_model().objects.create_superuser("boss", password=PASSWORD)
    targeted.people["stranger"].is_staff = True
    targeted.people["stranger"].save()
    person = targeted.people["approver"].pk
    paths = [
        f"/admin/auth/user/{person}/reset-second-factor/",
        f"/admin/auth/user/{person}/password/",
        f"/admin/auth/user/{person}/change/",
    ]
    for name in ("boss", "stranger"):
        client = Client()
        client.force_login(get_user_model().objects.get(username=name))
        new = {"password1": "a quiet long evening", "password2": "a quiet long evening"}
        for path in paths:
            assert client.post(path, new).status_code in (302, 403)
    assert SecondFactor.objects.count() == 1
    assert signed_in(Client(), "approver", PASSWORD, phone).url == "/"


def test_setting_a_password_asks_for_a_code_and_is_on_record(
    staff: Client, targeted: DeskWorld
) -> None:
    phone, client = enrolled(targeted.people["admin"]), Client()
    signed_in(client, "admin", PASSWORD, phone)
    path = f"/admin/auth/user/{targeted.people['trader'].pk}/password/"
    new = {"password1": "a quiet long evening", "password2": "a quiet long evening"}
    new |= {"usable_password": "true"}
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        assert client.post(path, new).url.startswith("/accounts/confirm/")
        assert not AuditEntry.objects.filter(action="password_set").exists()
        client.post("/accounts/confirm/", {"code": Phone(phone.seed).code()})
        assert client.post(path, new).status_code == 302
    assert AuditEntry.objects.get(action="password_set").actor == "admin"


def test_who_owes_a_second_factor_starts_nothing_either(targeted: DeskWorld) -> None:
    Account.objects.filter(pk=targeted.account.pk).update(environment="real")
    client = targeted.client("trader")
    started = client.post("/rebalancing/start/", {"account": targeted.account.pk, "dry_run": "on"})
    assert started.url.startswith(PAGE) and not Run.objects.exists()
    told = client.post("/api/macro-trading/rebalancing/runs", {}, content_type="application/json")
    assert told.status_code == 403
    stop = {"account": targeted.account.pk, "reason": "test"}
    assert client.post("/trading/switch/stop/", stop).status_code == 303


def test_after_a_code_one_is_back_where_one_was(desk: DeskWorld) -> None:
    phone, client = enrolled(desk.people["owner"]), Client()
    signed_in(client, "owner", PASSWORD, phone)
    came_from = "http://testserver/health/?account=1"
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        data = {"account": desk.account.pk, "reason": "test"}
        headers = {"Referer": came_from}
        asked = client.post("/trading/switch/release/", data, headers=headers)
        assert asked.url == "/accounts/confirm/?next=%2Fhealth%2F%3Faccount%3D1"


def test_a_wrong_code_stops_the_act_however_fresh_the_last_one(desk: DeskWorld) -> None:
    engage(account_scope(desk.account), "HALTED", "test", "test")
    phone, client = enrolled(desk.people["owner"]), Client()
    signed_in(client, "owner", PASSWORD, phone)
    data = {"account": desk.account.pk, "reason": "test", "code": "000000"}
    assert client.post("/trading/switch/release/", data).status_code == 302
    assert Switch.objects.first().state == "HALTED"
