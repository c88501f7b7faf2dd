"""What a code means, in a sentence with its numbers: the facts and acts of the trading floor.

Services and rules speak in codes; this is the one place where such a code becomes words. Upper floors
add their own sentences with `Words`. A code without a sentence shows itself, so nothing is ever hidden.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

__all__ = ["CLASS_NAMES", "LAW_NAMES", "WORDS", "Sentence", "Words", "shown"]

Sentence = str | Promise
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NAMES = frozenset(
    {
        "run",
        "intent",
        "attempt",
        "ticker",
        "tickers",
        "row",
        "order_no",
        "orders",
        "order",
        "day",
        "name",
        "who",
        "by",
    }
)
"""Facts that are names: digits in them are not amounts and get no separators."""


CLASS_NAMES: Mapping[str, Sentence] = {
    "STOCK": _("주식"),
    "BOND": _("채권"),
    "ALTERNATIVE": _("대체자산"),
    "CASH": _("현금"),
}
"""Asset classes as people say them; the API and files speak in the codes."""
_CLASSES = ("class", "scope")
LAW_NAMES: Mapping[str, Sentence] = {
    "I1": _("주문은 한 번만 보낸다"),
    "I2": _("모르는 것을 안다고 하지 않는다"),
    "I3": _("장부는 체결과 같다"),
    "I4": _("결과를 모르는 주문은 그대로 둔다"),
    "I5": _("주문의 주인은 하나다"),
    "I6": _("보지 못한 주문은 없다"),
    "I7": _("취소는 위험을 늘리지 않는다"),
    "I8": _("금액은 원까지 맞는다"),
    "I9": _("보내기 직전에 검사한다"),
    "I10": _("있는 현금만 쓴다"),
    "I11": _("승인된 계획만 보낸다"),
    "I12": _("정지하면 멈춘다"),
    "I17": _("실전은 허락된 곳에서만"),
    "I18": _("사실대로 알린다"),
    "I19": _("예약은 한 번만 실행한다"),
    "I20": _("한 번에 한 버전만 보낸다"),
    "I21": _("AI는 무엇을 얼마나 살지 정하지 못한다"),
    "I22": _("모든 주문은 근거가 있다"),
    "I24": _("상태는 정해진 길로만 바뀐다"),
}
"""The laws that are judged while trading, as people say them."""


class _Facts(dict[str, object]):
    """A fact that was not recorded shows as a dash instead of breaking the sentence."""

    def __missing__(self, key: str) -> str:
        return "–"


def shown(name: str, value: object) -> str:
    """One fact as text: amounts with separators, lists with commas, names as they are."""
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(name, item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(name, item)}" for key, item in value.items())
    text = str(value)
    if name in _CLASSES and text in CLASS_NAMES:
        return str(CLASS_NAMES[text])
    if name == "law" and text in LAW_NAMES:
        return f"{text} ‘{LAW_NAMES[text]}’"
    if name in _NAMES or isinstance(value, bool) or not _NUMBER.fullmatch(text):
        return text
    try:
        return f"{Decimal(text):,f}".replace("-", "−")  # as everywhere on the pages
    except InvalidOperation:
        return text


class Words:
    """A catalogue of sentences on top of another one."""

    def __init__(self, sentences: Mapping[str, Sentence], below: Words | None = None) -> None:
        self._sentences = dict(sentences)
        self._below = below

    def __contains__(self, code: str) -> bool:
        return code in self._sentences or (self._below is not None and code in self._below)

    def find(self, code: str) -> Sentence | None:
        found = self._sentences.get(code)
        if found is None and self._below is not None:
            return self._below.find(code)
        return found

    def say(self, code: str, facts: Mapping[str, object] | None = None) -> str:
        """The sentence of `code` with its facts; the code itself where there is none.

        Several codes joined by commas give their sentences one after the other.
        """
        sentence = self.find(code)
        if sentence is None:
            parts = code.split(",")
            if len(parts) > 1:
                return " ".join(self.say(part, facts) for part in parts)
            return code
        given = {k: v for k, v in (facts or {}).items() if k != "code"}
        values = _Facts({k: shown(k, v) for k, v in given.items()})
        if given.get("scope") == "MP" and "name" in given:  # what an MP lists are classes
            values["name"] = shown("class", given["name"])
        return str(sentence) % values


_GATE = {
    "switch": _("긴급 정지 상태라 보내지 않았습니다."),
    "environment": _("계좌 환경과 접속 주소가 맞지 않아 보내지 않았습니다."),
    "one_build": _("다른 버전의 프로그램이 아직 주문할 수 있어 기다립니다. 이전 버전을 끝내세요."),
    "account_not_paused": _("계좌 매수가 중지되어 있습니다."),
    "session_open": _("정규장이 아니라 보내지 않았습니다."),
    "instrument_tradable": _("거래할 수 없는 종목이거나 거래정지 상태입니다."),
    "not_interrupted": _("변동성완화장치(VI)의 단일가 매매가 끝나기를 기다립니다."),
    "no_warning_on_buy": _("투자 주의 종목이라 매수하지 않았습니다."),
    "approved": _("승인된 계획의 주문이 아닙니다."),
    "before_deadline": _("주문 기한이 지났습니다."),
    "lane_free": _("같은 종목의 앞선 주문 결과를 아직 모릅니다."),
    "quantity": _("수량이 허용 범위를 벗어났습니다."),
    "quote_fresh": _("현재가가 오래되어 다시 조회합니다."),
    "price_on_tick": _("호가 단위에 맞지 않는 가격입니다."),
    "price_inside_daily_limits": _("가격제한폭을 벗어난 가격입니다."),
    "price_collar": _("현재가에서 너무 먼 가격이라 보내지 않았습니다."),
    "order_amount": _("주문 한 건의 금액 한도를 넘었습니다."),
    "ticker_amount": _("한 종목의 하루 금액 한도를 넘었습니다."),
    "run_amount": _("리밸런싱 하나의 금액 한도를 넘었습니다."),
    "day_amount": _("계좌의 하루 금액 한도를 넘었습니다."),
    "volume_share": _("전일 거래량에 비해 주문이 큽니다."),
    "limits_unchanged": _("바뀐 값이 없습니다."),
    "limit_out_of_range": _("주문 한도 ‘%(name)s’의 값이 허용 범위 밖입니다."),
    "pace": _("주문이 너무 잦아 잠시 기다립니다."),
    "order_count": _("하루 주문 건수 한도를 다 썼습니다."),
    "no_duplicate": _("1분 안에 같은 주문이 있었습니다."),
    "no_self_trade": _("같은 종목의 반대 주문이 살아 있습니다."),
    "shares": _("매도할 수 있는 수량이 모자랍니다."),
    "cash": _("주문할 수 있는 현금이 모자랍니다."),
    "budget": _("확인된 현금 안에서 더 살 수 없습니다."),
}

_TARGETS = {
    "no_weights": _("%(scope)s: 비중이 없습니다."),
    "too_many_names": _("%(scope)s: 항목이 %(names)s개입니다. %(max)s개까지 가능합니다."),
    "weight_not_a_number": _("%(scope)s %(name)s: 비중은 숫자여야 합니다 (%(value)s)."),
    "weight_negative": _("%(scope)s %(name)s: 비중이 0보다 작습니다 (%(value)s %%)."),
    "weight_above_100": _("%(scope)s %(name)s: 비중이 100 %%를 넘습니다 (%(value)s %%)."),
    "weight_too_fine": _("%(scope)s %(name)s: 비중은 0.01 단위입니다 (%(value)s %%)."),
    "weights_not_100": _("%(scope)s: 합계가 %(total)s %%입니다. 100 %%여야 합니다."),
    "weight_not_a_fraction": _("%(ticker)s: 비중을 읽을 수 없습니다 (%(weight)s)."),
    "weights_exceed_equity": _("비중 합계가 총자산을 넘습니다 (%(total)s)."),
    "weight_out_of_range": _("%(ticker)s: 비중이 범위를 벗어났습니다 (%(weight)s)."),
    "class_reserved": _("%(class)s은 예약된 이름이라 쓸 수 없습니다."),
    "cash_has_tickers": _("현금에는 종목을 넣을 수 없습니다 (%(tickers)s)."),
    "class_unknown": _("%(class)s은 모르는 자산군입니다."),
    "instrument_unknown": _("%(ticker)s은 등록되지 않은 종목입니다."),
    "class_not_in_mp": _("%(class)s은 MP에 없는 자산군입니다."),
    "class_without_tickers": _("%(class)s에 종목이 없습니다."),
    "bad_ticker": _("%(class)s: 종목코드가 올바르지 않습니다 (%(ticker)s)."),
    "unknown_instrument": _("증권사가 모르는 종목입니다: %(ticker)s."),
    "missing_price": _("%(ticker)s: 가격이 없습니다."),
    "bad_price": _("%(ticker)s: 가격이 올바르지 않습니다 (%(price)s)."),
    "missing_kind": _("%(ticker)s: 종목 구분을 모릅니다. 관리 화면에서 정하세요."),
    "equity_out_of_range": _("총자산이 계산 범위를 벗어났습니다 (%(equity)s원)."),
    "buffer_out_of_range": _("현금 버퍼가 범위를 벗어났습니다 (%(buffer)s)."),
    "fee_out_of_range": _("%(ticker)s: 수수료율이 범위를 벗어났습니다 (%(fee)s)."),
}

_ORDERS = {
    "order_unknown": _("주문 결과를 아직 모릅니다. 증권사 주문 목록으로 확인하고 있습니다."),
    "unknown_absent": _("%(checks)s번 확인해도 주문 목록에 없습니다. 사람의 결정이 필요합니다."),
    "unknown_ambiguous": _("같은 주문으로 보이는 것이 여럿입니다: %(orders)s. 하나를 고르세요."),
    "external_order": _("우리가 내지 않은 주문이 있습니다: %(ticker)s %(quantity)s주."),
    "number_not_ours": _(
        "증권사가 답한 주문번호 %(number)s은 다른 주문의 것입니다. %(ticker)s 주문은 목록에서 다시 찾습니다."
    ),
    "number_contradicts": _(
        "우리 %(ours)s 주문의 번호가 목록에서는 %(ticker)s 주문입니다. 사람이 확인해야 합니다."
    ),
    "token_dead_again": _(
        "증권사가 이미 죽은 접속 토큰을 다시 주었습니다. 세 번 이어지면 거래를 멈춥니다."
    ),
    "token_garbled": _("증권사가 쓸 수 없는 접속 토큰으로 답했습니다. 이전 토큰을 그대로 둡니다."),
    "order_list_garbled": _("주문 목록을 믿을 수 없어 쓰지 않았습니다: %(problem)s."),
    "foreign_rows": _("증권사가 다른 계좌의 내용으로 답했습니다. 모두 버렸습니다."),
    "order_twice": _(
        "한 번 보낸 %(ticker)s 주문이 두 번 접수되었습니다 (우리 주문번호 %(ours)s). 거래를 멈췄습니다."
    ),
    "holdings_differ": _("증권사 잔고가 우리 장부와 달라 다시 확인하고 있습니다: %(tickers)s."),
    "external_holding_change": _("우리 기록과 다른 보유 변화가 있습니다: %(tickers)s."),
    "cash_differs": _("현금 %(broker)s원이 우리 계산 %(expected)s원과 다릅니다."),
    "quantity_differs": _("증권사 수량 %(broker)s주가 우리 주문 %(ours)s주와 다릅니다."),
    "fill_regressed": _("체결 수량이 %(ours)s주에서 %(broker)s주로 줄어 보입니다."),
    "fill_corrected": _(
        "증권사가 체결을 정정했습니다: %(ours)s주가 %(broker)s주로 되었습니다. "
        "장부는 그대로 두었으니 확인하세요."
    ),
    "fill_contradicts": _("체결 수량과 금액이 서로 맞지 않습니다 (%(broker)s주, %(won)s원)."),
    "broker_refuses_account": _(
        "증권사가 이 계좌의 주문을 막았습니다 (%(msg_cd)s). 거래를 멈췄습니다."
    ),
    "moved_meanwhile": _("그 사이 상태가 바뀌었습니다. 다시 확인하세요."),
    "order_has_owner": _("이미 다른 주문으로 확인된 번호입니다."),
    "not_unknown": _("이미 결과가 확인된 주문입니다."),
    "no_such_candidate": _("주문번호 %(order_no)s은 후보에 없습니다."),
    "list_incomplete": _("주문 목록을 끝까지 읽지 못해 없다고 말할 수 없습니다."),
    "candidate_exists": _("같은 주문으로 보이는 것이 목록에 있습니다: %(orders)s."),
    "too_early": _("아직 확인 시간이 지나지 않았습니다 (확인 %(checks)s번)."),
    "sender_alive": _("보낸 프로세스가 아직 살아 있어 결과가 올 수 있습니다."),
    "rejected": _("증권사가 주문을 거부했습니다."),
    "rejected_late": _("접수된 뒤 증권사가 주문을 거부했습니다."),
    "vetoed": _("주문 직전 점검에서 막혔습니다."),
    "abandoned": _("접수되지 않은 것으로 확정했습니다."),
    "revoked": _("보내기 전에 거두었습니다."),
    "adopted": _("증권사 주문 목록에서 우리 주문으로 확인했습니다."),
    "declared absent": _("증권사에 없는 주문이라고 사람이 결정했습니다."),
    "aborted before the send": _("보내기 직전에 그만두었습니다. 주문은 나가지 않았습니다."),
    "accepted after all": _("거부되었다던 주문이 접수되어 있어 다시 보내지 않습니다."),
    "no answer recorded": _("보낸 뒤 답을 적지 못해 결과를 모릅니다."),
    "nothing to cancel": _("취소할 주문이 목록에 살아 있지 않아 취소하지 않았습니다."),
    "not authorized": _("보낼 수 있는 상태가 아닙니다."),
}

_SWITCHES = {
    "switch_state": _("정지 단계는 %(allowed)s 가운데 하나여야 합니다."),
    "reason_required": _("이유를 적어 주세요."),
    "release_needs_second_factor": _(
        "본인 정책 계좌는 1분 안에 입력한 2차 인증 코드가 있어야 해제할 수 있습니다."
    ),
    "release_needs_every_account": _("전체 해제는 모든 계좌의 구성원만 할 수 있습니다."),
    "release_already_asked": _("이미 해제 요청이 있습니다. 다른 사람의 동의를 기다립니다."),
    "release_not_open": _("이 해제 요청은 이미 끝났습니다."),
    "policy_not_waiting": _("이 승인 정책은 동의를 기다리지 않습니다."),
    "policy_superseded": _("더 새로운 승인 정책이 있어 동의할 수 없습니다."),
    "policy_needs_another_person": _("만든 사람이 아닌 다른 사람이 동의해야 합니다."),
    "proposal_not_open": _("이미 결정되었거나 기한이 지난 제안입니다."),
    "stopped_again": _("그 사이 다시 정지되었습니다. 이유를 확인한 뒤 새로 해제하세요."),
    "proposed_meanwhile": _("다른 사람이 같은 것을 방금 제안했습니다. 다시 확인하세요."),
    "release_needs_an_admin": _(
        "해제는 그 계좌의 관리자 이름으로 요청합니다. %(who)s: 이 계좌의 관리자가 아닙니다."
    ),
    "proposer_may_no_longer": _("제안한 %(who)s님은 이제 제안할 수 있는 사람이 아닙니다."),
    "proposal_overtaken": _("제안한 뒤에 다른 것이 적용되었습니다. 새로 제안해야 합니다."),
    "proposal_not_yours": _("제안한 사람만 거둘 수 있습니다."),
    "proposal_needs_another_person": _("네 눈 원칙: 제안한 사람은 동의할 수 없습니다."),
    "proposal_about_yourself": _("자기 자신의 역할에는 동의할 수 없습니다."),
    "proposal_unreadable": _("제안의 내용을 읽을 수 없습니다. 새로 제안하세요."),
    "person_not_active": _("%(who)s님은 지금 들어올 수 없는 사람입니다."),
    "second_person_required": _("네 눈 원칙: 해제에는 다른 사람의 동의가 필요합니다."),
    "approver_not_independent": _(
        "%(by)s님이 %(who)s님의 비밀번호나 2차 인증을 바꾸어, %(until)s까지는 두 사람으로 보지 않습니다."
        " 다른 사람에게 맡기거나 그 뒤에 하세요."
    ),
    "not_engaged": _("이미 거래 가능한 상태입니다."),
    "only_everything_stopped": _(
        "이 계좌만 따로 정지된 것은 아닙니다. 모든 계좌가 정지되어 있으니 전체 해제를 하세요."
    ),
    "only_accounts_stopped": _(
        "모든 계좌를 한꺼번에 멈춘 정지는 없습니다. 정지된 계좌에서 그 계좌를 해제하세요."
    ),
    "account_halted_by": _("%(who)s님이 이 계좌의 거래를 멈췄습니다. 새 주문이 나가지 않습니다."),
    "all_halted_by": _("%(who)s님이 모든 계좌의 거래를 멈췄습니다. 새 주문이 나가지 않습니다."),
    "account_reduced_by": _("%(who)s님이 이 계좌의 매수를 멈췄습니다."),
    "all_reduced_by": _("%(who)s님이 모든 계좌의 매수를 멈췄습니다."),
    "account_halted": _("문제가 잇따라 이 계좌의 거래를 자동으로 멈췄습니다."),
    "audit_broken": _("감사 기록이 %(seq)s번에서 이어지지 않습니다. 모든 거래를 멈췄습니다."),
    "owned": _("다른 주문의 것입니다"),
    "known_before": _("보내기 전에 이미 있었습니다"),
    "another_day": _("날짜가 다릅니다"),
    "another_lane": _("종목이나 방향이 다릅니다"),
    "another_time": _("보낸 시각과 맞지 않습니다"),
    "another_quantity": _("수량이 다릅니다"),
    "another_price": _("가격이 다릅니다"),
    "another_order": _("다른 주문의 취소입니다"),
    "a_change": _("정정·취소 주문입니다"),
    "window_over": _("답을 기다린 뒤 %(seconds)s초가 지났습니다"),
    "looked_often": _("그 뒤 20초 넘게 떨어져 %(needed)s번 찾았습니다 (%(checks)s번)"),
    "none_fits": _("맞는 주문이 목록에 없습니다"),
    "sender_ended": _("보낸 프로세스가 답을 읽었거나 끝났습니다"),
    "audit_lost": _(
        "감사 기록이 데이터베이스 밖에 적어 둔 것과 다릅니다 (%(seq)s번). 옛 백업으로 되돌렸거나 기록이 "
        "다시 쓰였습니다. 모든 거래를 멈췄습니다."
    ),
    "anchor_unreachable": _(
        "감사 기록의 표시를 %(path)s에 적지 못합니다. 자리와 권한을 확인하세요."
    ),
    "law_broken": _(
        "안전 규칙에 어긋난 기록이 %(count)s건 있습니다: %(law)s. 모든 거래를 멈췄습니다. "
        "manage.py invariants가 어느 기록인지 알려 줍니다."
    ),
    "clock_off": _("시계가 증권사와 %(seconds)s초 다릅니다. 거래를 멈췄습니다."),
    "daily_loss_reducing": _("오늘 손익이 %(percent)s %%입니다. 매수를 멈췄습니다."),
    "daily_loss_halted": _("오늘 손익이 %(percent)s %%입니다. 거래를 멈췄습니다."),
    "refusal_was_wrong": _(
        "거부되었다던 주문이 목록에 있습니다: %(ticker)s (%(msg_cd)s). 거래를 멈췄습니다."
    ),
    "late_order": _("접수되지 않았다고 결정한 주문이 나타나 거래를 멈췄습니다."),
    "account_not_paused": _("이 계좌는 멈춰 있지 않습니다."),
    "already_stricter": _("이미 더 강하게 멈춰 있습니다. 풀려면 해제를 사용하세요."),
}

_BROKER = {
    "broker": _("증권사에서 답을 받지 못했습니다."),
    "broker_unavailable": _("증권사가 응답하지 않습니다. 잠시 뒤 다시 시도하세요."),
    "broker_down": _("증권사가 한동안 응답하지 않아 잠시 묻지 않습니다. 15초 안에 다시 묻습니다."),
    "broker_refused": _("증권사가 요청을 거부했습니다."),
    "broker_busy": _("조회가 너무 잦습니다. 잠시 뒤 다시 시도하세요."),
    "broker_token_dead": _("접속 토큰이 만료되었습니다. 다시 발급하고 있습니다."),
    "broker_misconfigured": _("앱 키나 계좌번호가 맞지 않습니다. 관리 화면에서 확인하세요."),
    "broker_garbled": _("증권사의 답을 읽을 수 없습니다. 아무것도 바꾸지 않았습니다."),
    "price_missing": _("%(tickers)s의 가격을 읽을 수 없습니다. 주문은 나가지 않았습니다."),
    "configuration": _("설정이 맞지 않아 증권사에 연결할 수 없습니다."),
}

_PERSON = {
    "second_factor_required": _("2차 인증을 먼저 설정해야 합니다 (설정 → 2차 인증)."),
    "code_required": _("인증 앱의 코드를 입력하세요. 코드는 %(minutes)s분 동안 유효합니다."),
    "code_wrong": _("코드가 맞지 않거나 이미 쓴 코드입니다. 다음 코드를 기다려 다시 입력하세요."),
    "code_locked": _("여러 번 틀렸습니다. %(minutes)s분 뒤에 다시 시도하세요."),
    "token_name": _("무엇에 쓰는 토큰인지 60자 안에서 이름을 적으세요."),
    "token_reach": _("읽기만 할지, 쓰기도 할지 고르세요."),
    "token_days": _("기간은 %(days)s일 가운데 고르세요."),
    "too_many_tokens": _("살아 있는 토큰이 이미 %(most)s개입니다. 하나를 끝내고 다시 만드세요."),
    "factor_in_force": _("이미 2차 인증을 쓰고 있습니다."),
    "factor_not_waiting": _("설정 중인 2차 인증이 없습니다. 처음부터 다시 하세요."),
    "factor_missing": _("2차 인증이 없습니다."),
    "credentials_changed": _(
        "%(by)s님이 %(who)s님의 비밀번호나 2차 인증을 바꾸었습니다. 24시간 동안 두 사람은 서로 요청한 것을"
        " 승인하지 못합니다. 모르는 일이면 거래를 멈추고 확인하세요."
    ),
    "password_wrong": _("비밀번호가 맞지 않습니다."),
    "password_guessed": _(
        "한 이름의 비밀번호가 %(tries)s번 잇따라 틀렸습니다. 본인인지 확인하세요."
    ),
}

WORDS = Words(_GATE | _TARGETS | _ORDERS | _SWITCHES | _BROKER | _PERSON)
