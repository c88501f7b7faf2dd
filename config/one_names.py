"""What one record is called, where English has another word for one than for many: "Run #1", "Trading day".

Korean says the same for both, so these messages carry the context "one" and stay untranslated there. Where a
column of one record has the name of a whole page ("Decisions"), its own name stands here too.
"""

from __future__ import annotations

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

__all__ = ["ONE_COLUMN", "ONE_RECORD", "name_ones"]

ONE_RECORD: dict[str, str | Promise] = {
    "portfolio.targetdecision": pgettext_lazy("one", "목표 결정"),
    "rebalancing.campaign": pgettext_lazy("one", "묶음"),
    "rebalancing.leg": pgettext_lazy("one", "리밸런싱 매매"),
    "rebalancing.rebalancingconfig": pgettext_lazy("one", "리밸런싱 설정"),
    "rebalancing.rebalancinghistory": pgettext_lazy("one", "리밸런싱 이력"),
    "rebalancing.run": pgettext_lazy("one", "리밸런싱 실행"),
    "rebalancing.runschedule": pgettext_lazy("one", "예약"),
    "trading.account": pgettext_lazy("one", "계좌"),
    "trading.alert": pgettext_lazy("one", "알림"),
    "trading.apitoken": pgettext_lazy("one", "API 토큰"),
    "trading.approvalpolicy": pgettext_lazy("one", "승인 정책"),
    "trading.attempt": pgettext_lazy("one", "전송 시도"),
    "trading.auditentry": pgettext_lazy("one", "감사 기록"),
    "trading.brokerorder": pgettext_lazy("one", "증권사 주문"),
    "trading.credentialchange": pgettext_lazy("one", "인증 변경"),
    "trading.decision": pgettext_lazy("one", "모르는 주문의 결정"),
    "trading.enumeration": pgettext_lazy("one", "주문 목록 조회"),
    "trading.instrument": pgettext_lazy("one", "종목"),
    "trading.intent": pgettext_lazy("one", "주문 의도"),
    "trading.kistoken": pgettext_lazy("one", "증권사 접속 토큰"),
    "trading.lane": pgettext_lazy("one", "레인"),
    "trading.ledger": pgettext_lazy("one", "체결 원장"),
    "trading.lot": pgettext_lazy("one", "로트"),
    "trading.lotposting": pgettext_lazy("one", "로트 기록"),
    "trading.marketday": pgettext_lazy("one", "개장일"),
    "trading.position": pgettext_lazy("one", "보유"),
    "trading.processepoch": pgettext_lazy("one", "프로세스"),
    "trading.releaserequest": pgettext_lazy("one", "해제 요청"),
    "trading.reservation": pgettext_lazy("one", "묶어 둔 돈과 주식"),
    "trading.rulecheck": pgettext_lazy("one", "주문 직전 점검"),
    "trading.schedulefire": pgettext_lazy("one", "예약 기록"),
    "trading.sleeve": pgettext_lazy("one", "슬리브"),
    "trading.snapshot": pgettext_lazy("one", "잔고 스냅샷"),
    "trading.switch": pgettext_lazy("one", "거래 스위치"),
    "trading.transition": pgettext_lazy("one", "상태 변화"),
}
ONE_COLUMN: dict[str, str | Promise] = {
    "portfolio.targetdecision.decided_by": _("결정한 사람"),
    "trading.approval.verdict": pgettext_lazy("one", "결정"),
    "trading.attempt.action": pgettext_lazy("one", "동작"),
    "trading.brokerorder.price": pgettext_lazy("one", "가격"),
    "trading.decision.verdict": pgettext_lazy("one", "결정"),
    "trading.intent.action": pgettext_lazy("one", "동작"),
}


def name_ones() -> None:
    """Called after every other name is given. People are listed under the name of their page."""
    for label, name in ONE_RECORD.items():
        options = apps.get_model(label)._meta
        options.verbose_name = name
    for path, name in ONE_COLUMN.items():
        label, _dot, column = path.rpartition(".")
        apps.get_model(label)._meta.get_field(column).verbose_name = name  # type: ignore[union-attr]
    apps.get_model("auth.user")._meta.verbose_name_plural = _("사용자와 역할")
