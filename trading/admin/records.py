"""Who decided and what happened, to read: approvals, switches, audit, fires of schedules, tokens."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from trading.admin.lists import known_values, of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.models import (
    Approval,
    AuditEntry,
    CredentialChange,
    KisToken,
    ProcessEpoch,
    ReleaseRequest,
    ScheduleFire,
    Switch,
)
from trading.selectors.audit_words import ACTION_NAMES
from trading.selectors.moments import moment_said, wall_moment_said
from trading.selectors.people import Role
from trading.selectors.switches import switches_of
from trading.services.clock import has_two_clocks

__all__ = ["AuditEntryAdmin", "SwitchAdmin"]

_STAFF = (Role.TRADER, Role.APPROVER, Role.ADMIN)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("decided_at", "subject", "verdict", "requester", "approver", "policy", "reason")
    list_filter = (of_account(), period("decided_at"), "verdict", "policy")
    search_fields = ("^subject", "^requester", "^approver")
    search_help_text = _("대상이나 사람의 앞부분으로 찾습니다.")


class _Scoped(ReadOnlyAdmin):
    """Rows about everything and about one's own accounts; an admin sees all."""

    roles = _STAFF

    def get_queryset(self, request: HttpRequest) -> QuerySet[Switch]:
        """Stops of everything and of one's own accounts; an admin sees all."""
        return switches_of(request.user, super().get_queryset(request))


@admin.register(Switch)
class SwitchAdmin(_Scoped):
    list_display = ("at", "scope", "state", "by", "second", "reason")
    list_filter = (period("at"), "state")
    search_fields = ("^scope", "^by", "reason")


@admin.register(ReleaseRequest)
class ReleaseRequestAdmin(_Scoped):
    list_display = ("at", "scope", "by", "second", "outcome", "reason", "expires_at")
    list_filter = (period("at"), "outcome")
    search_fields = ("^scope", "^by", "^second")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Rows of every account: for those who check the others."""

    roles = (Role.APPROVER, Role.ADMIN)
    told = {"at": "moment", "action": "what"}
    list_display = ("seq", "moment", "actor", "what", "object")
    list_filter = (period("at"), known_values("action", _("한 일"), ACTION_NAMES))
    search_fields = ("^actor", "^action", "^object")
    search_help_text = _("사람, 한 일, 대상의 앞부분으로 찾습니다.")

    @admin.display(description=_("때"), ordering="seq")
    def moment(self, row: AuditEntry) -> str:
        """The chain keeps UTC of the wall's clock; a reader's day is Seoul's."""
        say = wall_moment_said if has_two_clocks() else moment_said
        return say(datetime.fromisoformat(row.at))

    @admin.display(description=_("한 일"), ordering="action")
    def what(self, row: AuditEntry) -> str:
        return str(ACTION_NAMES.get(row.action, row.action))


@admin.register(CredentialChange)
class CredentialChangeAdmin(ReadOnlyAdmin):
    """Who set another person's password or took their second factor away: for a day those two are not two."""

    roles = (Role.APPROVER, Role.ADMIN)
    list_display = ("at", "user", "kind", "by")
    list_filter = (period("at"), "kind")
    search_fields = ("^user__username", "^by")
    search_help_text = _("사람의 앞부분으로 찾습니다.")
    list_select_related = ("user",)


@admin.register(ScheduleFire)
class ScheduleFireAdmin(ReadOnlyAdmin):
    """What every schedule and every job of the day did, slot by slot."""

    account_path = "account"
    told = {"job": "what"}
    list_display = ("fired_at", "what", "slot", "account", "outcome")
    list_filter = (of_account(), period("fired_at"), "outcome")
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


@admin.register(KisToken)
class KisTokenAdmin(ReadOnlyAdmin):
    """When the broker's tokens were issued and end; the token itself never leaves the database."""

    roles = (Role.ADMIN,)
    list_display = ("__str__", "host", "issued_at", "expires_at", "last_attempt_at", "failures")
    list_filter = (period("issued_at"), "host")
    search_fields = ("host",)
    exclude = ("token", "key_digest")


@admin.register(ProcessEpoch)
class ProcessEpochAdmin(ReadOnlyAdmin):
    """Every life of every process, with the build it ran."""

    roles = (Role.ADMIN,)
    list_display = ("started_at", "ended_at", "role", "host", "pid", "build_id")
    list_filter = (period("started_at"), "role", ("ended_at", admin.EmptyFieldListFilter))
    search_fields = ("^host", "^build_id", "=pid")
    ordering = ("-id",)
