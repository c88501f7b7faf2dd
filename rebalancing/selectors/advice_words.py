"""Why there is no advice, why it was not followed, and why a fact is missing, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from trading.selectors.words import Sentence

__all__ = ["ADVICE"]

ADVICE: Mapping[str, Sentence] = {
    "advice_no_key": _("Gemini 키가 설정되어 있지 않아 묻지 않았습니다."),
    "advice_no_trades": _("보낼 거래가 없어 묻지 않았습니다."),
    "advice_no_time": _("조회한 값이 오래되기 전에 답을 받을 시간이 없어 묻지 않았습니다."),
    "advice_lost": _("물은 뒤 프로세스가 끝나 답을 받지 못했습니다. 두 번 묻지 않습니다."),
    "advice_late": _("제한 시간 안에 답이 오지 않았습니다."),
    "advice_refused": _("Gemini가 요청을 거절했습니다 (%(status)s %(detail)s)."),
    "advice_blocked": _("Gemini의 안전 정책이 답을 막았습니다 (%(detail)s)."),
    "advice_elsewhere": _("다른 주소로 보내려는 답이라 따르지 않았습니다."),
    "advice_unreachable": _("Gemini에 연결하지 못했습니다 (%(detail)s)."),
    "advice_host_failed": _("Gemini 서버의 오류입니다 (%(status)s)."),
    "advice_unreadable": _("Gemini의 응답을 읽을 수 없습니다."),
    "advice_too_large": _("답이 너무 큽니다."),
    "advice_empty": _("답이 비어 있습니다."),
    "advice_cut": _("답이 중간에 끊겼습니다 (%(detail)s)."),
    "advice_not_json": _("답이 JSON 하나가 아닙니다."),
    "advice_shape": _("답의 모양이 약속과 다릅니다."),
    "advice_open": _("조언 요청이 아직 끝나지 않았습니다."),
    "advice_moved": _("그 사이 조언 요청이 다음 단계로 갔습니다."),
    "mixed_manner": _("%(ticker)s: 한 종목에 방식이 다른 조언이 섞여 있습니다."),
    "context_no_collector": _("아직 수집하지 않는 값입니다."),
    "context_no_key": _("읽어 올 곳의 키가 없습니다 (FRED_API_KEY)."),
    "context_too_old": _("일주일 넘게 새 값이 없습니다."),
    "context_not_offered": _("이 계좌의 환경에서는 제공되지 않습니다."),
    "context_unreadable": _("지금 읽을 수 없었습니다."),
    "no_book": _("호가가 없습니다."),
    "crossed_book": _(
        "매수와 매도 호가가 엇갈려 있어 스프레드를 알 수 없습니다. 단일가 매매 중일 수 있습니다."
    ),
}
