"""한도: every limit that can stop an order or a run, as the code holds it, to read.

The values are those that the deciding code itself uses; none is kept here. What a person may change is a
row of its own, and the page leads to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from config.limit_shapes import Limit, LimitGroup, minutes, number, percent, seconds
from config.order_limits import account_limits, order_limits
from rebalancing.domain.slicing import MAX_SLICES, SLICE_SHARE
from rebalancing.domain.validation import SINGLE_NAME_LIMIT
from rebalancing.selectors.gaps import newest_config
from rebalancing.services import wishes
from rebalancing.services.stages import common
from trading.domain.day import HALT_AT, REDUCE_AT
from trading.models import Account
from trading.selectors.people import role_names
from trading.selectors.policies import policy_shown
from trading.services import guards
from trading.services.calendar import LAST_BUY, LAST_START
from trading.views.access import accounts_seen

__all__ = ["Limit", "LimitGroup", "limit_groups", "limits_page"]


def limits_page(request: HttpRequest, site: Any) -> HttpResponse:
    """Every limit with its unit, the place that sets it and what it stops."""
    if not role_names(request.user):
        raise PermissionDenied
    context = site.each_context(request) | {
        "title": _("한도"),
        "groups": limit_groups(accounts_seen(request)),
    }
    return TemplateResponse(request, "admin/limits.html", context)


def limit_groups(accounts: Iterable[Account]) -> list[LimitGroup]:
    accounts = list(accounts)
    return [
        order_limits(),
        *(account_limits(account) for account in accounts),
        _plans(),
        _stops(),
        _rows(),
        *(_policy(account) for account in accounts),
        _broker(),
    ]


def _plans() -> LimitGroup:
    stages = _("코드 %(place)s") % {"place": "rebalancing/services/stages/common.py"}
    replanned = _("계획을 버리고 새로 세웁니다.")
    calendar = _("코드 %(place)s") % {"place": "trading/services/calendar.py"}
    return LimitGroup(
        _("계획 하나"),
        _("승인한 계획과 다른 일이 일어나지 않게 합니다."),
        (
            Limit(
                _("잔고의 나이"),
                seconds(common.SNAPSHOT_AGE),
                _("초"),
                _("계획하기 전에 다시 조회합니다."),
                stages,
            ),
            Limit(
                _("승인 기한"),
                minutes(common.APPROVAL_TTL),
                _("분"),
                _("주문 없이 끝납니다."),
                stages,
            ),
            Limit(
                _("승인 뒤 한 종목의 가격 변동"), percent(common.LEG_MOVE), "%", replanned, stages
            ),
            Limit(
                _("승인 뒤 계획 전체의 가격 변동"),
                percent(common.PLAN_MOVE),
                "%",
                replanned,
                stages,
            ),
            Limit(
                _("지정가가 계획의 기준가에서 벗어난 폭"),
                percent(wishes.COLLAR),
                "%",
                _("그 가격으로 주문하지 않습니다."),
                _("코드 %(place)s") % {"place": "rebalancing/services/wishes.py"},
            ),
            Limit(
                _("한 종목의 한 번 거래 금액"),
                percent(SINGLE_NAME_LIMIT),
                _("% (총자산)"),
                _(
                    "점검에 걸려 주문 없이 끝납니다. 보유가 없는 계좌의 첫 매수는 사람이 판단합니다."
                ),
                _("코드 %(place)s") % {"place": "rebalancing/domain/validation.py"},
            ),
            Limit(
                _("나누어 보내는 조각"),
                number(MAX_SLICES),
                _("개"),
                _("더 잘게 나누지 않습니다."),
                _("코드 %(place)s") % {"place": "rebalancing/domain/slicing.py"},
            ),
            Limit(
                _("한 조각의 크기"),
                percent(SLICE_SHARE),
                _("% (하루 거래량)"),
                _("넘으면 나누어 보냅니다."),
                _("코드 %(place)s") % {"place": "rebalancing/domain/slicing.py"},
            ),
            Limit(
                _("마지막 시작"),
                minutes(LAST_START),
                _("분 (마감 전)"),
                _("그 뒤에는 리밸런싱을 시작하지 않습니다."),
                calendar,
            ),
            Limit(
                _("마지막 새 매수"),
                minutes(LAST_BUY),
                _("분 (마감 전)"),
                _("그 뒤에는 새로 사지 않습니다."),
                calendar,
            ),
        ),
    )


def _stops() -> LimitGroup:
    where = _("코드 %(place)s") % {"place": "trading/services/guards.py"}
    day = _("코드 %(place)s") % {"place": "trading/domain/day.py"}
    halts = _("계좌를 긴급 정지합니다.")
    return LimitGroup(
        _("스스로 멈추는 때"),
        _("사람이 해제할 때까지 그대로입니다."),
        (
            Limit(
                _("하루 손실, 축소만"),
                percent(REDUCE_AT),
                _("% (전일 평가액)"),
                _("새로 사지 않고 파는 것만 합니다."),
                day,
            ),
            Limit(_("하루 손실, 정지"), percent(HALT_AT), _("% (전일 평가액)"), halts, day),
            Limit(
                _("하루에 결과를 모르는 주문"),
                number(guards.MOST_UNKNOWN),
                _("건부터"),
                halts,
                where,
            ),
            Limit(
                _("%(minutes)s분 안에 거절된 주문") % {"minutes": minutes(guards.REJECT_WINDOW)},
                number(guards.MOST_REJECTS),
                _("건 초과"),
                halts,
                where,
            ),
            Limit(_("시계 차이"), seconds(guards.MOST_SKEW), _("초"), halts, where),
        ),
    )


def _rows() -> LimitGroup:
    config = newest_config()
    url = reverse("admin:rebalancing_rebalancingconfig_changelist")
    where = _("리밸런싱 설정")
    return LimitGroup(
        _("리밸런싱 설정"),
        _("관리자가 새 행을 추가해 바꿉니다. 다음 리밸런싱부터 적용됩니다."),
        (
            Limit(
                _("MP 임계값"),
                number(config.mp_threshold_percent),
                "%p",
                _("이보다 작은 편차로는 거래하지 않습니다."),
                where,
                url,
            ),
            Limit(
                _("Sub-MP 임계값"),
                number(config.sub_mp_threshold_percent),
                "%p",
                _("이보다 작은 편차로는 거래하지 않습니다."),
                where,
                url,
            ),
            Limit(
                _("최소 거래금액"),
                number(config.min_trade_won),
                _("원"),
                _("더 작은 거래를 뺍니다. 전부 파는 것은 예외입니다."),
                where,
                url,
            ),
            Limit(
                _("현금 버퍼"),
                number(config.cash_buffer_percent),
                "%",
                _("이만큼의 현금은 쓰지 않습니다."),
                where,
                url,
            ),
        ),
    )


def _policy(account: Account) -> LimitGroup:
    policy = policy_shown(account)
    url = f"{reverse('admin:trading_approvalpolicy_changelist')}"
    where = _("승인 정책")
    waits = _("넘으면 사람이 승인합니다.")
    moved = min(common.LEG_MOVE * 100, policy.max_price_move_percent)
    text = (
        _("예약된 계획이 이 안이면 사람 없이 승인됩니다.")
        if policy.automatic
        else _("자동 승인이 꺼져 있어 모든 계획을 사람이 승인합니다.")
    )
    title = _("자동 승인 · %(account)s · %(policy)s") % {
        "account": account.masked,
        "policy": policy.get_kind_display(),
    }
    return LimitGroup(
        title,
        text,
        (
            Limit(_("회전율"), number(policy.max_turnover_percent), "%", waits, where, url),
            Limit(_("예상 비용"), number(policy.max_cost_won), _("원"), waits, where, url),
            Limit(
                _("자동 승인 뒤 한 종목의 가격 변동"),
                number(moved),
                "%",
                _("계획을 버리고 새로 세웁니다."),
                where,
                url,
            ),
        ),
    )


def _broker() -> LimitGroup:
    later = _("다음 차례까지 기다립니다. 주문이 조회보다 먼저입니다.")

    def variable(name: str) -> str:
        return _("환경 변수 %(name)s") % {"name": name}

    calls = settings.KIS_RATE_PER_SECOND
    ledger = settings.KIS_LEDGER_RATE_PER_SECOND
    return LimitGroup(
        _("증권사와 바깥"),
        _("설치한 사람이 환경 변수로 정합니다. 바꾸면 다시 시작해야 합니다."),
        (
            Limit(
                _("실전 계좌"),
                _("허용") if settings.LIVE_TRADING else _("막음"),
                "",
                _("막혀 있으면 실전 주문이 나가지 않습니다."),
                variable("LIVE_TRADING"),
            ),
            Limit(
                _("호출, 실전"),
                number(calls["real"]),
                _("건/초"),
                later,
                variable("KIS_REAL_RATE"),
            ),
            Limit(
                _("호출, 모의"),
                number(calls["mock"]),
                _("건/초"),
                later,
                variable("KIS_MOCK_RATE"),
            ),
            Limit(
                _("잔고·주문 조회, 실전"),
                number(ledger["real"]),
                _("건/초"),
                later,
                variable("KIS_REAL_LEDGER_RATE"),
            ),
            Limit(
                _("잔고·주문 조회, 모의"),
                number(ledger["mock"]),
                _("건/초"),
                later,
                variable("KIS_MOCK_LEDGER_RATE"),
            ),
            Limit(
                _("AI 조언을 기다리는 시간"),
                number(settings.GEMINI_TIMEOUT),
                _("초"),
                _("늦으면 규칙대로 보냅니다."),
                variable("GEMINI_TIMEOUT"),
            ),
        ),
    )
