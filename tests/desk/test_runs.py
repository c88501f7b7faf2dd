"""The page of a run: deciding, cancelling, words for every end, and a history one can link to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rebalancing.models import Run
from tests.desk.conftest import HASH, DeskWorld
from trading.models import Approval


def test_approving_the_plan_on_the_page(targeted: DeskWorld) -> None:
    run = targeted.run()
    client = targeted.client("approver")
    page = client.get(f"/rebalancing/runs/{run.pk}/").content.decode()
    assert HASH in page
    assert "주문 1건 승인" in page
    answer = client.post(f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": HASH})
    assert answer.status_code == 303
    run.refresh_from_db()
    assert run.state == "APPROVED"
    assert Approval.objects.get().approver == "approver"


def test_the_second_click_changes_nothing_and_says_so(targeted: DeskWorld) -> None:
    run = targeted.run()
    client, url = targeted.client("approver"), f"/rebalancing/runs/{run.pk}/approve/"
    client.post(url, {"plan_hash": HASH})
    again = client.post(url, {"plan_hash": HASH})
    assert again.status_code == 409
    assert "이미 결정되었거나 끝났습니다" in again.content.decode()
    assert Approval.objects.count() == 1


def test_another_plan_is_refused_in_place(targeted: DeskWorld) -> None:
    run = targeted.run()
    answer = targeted.client("approver").post(
        f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": "0" * 64}
    )
    assert answer.status_code == 409
    assert "보고 계신 계획이 바뀌었습니다" in answer.content.decode()


def test_four_eyes_are_two_people(targeted: DeskWorld) -> None:
    targeted.policy("four_eyes")
    run = targeted.run(requester="owner")
    answer = targeted.client("owner").post(
        f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": HASH}
    )
    assert answer.status_code == 403
    assert "요청한 사람은 승인할 수 없습니다" in answer.content.decode()
    run.refresh_from_db()
    assert run.state == "AWAITING_APPROVAL"


def test_an_expired_plan_ends_without_orders(targeted: DeskWorld) -> None:
    run = targeted.run(now=timezone.now() - timedelta(minutes=30))
    answer = targeted.client("approver").post(
        f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": HASH}
    )
    assert answer.status_code == 409
    assert "승인 시간이 지났습니다" in answer.content.decode()


def test_rejecting_keeps_the_reason(targeted: DeskWorld) -> None:
    run = targeted.run()
    targeted.client("approver").post(
        f"/rebalancing/runs/{run.pk}/reject/", {"plan_hash": HASH, "reason": "<b>too much</b>"}
    )
    page = targeted.client("viewer").get(f"/rebalancing/runs/{run.pk}/").content.decode()
    assert "&lt;b&gt;too much&lt;/b&gt;" in page
    assert "승인자가 거절했습니다" in page


def test_cancelling_before_anything_was_sent(targeted: DeskWorld) -> None:
    run = targeted.run()
    answer = targeted.client("trader").post(f"/rebalancing/runs/{run.pk}/cancel/", follow=True)
    assert "주문은 나가지 않았습니다" in answer.content.decode()
    run.refresh_from_db()
    assert run.state == "CANCELED"


def test_an_unchanged_part_is_not_sent_again(targeted: DeskWorld) -> None:
    run = targeted.run()
    client, url = targeted.client("approver"), f"/rebalancing/runs/{run.pk}/action/"
    first = client.get(url)
    seen = first.content.decode().split('name="seen" value="')[1][:16]
    assert client.get(url, {"seen": seen}).status_code == 204
    client.post(f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": HASH})
    assert client.get(url, {"seen": seen}).status_code == 200


def test_a_finished_part_ends_the_polling(targeted: DeskWorld) -> None:
    run = targeted.run("COMPLETED")
    assert targeted.client("viewer").get(f"/rebalancing/runs/{run.pk}/progress/").status_code == 286


@pytest.mark.parametrize(
    ("reason", "facts", "words"),
    [
        ("shortfall", {"cash": 123456, "missing": []}, "남은 현금 123,456원"),
        ("inside_bands", {}, "모든 비중이 임계값 안"),
        (
            "cannot_plan",
            {"reasons": [{"code": "missing_price", "ticker": "100000"}]},
            "100000: 가격이 없습니다",
        ),
        ("never_heard_of", {}, "never_heard_of"),
    ],
)
def test_every_end_has_words(
    targeted: DeskWorld, reason: str, facts: dict[str, Any], words: str
) -> None:
    run = targeted.run("FAILED", end_reason=reason, end_facts=facts)
    page = targeted.client("viewer").get(f"/rebalancing/runs/{run.pk}/").content.decode()
    assert words in page


def test_checks_speak_in_sentences_with_their_numbers(targeted: DeskWorld) -> None:
    checks = [
        {
            "rule": "V2",
            "ticker": "100000",
            "verdict": "PASS_GRANULAR",
            "numbers": {
                "target": "0.2",
                "effective": "0.2",
                "after": "0.25",
                "one_share": "0.055",
                "reachable": "0.25",
            },
        },
        {
            "rule": "V4",
            "ticker": "100000",
            "verdict": "FAIL",
            "numbers": {"quantity": 5, "held": 1, "problems": "['more_than_held']"},
        },
    ]
    run = targeted.run("VETOED", outcome={"checks": checks})
    page = targeted.client("viewer").get(f"/rebalancing/runs/{run.pk}/").content.decode()
    assert "1주가 총자산의 5.50 %" in page
    assert "보유한 수량보다 많이 팝니다." in page


def test_the_history_is_an_address(targeted: DeskWorld) -> None:
    for number in range(53):
        targeted.run("COMPLETED" if number % 2 else "CANCELED")
    client = targeted.client("viewer")
    page = client.get("/rebalancing/", {"page": "2"}).context["page"]
    assert (page.number, len(page.object_list)) == (2, 3)
    done = client.get("/rebalancing/", {"state": "done", "sort": "old"}).context["page"]
    states = [run.state for run in done]
    assert set(states) == {"COMPLETED"}
    assert [run.pk for run in done] == sorted(run.pk for run in done)


@pytest.mark.parametrize(
    "query",
    ["state=%27%20OR%201=1", "sort=drop", "page=-1", "page=zz", "page=99999999999999999999"],
)
def test_a_strange_query_is_a_plain_page(targeted: DeskWorld, query: str) -> None:
    targeted.run("COMPLETED")
    assert targeted.client("viewer").get(f"/rebalancing/?{query}").status_code == 200


def test_starting_says_every_ground_not_to(desk: DeskWorld) -> None:
    answer = desk.client("trader").post("/rebalancing/start/", {"account": desk.account.pk})
    assert answer.status_code == 422
    assert "이 계좌의 목표가 없습니다" in answer.content.decode()
    assert Run.objects.count() == 0


def test_starting_beside_a_running_one_names_it(targeted: DeskWorld) -> None:
    run = targeted.run()
    answer = targeted.client("trader").post(
        "/rebalancing/start/", {"account": targeted.account.pk, "dry_run": "on"}
    )
    assert answer.status_code == 409
    assert f"이미 진행 중인 리밸런싱 #{run.pk}이 있습니다" in answer.content.decode()
