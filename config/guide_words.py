"""The words of the first steps and of what practice has proven."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

__all__ = ["PROOF_WORDS", "STEP_WORDS", "StepWords"]

Text = str | Promise


@dataclass(frozen=True, slots=True)
class StepWords:
    """What to do, why, and where; where it is done in the admin, with the `permission` that it takes."""

    title: Text
    text: Text
    verb: Text
    address: str
    permission: str = ""

    @property
    def url(self) -> str:
        return reverse(self.address)


STEP_WORDS: dict[str, StepWords] = {
    "account": StepWords(
        _("계좌와 키를 넣습니다"),
        _(
            "시뮬레이터나 모의투자 계좌로 시작하세요. 앱키와 시크릿은 암호로 저장되고 다시 보이지 않습니다."
        ),
        _("계좌 관리 열기"),
        "admin:trading_account_changelist",
        permission="trading.change_account",
    ),
    "second_factor": StepWords(
        _("2차 인증을 켭니다"),
        _("비밀번호를 훔친 사람이 주문을 승인하지 못하게 합니다. 실전 계좌에는 꼭 필요합니다."),
        _("2차 인증 설정"),
        "second-factor",
    ),
    "targets": StepWords(
        _("목표 비중을 정합니다"),
        _(
            "MP는 자산군의 비중, Sub-MP는 자산군 안 종목의 비중입니다. 고친 것은 모두 새 버전으로 남습니다."
        ),
        _("목표 결정 열기"),
        "admin:portfolio_targetdecision_changelist",
        permission="portfolio.add_targetdecision",
    ),
    "look": StepWords(
        _("잔고를 한 번 조회합니다"),
        _("증권사가 말하는 보유와 현금이 실제와 같은지 눈으로 확인하세요."),
        _("개요 열기"),
        "overview",
    ),
    "dry_run": StepWords(
        _("주문 없이 한 번 돌려 봅니다"),
        _("무엇을 얼마에 사고팔지, 어떤 점검을 거치는지 보여 주고 주문은 내지 않습니다."),
        _("리밸런싱하기"),
        "rebalancing:start",
    ),
    "run": StepWords(
        _("연습 계좌에서 끝까지 해 봅니다"),
        _("계획을 읽고 승인하고, 팔리고 사지는 것을 지켜보고, 왜 그랬는지 읽어 보세요."),
        _("리밸런싱하기"),
        "rebalancing:start",
    ),
}

PROOF_WORDS: dict[str, tuple[Text, Text]] = {
    "runs": (_("끝까지 간 리밸런싱"), _("팔고, 현금을 확인하고, 사고, 대조까지 마쳤습니다.")),
    "shortfalls": (
        _("모자란 채 끝난 리밸런싱"),
        _("덜 팔리거나 값이 올라 다 사지 못했을 때 그만큼만 사고 끝냈습니다."),
    ),
    "approvals": (_("사람이 승인한 계획"), _("계획을 읽은 사람이 바로 그 계획을 승인했습니다.")),
    "vetoes": (_("규칙이 막은 주문"), _("보내기 직전의 점검이 주문을 멈췄습니다.")),
    "fills": (_("체결된 주문"), _("체결을 증권사 조회로 확인하고 원장에 적었습니다.")),
    "parts": (_("일부만 체결되고 끝난 주문"), _("남은 수량을 취소하거나 만료로 닫았습니다.")),
    "cancels": (_("취소한 주문"), _("취소가 접수되고 남은 수량이 0이 되었습니다.")),
    "refusals": (_("증권사가 거절한 주문"), _("거절을 거절로 알아보고 예약한 현금을 풀었습니다.")),
    "adopted": (
        _("응답을 잃고 되찾은 주문"),
        _("보냈는지 모르는 주문을 다시 보내지 않고 주문 목록에서 찾았습니다."),
    ),
    "external": (
        _("다른 곳에서 낸 주문"),
        _("증권사 앱 등에서 낸 주문을 알아보고 우리 것과 섞지 않았습니다."),
    ),
    "stops": (_("거래 정지 스위치"), _("계좌 하나나 모든 계좌의 거래를 사람이 멈춰 보았습니다.")),
    "schedules": (_("예약으로 시작한 리밸런싱"), _("사람이 없어도 정책대로 시작하고 끝났습니다.")),
}
