"""What the states of orders and of their attempts are called."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from trading.domain.orders import AttemptState, IntentState

__all__ = ["ATTEMPT_STATES", "ORDER_STATES"]

ORDER_STATES: Mapping[str, str | Promise] = {
    IntentState.DRAFT: _("작성함"),
    IntentState.CHECKED: _("점검함"),
    IntentState.VETOED: _("점검에서 막힘"),
    IntentState.AWAITING_APPROVAL: _("승인 대기"),
    IntentState.DENIED: _("거절"),
    IntentState.EXPIRED_APPROVAL: _("승인 만료"),
    IntentState.AUTHORIZED: _("승인됨"),
    IntentState.REVOKED: _("보내기 전 취소"),
    IntentState.SENDING: _("보내는 중"),
    IntentState.UNKNOWN: _("결과를 모름"),
    IntentState.ACKED: _("접수"),
    IntentState.PARTIAL: _("일부 체결"),
    IntentState.FILLED: _("모두 체결"),
    IntentState.CANCELING: _("취소하는 중"),
    IntentState.CANCELED: _("취소"),
    IntentState.EXPIRED: _("장 마감으로 끝남"),
    IntentState.REJECTED: _("증권사가 거부"),
    IntentState.REJECTED_LATE: _("접수 뒤 거부"),
    IntentState.ABANDONED: _("접수되지 않음"),
    IntentState.SUPERSEDED: _("다른 주문으로 바꿈"),
}

ATTEMPT_STATES: Mapping[str, str | Promise] = {
    AttemptState.SENDING: _("보내는 중"),
    AttemptState.ACKED: _("접수"),
    AttemptState.REJECTED: _("증권사가 거부"),
    AttemptState.NOT_SENT: _("보내지 않음"),
    AttemptState.UNKNOWN: _("결과를 모름"),
    AttemptState.ABSENT: _("접수되지 않음"),
}
