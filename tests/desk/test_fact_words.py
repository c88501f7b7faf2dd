"""Facts of the audit chain and the platform's own reasons are read in words, a person's own as written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils.translation import override

from trading.selectors.fact_words import told_facts
from trading.selectors.said import reason_said


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"edge": "first"}, ("날", "첫 거래일")),
        ({"period": "month"}, ("주기", "매월")),
        ({"kind": "cash_flow"}, ("종류", "입출금이 있을 때")),
        ({"inside_bands": True}, ("임계값 안이어도 목표까지", "예")),
        ({"catch_up": False}, ("놓치면 늦게라도", "아니요")),
        ({"at": "09:10"}, ("시각", "09:10")),
        ({"reach": "full"}, ("할 수 있는 일", "읽기와 쓰기")),
        ({"max_order_won": 5000000}, ("주문 한 건의 금액 (원)", "5,000,000")),
        ({"mp_threshold_percent": "4.0"}, ("MP 임계값 %p", "4.0")),
        ({"kind": "four_eyes"}, ("종류", "네 눈 원칙")),
    ],
)
def test_a_fact_is_named_and_read_in_words(payload: dict[str, Any], told: tuple[str, str]) -> None:
    with override("ko"):
        assert told_facts(json.dumps(payload)) == [told]


def test_a_code_without_its_facts_leaves_no_gap() -> None:
    with override("ko"):
        for code in ("law_broken", "clock_off", "daily_loss_halted", "account_halted"):
            ((_name, said),) = told_facts(json.dumps({"code": code}))
            assert said and said != code and "–" not in said and "%" not in said, (code, said)


@pytest.mark.parametrize(
    ("reason", "korean"),
    [
        (
            "law I12 is broken: sent while stopped",
            "늘 지켜야 할 규칙이 깨졌습니다: I12 ‘정지하면 멈춘다’.",
        ),
        ("clock off by -31 s", "시계가 증권사와 −31초 다릅니다."),
        ("order 0000012 came twice", "두 번 접수된 주문: 0000012."),
        ("daily loss -5.2 %", "오늘 손익이 −5.2 %입니다."),
        ("no token after 3 tries", "접속 토큰을 3번 시도해도 받지 못했습니다."),
    ],
)
def test_what_the_platform_wrote_is_read_in_the_readers_language(reason: str, korean: str) -> None:
    with override("ko"):
        assert reason_said(reason).startswith(korean)
    with override("en"):
        assert "주문" not in reason_said(reason) and reason_said(reason)


@pytest.mark.parametrize("own", ["호가가 이상함", "the law I12 is broken: I think", "late order"])
def test_what_a_person_wrote_is_left_alone(own: str) -> None:
    with override("ko"):
        assert reason_said(own) == own
