"""The admin: versions instead of edits, keys that never come back, and a record nobody touches."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client

from portfolio.models import ModelPortfolio, SubPortfolio, TargetDecision
from rebalancing.models import RebalancingConfig, Run
from tests.desk.conftest import HASH, DeskWorld
from trading.admin.read_only import AddOnlyAdmin, ReadOnlyAdmin
from trading.models import Account, Approval


def test_every_list_and_form_opens(staff: Client, targeted: DeskWorld) -> None:
    targeted.snapshot()
    targeted.run()
    assert staff.get("/admin/").status_code == 200
    for model, page in admin.site._registry.items():
        name = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert staff.get(name).status_code == 200, name
        row = model._default_manager.first()
        if row is not None:
            assert staff.get(f"{name}{row.pk}/change/").status_code == 200, name
        if page.has_add_permission(_request(targeted)):
            assert staff.get(f"{name}add/").status_code == 200, name


def _request(desk: DeskWorld) -> Any:
    from django.test import RequestFactory

    request = RequestFactory().get("/admin/")
    request.user = desk.people["admin"]
    return request


def test_the_record_has_no_add_change_or_delete(staff: Client, targeted: DeskWorld) -> None:
    request = _request(targeted)
    for model, page in admin.site._registry.items():
        if isinstance(page, ReadOnlyAdmin):
            assert not page.has_add_permission(request), model
            assert not page.has_change_permission(request), model
        if isinstance(page, ReadOnlyAdmin | AddOnlyAdmin):
            assert not page.has_delete_permission(request), model
            assert "delete_selected" not in page.get_actions(request), model


def test_a_record_cannot_be_posted_to(staff: Client, targeted: DeskWorld) -> None:
    run = targeted.run()
    for path in ("change", "delete"):
        answer = staff.post(f"/admin/rebalancing/run/{run.pk}/{path}/", {"state": "COMPLETED"})
        assert answer.status_code == 403
    run.refresh_from_db()
    assert run.state == "AWAITING_APPROVAL"


def _mp(**weights: str) -> dict[str, str]:
    named = {f"weight_{code}": "0" for code in ("STOCK", "BOND", "ALTERNATIVE", "CASH")}
    named |= {f"weight_{code}": value for code, value in weights.items()}
    empty = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}
    return (
        {"code": "MP-T", "name": "Test", "description": "", "note": ""}
        | named
        | {f"versions-{k}": v for k, v in empty.items()}
    )


def test_saving_weights_makes_a_new_version(staff: Client) -> None:
    portfolio = ModelPortfolio.objects.get()
    path = f"/admin/portfolio/modelportfolio/{portfolio.pk}/change/"
    assert staff.post(path, _mp(STOCK="70", BOND="20.5", CASH="9.5")).status_code == 302
    assert [v.number for v in portfolio.versions.all()] == [2, 1]
    assert staff.post(path, _mp(STOCK="70", BOND="20.5", CASH="9.5")).status_code == 302
    assert portfolio.versions.count() == 2, "unchanged weights are no new version"


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"STOCK": "70", "BOND": "31"}, "합계가 101"),
        ({"STOCK": "70,0", "BOND": "30"}, "숫자와 점만"),
        ({"STOCK": "７０", "BOND": "30"}, "숫자와 점만"),
        ({"STOCK": "-1", "BOND": "101"}, "숫자와 점만"),
        ({"STOCK": "1e2"}, "숫자와 점만"),
    ],
)
def test_wrong_weights_are_refused_with_words(
    staff: Client, weights: dict[str, str], words: str
) -> None:
    portfolio = ModelPortfolio.objects.get()
    answer = staff.post(f"/admin/portfolio/modelportfolio/{portfolio.pk}/change/", _mp(**weights))
    assert words in answer.content.decode()
    assert portfolio.versions.count() == 1


def test_a_sub_portfolio_takes_its_rows(staff: Client) -> None:
    portfolio = SubPortfolio.objects.get(code="S-T")
    data = {
        "code": "S-T",
        "name": "S",
        "note": "new",
        "instrument_1": "100000",
        "weight_1": "25",
        "instrument_2": "100003",
        "weight_2": "75",
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
    }
    path = f"/admin/portfolio/subportfolio/{portfolio.pk}/change/"
    assert staff.post(path, data).status_code == 302
    assert portfolio.versions.first().weights_by_ticker().keys() == {"100000", "100003"}
    twice = staff.post(path, data | {"instrument_2": "100000"})
    assert "두 번 있습니다" in twice.content.decode()


@pytest.mark.parametrize("typed", ["3,0", "３", "3;DROP", "0.05", "51", "", "NaN"])
def test_a_threshold_is_typed_plainly(staff: Client, typed: str) -> None:
    before = RebalancingConfig.objects.count()
    answer = staff.post("/admin/rebalancing/rebalancingconfig/add/", _config(typed))
    assert answer.status_code == 200
    assert RebalancingConfig.objects.count() == before


def _config(mp: str) -> dict[str, str]:
    return {
        "mp_threshold_percent": mp,
        "sub_mp_threshold_percent": "5.0",
        "min_trade_won": "10000",
        "cash_buffer_percent": "1.0",
    }


def test_settings_are_a_new_row_with_a_name(staff: Client) -> None:
    assert (
        staff.post("/admin/rebalancing/rebalancingconfig/add/", _config("2.5")).status_code == 302
    )
    newest = RebalancingConfig.objects.first()
    assert (str(newest.mp_threshold_percent), newest.updated_by) == ("2.5", "admin")


def test_keys_go_in_and_never_come_out(staff: Client, targeted: DeskWorld) -> None:
    path = f"/admin/trading/account/{targeted.account.pk}/change/"
    page = staff.get(path).content.decode()
    assert "CANARY" not in page
    assert "99887766" not in page
    data = {
        "name": "Renamed",
        "wrapper": "general",
        "is_active": "on",
        "app_key": "",
        "app_secret": "",
        "paused_reason": "",
        "commission_stock": "0.00015",
        "commission_fund": "0.00015",
    }
    for prefix in ("accountmember_set", "approval_policies"):
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    assert staff.post(path, data).status_code == 302
    account = Account.objects.get()
    assert account.name == "Renamed"
    assert account.app_key.startswith("CANARYKEY")
    assert staff.post(path, data | {"app_key": "fresh"}).status_code == 302
    assert Account.objects.get().app_key == "fresh"


def test_targets_are_decided_by_the_service(staff: Client, targeted: DeskWorld) -> None:
    subs = {sub.code: sub.versions.first().pk for sub in SubPortfolio.objects.all()}
    data: dict[str, Any] = {
        "account": targeted.account.pk,
        "model_version": ModelPortfolio.objects.get().versions.first().pk,
        "sub_versions": [subs["S-T"]],
        "reason": "",
    }
    before = TargetDecision.objects.count()
    refused = staff.post("/admin/portfolio/targetdecision/add/", data)
    assert "Sub-MP를 고르지 않았습니다" in refused.content.decode()
    assert TargetDecision.objects.count() == before
    data["sub_versions"] = list(subs.values())
    assert staff.post("/admin/portfolio/targetdecision/add/", data).status_code == 302
    assert TargetDecision.objects.count() == before + 1
    assert TargetDecision.objects.first().decided_by == "admin"


def test_a_viewer_reads_and_changes_nothing(staff: Client, targeted: DeskWorld) -> None:
    viewer = targeted.client("viewer")
    assert viewer.get("/admin/rebalancing/run/").status_code == 200
    assert viewer.get("/admin/rebalancing/rebalancingconfig/add/").status_code == 403
    assert viewer.get("/admin/trading/auditentry/").status_code == 403
    assert viewer.get("/admin/auth/user/").status_code == 403


@pytest.mark.django_db
def test_the_first_person_of_an_installation_gives_others_their_roles_and_does_nothing_else() -> (
    None
):
    boss = get_user_model().objects.create_superuser("boss", password="correct horse battery")
    client = Client()
    client.force_login(boss)
    secret = "a long and quiet evening"
    new = {"username": "first", "password1": secret, "password2": secret, "usable_password": "true"}
    assert client.post("/admin/auth/user/add/", new).status_code == 302
    first = get_user_model().objects.get(username="first")
    roles = {group.name: group.pk for group in Group.objects.all()}
    assert set(roles) == {"viewer", "trader", "approver", "admin"}, "made by migrate"
    page = f"/admin/auth/user/{first.pk}/change/"
    data = {"username": "first", "is_active": "on", "is_staff": "on", "groups": [roles["admin"]]}
    assert client.post(page, data).status_code == 302
    client.post(f"/admin/auth/user/{boss.pk}/change/", data | {"username": "boss"})
    assert not boss.groups.exists()
    refused = ("/", "/rebalancing/start/", "/admin/trading/account/add/")
    assert [client.get(path).status_code for path in refused] == [403, 403, 403]
    client.force_login(get_user_model().objects.get(pk=first.pk))
    for path in ("/", "/admin/trading/account/add/", "/admin/portfolio/modelportfolio/add/"):
        assert client.get(path).status_code == 200, path


def test_runs_of_other_accounts_are_not_listed(staff: Client, targeted: DeskWorld) -> None:
    run = targeted.run()
    stranger = targeted.client("stranger")
    assert f"run/{run.pk}/" not in stranger.get("/admin/rebalancing/run/").content.decode()
    assert stranger.get(f"/admin/rebalancing/run/{run.pk}/change/").status_code == 302


def test_a_superuser_without_a_role_has_no_say(targeted: DeskWorld) -> None:
    from django.contrib.auth import get_user_model

    root = get_user_model().objects.create_superuser("root", password="x" * 12)
    client = Client()
    client.force_login(root)
    run = targeted.run()
    answer = client.post(f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": run.plan_hash})
    assert answer.status_code == 403


def test_one_door_for_both_surfaces(desk: DeskWorld) -> None:
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")


@pytest.mark.parametrize(("mock", "chosen"), [(True, "mock"), (False, "real")])
def test_a_new_account_starts_in_the_mock_environment_unless_told_otherwise(
    staff: Client, settings: Any, mock: bool, chosen: str
) -> None:
    settings.KIS_MOCK = mock
    page = staff.get("/admin/trading/account/add/").content.decode()
    for name in ("environment", "wire"):
        select = page.split(f'name="{name}"')[1].split("</select>")[0]
        assert re.search(rf'value="{chosen}"\s+selected', select)


def test_a_run_in_the_admin_speaks_in_words_and_shows_no_raw_record(
    staff: Client, targeted: DeskWorld
) -> None:
    run = targeted.run(
        "COMPLETED_WITH_SHORTFALL", end_reason="shortfall", end_facts={"cash": 1_234_567}
    )
    page = staff.get(f"/admin/rebalancing/run/{run.pk}/change/").content.decode()
    record = page.split('id="content-main"')[1]  # beside it the sidebar names "releaserequest"
    assert "일부 체결로 완료" in record and "남은 현금 1,234,567원" in record
    assert "&#x27;" not in page and "end_facts" not in page and "lease" not in record


# --- a plan is decided in the admin as on the desk --------------------------------------------
@pytest.fixture
def deciding(staff: Client, targeted: DeskWorld) -> Client:
    """An approver in the admin."""
    approver = targeted.people["approver"]
    Group.objects.get(name="approver").permissions.set(
        Permission.objects.filter(codename__startswith="view_")
    )
    approver.is_staff = True
    approver.save()
    return targeted.client("approver")


def _decide(run: Run) -> str:
    return f"/admin/rebalancing/run/{run.pk}/decide/"


def test_a_plan_is_read_and_approved_in_the_admin(deciding: Client, targeted: DeskWorld) -> None:
    run = targeted.run()
    page = deciding.get(_decide(run))
    text = page.content.decode()
    assert page.status_code == 200 and HASH in text and HASH[:8] in text
    assert "50주" in text and "10,000원" in text
    assert Run.objects.get(pk=run.pk).state == "AWAITING_APPROVAL", "reading decides nothing"
    answer = deciding.post(_decide(run), {"plan_hash": HASH, "verdict": "APPROVE"})
    assert answer.status_code == 302
    approval = Approval.objects.get()
    assert (approval.approver, approval.plan_hash, approval.verdict) == (
        "approver",
        HASH,
        "APPROVE",
    )
    again = deciding.post(_decide(run), {"plan_hash": HASH, "verdict": "APPROVE"})
    assert again.status_code == 409 and "이미 결정되었거나" in again.content.decode()
    assert Approval.objects.count() == 1


def test_a_plan_is_rejected_in_the_admin_with_its_reason(
    deciding: Client, targeted: DeskWorld
) -> None:
    run = targeted.run()
    deciding.post(_decide(run), {"plan_hash": HASH, "verdict": "DENY", "reason": "너무 큼"})
    assert Run.objects.get(pk=run.pk).state == "DENIED"
    assert Approval.objects.get().reason == "너무 큼"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"plan_hash": "0" * 64, "verdict": "APPROVE"}, "계획이 바뀌었습니다"),
        ({"verdict": "APPROVE"}, "계획이 바뀌었습니다"),
        ({"plan_hash": HASH, "verdict": "MAYBE"}, "읽을 수 없습니다"),
        ({"plan_hash": HASH}, "읽을 수 없습니다"),
    ],
)
def test_what_is_not_this_plan_or_no_verdict_decides_nothing_in_the_admin(
    deciding: Client, targeted: DeskWorld, body: dict[str, str], says: str
) -> None:
    run = targeted.run()
    answer = deciding.post(_decide(run), body)
    assert answer.status_code == 409 and says in answer.content.decode()
    assert not Approval.objects.exists()
    assert Run.objects.get(pk=run.pk).state == "AWAITING_APPROVAL"


def test_nobody_without_the_role_or_the_account_decides_in_the_admin(
    staff: Client, targeted: DeskWorld
) -> None:
    run = targeted.run()
    body = {"plan_hash": HASH, "verdict": "APPROVE"}
    viewer = targeted.client("viewer")
    assert 'name="verdict"' not in viewer.get(_decide(run)).content.decode()
    assert viewer.post(_decide(run), body).status_code == 409
    assert targeted.client("stranger").post(_decide(run), body).status_code in (302, 403, 404)
    assert not Approval.objects.exists()
    assert Client().post(_decide(run), body).status_code == 302, "to the login"


def test_a_form_of_another_site_decides_nothing_in_the_admin(
    deciding: Client, targeted: DeskWorld
) -> None:
    run = targeted.run()
    strict = targeted.client("approver", enforce_csrf_checks=True)
    body = {"plan_hash": HASH, "verdict": "APPROVE"}
    assert strict.post(_decide(run), body).status_code == 403
    assert not Approval.objects.exists()
