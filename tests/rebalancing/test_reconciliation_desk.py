"""The reconciliation desk: what nobody knows, with its evidence; what others did; what a person decides."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from rebalancing.models import Run
from tests.support.truth import check_truth
from tests.support.world import ACCOUNT_NO, World
from trading.models import (
    AccountMember,
    Attempt,
    BrokerOrder,
    Decision,
    Lane,
    Position,
    Proposal,
)
from trading.selectors.people import Role
from trading.services.deciding import decide_unknown
from trading.services.reconcile import reconcile_account
from trading.services.roles import ensure_roles
from trading.services.snapshots import take_snapshot

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
DESK, NOW = "/rebalancing/reconciliation/", "/rebalancing/reconciliation/now/"
PROPOSALS = "/rebalancing/proposals/"


def words(answer: Any) -> str:
    text = unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", text)


@pytest.fixture
def owner(world: World) -> Client:
    client = Client()
    client.force_login(world.owner)
    return client


def person(world: World, role: Role, *, member: bool = True) -> Client:
    user = get_user_model().objects.create_user(f"a-{role}")
    user.groups.add(ensure_roles()[role])
    if member:
        AccountMember.objects.create(account=world.account, user=user)
    client = Client()
    client.force_login(user)
    return client


def lost(world: World, until: str | None = None) -> Attempt:
    """A sale that was cut off before the broker took it."""
    world.sim.arm("A02", match={"side": "sell"})
    wanted: Any = until or (lambda _run: Attempt.objects.filter(state="UNKNOWN").exists())
    world.drive(world.open(), until=wanted)
    return Attempt.objects.get(state="UNKNOWN")


def test_before_anything_happened_it_says_so(world: World, owner: Client) -> None:
    said = words(owner.get(DESK))
    assert "보낸 주문 모두 접수되었는지 아닌지 압니다." in said
    assert "증권사 앱이나 다른 프로그램에서 낸 주문을 본 적이 없습니다." in said
    assert "아직 잔고를 읽지 않았습니다." in said
    assert "아직 끝까지 읽은 적이 없습니다." in said
    assert "사람의 결정" not in said and "늦게 나타날" not in said


def test_an_unknown_order_stands_with_its_evidence_and_what_is_still_missing(
    world: World, owner: Client
) -> None:
    attempt = lost(world)
    said = words(owner.get(DESK))
    assert f"{attempt.intent.quantity}주" in said and "보낸 시각" not in said
    assert "그날 같은 종목·방향의 주문이 증권사 목록에 없습니다." in said
    assert "답을 기다린 뒤 180초가 지났습니다 아직" in said
    assert re.search(r"3번 찾았습니다 \(\d번\) 아직", said)
    assert "맞는 주문이 목록에 없습니다 충족" in said
    page = owner.get(f"/rebalancing/runs/{attempt.intent.origin_id}/").content.decode()
    assert f"{DESK}?account={world.account.pk}" in page, "the run's page leads here"
    assert DESK in owner.get("/health/").content.decode(), "and so does the health page"


def test_when_all_that_is_asked_for_holds_it_may_be_declared_absent_from_here(
    world: World, owner: Client
) -> None:
    attempt = lost(world, "PAUSED_UNKNOWN")
    said = words(owner.get(DESK))
    assert said.count("충족") == 4 and "아직 " not in said.split("확정하려면")[1].split("밖에서")[0]
    answer = owner.post(
        f"/rebalancing/attempts/{attempt.pk}/decide/", {"verdict": "absent", "next": DESK}
    )
    assert (answer.status_code, answer["Location"]) == (303, DESK)
    said = words(owner.get(DESK))
    assert "접수되지 않음 ·" in said, "the decision is listed"
    until = Lane.objects.get(pk=attempt.lane_id).late_watch_until
    assert until is not None and "늦게 나타날 수 있는 주문" in said
    assert Decision.objects.get().verdict == "absent"
    world.drive(Run.objects.get())
    check_truth(world)


@pytest.mark.parametrize("fewer", [0, 1])
def test_an_order_of_the_same_name_is_shown_with_why_it_is_not_the_one(
    world: World, owner: Client, fewer: int
) -> None:
    attempt = lost(world)
    if not fewer:
        world.sim.advance(60)  # too late to be ours, though alike in everything else
    number = _manual(world, attempt, fewer)
    world.settle(5)
    reconcile_account(world.account)
    attempt.refresh_from_db()
    said = words(owner.get(DESK))
    assert attempt.state == "UNKNOWN" and number in said and "맞을 수 있음" not in said
    assert ("수량이 다릅니다" in said) is bool(fewer)
    assert ("보낸 시각과 맞지 않습니다" in said) is not fewer


def test_what_a_person_chooses_is_offered_by_the_rule_that_the_service_decides_by(
    world: World, owner: Client
) -> None:
    """Two that fit: neither is taken by itself, a person names one."""
    attempt = lost(world)
    first = _manual(world, attempt)
    second = _manual(world, attempt)
    world.settle(5)
    reconcile_account(world.account)
    attempt.refresh_from_db()
    assert attempt.state == "UNKNOWN", "ambiguous"
    page = owner.get(DESK)
    assert words(page).count("맞을 수 있음") == 2
    for number in (first, second):
        assert f'name="order_no" value="{number}"' in page.content.decode()
    owner.post(
        f"/rebalancing/attempts/{attempt.pk}/decide/",
        {"verdict": "adopt", "order_no": second, "next": DESK},
    )
    attempt.refresh_from_db()
    assert attempt.state == "ACKED" and attempt.broker_order.order_no == second
    reconcile_account(world.account)
    said = words(owner.get(DESK))
    assert "보낸 주문 모두" in said and "이 주문이 맞음 ·" in said
    assert first in said.split("밖에서 낸 주문")[-1], "the other stays somebody else's"


def _manual(world: World, attempt: Attempt, fewer: int = 0) -> str:
    """A person sells the same name in the broker's app; the number that the broker gives."""
    wish = attempt.intent
    shares = wish.quantity - fewer
    placed = world.sim.manual_order(
        ACCOUNT_NO, wish.instrument_id, "sell", shares, wish.limit_price
    )
    world.settle(1)
    return str(placed["odno"])


def test_orders_made_outside_are_listed_and_what_they_changed_is_told(
    world: World, owner: Client
) -> None:
    take_snapshot(world.account, [])
    assert "종목이 같습니다" in words(owner.get(DESK))
    world.sim.manual_order(ACCOUNT_NO, "069500", "sell", 3, None)
    world.settle(5)
    reconcile_account(world.account)
    order = BrokerOrder.objects.get(source="EXTERNAL")
    said = words(owner.get(DESK))
    assert order.order_no in said and "3주" in said
    moving = "체결되는 중이라 다를 수 있습니다"
    assert "069500 607주 610주" in said and moving in said, "the balance is older than the sale"
    take_snapshot(world.account, [])
    assert "종목이 같습니다" in words(owner.get(DESK))
    Position.objects.filter(account=world.account, instrument="069500").update(quantity=1)
    said = words(owner.get(DESK))
    assert "069500 1주 607주" in said and moving not in said


def test_a_person_may_ask_for_a_comparison_at_once_and_nothing_is_sent(
    world: World, owner: Client
) -> None:
    answer = owner.post(NOW, {"account": world.account.pk, "next": DESK}, follow=True)
    assert "끝까지 읽고 대조했습니다" in words(answer)
    assert "시작한 뒤 처음 대조" in words(answer)
    assert not [row for row in world.sim.journal() if row["kind"] == "accepted"]


def test_a_list_that_is_not_read_to_its_end_proves_nothing_and_says_so(
    world: World, owner: Client
) -> None:
    world.sim.arm("B03", count=9)
    answer = owner.post(NOW, {"account": world.account.pk, "next": DESK}, follow=True)
    assert "끝까지 읽지 못했습니다. 아무것도 결론 내리지 않았습니다." in words(answer)


def test_a_broker_that_is_silent_is_a_message_and_no_crash(world: World, owner: Client) -> None:
    world.sim.stop()
    answer = owner.post(NOW, {"account": world.account.pk, "next": DESK}, follow=True)
    assert answer.status_code == 200 and "바뀐 것은 없습니다." in words(answer)


def test_a_viewer_reads_and_decides_nothing_and_a_stranger_sees_nothing(world: World) -> None:
    attempt = lost(world, "PAUSED_UNKNOWN")
    viewer = person(world, Role.VIEWER)
    page = viewer.get(DESK)
    assert "결과를 모르는 주문" in words(page)
    assert "승인자 역할이 있는 사람이 결정합니다." in words(page)
    assert NOW not in page.content.decode() and "verdict" not in page.content.decode()
    assert viewer.post(NOW, {"account": world.account.pk}).status_code == 403
    decide = f"/rebalancing/attempts/{attempt.pk}/decide/"
    assert viewer.post(decide, {"verdict": "absent"}).status_code == 403
    stranger = person(world, Role.ADMIN, member=False)
    assert "볼 수 있는 계좌가 없습니다" in words(stranger.get(DESK))
    assert stranger.get(f"{DESK}?account={world.account.pk}").status_code == 404
    assert stranger.post(NOW, {"account": world.account.pk}).status_code == 404
    assert stranger.get(f"{DESK}part/").status_code == 204


def test_the_part_is_sent_again_only_when_it_changed(world: World, owner: Client) -> None:
    page = owner.get(DESK).content.decode()
    inside = page.split('id="reconciliation-part"')[
        1
    ]  # before it the badge of a stop is a part too
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', inside)
    assert seen is not None
    part = f"{DESK}part/?account={world.account.pk}&seen={seen[1]}"
    assert owner.get(part).status_code == 204
    lost(world)
    assert owner.get(part).status_code == 200


# --- under four eyes


def _strict(world: World) -> None:
    world.account.approval_policies.create(kind="four_eyes", created_by="test")


def _decide(client: Client, attempt: Attempt, **form: str) -> Any:
    path = f"/rebalancing/attempts/{attempt.pk}/decide/"
    return client.post(path, form | {"next": DESK}, follow=True)


def test_under_four_eyes_one_says_and_another_confirms(world: World, owner: Client) -> None:
    attempt = lost(world, "PAUSED_UNKNOWN")
    _strict(world)
    trader, approver = person(world, Role.TRADER), person(world, Role.APPROVER)
    assert "다른 승인자가 동의하면 결정됩니다" in words(trader.get(DESK))
    assert "제안했습니다" in words(_decide(trader, attempt, verdict="absent"))
    attempt.refresh_from_db()
    assert attempt.state == "UNKNOWN" and not Decision.objects.exists()
    proposal = Proposal.objects.get()
    assert proposal.account == world.account and proposal.by == "a-trader"
    page = words(approver.get(PROPOSALS))
    assert "결과를 모르는 주문" in page and "접수되지 않음" in page
    answer = approver.post(f"{PROPOSALS}{proposal.pk}/agree/", follow=True)
    assert "동의했습니다" in words(answer)
    attempt.refresh_from_db()
    assert attempt.state == "ABSENT"
    decision = Decision.objects.get()
    assert decision.by == "a-approver" and decision.evidence["proposed_by"] == "a-trader"


@pytest.mark.parametrize(("policy", "at_once"), [("four_eyes", False), ("owner_practice", True)])
def test_an_approver_alone_decides_only_where_one_person_may(
    world: World, policy: str, at_once: bool
) -> None:
    attempt = lost(world, "PAUSED_UNKNOWN")
    world.account.approval_policies.create(kind=policy, created_by="test")
    approver = person(world, Role.APPROVER)
    _decide(approver, attempt, verdict="absent")
    attempt.refresh_from_db()
    assert attempt.state == ("ABSENT" if at_once else "UNKNOWN")
    for proposal in Proposal.objects.all():
        said = words(approver.post(f"{PROPOSALS}{proposal.pk}/agree/", follow=True))
        assert "제안한 사람은 동의할 수 없습니다" in said
        attempt.refresh_from_db()
        assert attempt.state == "UNKNOWN"


def test_who_asked_for_the_run_does_not_confirm_either(world: World, owner: Client) -> None:
    attempt = lost(world, "PAUSED_UNKNOWN")
    _strict(world)
    _decide(person(world, Role.TRADER), attempt, verdict="absent")
    said = words(owner.post(f"{PROPOSALS}{Proposal.objects.get().pk}/agree/", follow=True))
    assert "요청한 사람은 승인할 수 없습니다" in said
    attempt.refresh_from_db()
    assert attempt.state == "UNKNOWN"


def test_what_the_evidence_does_not_allow_is_not_done_by_two_either(world: World) -> None:
    attempt = lost(world)
    _strict(world)
    _decide(person(world, Role.TRADER), attempt, verdict="absent")
    approver, proposal = person(world, Role.APPROVER), Proposal.objects.get()
    approver.post(f"{PROPOSALS}{proposal.pk}/agree/", follow=True)
    attempt.refresh_from_db()
    proposal.refresh_from_db()
    assert attempt.state == "UNKNOWN" and proposal.outcome == "", "it may be agreed to later"


def test_a_trader_leaves_nothing_to_be_decided_by_leaving_it(world: World) -> None:
    attempt = lost(world, "PAUSED_UNKNOWN")
    trader, approver = person(world, Role.TRADER), person(world, Role.APPROVER)
    assert _decide(trader, attempt, verdict="leave").status_code == 403
    assert "결정을 기록했습니다" in words(_decide(approver, attempt, verdict="leave"))
    assert not Proposal.objects.exists()


def test_once_it_is_decided_otherwise_the_proposal_waits_no_longer(world: World) -> None:
    attempt = lost(world, "PAUSED_UNKNOWN")
    _strict(world)
    trader, approver = person(world, Role.TRADER), person(world, Role.APPROVER)
    _decide(trader, attempt, verdict="absent")
    agree = f"{PROPOSALS}{Proposal.objects.get().pk}/agree/"
    assert agree in approver.get(PROPOSALS).content.decode()
    decide_unknown(attempt.pk, "absent", "owner")
    assert agree not in approver.get(PROPOSALS).content.decode()
    said = words(approver.post(agree, follow=True))
    assert "새로 제안해야 합니다" in said and Decision.objects.count() == 1
