"""The check before a send as a person reads it: each rule that was asked, and each fact that it saw.

Rules are named by what must hold, so that "passed" and "stopped" read on from the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from trading.domain.limits import NOT_ASKED
from trading.models import Instrument, Intent, OrderAction, Side, Switch, TradingLimits
from trading.selectors.moments import moment_said
from trading.selectors.words import Sentence

__all__ = ["INPUT_NAMES", "RULE_NAMES", "facts_said", "rule_name", "rule_numbers"]

RULE_NAMES: Mapping[str, Sentence] = {
    "switch": gettext_lazy("거래가 정지되어 있지 않다"),
    "environment": gettext_lazy("계좌 환경과 접속 주소가 맞다"),
    "one_build": gettext_lazy("한 버전의 프로그램만 주문한다"),
    "account_not_paused": gettext_lazy("계좌가 중지되어 있지 않다"),
    "session_open": gettext_lazy("주문할 수 있는 시간이다"),
    "instrument_tradable": gettext_lazy("거래할 수 있는 종목이고 거래정지가 아니다"),
    "not_interrupted": gettext_lazy("변동성완화장치(VI)가 걸려 있지 않다"),
    "no_warning_on_buy": gettext_lazy("투자 주의 종목을 사지 않는다"),
    "approved": gettext_lazy("승인된 계획의 주문이다"),
    "before_deadline": gettext_lazy("주문 기한 안이다"),
    "lane_free": gettext_lazy("같은 종목의 앞선 주문 결과를 안다"),
    "quantity": gettext_lazy("수량이 허용 범위 안이다"),
    "quote_fresh": gettext_lazy("현재가가 오래되지 않았다"),
    "price_on_tick": gettext_lazy("호가 단위에 맞는 가격이다"),
    "price_inside_daily_limits": gettext_lazy("가격제한폭 안의 가격이다"),
    "price_collar": gettext_lazy("현재가에서 멀지 않은 가격이다"),
    "order_amount": gettext_lazy("주문 한 건의 금액 한도 안이다"),
    "ticker_amount": gettext_lazy("한 종목의 하루 금액 한도 안이다"),
    "run_amount": gettext_lazy("리밸런싱 하나의 금액 한도 안이다"),
    "day_amount": gettext_lazy("계좌의 하루 금액 한도 안이다"),
    "volume_share": gettext_lazy("전일 거래량에 비해 크지 않다"),
    "pace": gettext_lazy("주문이 너무 잦지 않다"),
    "order_count": gettext_lazy("하루 주문 건수 한도 안이다"),
    "no_duplicate": gettext_lazy("1분 안에 같은 주문이 없었다"),
    "no_self_trade": gettext_lazy("같은 종목의 반대 주문이 살아 있지 않다"),
    "shares": gettext_lazy("팔 수 있는 수량이 있다"),
    "cash": gettext_lazy("살 수 있는 현금이 있다"),
    "budget": gettext_lazy("확인된 현금 안에서 산다"),
}
INPUT_NAMES: Mapping[str, tuple[Sentence, str]] = {
    "action": (pgettext_lazy("one", "동작"), "action"),
    "origin": (gettext_lazy("출처"), "origin"),
    "side": (gettext_lazy("매매 구분"), "side"),
    "quantity": (gettext_lazy("수량"), "shares"),
    "limit_price": (gettext_lazy("지정가"), "won"),
    "kind": (gettext_lazy("종목 구분"), "kind"),
    "now": (gettext_lazy("점검한 때"), "moment"),
    "switch": (gettext_lazy("거래 스위치"), "switch"),
    "environment_ok": (gettext_lazy("계좌 환경과 접속 주소가 맞음"), "yes"),
    "market_open": (gettext_lazy("정규장"), "yes"),
    "cancel_allowed_now": (gettext_lazy("취소할 수 있는 시간"), "yes"),
    "instrument_tradable": (gettext_lazy("거래 허용"), "yes"),
    "approval_ok": (gettext_lazy("승인됨"), "yes"),
    "deadline": (gettext_lazy("주문 기한"), "moment"),
    "lane_free": (gettext_lazy("앞선 주문의 결과를 앎"), "yes"),
    "account_paused": (gettext_lazy("계좌 중지"), "yes"),
    "opposite_open": (gettext_lazy("살아 있는 반대 주문"), "count"),
    "duplicates": (gettext_lazy("1분 안의 같은 주문"), "count"),
    "sent_last_minute": (gettext_lazy("지난 1분의 주문"), "count"),
    "sent_today": (gettext_lazy("오늘의 주문"), "count"),
    "quote_at": (gettext_lazy("현재가의 시각"), "moment"),
    "quote_last": (gettext_lazy("현재가"), "won"),
    "upper_limit": (gettext_lazy("상한가"), "won"),
    "lower_limit": (gettext_lazy("하한가"), "won"),
    "halted": (gettext_lazy("거래정지"), "yes"),
    "vi": (gettext_lazy("변동성완화장치(VI)"), "yes"),
    "warning": (gettext_lazy("투자 주의"), "text"),
    "sellable": (gettext_lazy("매도 가능 수량"), "shares"),
    "open_sell_shares": (gettext_lazy("이미 팔려고 낸 수량"), "shares"),
    "orderable_won": (gettext_lazy("주문 가능 현금"), "won"),
    "orderable_at": (gettext_lazy("주문 가능 현금을 읽은 때"), "moment"),
    "cash_changed_at": (gettext_lazy("현금이 마지막으로 바뀐 때"), "moment"),
    "reserved_won": (gettext_lazy("다른 주문에 묶인 돈"), "won"),
    "needed_won": (gettext_lazy("이 주문에 필요한 돈"), "won"),
    "budget_won": (gettext_lazy("확인된 현금"), "won"),
    "budget_used_won": (gettext_lazy("확인된 현금에서 이미 쓴 돈"), "won"),
    "ticker_won": (gettext_lazy("오늘 이 종목의 주문 금액"), "won"),
    "run_won": (gettext_lazy("이 리밸런싱의 주문 금액"), "won"),
    "day_won": (gettext_lazy("오늘 계좌의 주문 금액"), "won"),
    "previous_volume": (gettext_lazy("전일 거래량"), "volume"),
    "limits": (gettext_lazy("적용된 한도"), "limits"),
    "other_build": (gettext_lazy("아직 주문할 수 있는 다른 버전"), "text"),
}
"""Each field of the gate's inputs: what it is called and of which kind it is."""
_NUMBERS: Mapping[str, tuple[Sentence, str]] = {
    "state": (gettext_lazy("거래 스위치"), "switch"),
    "other": (gettext_lazy("다른 버전"), "text"),
    "now": (gettext_lazy("점검한 때"), "moment"),
    "tradable": (gettext_lazy("거래 허용"), "yes"),
    "halted": (gettext_lazy("거래정지"), "yes"),
    "vi": (gettext_lazy("변동성완화장치(VI)"), "yes"),
    "warning": (gettext_lazy("투자 주의"), "text"),
    "deadline": (gettext_lazy("주문 기한"), "moment"),
    "quantity": (gettext_lazy("수량"), "shares"),
    "age_seconds": (gettext_lazy("현재가의 나이"), "seconds"),
    "price": (pgettext_lazy("one", "가격"), "won"),
    "low": (gettext_lazy("하한가"), "won"),
    "high": (gettext_lazy("상한가"), "won"),
    "last": (gettext_lazy("현재가"), "won"),
    "away_percent": (gettext_lazy("현재가와의 거리"), "percent"),
    "won": (gettext_lazy("금액"), "won"),
    "volume": (gettext_lazy("전일 거래량"), "volume"),
    "last_minute": (gettext_lazy("지난 1분의 주문"), "count"),
    "today": (gettext_lazy("오늘의 주문"), "count"),
    "same_within_minute": (gettext_lazy("1분 안의 같은 주문"), "count"),
    "opposite_open": (gettext_lazy("살아 있는 반대 주문"), "count"),
    "sellable": (gettext_lazy("매도 가능 수량"), "shares"),
    "needed": (gettext_lazy("필요한 돈"), "won"),
    "reserved": (gettext_lazy("묶인 돈"), "won"),
    "orderable": (gettext_lazy("주문 가능 현금"), "won"),
    "fresh": (gettext_lazy("현금을 새로 읽음"), "yes"),
    "used": (gettext_lazy("이미 쓴 돈"), "won"),
    "confirmed": (gettext_lazy("확인된 현금"), "won"),
    "error": (gettext_lazy("오류"), "text"),
}


def rule_name(rule: str) -> str:
    """What must hold; the rule's own code where a newer program asked one that this one does not know."""
    return str(RULE_NAMES.get(rule, rule))


def rule_numbers(rule: str, numbers: Mapping[str, Any]) -> str:
    """What a rule was decided on, name by name; empty where it was decided on nothing but itself."""
    counted = {"volume_share": "percent", "pace": "count", "order_count": "count"}
    unit = "won" if rule.endswith("_amount") else counted.get(rule, "shares")
    most = (pgettext_lazy("one", "한도"), unit)
    told = {**_NUMBERS, "max": most}
    return " · ".join(
        f"{told[name][0] if name in told else name} {_said(told.get(name, ('', 'text'))[1], value)}"
        for name, value in numbers.items()
        if value not in ("", None)
    )


def facts_said(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, value) of every fact that the gate saw, in the order in which it keeps them."""
    names = [*(name for name in INPUT_NAMES if name in inputs), *sorted({*inputs} - {*INPUT_NAMES})]
    found = []
    for name in names:
        label, kind = INPUT_NAMES.get(name, (name, "text"))
        found.append((str(label), _said(kind, inputs[name])))
    return found


def _said(kind: str, value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("예") if value else _("아니요")
    if kind == "moment":
        return _moment(str(value))
    codes: Mapping[str, Mapping[str, Sentence]] = {
        "action": dict(OrderAction.choices),
        "origin": dict(Intent.Origin.choices),
        "side": dict(Side.choices),
        "switch": dict(Switch.State.choices),
        "kind": dict(Instrument.KINDS),
    }
    if kind == "limits" and isinstance(value, Mapping):
        return " · ".join(
            f"{_limit_name(name)} {_said('number', one)}" for name, one in value.items()
        )
    if kind == "volume" and value == NOT_ASKED:
        return "–"
    if kind in codes:
        return str(codes[kind].get(str(value), value))
    units: Mapping[str, str] = {
        "won": _("%(amount)s원"),
        "shares": _("%(count)s주"),
        "volume": _("%(count)s주"),
        "number": "%(n)s",
        "count": _("%(n)s건"),
        "seconds": _("%(n)s초"),
        "percent": "%(n)s %%",
    }
    if kind not in units or isinstance(value, list | dict):
        return str(value)
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return units[kind] % {"amount": text, "count": text, "n": text}


def _limit_name(name: str) -> str:
    known: dict[str, Sentence] = {
        "quote_age_seconds": _("현재가의 나이 (초)"),
        "max_quantity": _("주문 수량 (주)"),
        "duplicate_seconds": _("같은 주문으로 보는 시간 (초)"),
    }
    fields = {field.name: field.verbose_name for field in TradingLimits._meta.fields}
    return str(known.get(name) or fields.get(name, name))


def _moment(text: str) -> str:
    try:
        return moment_said(datetime.fromisoformat(text))
    except ValueError:
        return text
