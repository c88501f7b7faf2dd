"""The limits of one order: what the code holds for everybody, and what is a row of an account."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from config.limit_shapes import Limit, LimitGroup, number
from trading.domain.limits import GateLimits
from trading.models import Account
from trading.selectors.limits import newest_limits
from trading.services import gateway

__all__ = ["account_limits", "order_limits"]


def order_limits() -> LimitGroup:
    gate = GateLimits()
    where = _("코드 %(place)s") % {"place": "trading/domain/limits.py"}
    sending = _("코드 %(place)s") % {"place": "trading/services/gateway.py"}
    refused = _("주문을 보내지 않습니다.")
    return LimitGroup(
        _("주문 한 건"),
        _("보내기 직전에 새로 읽은 값으로 모두 검사하고, 하나라도 어긋나면 보내지 않습니다."),
        (
            Limit(_("시세의 나이"), number(gate.quote_age_seconds), _("초"), refused, where),
            Limit(_("주문 수량"), number(gate.max_quantity), _("주"), refused, where),
            Limit(
                _("같은 주문으로 보는 시간"),
                number(gate.duplicate_seconds),
                _("초"),
                _("같은 종목·방향·수량·가격의 다른 주문을 보내지 않습니다."),
                where,
            ),
            Limit(
                _("주문 시도의 기한"),
                number(gateway.ATTEMPT_SECONDS),
                _("초"),
                _("늦은 전송을 막습니다."),
                sending,
            ),
        ),
    )


def account_limits(account: Account) -> LimitGroup:
    """The row in force, or the product's own values while there is none."""
    row = newest_limits(account)
    url = f"{reverse('admin:trading_tradinglimits_changelist')}?account={account.pk}"
    where = _("주문 한도")
    refused = _("주문을 보내지 않습니다.")
    won = _("원")
    return LimitGroup(
        _("주문 한도 · %(account)s") % {"account": account.masked},
        _(
            "관리자가 새 행을 추가해 바꿉니다. 승인된 계획은 그때와 지금 가운데 더 엄격한 쪽을 따릅니다."
        ),
        (
            Limit(_("주문 금액"), number(row.max_order_won), won, refused, where, url),
            Limit(
                _("한 종목의 하루 금액"), number(row.max_ticker_day_won), won, refused, where, url
            ),
            Limit(_("리밸런싱 하나의 금액"), number(row.max_run_won), won, refused, where, url),
            Limit(_("하루 금액"), number(row.max_day_won), won, refused, where, url),
            Limit(
                _("전일 거래량에 대한 주문 한 건의 비율"),
                number(row.volume_share_percent),
                "%",
                refused,
                where,
                url,
            ),
            Limit(
                _("지정가가 현재가에서 벗어난 폭"),
                number(row.collar_percent),
                "%",
                refused,
                where,
                url,
            ),
            Limit(
                _("1분 동안 주문"),
                number(row.per_minute),
                _("건"),
                _("다음 1분까지 기다립니다."),
                where,
                url,
            ),
            Limit(
                _("하루 동안 주문, 계좌마다"),
                number(row.per_day),
                _("건"),
                _("그날은 더 보내지 않습니다."),
                where,
                url,
            ),
        ),
    )
