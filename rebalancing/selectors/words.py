"""What a code of the rebalancing floor means, in a sentence with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from rebalancing.domain.states import RunState
from rebalancing.selectors.advice_words import ADVICE
from trading.selectors.words import WORDS as TRADING
from trading.selectors.words import Sentence, Words

__all__ = [
    "LEG_REASONS",
    "STATE_NAMES",
    "WORDS",
    "check_sentence",
    "end_said",
    "price_rule",
    "run_state_name",
]

_START = {
    "no_targets": _("이 계좌의 목표가 없습니다. 관리 화면에서 MP와 Sub-MP를 정하세요."),
    "not_a_trading_day": _("%(day)s은 휴장일입니다."),
    "market_closed": _("정규장이 아닙니다. 정규장에 다시 시작하세요."),
    "too_late_today": _("오늘의 마지막 시작 시각이 지났습니다."),
    "trading_stopped": _("긴급 정지 상태입니다."),
    "account_paused_external": _(
        "우리가 내지 않은 주문이 있어 계좌 매수를 멈췄습니다. 개요에서 확인한 뒤 푸세요."
    ),
    "account_paused": _("계좌가 중지되어 있습니다 (%(why)s)."),
    "unknown_orders": _("결과를 모르는 주문이 %(count)s건 있습니다. 먼저 확인하세요."),
    "run_active": _("이미 진행 중인 리밸런싱 #%(run)s이 있습니다."),
    "slot_taken": _("이 시각의 리밸런싱 #%(run)s이 이미 있습니다."),
    "orders_working": _("주문이 진행 중입니다. 끝난 뒤 조회하세요."),
}

_FILES = {
    "csv_too_big": _("파일이 %(max)s kB보다 큽니다."),
    "csv_not_text": _("CSV 글이 아닙니다. 엑셀이라면 ‘CSV UTF-8’로 저장해 주세요."),
    "csv_columns": _("첫 줄에 %(expected)s 열이 하나씩 있어야 합니다."),
    "csv_too_many_rows": _("줄이 %(max)s개보다 많습니다."),
    "csv_row_class": _("%(row)s번째 줄: 모르는 자산군입니다 (%(name)s)."),
    "csv_row_ticker": _("%(row)s번째 줄: 종목 코드가 아닙니다 (%(name)s)."),
    "csv_row_percent": _("%(row)s번째 줄: 비중이 아닙니다 (%(value)s). 예: 12.5"),
    "csv_row_twice": _("%(row)s번째 줄: 두 번 나옵니다 (%(name)s)."),
    "csv_more_rows": _("그 밖에 %(n)s군데가 더 있습니다."),
    "csv_nothing_changes": _("지금 목표와 같은 파일이라 바꿀 것이 없습니다."),
    "targets_changed": _("미리보기를 본 뒤에 목표가 바뀌었습니다. 파일을 다시 고르세요."),
    "csv_class_without_weight": _("비중이 없는데 종목이 있습니다 (%(name)s)."),
}

_ASKING = {
    "filter": _("%(name)s의 값을 읽을 수 없습니다: %(value)s. 쓸 수 있는 값: %(allowed)s."),
    "filter_unknown": _("그런 거르는 이름은 없습니다: %(name)s. 쓸 수 있는 이름: %(names)s."),
    "filter_twice": _("거르는 이름은 한 번만 쓸 수 있습니다: %(name)s."),
    "account": _("계좌 번호가 올바르지 않습니다 (%(value)s)."),
    "idempotency_key": _(
        "Idempotency-Key 헤더가 필요합니다: 영문자, 숫자, 점, 밑줄, 쌍점, 붙임표 8–64자."
    ),
    "key_used_for_another_request": _("이 Idempotency-Key는 다른 요청(%(request)s)에 쓰였습니다."),
    "key_of_an_account_left": _(
        "이 Idempotency-Key로 보낸 요청은 이제 구성원이 아닌 계좌의 것일 수 있습니다. 새 키로 보내세요."
    ),
    "key_in_use": _("같은 Idempotency-Key의 요청이 아직 끝나지 않았습니다. 잠시 뒤 다시 보내세요."),
    "no_version": _("%(code)s에는 아직 비중이 없습니다."),
}

_DECISIONS = {
    "not_awaiting": _("승인을 기다리는 계획이 아닙니다. 이미 결정되었거나 끝났습니다."),
    "stale_plan": _("보고 계신 계획이 바뀌었습니다. 새 계획을 확인하세요."),
    "already_decided": _("이 계획은 이미 결정되었습니다."),
    "approval_expired": _("승인 시간이 지났습니다. 주문은 나가지 않았습니다."),
    "approver_role_required": _("승인자 역할이 필요합니다."),
    "not_a_member": _("이 계좌의 구성원이 아닙니다."),
    "requester_may_not_approve": _("네 눈 원칙: 요청한 사람은 승인할 수 없습니다."),
    "scheduler_may_not_approve": _(
        "네 눈 원칙: 이 예약을 마지막으로 바꾼 사람은 승인할 수 없습니다."
    ),
    "target_decider_may_not_approve": _(
        "네 눈 원칙: 이 목표를 혼자 정한 사람은 승인할 수 없습니다."
    ),
    "config_out_of_range": _("리밸런싱 설정 ‘%(name)s’의 값이 허용 범위 밖입니다."),
    "practice_policy_on_real_account": _("실전 계좌에는 연습용 승인 정책을 쓸 수 없습니다."),
    "run_moved": _("그 사이 리밸런싱이 다음 단계로 갔습니다. 다시 확인하세요."),
    "run_ended": _("이미 끝난 리밸런싱입니다."),
    "not_paused": _("멈춘 리밸런싱이 아닙니다."),
}

_NOT_AUTOMATIC = {
    "automatic_off": _("자동 승인이 꺼져 있습니다."),
    "a_person_asked": _("사람이 요청한 리밸런싱입니다."),
    "check_needs_person": _("점검 결과를 사람이 보아야 합니다."),
    "first_funding": _("보유 종목이 없는 첫 매수입니다."),
    "turnover": _("회전율 %(percent)s %%가 한도 %(max)s %%를 넘습니다."),
    "cost": _("예상 비용 %(won)s원이 한도 %(max)s원을 넘습니다."),
    "unknown_today": _("오늘 결과를 몰랐던 주문이 있었습니다."),
}

_ENDS = {
    "inside_bands": _("모든 비중이 임계값 안에 있어 할 일이 없었습니다."),
    "all_trades_too_small": _("필요한 거래가 모두 최소 거래금액보다 작았습니다."),
    "denied": _("승인자가 거절했습니다. 주문은 나가지 않았습니다."),
    "canceled_by_person": _("사람이 취소했습니다. 주문은 나가지 않았습니다."),
    "cannot_plan": _("계획을 만들 수 없어 끝냈습니다. 주문은 나가지 않았습니다."),
    "open_orders": _("체결을 기다리는 주문이 있어 끝냈습니다: %(orders)s."),
    "snapshot_too_old": _("조회한 값이 60초보다 오래되어 끝냈습니다. 다시 시작하세요."),
    "checks_failed": _("점검을 통과하지 못했습니다. 주문은 나가지 않았습니다."),
    "over_run_amount": _(
        "계획의 금액이 가격 변동 2 %%를 더하면 %(won)s원으로, 리밸런싱 하나의 한도 %(max)s원을 넘습니다."
    ),
    "over_day_amount": _(
        "오늘 거래한 것과 이 계획을 더하면 가격 변동 2 %%까지 %(won)s원으로, 하루 한도 %(max)s원을 넘습니다."
    ),
    "over_order_amount": _(
        "%(ticker)s 주문이 가격 변동 2 %%를 더하면 %(won)s원으로, 주문 한 건의 한도 %(max)s원을 넘습니다."
    ),
    "over_ticker_amount": _(
        "%(ticker)s: 오늘 거래한 것과 이 계획을 더하면 가격 변동 2 %%까지 %(won)s원으로, 한 종목의 하루 한도 "
        "%(max)s원을 넘습니다."
    ),
    "over_quantity": _("%(ticker)s 주문 %(quantity)s주가 주문 한 건의 한도 %(max)s주를 넘습니다."),
    "over_price_collar": _(
        "%(ticker)s: 계획한 가격이 현재가에서 %(away)s %% 떨어져 한도 %(max)s %%를 넘습니다."
    ),
    "over_volume_share": _(
        "%(ticker)s 주문 %(quantity)s주가 전일 거래량 %(volume)s주의 %(max)s %%를 넘습니다."
    ),
    "over_order_count": _(
        "오늘 낸 주문 %(spent)s건에 이 계획이 다시 낼 것까지 %(planned)s건을 더하면 하루 한도 %(max)s건을 "
        "넘습니다."
    ),
    "over_pace": _(
        "앞뒤 주문까지 %(planned)s건이 1분에 %(max)s건으로는 %(minutes)s분 안에 나가지 못합니다."
    ),
    "dry_run": _("모의 계산이라 계획까지만 만들었습니다. 주문은 나가지 않았습니다."),
    "stopped_by_person": _("사람이 중지해 계획을 다 마치지 않았습니다. 남은 현금 %(cash)s원."),
    "stopped_by_switch": _("긴급 정지로 계획을 다 마치지 않았습니다. 남은 현금 %(cash)s원."),
    "shortfall": _("계획한 만큼 체결되지 않았습니다. 남은 현금 %(cash)s원."),
}

_MOVES = {
    "prices_moved": _("가격이 움직여 계획을 다시 만듭니다."),
    "new_generation": _("새 값으로 계획을 다시 만듭니다."),
    "resumed": _("사람이 다시 진행했습니다."),
    "resolved": _("모르던 주문의 결과가 확인되었습니다."),
    "unknown_order": _("결과를 모르는 주문이 있어 멈췄습니다."),
    "external_order_on_run": _("같은 종목에 외부 주문이 있어 멈췄습니다."),
    "next_day": _("날이 바뀌어 마감합니다."),
    "stale": _("계획이 낡아 보내지 않았습니다."),
    "halted": _("긴급 정지로 보내지 않았습니다."),
    "run_ends": _("리밸런싱이 끝나 보내지 않았습니다."),
}

_LEGS = {
    "deadline": _("기한 안에 체결되지 않았습니다."),
    "no_cash": _("확인된 현금이 모자라 사지 않았습니다."),
    "person": _("사람이 멈췄습니다."),
    "price aged": _("가격이 오래되어 새 가격으로 다시 주문합니다."),
    "outside_collar": _("기준가에서 ±2 %%를 벗어나 보내지 않았습니다."),
    "not_approved": _("승인된 계획이 아닙니다."),
    "expired_approval": _("승인 시간이 지났습니다."),
    "external": _("외부 주문 때문에 멈췄습니다."),
}

_SCHEDULES = {
    "schedule_outside_session": _(
        "%(at)s에는 시작할 수 없습니다. 09:00부터 15:10 전까지의 시각을 고르세요."
    ),
    "schedule_whole_minutes": _("초 없이 시와 분만 적으세요. 예: 09:40"),
    "schedule_needs_minimum": _("입출금을 기다리는 예약에는 0보다 큰 최소 입출금액이 필요합니다."),
    "schedule_bands_only_periodic": _("‘임계값 안이어도 목표까지’는 정기 예약에만 쓸 수 있습니다."),
    "schedule_time_taken": _("이 계좌에는 %(at)s의 예약이 이미 있습니다."),
}

_PLANNING = {
    "class_twice": _("%(class)s에 Sub-MP가 둘 이상입니다."),
    "instrument_not_tradable": _("%(ticker)s은 거래가 허용되지 않은 종목입니다."),
    "class_without_sub": _("%(class)s의 Sub-MP를 고르지 않았습니다."),
    "no_equity": _("총자산이 0원입니다."),
    "withdrawal_exceeds_equity": _("출금액이 총자산보다 큽니다."),
    "threshold_out_of_range": _("임계값은 %(min)s에서 %(max)s %%p 사이입니다 (%(value)s)."),
    "no_market_data": _("%(ticker)s: 시세가 없습니다."),
    "no_price_inside_collar": _("%(ticker)s: 허용 범위 안의 호가가 없습니다."),
    "no_last_price": _("현재가가 없습니다."),
    "price_strategy": _("알 수 없는 가격 규칙입니다 (%(strategy)s)."),
    "book_level_missing": _("호가가 비어 있습니다 (%(strategy)s)."),
    "book_off_tick": _("호가가 호가 단위에 맞지 않습니다."),
    "planner_changed_quantity": _(
        "%(ticker)s: 계획 수량이 %(wanted)s주가 아닙니다 (%(planned)s주)."
    ),
    "slices_do_not_add_up": _("%(ticker)s: 나눈 수량의 합이 맞지 않습니다."),
    "limit_price_does_not_fit_type": _("%(ticker)s: 주문 방식과 가격이 맞지 않습니다."),
    "market_not_allowed": _("시장가는 허용되지 않습니다."),
    "collar": _("%(price)s원은 기준가 %(reference)s원에서 너무 멉니다."),
    "negative_shares": _("%(ticker)s: 수량이 0보다 작습니다."),
    "not_a_list": _("조언의 형식이 올바르지 않습니다."),
    "schema": _("조언의 항목 형식이 올바르지 않습니다."),
    "unknown_trade": _("조언에 없는 거래가 들어 있습니다 (%(ticker)s)."),
    "order_type": _("주문 방식이 올바르지 않습니다."),
    "tick": _("호가 단위에 맞지 않는 가격입니다."),
    "slices": _("너무 많이 나누었습니다."),
    "quantity_mismatch": _("조언의 수량이 거래와 다릅니다."),
}

_ALERTS = {
    "run_failed": _("리밸런싱이 끝까지 가지 못했습니다."),
    "run_vetoed": _("리밸런싱이 점검을 통과하지 못했습니다."),
    "run_paused": _("리밸런싱이 멈췄습니다. 사람의 결정이 필요합니다."),
    "run_shortfall": _("리밸런싱이 계획보다 적게 체결되었습니다. 남은 현금 %(cash)s원."),
    "schedule_refused": _("예약 리밸런싱을 시작하지 못했습니다."),
    "run_step_broken": _("리밸런싱의 한 단계가 오류로 멈췄습니다. 30초 뒤 다시 시도합니다."),
    "run_hangs": _("리밸런싱이 예상보다 오래 머물러 있습니다. 확인이 필요합니다."),
    "orders_unseen": _(
        "증권사 주문 목록을 45초 넘게 읽지 못했습니다. 그동안 새 주문은 나가지 않고 시한은 흘러갑니다."
    ),
    "broker_silent": _(
        "증권사가 1분 넘게 응답하지 않습니다. 응답할 때까지 새 주문은 나가지 않고, 15초마다 다시 묻습니다."
    ),
    "order_unknown_long": _("주문의 결과를 2분 넘게 알 수 없습니다. 확인이 필요합니다."),
    "cancel_hangs": _("취소가 2분 넘게 확인되지 않습니다."),
    "clock_silent": _("시장 시계가 답하지 않습니다. 시뮬레이터를 확인하세요."),
    "slot_skipped": _("예약 시각 %(when)s이 지나 이번 리밸런싱은 건너뛰었습니다 (%(count)s번)."),
    "schedule_broken": _(
        "예약 %(slot)s을 살피다 오류가 났습니다. 다음에 다시 살핍니다. 기록을 확인하세요."
    ),
    "slot_caught_up": _("놓친 예약 %(when)s의 리밸런싱을 늦게 시작했습니다."),
    "drift_waits": _(
        "비중 %(count)s개가 임계값을 넘었는데 오늘 움직일 예약이 없습니다."
        " 리밸런싱을 직접 시작하거나 예약을 켜세요."
    ),
    "check_missed": _("%(when)s의 오전 점검을 하지 못했습니다."),
    "close_missed": _("%(when)s의 마감 대사와 잔고 기록을 하지 못했습니다."),
}

_PROBLEMS = {
    "more_than_held": _("보유한 수량보다 많이 팝니다."),
    "not_tradable": _("거래할 수 없는 종목입니다."),
    "unknown_kind": _("종목 구분을 모릅니다."),
    "limit_off_tick": _("호가 단위에 맞지 않습니다."),
    "limit_outside_collar": _("가격이 기준가에서 너무 멉니다."),
    "legs_do_not_add_up": _("나눈 주문의 합이 거래와 다릅니다."),
}

LEG_REASONS: Mapping[str, Sentence] = {
    "LIQUID_MARKET": _("호가가 두터워 시장가"),
    "BID_MINUS_TICK": _("최우선 매수호가보다 한 호가 아래"),
    "ASK_PLUS_TICK": _("최우선 매도호가보다 한 호가 위"),
    "COLLAR_EDGE": _("허용 범위의 끝 가격"),
    "NO_BOOK": _("호가가 없어 현재가"),
    "ADVISED": _("AI 조언"),
}

WORDS = Words(
    _START
    | _ASKING
    | _FILES
    | _DECISIONS
    | _NOT_AUTOMATIC
    | _ENDS
    | _MOVES
    | _LEGS
    | _SCHEDULES
    | _PLANNING
    | dict(ADVICE)
    | _ALERTS
    | _PROBLEMS
    | dict(LEG_REASONS),
    below=TRADING,
)

STATE_NAMES: Mapping[str, Sentence] = {
    RunState.CREATED: _("시작"),
    RunState.SNAPSHOT: _("계좌 조회"),
    RunState.TARGETS: _("목표 확인"),
    RunState.DRIFT: _("편차 계산"),
    RunState.NO_ACTION: _("할 일 없음"),
    RunState.NETTED: _("거래 계산"),
    RunState.PLANNED: _("계획 작성"),
    RunState.RULES: _("점검"),
    RunState.VETOED: _("점검에서 중단"),
    RunState.AWAITING_APPROVAL: _("승인 대기"),
    RunState.DENIED: _("거절"),
    RunState.APPROVAL_EXPIRED: _("승인 만료"),
    RunState.STALE: _("다시 계획"),
    RunState.APPROVED: _("승인됨"),
    RunState.SELLING: _("매도 주문"),
    RunState.SELL_WAIT: _("매도 체결 대기"),
    RunState.CASH_CONFIRM: _("현금 확인"),
    RunState.BUY_RESIZE: _("매수 수량 조정"),
    RunState.BUY_RULES: _("매수 점검"),
    RunState.BUYING: _("매수 주문"),
    RunState.BUY_WAIT: _("매수 체결 대기"),
    RunState.FINAL_RECON: _("마감 대사"),
    RunState.COMPLETED: _("완료"),
    RunState.COMPLETED_WITH_SHORTFALL: _("일부 체결로 완료"),
    RunState.HALTED: _("긴급 정지"),
    RunState.PAUSED_UNKNOWN: _("멈춤: 모르는 주문"),
    RunState.PAUSED_EXTERNAL: _("멈춤: 외부 주문"),
    RunState.FAILED: _("중단"),
    RunState.CANCELED: _("취소"),
}


_UNSENT = _("주문은 나가지 않았습니다.")


def end_said(reason: str, facts: Mapping[str, Any] | None = None) -> str:
    """Why a run ended; of a plan beyond its account's limits every limit that it passes."""
    if not reason.startswith("over_"):
        return WORDS.say(reason, facts) if reason else ""
    known = dict(facts or {})
    beyond = known.get("beyond") or [known | {"limit": reason.removeprefix("over_")}]
    return " ".join([*(WORDS.say(f"over_{one['limit']}", one) for one in beyond), str(_UNSENT)])


def run_state_name(state: str, end_reason: str = "") -> str:
    """The state in words; one that somebody stopped says so instead of sounding finished."""
    if end_reason in ("stopped_by_person", "stopped_by_switch"):
        return str(_("중지됨, 일부 체결"))
    if end_reason == "dry_run":  # it did all that it was asked for
        return str(_("모의 계산 마침"))
    return str(STATE_NAMES.get(state, state))


_RULES = {
    "CURRENT_PRICE": _("현재가"),
    "OPPOSITE_BEST": _("상대 최우선호가"),
    "": _("정해진 가격"),
}


def price_rule(strategy: str) -> str:
    """The price rule of a leg as people say it."""
    if strategy in _RULES:
        return str(_RULES[strategy])
    head, _underscore, number = strategy.rpartition("_")
    texts = {
        "CURRENT_BID": _("매수 %(n)s호가"),
        "CURRENT_ASK": _("매도 %(n)s호가"),
        "PLUS_TICKS": _("상대 최우선 +%(n)s호가"),
        "MINUS_TICKS": _("상대 최우선 −%(n)s호가"),
    }
    return str(texts[head]) % {"n": number} if head in texts else strategy


_CHECKS = {
    ("V1", "PASS"): _("현금 %(available)s원으로 매수에 필요한 %(required)s원을 낼 수 있습니다."),
    ("V1", "FAIL"): _("현금 %(available)s원이 매수에 필요한 %(required)s원보다 모자랍니다."),
    ("V2", "PASS"): _("거래 뒤 비중 %(after)s %%, 목표 %(effective)s %%."),
    ("V2", "PASS_GRANULAR"): _(
        "거래 뒤 비중 %(after)s %%, 목표 %(effective)s %%. 1주가 총자산의 %(one_share)s %%라"
        " 더 가까이 갈 수 없습니다 (가장 가까운 비중 %(reachable)s %%)."
    ),
    ("V2", "PASS_FILTERED"): _(
        "거래 뒤 비중 %(after)s %%, 목표 %(effective)s %%. 최소 거래금액보다 작은 거래를 뺐습니다."
    ),
    ("V2", "FAIL"): _("거래 뒤 비중 %(after)s %%가 목표 %(effective)s %%에서 벗어납니다."),
    ("V3", "PASS"): _("거래금액 %(amount)s원은 한도 %(limit)s원 안입니다."),
    ("V3", "NEEDS_PERSON"): _(
        "거래금액 %(amount)s원이 총자산의 절반 %(limit)s원을 넘습니다. 첫 매수라 사람이 결정합니다."
    ),
    ("V3", "FAIL"): _("거래금액 %(amount)s원이 총자산의 절반 %(limit)s원을 넘습니다."),
    ("V4", "PASS"): _("%(quantity)s주 주문을 보낼 수 있습니다 (보유 %(held)s주)."),
    ("V4", "FAIL"): _("%(quantity)s주 주문을 보낼 수 없습니다: %(problems)s"),
}
_FRACTIONS = ("target", "effective", "after", "one_share", "reachable")


def check_sentence(rule: str, verdict: str, numbers: Mapping[str, object]) -> str:
    """One check of V1–V4 with its numbers, as a sentence."""
    sentence = _CHECKS.get((rule, verdict))
    if sentence is None:
        return f"{rule} {verdict}"
    return str(sentence) % {name: _number(name, value) for name, value in numbers.items()}


def _number(name: str, value: object) -> str:
    if name == "problems":
        codes = (
            value if isinstance(value, list) else str(value).strip("[]").replace("'", "").split(",")
        )
        return " ".join(WORDS.say(str(code).strip()) for code in codes if str(code).strip())
    try:
        amount = float(str(value))
    except ValueError:
        return str(value)
    return f"{amount * 100:,.2f}" if name in _FRACTIONS else f"{amount:,.0f}"
