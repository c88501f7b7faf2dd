"""주문 한도: what an account's orders may be at most. A change is a new row; under four eyes a proposal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from trading.admin.lists import of_account, period
from trading.admin.past import told_of
from trading.admin.read_only import AddOnlyAdmin
from trading.admin.seen import SeenForm
from trading.admin.two_people import note_for_accounts
from trading.models import Account, Proposal, TradingLimits
from trading.models.limits import MOST_WON
from trading.selectors.limits import LIMIT_NAMES, newest_limits
from trading.selectors.people import accounts_of
from trading.services.keepers import limits_change
from trading.services.limits import add_limits
from trading.services.proposals import SecondPersonNeeded, takes_two
from trading.views.access import chosen_account

__all__ = ["TradingLimitsAdmin"]


class LimitsForm(SeenForm, forms.ModelForm):
    """Starts from what rules the chosen account, and is about that one alone; writes what was changed, and
    refuses what somebody else changed meanwhile."""

    seen_on_add = True
    unseen = frozenset({"account", "reason"})
    account = forms.ModelChoiceField(
        Account.objects.none(), label=_("계좌"), widget=UnfoldAdminSelectWidget()
    )
    user: Any = None
    chosen: Account | None = None

    class Meta:
        model = TradingLimits
        fields = ("account", *LIMIT_NAMES, "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        ruling = newest_limits(self.chosen) if self.chosen is not None else TradingLimits()
        shown = {name: getattr(ruling, name) for name in LIMIT_NAMES}
        kwargs["initial"] = dict(kwargs.get("initial") or {}) | shown | {"account": self.chosen}
        super().__init__(*args, **kwargs)
        mine = accounts_of(self.user)
        field: Any = self.fields["account"]
        field.queryset = mine.filter(pk=self.chosen.pk) if self.chosen is not None else mine.none()
        others = [one for one in mine if one != self.chosen]
        if others:
            links = ((f"?account={one.pk}", str(one)) for one in others)
            field.help_text = format_html_join(" · ", '<a href="{}">{}</a>', links)

    def wanted(self) -> dict[str, Any]:
        """What this person changed; everything where the page did not say what it showed."""
        names = self.changed_here() if self.carries_seen else frozenset(LIMIT_NAMES)
        return {name: self.cleaned_data[name] for name in LIMIT_NAMES if name in names}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not self.wanted():
            self.add_error(None, _("바뀐 값이 없습니다."))
        return cleaned

    def _post_clean(self) -> None:
        """The service makes the row and checks it; what it would refuse the fields refuse before."""


@admin.register(TradingLimits)
class TradingLimitsAdmin(AddOnlyAdmin):
    account_path = "account"
    list_display = (
        "created_at",
        "account",
        "in_force",
        *LIMIT_NAMES[:4],
        "created_by",
        "agreed_by",
    )
    list_filter = (of_account(), period("created_at"))
    search_fields = ("^created_by", "^agreed_by", "reason")
    search_help_text = _("바꾼 사람, 동의한 사람의 앞부분이나 이유로 찾습니다.")
    list_select_related = ("account",)
    bounds = {
        **{name: (0, MOST_WON) for name in LIMIT_NAMES if name.endswith("_won")},
        "volume_share_percent": (Decimal("0.01"), 100),
        "collar_percent": (Decimal("0.10"), 3),
        "per_minute": (0, 60),
        "per_day": (0, 200),
    }

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("account", *LIMIT_NAMES, "reason")
        return ("account", *LIMIT_NAMES, "reason", "created_at", "created_by", "agreed_by")

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if obj is None:
            given = {"user": request.user, "chosen": chosen_account(request)}
            kwargs["form"] = type("LimitsFormOfUser", (LimitsForm,), given)
        return super().get_form(request, obj, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newer = TradingLimits.objects.filter(account=OuterRef("account"), pk__gt=OuterRef("pk"))
        return super().get_queryset(request).annotate(newer=Exists(newer))

    @admin.display(description=_("적용"))
    def in_force(self, row: TradingLimits) -> str:
        return "–" if row.newer else gettext("지금 적용")  # type: ignore[attr-defined]

    def about(self, row: TradingLimits) -> Any:
        return told_of(f"account:{row.account_id}", "limits", row.pk)

    def before_saving(self, request: HttpRequest) -> str:
        return note_for_accounts(accounts_of(request.user), Proposal.Kind.LIMITS)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        account, values = form.cleaned_data["account"], form.wanted()
        reason = form.cleaned_data["reason"]
        if takes_two(account):
            raise SecondPersonNeeded(limits_change(account, values, reason))
        made = add_limits(account, values, by=request.user.get_username(), reason=reason)
        obj.pk, obj.account = made.pk, account
        messages.info(
            request,
            _("새 한도는 다음 주문부터 적용됩니다. 이미 승인된 계획은 더 엄격한 쪽을 따릅니다."),
        )
