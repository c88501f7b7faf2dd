"""Accounts: keys go in and never come out, members decide who sees them, policies are only added."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.dataclasses import ActionDialog
from unfold.decorators import action

from trading.admin.account_form import SECRETS, AccountForm, MemberFormSet
from trading.admin.lists import of_account, period
from trading.admin.past import told_of
from trading.admin.read_only import AddOnlyAdmin, ReadOnlyInline, StampedAdmin
from trading.domain.errors import BrokerError, ConfigurationError, StateConflict
from trading.models import Account, AccountMember, ApprovalPolicy
from trading.selectors.members import member_names
from trading.selectors.people import accounts_of
from trading.selectors.second_factor import act_grounds
from trading.selectors.words import WORDS
from trading.services.audit import audit
from trading.services.brokers import drop_token, forget_brokers
from trading.services.pauses import lift_pause, pause_account
from trading.services.policies import add_policy, awaits_agreement
from trading.views.proof import proof_of

__all__ = ["AccountAdmin", "ApprovalPolicyAdmin"]


class MemberInline(TabularInline):
    model = AccountMember
    formset = MemberFormSet
    hide_title = True
    extra = 0
    autocomplete_fields = ("user",)
    verbose_name_plural = _("볼 수 있는 사람")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return type("Members", (super().get_formset(request, obj, **kwargs),), {"by": request.user})


class PolicyInline(ReadOnlyInline):
    """What ruled when; a new policy is added on its own page."""

    model = ApprovalPolicy
    fields = (
        "kind",
        "automatic",
        "max_turnover_percent",
        "max_cost_won",
        "created_by",
        "created_at",
    )


@admin.register(Account)
class AccountAdmin(StampedAdmin):
    form = AccountForm
    list_display = ("name", "masked", "wrapper", "is_active", "paused_reason")
    list_filter = ("environment", "is_active")
    search_fields = ("name", "=account_tail")
    search_help_text = _("이름이나 계좌번호의 끝 두 자리로 찾습니다.")
    past_as = "account"
    inlines = (MemberInline, PolicyInline)
    bounds = {name: (0, Decimal("0.009999999")) for name in ("commission_stock", "commission_fund")}
    actions_detail = ("open_desk", "revoke_token")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """An admin sees every account, to be able to add its members; others see their own."""
        rows = super().get_queryset(request)
        if self.has_change_permission(request):
            return rows
        return rows.filter(pk__in=accounts_of(request.user))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        number = () if obj else ("account_no",)
        return (
            (None, {"fields": ("name", "environment", "wire", "wrapper", *number)}),
            (_("접속 키"), {"fields": SECRETS}),
            (
                _("수수료율"),
                {
                    "fields": (("commission_stock", "commission_fund"),),
                    "description": _("거래금액에 대한 비율입니다. 0.015 %는 0.00015로 적습니다."),
                },
            ),
            (_("운영"), {"fields": ("is_active", "paused_reason")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("environment", "wire") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only columns whose posted value differs from the row are written; what somebody else changed since
        the page was opened the form has kept or refused."""
        new_keys = any(form.cleaned_data.get(name) != form.kept[name] for name in SECRETS)
        by, paused = request.user.get_username(), obj.paused_reason
        obj.paused_reason = form.paused  # only the service pauses and lifts
        with transaction.atomic():
            if change:
                obj.save(update_fields=set(form.changed_data) - {"paused_reason"})
            else:
                super().save_model(request, obj, form, change)
            audit(
                by,
                "account_changed" if change else "account_added",
                f"account:{obj.pk}",
                {"fields": sorted(set(form.changed_data) - set(SECRETS)), "keys": new_keys},
            )
        if paused != form.paused and not _repause(obj, form.paused, paused, by):
            messages.warning(
                request, _("그 사이 중지 사유가 바뀌어 중지 사유는 그대로 두었습니다.")
            )
        if new_keys:
            forget_brokers()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Who came and who went is on record by name."""
        account = form.instance
        with transaction.atomic():
            before = member_names(account)
            super().save_related(request, form, formsets, change)
            after = member_names(account)
            if before != after:
                audit(
                    request.user.get_username(),
                    "account_members",
                    f"account:{account.pk}",
                    {"added": sorted(after - before), "removed": sorted(before - after)},
                )

    @admin.display(description=_("계좌"))
    def masked(self, account: Account) -> str:
        return account.masked

    @action(description=_("데스크에서 보기"), url_path="desk")
    def open_desk(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect(f"{reverse('overview')}?account={object_id}")

    @action(
        description=_("토큰 폐기"),
        url_path="revoke-token",
        permissions=["change"],
        dialog=ActionDialog(
            title=_("접속 토큰을 폐기할까요?"),
            description=_(
                "다른 사람이 보았을 수 있는 토큰을 증권사에서 쓸모없게 만듭니다. 진행 중인 주문은 그대로이고,"
                " 다음 조회 때 새 토큰을 받습니다."
            ),
            form_class=None,
            form_submit_text=_("토큰 폐기"),
        ),
    )
    def revoke_token(self, request: HttpRequest, form: forms.Form, object_id: int) -> HttpResponse:
        """Asked for once more before it is done; a link alone changes nothing."""
        page = reverse("admin:trading_account_change", args=[object_id])
        done = HttpResponse(
            headers={"HX-Redirect": page}
        )  # the dialog posts without leaving the page
        account = self.get_object(request, str(object_id))
        if account is None:
            raise PermissionDenied
        if act_grounds(request.user, account, proof_of(request), timezone.now()):
            messages.error(request, gettext("인증 코드를 먼저 확인하세요."))
            asked = f"{reverse('confirm-code')}?{urlencode({'next': page})}"
            return HttpResponse(headers={"HX-Redirect": asked})
        try:
            dropped = drop_token(account, request.user.get_username())
        except (BrokerError, ConfigurationError) as error:
            why = {"why": WORDS.say(error.code)}
            messages.error(request, gettext("토큰을 폐기하지 못했습니다: %(why)s") % why)
            return done
        if dropped:
            messages.success(request, _("접속 토큰을 폐기했습니다. 다음 조회 때 새로 받습니다."))
        else:
            messages.info(request, _("폐기할 토큰이 없습니다."))
        return done


def _repause(account: Account, before: str, after: str, by: str) -> bool:
    """Lift what the form saw and pause as it says; False when somebody else was there first."""
    try:
        with transaction.atomic():
            if before:
                lift_pause(account, by, before)
            return pause_account(account, after, by) if after else True
    except StateConflict:
        return False


class PolicyForm(forms.ModelForm):
    """Carries the newest policy that the page was opened beside: a newer one of the account is not undone by a
    page that did not know it."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput())

    class Meta:
        model = ApprovalPolicy
        fields = (
            "account",
            "kind",
            "automatic",
            "max_turnover_percent",
            "max_cost_won",
            "max_price_move_percent",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = ApprovalPolicy.objects.order_by("-pk").values_list("pk", flat=True).first()
        self.fields["seen"].initial = newest or 0

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        seen, account = str(cleaned.get("seen") or ""), cleaned.get("account")
        if account is None or not (seen.isascii() and seen.isdigit() and len(seen) <= 18):
            return cleaned
        if ApprovalPolicy.objects.filter(account=account, pk__gt=int(seen)).exists():
            self.add_error(
                None,
                _("그 사이 이 계좌의 승인 정책이 바뀌었습니다. 이 화면을 다시 열어 확인하세요."),
            )
        return cleaned


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(AddOnlyAdmin):
    """The newest row of an account rules."""

    account_path = "account"
    form = PolicyForm
    list_display = (
        "account",
        "kind",
        "automatic",
        "max_turnover_percent",
        "max_cost_won",
        "max_price_move_percent",
        "created_by",
        "created_at",
        "standing",
    )
    list_filter = (of_account(), period("created_at"), "kind", "automatic")
    search_fields = ("account__name", "^created_by")
    list_select_related = ("account",)
    bounds = {
        "max_turnover_percent": (0, 100),
        "max_cost_won": (0, 10**15),
        "max_price_move_percent": (0, 2),
    }
    fields = (
        "account",
        "kind",
        "automatic",
        "max_turnover_percent",
        "max_cost_won",
        "max_price_move_percent",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is not None else (*self.fields, "seen")

    def about(self, row: ApprovalPolicy) -> Q:
        """The chain tells of policies under their account."""
        return told_of(f"account:{row.account_id}", "policy", row.pk)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A policy rules at once: it is added for one's own accounts alone."""
        if db_field.name == "account":
            kwargs["queryset"] = accounts_of(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("동의"))
    def standing(self, row: ApprovalPolicy) -> str:
        """Whose agreement lets the row rule; a real account's looser policy waits for one."""
        if row.agreed_by:
            return row.agreed_by
        return gettext("기다리는 중") if awaits_agreement(row) else "–"

    def before_saving(self, request: HttpRequest) -> str:
        """What the kinds mean, before one is chosen."""
        return "\n".join(
            (
                gettext(
                    "네 눈 원칙: 계획을 요청하지 않은 승인자가 2차 인증으로 승인하고, 목표, 주문 한도, 설정의 "
                    "변경도 다른 승인자가 동의해야 적용됩니다."
                ),
                gettext("본인 (2차 인증): 요청한 사람이 코드를 보이고 스스로 승인합니다."),
                gettext(
                    "본인 (연습): 코드 없이 스스로 승인하며, 실전 계좌에서는 승인되지 않습니다."
                ),
            )
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        add_policy(obj, request.user.get_username())
        if awaits_agreement(obj):
            self.message_user(
                request,
                gettext("실전 계좌의 정책은 다른 사람이 상태 화면에서 동의하면 적용됩니다."),
                messages.WARNING,
            )
