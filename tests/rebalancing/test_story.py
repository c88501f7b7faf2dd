"""Why-cards: every sentence comes from a row, says what the row says, in both languages."""

from __future__ import annotations

import re

import pytest
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from django.utils import translation

from rebalancing.models import Leg, Run
from rebalancing.selectors.deeds import deeds_of
from rebalancing.selectors.run_detail import legs_of
from rebalancing.selectors.told import Told
from rebalancing.selectors.why_card import story_of_leg, story_of_run
from rebalancing.services.runs import run_cancel
from tests.support.past import made_late
from tests.support.world import World, make_user
from trading.models import Approval, Attempt, BrokerOrder, Ledger, Transition

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
KOREAN = re.compile("[가-힣]+")


@pytest.fixture
def finished(world: World) -> tuple[World, Run]:
    return world, world.drive(world.open())


def test_the_story_of_a_run_goes_from_who_asked_to_how_it_ended(
    finished: tuple[World, Run],
) -> None:
    world, run = finished
    run = Run.objects.select_related("snapshot", "target", "config", "account").get(pk=run.pk)
    story = story_of_run(run)
    assert "owner" in story[0].text and story[0].row == run
    assert f"{run.snapshot.equity:,}" in story[2].text and story[2].row == run.snapshot
    kinds = [type(told.row).__name__ for told in story]
    assert kinds.index("TargetDecision") < kinds.index("Snapshot") < kinds.index("Leg")
    assert kinds.index("Leg") < kinds.index("Approval") < kinds.index("RebalancingHistory")
    assert f"{run.history.real_cost:,}" in story[-2].text
    moments = [told.at for told in story if told.at is not None]
    assert moments == sorted(moments)


def sums(run: Run, **which: str) -> dict[str, int]:
    found: dict[str, int] = Ledger.objects.filter(
        order__owner__origin_id=run.pk, **which
    ).aggregate(quantity=Sum("quantity"), amount=Sum("amount"), fee=Sum("fee"), tax=Sum("tax"))
    return found


def test_the_story_of_a_run_says_what_was_sold_what_cash_was_there_and_what_was_bought(
    finished: tuple[World, Run],
) -> None:
    world, run = finished
    told = deeds_of(run, legs_of(run))
    by_leg = {one.row.pk: one for one in told if isinstance(one.row, Leg)}
    legs = legs_of(run)
    assert {leg.side for leg in legs} == {"SELL", "BUY"} and set(by_leg) == {leg.pk for leg in legs}
    for leg in legs:
        booked, text = sums(run, order__instrument_id=leg.instrument_id), by_leg[leg.pk].text
        assert text.startswith(leg.instrument.name) and f"{booked['quantity']:,}주" in text
        assert f"모두 {booked['amount']:,}원" in text and f"수수료 {booked['fee']:,}원" in text
        assert ("팔았습니다" if leg.side == "SELL" else "샀습니다") in text
    sold = sums(run, order__side="SELL")
    came_in = next(one for one in told if isinstance(one.row, Ledger))
    assert f"{sold['amount'] - sold['fee'] - sold['tax']:,}원" in came_in.text
    there = next(one for one in told if isinstance(one.row, Run))
    assert f"{run.cash_confirmed:,}원" in there.text
    assert there.at == Transition.objects.get(object_id=run.pk, to_state="BUY_RESIZE").at
    kinds = [
        "cash" if not isinstance(one.row, Leg) else by_leg[one.row.pk].row.side for one in told
    ]
    assert kinds == sorted(kinds, key=["SELL", "cash", "BUY"].index)
    assert [one.text for one in told] == [
        one.text for one in story_of_run(Run.objects.get(pk=run.pk)) if one in told
    ]


def test_the_cash_of_the_broker_is_told_beside_what_should_be_there(
    finished: tuple[World, Run],
) -> None:
    _world, run = finished
    run = Run.objects.select_related("snapshot", "account").get(pk=run.pk)
    sold = sums(run, order__side="SELL")
    whole = run.snapshot.cash + sold["amount"] - sold["fee"] - sold["tax"]
    assert whole > run.cash_confirmed, "the simulator keeps the commission of a buy back"
    (told,) = [one for one in deeds_of(run, legs_of(run)) if "더하면" in one.text]
    assert f"{whole:,}원입니다" in told.text and told.row == run.snapshot
    assert f"나머지 {whole - run.cash_confirmed:,}원은 증권사가 매수 수수료" in told.text


@pytest.mark.parametrize(("off", "said"), [(-50_000, "적습니다"), (50_000, "많습니다")])
def test_a_difference_that_no_row_explains_is_called_unexplained(
    finished: tuple[World, Run], off: int, said: str
) -> None:
    _world, run = finished
    run = Run.objects.select_related("snapshot", "account").get(pk=run.pk)
    sold = sums(run, order__side="SELL")
    whole = run.snapshot.cash + sold["amount"] - sold["fee"] - sold["tax"]
    run.cash_confirmed = whole + off
    (told,) = [one for one in deeds_of(run, legs_of(run)) if "더하면" in one.text]
    assert f"설명되지 않은 차이: 증권사의 답이 50,000원 {said}" in told.text
    run.cash_confirmed = whole
    assert not [one for one in deeds_of(run, legs_of(run)) if "더하면" in one.text]


def test_what_was_left_undone_is_told_with_its_reason(world: World) -> None:
    run = world.drive(world.open(), until="CASH_CONFIRM")
    run_cancel(run.pk, "owner")
    run = world.drive(run)
    assert run.state == "COMPLETED_WITH_SHORTFALL"
    undone = {
        one.row.pk: one.text for one in deeds_of(run, legs_of(run)) if "않았습니다" in one.text
    }
    buys = Leg.objects.filter(run=run, side="BUY")
    assert buys and set(undone) == {leg.pk for leg in buys}
    for leg in buys:
        assert undone[leg.pk] == (
            f"{leg.instrument.name}: 계획한 {leg.quantity:,}주를 사지 않았습니다."
            " 사람이 멈췄습니다."
        )


def test_a_buy_that_the_cash_did_not_reach_for_says_so(finished: tuple[World, Run]) -> None:
    _world, run = finished
    buy = Leg.objects.filter(run=run, side="BUY").select_related("instrument")[0]
    filled = buy.quantity
    buy.quantity, buy.resized_quantity = filled + 7, filled
    told = deeds_of(run, [buy])[-1]
    assert f"{filled + 7:,}주보다 7주 적게 샀습니다" in told.text
    assert f"현금 {run.cash_confirmed:,}원에 맞춰 {filled:,}주로" in told.text
    assert told.row == buy


def test_no_deed_is_told_before_it_was_done(world: World) -> None:
    run = world.drive(world.open(), approve=False)
    assert run.state == "AWAITING_APPROVAL" and legs_of(run)
    assert deeds_of(run, legs_of(run)) == []
    run = world.drive(run, until="SELL_WAIT")
    assert not any("사지" in one.text or "현금" in one.text for one in deeds_of(run, legs_of(run)))


def test_trades_too_small_to_make_are_named_with_their_amount(finished: tuple[World, Run]) -> None:
    _world, run = finished
    leg = legs_of(run)[0]
    run.outcome = run.outcome | {"filtered": [{"ticker": leg.instrument_id, "amount": 9_100}]}
    texts = [told.text for told in story_of_run(run)]
    assert any(f"작아 하지 않기로 한 거래: {leg.instrument.name} 9,100원" in text for text in texts)
    run.outcome = run.outcome | {"filtered": []}
    assert not any("하지 않기로" in told.text for told in story_of_run(run))


def test_the_story_of_an_order_names_every_order_sent_and_every_fill(
    finished: tuple[World, Run],
) -> None:
    _world, run = finished
    for leg in Leg.objects.filter(run=run):
        story = story_of_leg(run, leg)
        rows = [told.row for told in story]
        orders = BrokerOrder.objects.filter(owner__leg_id=leg.pk)
        assert set(Attempt.objects.filter(intent__leg_id=leg.pk)) <= set(rows)
        assert set(Ledger.objects.filter(order__in=orders)) <= set(rows)
        assert Approval.objects.get() in rows
        text = " ".join(told.text for told in story)
        assert all(order.order_no in text for order in orders if order.source == "ACK")
        fills = Ledger.objects.filter(order__in=orders)
        assert all(f"{row.fee:,}" in text and f"{row.quantity:,}" in text for row in fills)
        assert f"{leg.quantity:,}" in text


def test_another_legs_orders_are_not_in_the_story(finished: tuple[World, Run]) -> None:
    _world, run = finished
    first, second = Leg.objects.filter(run=run).order_by("number")[:2]
    theirs = set(Attempt.objects.filter(intent__leg_id=second.pk))
    assert theirs and not theirs & {told.row for told in story_of_leg(run, first)}


def test_nothing_is_told_that_no_row_says(world: World) -> None:
    run = world.open()
    story = story_of_run(Run.objects.get(pk=run.pk))
    assert [type(told.row).__name__ for told in story] == ["Run", "TargetDecision", "Run"]
    assert "시작했습니다" in story[0].text and "단계입니다" in story[-1].text


def test_the_story_is_complete_in_english(finished: tuple[World, Run]) -> None:
    _world, run = finished
    names = {
        word for leg in Leg.objects.filter(run=run) for word in KOREAN.findall(leg.instrument.name)
    }
    names |= set(KOREAN.findall(str(run.target.model_version)))
    with translation.override("en"):
        told: list[Told] = story_of_run(run)
        for leg in Leg.objects.filter(run=run):
            told += story_of_leg(run, leg)
        left = {word for one in told for word in KOREAN.findall(one.text)} - names
    assert left == set()


def test_the_page_links_each_sentence_to_its_row_for_who_may_read_it(
    finished: tuple[World, Run],
) -> None:
    world, run = finished
    leg = Leg.objects.filter(run=run).first()
    paths = [
        reverse("rebalancing:run-story", args=[run.pk]),
        reverse("rebalancing:leg-story", args=[run.pk, leg.pk]),
    ]
    staff, stranger = Client(), Client()
    world.owner.is_staff = True
    world.owner.save()
    staff.force_login(world.owner)
    stranger.force_login(make_user("stranger", "viewer"))
    for path in paths:
        page = staff.get(path).content.decode()
        links = re.findall(r'class="story-source">.*?<a href="(/admin/[^"]+)"', page)
        assert len(links) == page.count('class="story-line"')
        assert stranger.get(path).status_code == 404
    ours = reverse("rebalancing:run", args=[run.pk])
    assert paths[1] in staff.get(ours).content.decode()
    missing = reverse("rebalancing:leg-story", args=[run.pk, 10**9])
    assert staff.get(missing).status_code == 404


def test_a_run_for_a_deposit_says_so_and_nothing_about_bands(world: World) -> None:
    run = world.open()
    Run.objects.filter(pk=run.pk).update(
        requester_kind="schedule", trigger_kind="cash_flow", trigger_facts={"flow": 3_000_000}
    )
    told = [one.text for one in story_of_run(Run.objects.get(pk=run.pk))]
    assert any("입금 3,000,000원" in text for text in told)
    assert "입출금" in told[0]


def test_a_cancel_that_the_broker_refused_is_told_in_its_own_words_wherever_the_run_is_read(
    world: World,
) -> None:
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm("E01", match={"ticker": sold.instrument_id}, params={"share": 0.4})
    world.sim.arm("A14", match={"tr_id": "TTTC0013U"}, params={"code": "APBK0400"}, count=1)
    run = world.drive(run)
    refused = Attempt.objects.get(action="cancel", state="REJECTED")
    assert refused.msg_cd == "APBK0400" and refused.message
    hostile = f"{refused.message} <b>&"
    with made_late("trading_attempt"):
        Attempt.objects.filter(pk=refused.pk).update(message=hostile)
    run = Run.objects.select_related("snapshot", "target", "config", "account").get(pk=run.pk)
    said = f"APBK0400 {hostile}"
    (told,) = [one for one in story_of_run(run) if said in one.text]
    assert told.row == refused and sold.instrument.name in told.text
    assert any(said in one.text for one in story_of_leg(run, sold))
    client = Client()
    client.force_login(world.owner)
    for path in ("", "result/", "why/", f"why/{sold.pk}/"):
        page = client.get(f"/rebalancing/runs/{run.pk}/{path}").content.decode()
        assert "거부했습니다: APBK0400" in page, path
        assert "&lt;b&gt;&amp;" in page and f"{refused.message} <b>" not in page, path


def test_a_cancel_that_was_taken_is_called_refused_nowhere(world: World) -> None:
    run = world.drive(world.open(), until="APPROVED")
    sold = Leg.objects.filter(run=run, side="SELL").earliest("number")
    world.sim.arm("E01", match={"ticker": sold.instrument_id}, params={"share": 0.4})
    run = world.drive(run)
    assert Attempt.objects.filter(action="cancel", state="ACKED").exists()
    client = Client()
    client.force_login(world.owner)
    for path in ("", "why/", f"why/{sold.pk}/"):
        page = client.get(f"/rebalancing/runs/{run.pk}/{path}").content.decode()
        assert "거부했습니다" not in page, path
