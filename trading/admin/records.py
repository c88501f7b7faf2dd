"""Who decided and what happened, to read: approvals, switches, audit, fires of schedules, tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from trading.admin.columns import folded
from trading.admin.links import model_admin_of
from trading.admin.lists import known_values, of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.admin.subjects import codes_named_like, names_of, said_scope
from trading.models import (
    Approval,
    ApprovalPolicy,
    AuditEntry,
    CredentialChange,
    KisToken,
    ProcessEpoch,
    ReleaseRequest,
    ScheduleFire,
    Switch,
)
from trading.selectors.audit_scope import audit_seen_by
from trading.selectors.audit_words import ACTION_NAMES
from trading.selectors.fact_words import told_facts
from trading.selectors.moments import moment_said, wall_moment_said
from trading.selectors.people import Role
from trading.selectors.switches import switches_of
from trading.services.clock import has_two_clocks

__all__ = ["AuditEntryAdmin", "SwitchAdmin"]


def _name_rows(request: HttpRequest, rows: list[Any], column: str) -> None:
    """Give each of `rows` the name of what its `column` names, in one go."""
    names = names_of((getattr(row, column) for row in rows), request)
    for row in rows:
        row.jeoul_name = names[getattr(row, column)]


_STAFF = (Role.TRADER, Role.APPROVER, Role.ADMIN)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    account_path = "account"
    told = {"subject": "about_what"}
    list_display = (
        "decided_at",
        "about_what",
        "verdict",
        "requester",
        "approver",
        "policy",
        "reason",
    )
    list_filter = (
        of_account(),
        period("decided_at"),
        "verdict",
        known_values("policy", _("정책"), dict(ApprovalPolicy.Kind.choices)),
    )
    search_fields = ("^subject", "^requester", "^approver")
    search_help_text = _("대상이나 사람의 앞부분으로 찾습니다.")
    exclude = ("policy_version",)

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        _name_rows(request, rows, "subject")

    @admin.display(description=_("대상"), ordering="subject")
    def about_what(self, row: Approval) -> str:
        return row.jeoul_name  # type: ignore[attr-defined,no-any-return]


class _Scoped(ReadOnlyAdmin):
    """Rows about everything and about one's own accounts; an admin sees all."""

    roles = _STAFF
    told = {"scope": "where"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Switch]:
        """Stops of everything and of one's own accounts; an admin sees all."""
        return switches_of(request.user, super().get_queryset(request))

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        _name_rows(request, rows, "scope")

    @admin.display(description=_("범위"), ordering="scope")
    def where(self, row: Switch) -> str:
        return said_scope(row.jeoul_name)  # type: ignore[attr-defined]


@admin.register(Switch)
class SwitchAdmin(_Scoped):
    list_display = ("at", "where", "state", "by", "second", "reason")
    list_filter = (period("at"), "state")
    search_fields = ("^scope", "^by", "reason")


@admin.register(ReleaseRequest)
class ReleaseRequestAdmin(_Scoped):
    list_display = ("at", "where", "by", "second", "outcome", "reason", "expires_at")
    list_filter = (period("at"), "outcome")
    search_fields = ("^scope", "^by", "^second")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Rows of one's own accounts and of what is about none: for those who check the others."""

    roles = (Role.APPROVER, Role.ADMIN)
    told = {"at": "moment", "action": "what", "object": "about_what"}
    list_display = ("seq", "moment", "actor", "what", "about_what", "content")
    list_filter = (period("at"), known_values("action", _("한 일"), ACTION_NAMES))
    search_fields = ("^actor", "^action", "^object")
    search_help_text = _("한 사람, 한 일, 대상이 된 사람이나 계좌의 이름으로 찾습니다.")
    readonly_fields = ("content", "stored")
    fieldsets = (
        (None, {"fields": ("seq", "moment", "actor", "what", "about_what", "content")}),
        (_("저장된 것"), {"fields": ("stored", "payload_hash", "prev_hash", "hash", "key_id")}),
    )

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        _name_rows(request, rows, "object")

    def also(self, request: HttpRequest, word: str) -> Q:
        """A person's or an account's name means what is told about them, an act's name the acts."""
        acts = [code for code, name in ACTION_NAMES.items() if word in str(name)]
        return Q(object__in=codes_named_like(word, request)) | Q(action__in=acts)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        return audit_seen_by(request.user, super().get_queryset(request))

    @admin.display(description=_("때"), ordering="seq")
    def moment(self, row: AuditEntry) -> str:
        """The chain keeps UTC of the wall's clock; a reader's day is Seoul's."""
        say = wall_moment_said if has_two_clocks() else moment_said
        return say(datetime.fromisoformat(row.at))

    @admin.display(description=_("한 일"), ordering="action")
    def what(self, row: AuditEntry) -> str:
        return str(ACTION_NAMES.get(row.action, row.action))

    @admin.display(description=_("대상"), ordering="object")
    def about_what(self, row: AuditEntry) -> str:
        return row.jeoul_name  # type: ignore[attr-defined,no-any-return]

    @admin.display(description=_("내용"))
    def content(self, row: AuditEntry) -> str:
        one = model_admin_of(row.object.partition(":")[0])
        told = told_facts(row.payload, getattr(one, "state_words", None))
        return " · ".join(f"{name}: {value}" if name else value for name, value in told) or "–"

    @admin.display(description=_("저장된 내용"))
    def stored(self, row: AuditEntry) -> str:
        """To the letter: the hash is of this text."""
        return folded(row.payload if row.payload != "{}" else "")


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
    exclude = ("task_id",)

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        codes = {row.pk: row.job.replace("rebalance:", "schedule:", 1) for row in rows}
        names = names_of(codes.values(), request)
        for row in rows:
            row.jeoul_name = names[codes[row.pk]]

    @admin.display(description=_("작업"))
    def what(self, row: ScheduleFire) -> str:
        """A schedule by its name, a job of the day by what it does."""
        kind = row.job.partition(":")[0]
        return str(_JOBS[kind]) if kind in _JOBS else row.jeoul_name  # type: ignore[attr-defined]


_JOBS = {
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
    told = {"role": "does"}
    list_display = ("started_at", "ended_at", "does", "host", "pid", "build_id")
    list_filter = (period("started_at"), "role", ("ended_at", admin.EmptyFieldListFilter))
    search_fields = ("^host", "^build_id", "=pid")
    ordering = ("-id",)

    @admin.display(description=_("하는 일"), ordering="role")
    def does(self, row: ProcessEpoch) -> str:
        return str(_PROCESSES.get(row.role, row.role))


_PROCESSES = {
    "embedded": _("웹과 작업 (한 프로그램)"),
    "process": _("작업"),
    "web": _("웹"),
}
