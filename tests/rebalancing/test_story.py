"""Why-cards: every sentence comes from a row, says what the row says, in both languages."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from rebalancing.models import Leg, Run
from rebalancing.selectors.why_card import Told, story_of_leg, story_of_run
from tests.support.world import World, make_user
from trading.models import Approval, Attempt, BrokerOrder, Ledger

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
