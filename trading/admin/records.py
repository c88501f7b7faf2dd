"""The record, to read: intents, attempts, broker orders, fills, approvals, audit, snapshots."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from trading.admin.lists import known_values, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.models import (
    Approval,
    Attempt,
    AuditEntry,
    BrokerOrder,
    Intent,
    Ledger,
    Lot,
    Position,
    ScheduleFire,
    Snapshot,
    Switch,
    Transition,
)
from trading.selectors.people import Role, accounts_of, has_role
from trading.selectors.switches import switches_of

__all__ = ["IntentAdmin", "LedgerAdmin"]


_OBJECTS = {"run": _("리밸런싱 실행"), "intent": _("주문 의도"), "attempt": _("전송 시도")}


@admin.register(Intent)
class IntentAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = (
        "key",
        "instrument",
        "side",
        "quantity",
        "limit_price",
        "state",
        "filled_quantity",
        "created_at",
    )
    list_filter = ("state", "origin", "side", "action")
    search_fields = ("^key", "=instrument__ticker", "instrument__name")
    list_select_related = ("instrument",)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    account_path = "intent__account"
    list_display = ("intent", "number", "action", "state", "http_status", "msg_cd", "committed_at")
    list_filter = ("state", "action")
    exclude = ("body", "reply_body", "baseline")
    list_select_related = ("intent",)


@admin.register(BrokerOrder)
class BrokerOrderAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = (
        "trade_date",
        "order_no",
        "instrument",
        "side",
        "quantity",
        "filled_quantity",
        "remaining_quantity",
        "source",
        "is_final",
    )
    list_filter = (period("trade_date"), "source", "is_final", "side")
    search_fields = ("order_no", "=instrument__ticker")
    list_select_related = ("instrument",)


@admin.register(Ledger)
class LedgerAdmin(ReadOnlyAdmin):
    account_path = "order__account"
    list_display = ("posted_at", "order", "quantity", "amount", "fee", "tax")
    list_select_related = ("order",)


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("instrument", "sleeve", "open_quantity", "quantity", "cost", "opened_at")
    list_select_related = ("instrument", "sleeve")


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("instrument", "quantity", "cost", "updated_at", "account")
    list_select_related = ("instrument", "account")


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("decided_at", "subject", "verdict", "requester", "approver", "policy", "reason")
    list_filter = ("verdict", "policy")


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("taken_at", "account", "equity", "cash")
    exclude = ("raw",)
    list_select_related = ("account",)


@admin.register(Switch)
class SwitchAdmin(ReadOnlyAdmin):
    roles = (Role.TRADER, Role.APPROVER, Role.ADMIN)
    list_display = ("at", "scope", "state", "by", "second", "why")
    list_filter = ("state",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Switch]:
        """Stops of everything and of one's own accounts; an admin sees all."""
        return switches_of(request.user, super().get_queryset(request))

    @admin.display(description=_("이유"))
    def why(self, row: Switch) -> str:
        """The desk's own words are kept in one language and read in everybody's."""
        return gettext(row.reason)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Rows of every account: for those who check the others."""

    roles = (Role.APPROVER, Role.ADMIN)
    list_display = ("seq", "at", "actor", "action", "object")
    search_fields = ("^actor", "^action", "^object")
    search_help_text = _("사람, 한 일, 대상의 앞부분으로 찾습니다.")


@admin.register(Transition)
class TransitionAdmin(ReadOnlyAdmin):
    roles = (Role.APPROVER, Role.ADMIN)
    list_display = ("at", "object_type", "object_id", "from_state", "to_state", "by", "reason")
    list_filter = (period("at"), known_values("object_type", _("대상"), _OBJECTS))
    search_fields = ("^to_state", "=object_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transition]:
        """Of things of one's own accounts; an admin sees all."""
        rows = super().get_queryset(request)
        if has_role(request.user, Role.ADMIN):
            return rows
        own = accounts_of(request.user)
        intents = Intent.objects.filter(account__in=own)
        return rows.filter(
            Q(object_type="run", object_id__in=own.values("runs"))
            | Q(object_type="intent", object_id__in=intents.values("pk"))
            | Q(
                object_type="attempt",
                object_id__in=Attempt.objects.filter(intent__account__in=own).values("pk"),
            )
        )


@admin.register(ScheduleFire)
class ScheduleFireAdmin(ReadOnlyAdmin):
    """What every schedule and every job of the day did, slot by slot."""

    account_path = "account"
    list_display = ("fired_at", "what", "slot", "account", "outcome")
    list_filter = ("outcome",)
    search_fields = ("job", "slot")
    list_select_related = ("account",)

    @admin.display(description=_("작업"))
    def what(self, row: ScheduleFire) -> str:
        kind, _colon, number = row.job.partition(":")
        name = str(_JOBS.get(kind, kind))
        return f"{name} {number}" if kind == "rebalance" else name


_JOBS = {
    "rebalance": _("예약 리밸런싱"),
    "check": _("오전 점검"),
    "close": _("마감 대사"),
}
