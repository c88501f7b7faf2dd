"""승인 대기 in the admin: what waits, what advice changed, and one or many plans decided exactly as shown."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rebalancing.models import Leg, Run
from tests.desk.conftest import HASH, PASSWORD, DeskWorld
from tests.desk.test_advice import EVIL, advised
from tests.support.authenticator import Phone, enrolled, signed_in
from trading.models import Account, AccountMember, Approval, ApprovalPolicy, Instrument

LIST = "/admin/rebalancing/run/waiting/"
CONFIRM, DECIDE = f"{LIST}confirm/", f"{LIST}decide/"
HANGUL = re.compile(r"[가-힣]+")
Waiting = Callable[..., Run]


@pytest.fixture
def waiting(staff: Client, targeted: DeskWorld) -> Waiting:
    """A plan that waits on an account of its own; everybody who sees the first account sees it too."""
    for name in ("trader", "approver", "owner"):
        group = Group.objects.get(name=name if name != "owner" else "approver")
        group.permissions.set(Permission.objects.filter(codename__startswith="view_"))
        targeted.people[name].is_staff = True
        targeted.people[name].save()

    def make(environment: str = "sim", **values: Any) -> Run:
        number = Account.objects.count()
        account = Account.objects.create(
            name=f"Account {number}",
            environment=environment,
            wire="real",
            account_no=f"1122334{number % 10}-{number:02d}",
            app_key="CANARYKEY" + "k" * 27,
            app_secret="CANARYSEC" + "s" * 171,
        )
        for name, user in targeted.people.items():
            if name not in ("stranger", "nobody"):
                AccountMember.objects.create(account=account, user=user)
        return targeted.run(account=account, **values)

    return make


def _key(run: Run) -> str:
    return f"{run.pk}:{run.plan_hash}"


def _page(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


def _body(*runs: Run, verdict: str = "APPROVE", **more: str) -> dict[str, Any]:
    return {"plan": [_key(run) for run in runs], "verdict": verdict} | more


def _states(*runs: Run) -> list[str]:
    return [Run.objects.get(pk=run.pk).state for run in runs]


def test_the_sidebar_leads_to_the_plans_that_wait_with_their_number(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    client = targeted.client("approver")
    front = _page(client.get("/admin/"))
    assert f'href="{LIST}"' in front and "승인 대기" in front
    waiting(), waiting()
    link = _page(client.get("/admin/")).split(f'href="{LIST}"')[1].split("</a>")[0]
    assert re.search(r"> 2 </span>", link)


def test_a_plan_that_waits_shows_what_a_person_decides_by(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    checks = [
        {"rule": rule, "ticker": None, "verdict": verdict, "numbers": {}}
        for rule, verdict in (("V1", "PASS"), ("V2", "PASS"), ("V2", "PASS_GRANULAR"))
    ]
    run = waiting(outcome={"checks": [*checks, {**checks[0], "verdict": "NEEDS_PERSON"}]})
    text = _page(targeted.client("approver").get(LIST))
    assert f"리밸런싱 #{run.pk}" in text
    assert run.account.masked in " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert "500,000원" in text and "1,500원" in text and HASH[:8] in text
    assert "사람이 판단 1" in text and "설명 1" in text and "통과 2" in text
    assert "까지" in text and 'data-left="' in text and "trader" in text
    assert f'value="{_key(run)}"' in text and "고른 계획 승인" in text
    assert "규칙이 세운 계획 그대로입니다." in text


def _asked(run: Run) -> dict[str, Any]:
    """A check of the run's own name that leaves it to a person, as the planner keeps it."""
    ticker = run.legs.get().instrument_id
    numbers = {"amount": 6_000_000, "equity": 10_000_000, "limit": 5_000_000}
    return {"rule": "V3", "ticker": ticker, "verdict": "NEEDS_PERSON", "numbers": numbers}


def _plain(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", _page(answer)).split())


def test_the_confirmation_shows_every_order_and_every_check_that_a_person_must_judge(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    run = waiting()
    leg = run.legs.get()
    run.outcome = {"checks": [_asked(run), _asked(run) | {"rule": "V1", "verdict": "PASS"}]}
    run.save(update_fields=["outcome"])
    client = targeted.client("approver")
    for answer in (client.get(LIST), client.post(CONFIRM, _body(run))):
        text = _plain(answer)
        assert f"매도 {leg.instrument.name} {leg.instrument_id} 50주" in text
        assert "상대 최우선 −1호가 9,995원" in text and "500,000원" in text
        assert f"사람이 판단 {leg.instrument.name}: " in text
    assert "사람이 판단 1" in text and "통과 1" in text


def test_a_long_plan_is_folded_on_the_list_and_whole_on_the_confirmation(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    run = waiting()
    first = run.legs.get()
    for number in range(1, 7):
        Leg.objects.create(
            run=run,
            generation=1,
            number=number,
            instrument=Instrument.objects.create(
                ticker=f"20000{number}", name=f"Long {number}", kind="etf"
            ),
            side="BUY",
            quantity=10 + number,
            reference_price=10_000,
            order_type="MARKET",
            slices=[10 + number],
            reason=first.reason,
            expected_cost=10,
        )
    client = targeted.client("approver")
    assert '<details class="jeoul-orders"><summary>주문 7건' in _page(client.get(LIST))
    text = _plain(client.post(CONFIRM, _body(run)))
    assert all(f"매수 Long {n} 20000{n} {10 + n}주 시장가" in text for n in range(1, 7))


def test_a_check_for_a_person_is_named_so_on_the_page_of_one_plan(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    run = waiting()
    Run.objects.filter(pk=run.pk).update(outcome={"checks": [_asked(run)]})
    client = targeted.client("approver")
    text = _plain(client.get(f"/admin/rebalancing/run/{run.pk}/decide/"))
    assert "사람이 판단 Fund" in text and "설명 Fund" not in text


def test_nothing_waits(waiting: Waiting, targeted: DeskWorld) -> None:
    text = _page(targeted.client("approver").get(LIST))
    assert "승인을 기다리는 계획이 없습니다" in text and "고른 계획 승인" not in text


def _followed(desk: DeskWorld) -> Run:
    """Advice that was followed: the plan sells at the ask in two parts, the rules a tick under the bid."""
    run = advised(desk)
    change = {"price_strategy": "CURRENT_ASK_1", "limit_price": 10_005, "slices": [20, 30]}
    Leg.objects.filter(run=run).update(**change)
    return run


@pytest.mark.parametrize("page", [LIST, "decide"])
def test_what_advice_changed_stands_beside_the_plan_of_the_rules(
    waiting: Waiting, targeted: DeskWorld, page: str
) -> None:
    run = _followed(targeted)
    path = LIST if page == LIST else f"/admin/rebalancing/run/{run.pk}/decide/"
    raw = targeted.client("approver").get(path).content.decode()
    text = re.sub(r"\s+", " ", raw)
    assert "다르게 보내는 종목 1개" in text and "다름" in text
    ruled, planned = (
        text.split(f'data-label="{label}"')[1].split("</td>")[0]
        for label in ("규칙의 계획", "이 계획")
    )
    assert "상대 최우선 −1호가" in ruled and "9,995원" in ruled and "20 + 30" not in ruled
    assert "매도 1호가" in planned and "10,005원" in planned and "20 + 30" in planned
    assert EVIL not in raw and "&lt;script&gt;" in raw, "a model's words are inert"


def test_advice_that_was_not_followed_says_why_and_changes_nothing(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    advised(targeted, "DISCARDED", reasons=[{"code": "market_not_allowed"}])
    text = _page(targeted.client("approver").get(LIST))
    assert "조언을 쓰지 않고 규칙대로 보냅니다 (쓰지 않음)" in text
    assert "다름" not in text.split("승인 기한")[1]


def test_the_confirmation_names_each_plan_by_hash_and_money_and_decides_nothing(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    first, second, third = waiting(), waiting(), waiting()
    answer = targeted.client("approver").post(CONFIRM, _body(first, third))
    text = _page(answer)
    assert answer.status_code == 200
    assert "이 계획 2건, 주문 2건을 승인합니다" in text and "매도 1,000,000원" in text
    assert text.count(HASH) >= 2 and f"#{first.pk}" in text and f"#{third.pk}" in text
    assert f"#{second.pk}" not in text.split("이 계획 2건")[1]
    assert _states(first, second, third) == ["AWAITING_APPROVAL"] * 3
    assert not Approval.objects.exists()


@pytest.mark.money
def test_many_plans_are_approved_with_one_confirmation(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    first, second, third = waiting(), waiting(), waiting()
    answer = targeted.client("approver").post(DECIDE, _body(first, third), follow=True)
    assert answer.redirect_chain[-1][0] == LIST
    assert "계획 2건을 승인했습니다" in _page(answer)
    assert _states(first, second, third) == ["APPROVED", "AWAITING_APPROVAL", "APPROVED"]
    rows = Approval.objects.values_list("approver", "plan_hash", "verdict")
    assert list(rows) == [("approver", HASH, "APPROVE")] * 2


def test_many_plans_are_rejected_with_their_reason(waiting: Waiting, targeted: DeskWorld) -> None:
    runs = [waiting(), waiting()]
    body = _body(*runs, verdict="DENY", reason="너무 큼")
    targeted.client("approver").post(DECIDE, body)
    assert _states(*runs) == ["DENIED", "DENIED"]
    assert set(Approval.objects.values_list("reason", flat=True)) == {"너무 큼"}


@pytest.mark.money
def test_a_plan_that_changed_meanwhile_is_told_and_the_others_go(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    first, second, third = waiting(), waiting(), waiting()
    body, client = _body(first, second, third), targeted.client("approver")
    Run.objects.filter(pk=second.pk).update(plan_hash="cd" * 32)
    shown = _page(client.post(CONFIRM, body))
    assert f"리밸런싱 #{second.pk}: 보고 계신 계획이 바뀌었습니다" in shown
    assert "이 계획 2건" in shown and f'value="{_key(second)}"' not in shown
    told = _page(client.post(DECIDE, body, follow=True))
    assert f"리밸런싱 #{second.pk}: 보고 계신 계획이 바뀌었습니다" in told
    assert "계획 2건을 승인했습니다" in told
    assert _states(first, second, third) == ["APPROVED", "AWAITING_APPROVAL", "APPROVED"]


def test_a_plan_that_expired_meanwhile_is_told_and_the_others_go(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    late = waiting(now=timezone.now() - timedelta(minutes=11))
    good, client = waiting(), targeted.client("approver")
    assert "승인 기한이 지났습니다." in _page(client.get(LIST))
    told = _page(client.post(DECIDE, _body(late, good), follow=True))
    assert f"리밸런싱 #{late.pk}: 승인 시간이 지났습니다" in told
    assert "계획 1건을 승인했습니다" in told
    assert _states(late, good) == ["APPROVAL_EXPIRED", "APPROVED"]


@pytest.mark.money
def test_a_second_press_decides_nothing_more(waiting: Waiting, targeted: DeskWorld) -> None:
    runs, client = [waiting(), waiting()], targeted.client("approver")
    client.post(DECIDE, _body(*runs))
    told = _page(client.post(DECIDE, _body(*runs), follow=True))
    assert (
        told.count("이미 결정되었거나 끝났습니다") == 2
        and "승인했습니다" not in told.split("이미 결정")[-1]
    )
    assert Approval.objects.count() == 2 and _states(*runs) == ["APPROVED", "APPROVED"]
    denied = client.post(DECIDE, _body(*runs, verdict="DENY"))
    assert denied.status_code == 302 and _states(*runs) == ["APPROVED", "APPROVED"]


@pytest.mark.parametrize(
    "picked",
    [
        [],
        [""],
        ["x"],
        ["1"],
        ["1:" + "0" * 63],
        ["-1:" + "0" * 64],
        ["9" * 30 + ":" + "0" * 64],
        ["999999999999999:" + "0" * 64],
        ["１:" + "0" * 64],
        ["1:" + "G" * 64],
    ],
)
@pytest.mark.parametrize("verdict", ["APPROVE", "MAYBE", ""])
def test_what_names_no_plan_or_no_verdict_decides_nothing(
    waiting: Waiting, targeted: DeskWorld, picked: list[str], verdict: str
) -> None:
    run, client = waiting(), targeted.client("approver")
    for path in (CONFIRM, DECIDE):
        answer = client.post(path, {"plan": picked, "verdict": verdict})
        assert answer.status_code == 302 and answer["Location"] == LIST
    assert _states(run) == ["AWAITING_APPROVAL"]


@pytest.mark.parametrize("name", ["viewer", "trader"])
def test_who_may_not_approve_sees_no_buttons_and_a_forged_form_is_refused(
    waiting: Waiting, targeted: DeskWorld, name: str
) -> None:
    run, client = waiting(), targeted.client(name)
    text = _page(client.get(LIST))
    assert f"리밸런싱 #{run.pk}" in text and "승인자 역할이 있는 사람을 기다립니다" in text
    assert 'name="verdict"' not in text and 'name="plan"' not in text
    assert client.post(CONFIRM, _body(run)).status_code == 403
    assert client.post(DECIDE, _body(run)).status_code == 403
    assert _states(run) == ["AWAITING_APPROVAL"] and not Approval.objects.exists()


def test_plans_of_other_accounts_are_neither_seen_nor_decided(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    run, stranger = waiting(), targeted.client("stranger")
    assert f"#{run.pk}" not in _page(stranger.get(LIST))
    stranger.post(DECIDE, _body(run))
    assert _states(run) == ["AWAITING_APPROVAL"]
    assert Client().post(DECIDE, _body(run)).status_code == 302, "to the login"
    assert targeted.client("nobody").get(LIST).status_code in (302, 403)


def test_a_form_of_another_site_decides_nothing(waiting: Waiting, targeted: DeskWorld) -> None:
    run = waiting()
    strict = targeted.client("approver", enforce_csrf_checks=True)
    assert strict.post(DECIDE, _body(run)).status_code == 403
    assert strict.post(CONFIRM, _body(run)).status_code == 403
    assert _states(run) == ["AWAITING_APPROVAL"]


@pytest.mark.parametrize("path", [CONFIRM, DECIDE])
def test_an_address_alone_confirms_and_decides_nothing(
    waiting: Waiting, targeted: DeskWorld, path: str
) -> None:
    run = waiting()
    answer = targeted.client("approver").get(path, _body(run))
    assert answer.status_code == 302 and answer["Location"] == LIST
    assert _states(run) == ["AWAITING_APPROVAL"]


def test_plans_are_picked_by_a_form_and_no_address_grows_with_them(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    waiting(), waiting()
    form = _page(targeted.client("approver").get(LIST)).split('class="jeoul-plans"')[0]
    assert form.rsplit("<form ", 1)[1].strip() == f'method="post" action="{CONFIRM}"'


def test_plans_beyond_what_one_confirmation_holds_are_named_and_keep_waiting(
    waiting: Waiting, targeted: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rebalancing.admin.deciding.MOST", 2)
    runs, client = [waiting() for _ in range(4)], targeted.client("approver")
    told = f"한 번에 2건까지 결정합니다. 이 계획은 빠졌고 그대로 기다립니다: #{runs[2].pk}, #{runs[3].pk}"
    shown = _page(client.post(CONFIRM, _body(*runs)))
    assert "이 계획 2건, 주문 2건을 승인합니다" in shown and told in shown
    assert f'value="{_key(runs[2])}"' not in shown
    assert told in _page(client.post(DECIDE, _body(*runs), follow=True))
    assert _states(*runs) == ["APPROVED"] * 2 + ["AWAITING_APPROVAL"] * 2


def test_four_eyes_hold_for_each_plan(waiting: Waiting, targeted: DeskWorld) -> None:
    own, others = waiting(requester="approver"), waiting(requester="trader")
    for run in (own, others):
        ApprovalPolicy.objects.create(account=run.account, kind="four_eyes", created_by="test")
    client = targeted.proved("approver")
    shown = _page(client.post(CONFIRM, _body(own, others)))
    assert shown.count("요청한 사람은 이 계획을 승인할 수 없습니다") == 1, "told before pressing"
    told = _page(client.post(DECIDE, _body(own, others), follow=True))
    assert f"리밸런싱 #{own.pk}: " in told and "계획 1건을 승인했습니다" in told
    assert _states(own, others) == ["AWAITING_APPROVAL", "APPROVED"]


def test_the_code_is_asked_for_once_and_a_wrong_one_decides_nothing(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    runs = [waiting(), waiting()]
    phone, client = enrolled(targeted.people["approver"]), Client()
    signed_in(client, "approver", PASSWORD, phone)
    assert 'id="code"' not in _page(client.post(CONFIRM, _body(*runs))), "a code was shown just now"
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        assert _page(client.post(CONFIRM, _body(*runs))).count('id="code"') == 1
        for body in (_body(*runs), _body(*runs, code="000000")):
            refused = client.post(DECIDE, body)
            assert refused.status_code == 409 and 'id="code"' in _page(refused)
            assert "코드" in _page(refused) and not Approval.objects.exists()
        right = _body(*runs, code=Phone(phone.seed).code())
        assert client.post(DECIDE, right).status_code == 302
    assert set(Approval.objects.values_list("auth_level", flat=True)) == {"totp"}
    assert _states(*runs) == ["APPROVED", "APPROVED"]


def test_an_owner_alone_is_asked_when_the_last_code_is_a_minute_old(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    run = waiting(requester="owner")
    ApprovalPolicy.objects.create(account=run.account, kind="owner", created_by="test")
    phone, client = enrolled(targeted.people["owner"]), Client()
    signed_in(client, "owner", PASSWORD, phone)
    with time_machine.travel(timezone.now() + timedelta(seconds=90), tick=True):
        pages = (f"/admin/rebalancing/run/{run.pk}/decide/", f"/rebalancing/runs/{run.pk}/")
        assert all('name="code"' in _page(client.get(page)) for page in pages)
        assert 'id="code"' in _page(client.post(CONFIRM, _body(run)))
        refused = client.post(DECIDE, _body(run))
        assert refused.status_code == 409 and "코드는 1분 동안 유효합니다" in _page(refused)
        client.post(DECIDE, _body(run, code=Phone(phone.seed).code()))
    assert _states(run) == ["APPROVED"]


def test_of_two_plans_the_one_that_asks_for_the_newer_code_says_how_long_it_lasts(
    waiting: Waiting, targeted: DeskWorld
) -> None:
    runs = [waiting(requester="trader"), waiting(requester="owner")]
    ApprovalPolicy.objects.create(account=runs[1].account, kind="owner", created_by="test")
    client = Client()
    signed_in(client, "owner", PASSWORD, enrolled(targeted.people["owner"]))
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        for picked, minutes in ((runs[:1], 5), (runs, 1), (runs[::-1], 1)):
            refused = _page(client.post(DECIDE, _body(*picked)))
            assert f"코드는 {minutes}분 동안 유효합니다" in refused


def test_a_rejection_of_many_asks_for_no_code(waiting: Waiting, targeted: DeskWorld) -> None:
    runs = [waiting(), waiting()]
    client = Client()
    signed_in(client, "approver", PASSWORD, enrolled(targeted.people["approver"]))
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        assert 'id="code"' not in _page(client.post(CONFIRM, _body(*runs, verdict="DENY")))
        client.post(DECIDE, _body(*runs, verdict="DENY"))
    assert _states(*runs) == ["DENIED", "DENIED"]


def test_the_pages_speak_english_and_stay_light(waiting: Waiting, targeted: DeskWorld) -> None:
    runs = [waiting() for _ in range(8)] + [_followed(targeted)]
    Instrument.objects.update(name="Fund")
    client = targeted.client("approver")
    client.cookies["django_language"] = "en"
    for act, path, body in (
        (client.get, LIST, {}),
        (client.post, CONFIRM, _body(*runs)),
    ):
        act(path, body)
        with CaptureQueriesContext(connection) as queries:
            answer = act(path, body)
        assert answer.status_code == 200
        assert len(queries) <= 30, (path, len(queries), [q["sql"][:80] for q in queries])
        inside = answer.content.decode().replace("한국어", "")
        assert not HANGUL.search(inside), (path, HANGUL.findall(inside)[:5])
