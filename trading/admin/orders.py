"""Orders, to read: what was wished, checked, sent and answered, and what the broker's own list says."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from trading.admin.checks import checks_of
from trading.admin.columns import folded
from trading.admin.lists import known_values, of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.models import (
    Attempt,
    BrokerOrder,
    Decision,
    Enumeration,
    Intent,
    Lane,
)
from trading.selectors.order_words import ATTEMPT_STATES, ORDER_STATES
from trading.selectors.said import order_time_said

__all__ = ["IntentAdmin"]


@admin.register(Intent)
class IntentAdmin(ReadOnlyAdmin):
    account_path = "account"
    past_as = "intent"
    state_words = ORDER_STATES
    told = {"state": "state_in_words"}
    list_display = (
        "__str__",
        "instrument",
        "side",
        "quantity",
        "limit_price",
        "state_in_words",
        "filled_quantity",
        "created_at",
    )
    list_filter = (
        of_account(),
        period("created_at"),
        known_values("state", _("상태"), ORDER_STATES),
        "origin",
        "side",
        "action",
    )
    search_fields = ("^key", "^instrument__ticker", "instrument__name")
    list_select_related = ("instrument",)
    exclude = ("key", "origin_id", "leg_id")
    readonly_fields = ("checks", "stored_key")

    @admin.display(description=_("함께 보기"))
    def checks(self, row: Intent) -> str:
        return checks_of(row)

    @admin.display(description=_("키"))
    def stored_key(self, row: Intent) -> str:
        """What makes a second wish of the same fail; a search finds by its beginning."""
        return folded(row.key)

    @admin.display(description=_("상태"), ordering="state")
    def state_in_words(self, row: Intent) -> str:
        return str(ORDER_STATES.get(row.state, row.state))


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    account_path = "intent__account"
    past_as = "attempt"
    state_words = ATTEMPT_STATES
    told = {"state": "state_in_words"}
    list_display = (
        "intent",
        "number",
        "action",
        "state_in_words",
        "http_status",
        "broker_said",
        "committed_at",
    )
    list_filter = (
        of_account("intent__account"),
        period("committed_at"),
        known_values("state", _("상태"), ATTEMPT_STATES),
        "action",
    )
    search_fields = ("^intent__key", "=msg_cd")
    search_help_text = _("주문 의도의 앞부분이나 증권사의 응답 코드로 찾습니다.")
    exclude = ("body", "reply_body", "baseline")
    list_select_related = ("intent__instrument",)

    @admin.display(description=_("상태"), ordering="state")
    def state_in_words(self, row: Attempt) -> str:
        return str(ATTEMPT_STATES.get(row.state, row.state))

    @admin.display(description=_("증권사의 답"), ordering="msg_cd")
    def broker_said(self, row: Attempt) -> str:
        return " ".join(filter(None, (row.msg_cd, row.message))) or "–"


@admin.register(BrokerOrder)
class BrokerOrderAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = (
        "ordered",
        "order_no",
        "instrument",
        "side",
        "price",
        "quantity",
        "filled_quantity",
        "remaining_quantity",
        "masked",
        "source",
        "is_final",
    )
    list_filter = (of_account(), period("trade_date"), "source", "is_final", "side")
    search_fields = ("=order_no", "^instrument__ticker", "instrument__name")
    search_help_text = _("주문 번호, 종목 이름, 종목 코드의 앞부분으로 찾습니다.")
    list_select_related = ("instrument", "account")
    readonly_fields = ("checks",)

    @admin.display(description=_("주문 시각"), ordering="trade_date")
    def ordered(self, row: BrokerOrder) -> str:
        """The broker's day and, where its list told it, the time."""
        return f"{row.trade_date:%Y-%m-%d} {order_time_said(row.order_time)}".strip()

    @admin.display(description=_("계좌"), ordering="account")
    def masked(self, row: BrokerOrder) -> str:
        return row.account.masked

    @admin.display(description=_("함께 보기"))
    def checks(self, row: BrokerOrder) -> str:
        return checks_of(row.owner) if row.owner else gettext("우리 주문이 아닙니다.")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """What people decided about orders whose outcome was unknown."""

    account_path = "intent__account"
    list_display = ("at", "intent", "verdict", "order_no", "by")
    list_filter = (of_account("intent__account"), period("at"), "verdict")
    search_fields = ("^intent__key", "^by", "=order_no")
    list_select_related = ("intent__instrument",)


@admin.register(Enumeration)
class EnumerationAdmin(ReadOnlyAdmin):
    """Every pass over the broker's list of orders: only a whole one allows a conclusion."""

    account_path = "account"
    list_display = (
        "started_at",
        "account",
        "trade_date",
        "read",
        "pages",
        "rows",
        "complete",
        "problem",
    )
    list_filter = (of_account(), period("started_at"), "complete")
    search_fields = ("problem",)
    list_select_related = ("account",)
    told = {"scope": "read"}

    @admin.display(description=_("읽은 범위"), ordering="scope")
    def read(self, row: Enumeration) -> str:
        return str(_MARKETS.get(row.scope, row.scope))


_MARKETS = {"ALL": _("모든 거래소"), "KRX": _("한국거래소 (KRX)")}


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    """One order at a time for an account, instrument and side."""

    account_path = "account"
    list_display = ("account", "instrument", "side", "late_watch_until")
    list_filter = (of_account(), "side")
    search_fields = ("^instrument__ticker", "instrument__name")
    list_select_related = ("account", "instrument")
