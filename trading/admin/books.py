"""The books, to read: fills, lots, holdings, promises of cash and shares, snapshots."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from trading.admin.lists import of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.admin.tables import record_table
from trading.models import (
    Instrument,
    Ledger,
    Lot,
    LotPosting,
    Position,
    Reservation,
    Sleeve,
    Snapshot,
)
from trading.selectors.moments import moment_said
from trading.templatetags.jeoul import shares, won

__all__ = ["LedgerAdmin"]

_NAMES = ("^instrument__ticker", "instrument__name")


@admin.register(Ledger)
class LedgerAdmin(ReadOnlyAdmin):
    account_path = "order__account"
    list_display = ("posted_at", "order", "quantity", "amount", "fee", "tax")
    list_filter = (of_account("order__account"), period("posted_at"))
    search_fields = ("=order__order_no", "^order__instrument__ticker")
    search_help_text = _("주문 번호나 종목 코드의 앞부분으로 찾습니다.")
    list_select_related = ("order__instrument",)


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("instrument", "sleeve", "open_quantity", "quantity", "cost", "opened_at")
    list_filter = (of_account(), period("opened_at"))
    search_fields = _NAMES
    list_select_related = ("instrument", "sleeve")


@admin.register(LotPosting)
class LotPostingAdmin(ReadOnlyAdmin):
    """Which fill opened or closed how much of which lot."""

    account_path = "lot__account"
    list_display = ("ledger", "lot", "quantity")
    list_filter = (of_account("lot__account"), period("ledger__posted_at"))
    search_fields = ("^lot__instrument__ticker",)
    search_help_text = _("종목 코드의 앞부분으로 찾습니다.")
    list_select_related = ("ledger", "lot")


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("instrument", "quantity", "cost", "updated_at", "account")
    list_filter = (of_account(), "instrument__kind")
    search_fields = _NAMES
    list_select_related = ("instrument", "account")


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """Money and shares that orders under way have been promised."""

    account_path = "intent__account"
    list_display = ("intent", "won", "shares", "opened_at", "closed_at")
    list_filter = (
        of_account("intent__account"),
        period("opened_at"),
        ("closed_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("^intent__key", "^intent__instrument__ticker")
    list_select_related = ("intent__instrument",)


@admin.register(Sleeve)
class SleeveAdmin(ReadOnlyAdmin):
    """Who owns shares within an account: the MP's core, a strategy, a person's own orders."""

    account_path = "account"
    list_display = ("__str__", "code", "account", "exit_policy")
    list_filter = (of_account(), "exit_policy")
    search_fields = ("code", "name")
    list_select_related = ("account",)


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("taken_at", "account", "equity", "cash")
    list_filter = (of_account(), period("taken_at"))
    search_fields = ("=id", "account__name")
    search_help_text = _("번호나 계좌 이름으로 찾습니다.")
    exclude = ("raw",)
    list_select_related = ("account",)
    told = {"holdings": "held", "quotes": "prices"}

    @admin.display(description=_("보유"))
    def held(self, row: Snapshot) -> str:
        heads = (gettext("종목"), gettext("종목코드"), gettext("수량"), gettext("매도 가능 수량"))
        rows = [
            (one.get("name", ""), ticker, shares(one["quantity"]), shares(one.get("sellable")))
            for ticker, one in row.holdings.items()
        ]
        return record_table(heads, rows, numbers=(2, 3))

    @admin.display(description=_("시세"))
    def prices(self, row: Snapshot) -> str:
        heads = (
            gettext("종목"),
            gettext("현재가"),
            gettext("기준가"),
            gettext("상한가"),
            gettext("하한가"),
            gettext("시각"),
        )
        names = dict(Instrument.objects.filter(pk__in=row.quotes).values_list("pk", "name"))
        rows = [
            (
                f"{names.get(ticker, '')} {ticker}".strip(),
                *(won(one.get(key)) for key in ("last", "reference", "upper", "lower")),
                moment_said(datetime.fromisoformat(one["at"])) if one.get("at") else "",
            )
            for ticker, one in row.quotes.items()
        ]
        return record_table(heads, rows, numbers=range(1, 5))
