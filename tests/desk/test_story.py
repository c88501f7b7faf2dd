"""What a run's page says afterwards: why a name was traded, what was sent, who stopped it, its cost."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils.translation import override

from rebalancing.models import Leg, Run
from rebalancing.selectors.deeds import why_question
from rebalancing.selectors.timeline import steps_of, stopped_by, transitions_of
from rebalancing.selectors.why import Why, whys
from rebalancing.selectors.why_card import _reason
from tests.desk.conftest import DeskWorld
from trading.models import Transition
from trading.services.switches import account_scope, engage


def _moved(run: Run, *states: str) -> None:
    for before, after in zip(states, states[1:], strict=False):
        Transition.objects.create(
            object_type="run",
            object_id=run.pk,
            from_state=before,
            to_state=after,
            at=run.created_at,
            by="test",
        )


def test_why_names_the_band_that_was_left() -> None:
    found = whys(
        {"A": 670, "B": 200, "X": 30},
        1000,
        {"STOCK": Decimal(80), "BOND": Decimal(20)},
        {"STOCK": {"A": Decimal(100)}, "BOND": {"B": Decimal(50), "C": Decimal(50)}},
        {
            "mp": {"STOCK": "-13", "BOND": "0", "OTHER": "3"},
            "sub": {"A": "0", "B": "50", "C": "-50"},
            "triggers": [["MP", "STOCK"], ["SUB", "B"], ["MP", "OTHER"]],
        },
    )
    assert (found["A"].now, found["A"].target) == (67, 80)
    assert (found["A"].class_now, found["A"].class_drift, found["A"].name_drift) == (67, -13, None)
    assert (found["B"].target, found["B"].class_drift, found["B"].name_drift) == (10, None, 50)
    assert (found["C"].now, found["C"].class_drift, found["C"].name_drift) == (0, None, None)
    assert (found["X"].asset_class, found["X"].target, found["X"].class_drift) == ("OTHER", 0, 3)
    assert whys({}, 0, {}, {}, {}) == {}


@pytest.mark.parametrize("who", ["switch", "person"])
def test_a_stopped_run_says_by_whom_and_what_never_ran(targeted: DeskWorld, who: str) -> None:
    ticker = "100000"
    run = targeted.run(
        "COMPLETED_WITH_SHORTFALL",
        end_reason=f"stopped_by_{who}",
        end_facts={
            "cash": 1,
            "missing": [{"ticker": ticker, "side": "SELL", "planned": 50, "filled": 10, "why": ""}],
        },
        stop_requested="person" if who == "person" else "",
    )
    path = ("CREATED", "SNAPSHOT", "DRIFT", "PLANNED", "APPROVED", "SELLING", "SELL_WAIT")
    ends = ("HALTED", "FINAL_RECON") if who == "switch" else ("FINAL_RECON",)
    _moved(run, *path, *ends, "COMPLETED_WITH_SHORTFALL")
    moves = transitions_of(run)
    assert stopped_by(run, moves) == who
    status = {step.code: step.status for step in steps_of(run, moves)}
    assert (status["approve"], status["sell"]) == ("done", "stopped")
    assert (status["cash"], status["buy"], status["close"]) == ("ahead", "ahead", "done")
    text = targeted.client("trader").get(f"/rebalancing/runs/{run.pk}/").content.decode()
    said = {"switch": "긴급 정지로 멈췄습니다", "person": "사람이 중지했습니다"}[who]
    assert "중지됨, 일부 체결" in text and 'announce="일부 체결로 완료"' not in text
    assert said in text and "다시 리밸런싱" in text and "더 할 일이 없습니다" not in text
    assert "<li>Fund 100000 매도" in text


def test_a_run_that_simply_ended_was_stopped_by_nobody(targeted: DeskWorld) -> None:
    run = targeted.run("COMPLETED")
    assert stopped_by(run, []) == ""
    assert {step.status for step in steps_of(run, [])} == {"done"}


def test_a_cost_far_above_the_expected_is_flagged(targeted: DeskWorld) -> None:
    run = targeted.run("COMPLETED")
    targeted.history(run)
    client = targeted.client("trader")
    for address in ("/rebalancing/", f"/rebalancing/runs/{run.pk}/"):
        assert "예상의 2배 넘음" not in client.get(address).content.decode()
    dear = targeted.run("COMPLETED")
    targeted.history(dear, real_cost=9_000)
    for address in ("/rebalancing/", f"/rebalancing/runs/{dear.pk}/"):
        assert "예상의 2배 넘음" in client.get(address).content.decode()


def test_the_first_card_says_what_can_be_started(targeted: DeskWorld) -> None:
    targeted.snapshot()
    client = targeted.client("trader")
    card = "/rebalancing/cards/attention/"
    assert "리밸런싱을 시작할 수 있습니다" in client.get(card).content.decode()
    engage(account_scope(targeted.account), "HALTED", "test", "test")
    text = client.get(card).content.decode()
    assert "거래가 긴급 정지되어 있습니다" in text and "시작할 수 있습니다." not in text


def test_a_viewer_reads_the_real_weights(targeted: DeskWorld) -> None:
    user = targeted.people["viewer"]
    version = targeted.extras["decision"].model_version
    user.is_staff = True
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    user.save()
    address = f"/admin/portfolio/modelportfolio/{version.portfolio_id}/change/"
    answer = targeted.client("viewer").get(address)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Weight" not in text and "주식 60" in text


def test_the_stop_speaks_the_readers_language(targeted: DeskWorld) -> None:
    client = targeted.client("admin")
    client.cookies["django_language"] = "en"
    client.post(reverse("trading:stop"), {"account": targeted.account.pk})
    assert "Emergency stop (desk)" in client.get("/health/").content.decode()
    client.cookies["django_language"] = "ko"
    assert "긴급 정지 (데스크)" in client.get("/health/").content.decode()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_name_that_left_both_bands_tells_both(targeted: DeskWorld, language: str) -> None:
    """Its class alone would speak against the trade: too much of a class, and a share of it is bought."""
    run = targeted.run()
    both = Why("STOCK", *(Decimal(n) for n in ("8.3", "10", "56.8", "50", "6.8", "-5.3")))
    with override(language):
        text = _reason(run, both, "BUY").text
        only_class = _reason(run, replace(both, name_drift=None), "BUY").text
        only_name = _reason(run, replace(both, class_drift=None), "BUY").text
    assert "56.8" in text and "5.3" in text and text.count("8.3") == 1
    assert "5.3" not in only_class and "56.8" not in only_name
    assert "10.0" in only_class and "10.0" in only_name


@pytest.mark.parametrize(
    ("side", "filled", "over", "korean", "english"),
    [
        ("SELL", 0, False, "왜 팔려고 하나", "Why sell"),
        ("SELL", 1, False, "왜 팔았나", "Why sold"),
        ("SELL", 1, True, "왜 팔았나", "Why sold"),
        ("SELL", 0, True, "왜 팔지 않았나", "Why not sold"),
        ("BUY", 0, False, "왜 사려고 하나", "Why buy"),
        ("BUY", 1, True, "왜 샀나", "Why bought"),
        ("BUY", 0, True, "왜 사지 않았나", "Why not bought"),
    ],
)
def test_the_question_about_an_order_has_the_tense_of_its_state(
    side: str, filled: int, over: bool, korean: str, english: str
) -> None:
    for language, said in (("ko", korean), ("en", english)):
        with override(language):
            assert why_question(side, filled, over) == said


@pytest.mark.parametrize(
    ("state", "filled", "said"),
    [
        ("AWAITING_APPROVAL", 0, "왜 팔려고 하나"),
        ("COMPLETED", 50, "왜 팔았나"),
        ("DENIED", 0, "왜 팔지 않았나"),
    ],
)
def test_a_page_asks_why_in_the_tense_of_the_runs_state(
    targeted: DeskWorld, state: str, filled: int, said: str
) -> None:
    run = targeted.run(state)
    Leg.objects.filter(run=run).update(filled_quantity=filled)
    leg = Leg.objects.get(run=run)
    client = targeted.client("viewer")
    for address in (f"/rebalancing/runs/{run.pk}/", f"/rebalancing/runs/{run.pk}/why/{leg.pk}/"):
        text = client.get(address).content.decode()
        assert set(re.findall("왜 팔[가-힣 ]+나", text)) == {said}, address


def _why(name: str, worth: dict[str, int], sub: str, mp: str, *broken: list[str]) -> Why:
    """Of a class at half the target, with two names at half of the class each, 1,000 won in all."""
    return whys(
        worth,
        1000,
        {"STOCK": Decimal(50)},
        {"STOCK": {"A": Decimal(50), "B": Decimal(50)}},
        {"mp": {"STOCK": mp}, "sub": {name: sub}, "triggers": list(broken)},
    )[name]


CLASS, NAME = ["MP", "STOCK"], ["SUB", "A"]


@pytest.mark.parametrize(
    ("side", "own", "sub", "mp", "broken", "said"),
    [
        ("BUY", 200, "-14.9", "7", [CLASS, NAME], "그 안에서 이 종목이 14.9 %p 모자랍니다"),
        ("BUY", 200, "-14.9", "7", [CLASS], "그 안에서 이 종목이 14.9 %p 모자랍니다"),
        ("BUY", 240, "10", "-10", [CLASS, NAME], "자산군이 10.0 %p 모자랍니다"),
        ("BUY", 240, "8.5", "-9", [NAME], "자산군이 9.0 %p 모자랍니다"),
        ("SELL", 300, "25", "-10", [CLASS, NAME], "그 안에서 이 종목이 25.0 %p 많습니다"),
        ("SELL", 260, "-6", "9", [NAME], "자산군이 9.0 %p 많습니다"),
    ],
)
def test_reasons_that_pull_two_ways_are_told_with_what_they_come_to(
    side: str, own: int, sub: str, mp: str, broken: list[list[str]], said: str
) -> None:
    with override("ko"):
        told = _why("A", {"A": own}, sub, mp, *broken).resolve(side)
    assert said in told
    assert f"둘을 합치면 총자산의 {abs(own - 250) / 10:.1f} %p가" in told
    assert told.endswith("삽니다." if side == "BUY" else "팝니다.")


@pytest.mark.parametrize(
    ("side", "own", "sub", "mp", "broken"),
    [
        ("BUY", 200, "-10", "-2", [CLASS, NAME]),  # both speak for it
        ("SELL", 300, "10", "2", [NAME]),
        (
            "BUY",
            200,
            "-10",
            "2",
            [NAME],
        ),  # the class is within its band: nothing shown is against it
        ("BUY", 260, "-6", "9", [CLASS]),  # the sum speaks for a sale: nothing is made up
        ("BUY", 240, "-1", "-1", []),
    ],
)
def test_where_nothing_speaks_against_the_trade_nothing_is_resolved(
    side: str, own: int, sub: str, mp: str, broken: list[list[str]]
) -> None:
    assert _why("A", {"A": own}, sub, mp, *broken).resolve(side) == ""
