"""`manage.py rebalance`: who may, for which account, and what a wrong word answers."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from rebalancing.models import Run
from rebalancing.selectors.report import run_report
from rebalancing.selectors.report_text import report_lines
from rebalancing.services.runs import run_cancel
from tests.support.authenticator import enrolled
from tests.support.world import World, make_user
from trading.models import AccountMember, Approval

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("roles", "member", "may"),
    [(("trader",), True, True), (("viewer",), True, False), (("trader",), False, False)],
)
def test_only_a_trader_of_the_account_opens_a_run(
    world: World, roles: tuple[str, ...], member: bool, may: bool
) -> None:
    user = make_user("kim", *roles)
    if member:
        AccountMember.objects.create(account=world.account, user=user)
    if may:
        call_command(
            "rebalance", str(world.account.pk), "--as", "kim", "--dry-run", stdout=StringIO()
        )
        assert Run.objects.get().end_reason == "dry_run"
        return
    with pytest.raises(CommandError, match="may not trade"):
        call_command("rebalance", str(world.account.pk), "--as", "kim", "--dry-run")
    assert not Run.objects.exists()


@pytest.mark.parametrize("wanted", ["²", "nobody's", "999999", ""])
def test_an_account_that_is_not_there(world: World, wanted: str) -> None:
    with pytest.raises(CommandError, match="no account") as refused:
        call_command("rebalance", wanted, "--as", "owner")
    assert refused.value.returncode == 2


def _said(*words: str) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of one call."""
    out, err, status = StringIO(), StringIO(), 0
    try:
        call_command("rebalance", *words, "--as", "owner", stdout=out, stderr=err)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, out.getvalue(), err.getvalue()


def test_a_dry_run_prints_drift_trades_checks_and_plan(world: World) -> None:
    status, text, _err = _said(str(world.account.pk), "--dry-run")
    assert status == 0
    run = Run.objects.get()
    assert text.startswith(f"#{run.pk} ")
    for title in ("총자산", "편차 (목표 − 현재, %p)", "거래", "점검", "계획과 체결"):
        assert title in text
    for check in run.outcome["checks"]:
        assert f"{check['rule']} {check['verdict']}" in text
    for trade in run.outcome["trades"]:
        assert f"{trade['ticker']} {trade['quantity']:>9,}" in text
    assert run.plan_hash in text and "임계값 넘음" in text


def test_a_finished_run_prints_its_fills(world: World) -> None:
    run = world.drive(world.open())
    text = "\n".join(report_lines(run_report(run)))
    fills = [f for leg in run_report(run)["legs"] for o in leg["orders"] for f in o["fills"]]
    assert fills
    for fill in fills:
        assert f"{fill['amount']:>14,}" in text


def test_a_run_that_cannot_be_approved_is_named(world: World) -> None:
    """The owner of a four-eyes account may ask and not approve: the run is there and waits."""
    world.account.approval_policies.create(kind="four_eyes", created_by="test")
    status, text, _err = _said(str(world.account.pk), "--approve", "--json")
    run = Run.objects.get()
    assert status == 1
    assert json.loads(text) == {
        "refused": [{"code": "requester_may_not_approve"}, {"code": "second_factor_required"}],
        "run": run.pk,
        "state": "AWAITING_APPROVAL",
        "plan_hash": run.plan_hash,
    }


def test_a_refusal_is_a_sentence_on_the_terminal(world: World) -> None:
    run = world.open()
    status, text, err = _said(str(world.account.pk))
    assert (status, text) == (1, "")
    assert f"이미 진행 중인 리밸런싱 #{run.pk}이 있습니다." in err


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "soon"])
def test_a_time_that_nobody_can_wait_is_refused(world: World, seconds: str) -> None:
    with pytest.raises(CommandError, match="timeout"):
        call_command("rebalance", str(world.account.pk), "--as", "owner", "--timeout", seconds)
    assert not Run.objects.exists()


def test_who_has_a_second_factor_approves_with_its_code(world: World) -> None:
    phone, account = enrolled(world.owner), str(world.account.pk)
    status, _out, err = _said(account, "--approve")
    assert status == 1 and "인증 앱의 코드를 입력하세요" in err
    run = Run.objects.get()
    assert run.state == "AWAITING_APPROVAL" and not Approval.objects.exists()
    run_cancel(run.pk, "owner")
    world.drive(run)
    status, _out, err = _said(account, "--approve", "--code", "000000")
    assert status == 1 and "코드가 맞지 않거나" in err
    run_cancel(Run.objects.latest("pk").pk, "owner")
    world.drive(Run.objects.latest("pk"))
    status, _out, _err = _said(account, "--approve", "--code", phone.code(), "--timeout", "0.5")
    assert Approval.objects.get().auth_level == "totp"


@pytest.mark.once
def test_a_planner_that_nobody_answers_for_is_said_with_its_reason(
    world: World, settings: Any
) -> None:
    settings.GEMINI_API_KEY = ""
    words = (str(world.account.pk), "--dry-run", "--planner", "gemini", "--json")
    status, text, _err = _said(*words)
    told = json.loads(text)
    assert (status, told["planner"], told["advice"]["state"]) == (0, "fallback", "NOT_ASKED")
    lines = "\n".join(report_lines(told))
    assert "NOT_ASKED" in lines and "Gemini 키가 설정되어 있지 않아" in lines
    with pytest.raises(CommandError):
        _said(str(world.account.pk), "--planner", "fallback")
