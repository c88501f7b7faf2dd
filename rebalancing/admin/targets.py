"""Binding an account to an MP and its Sub-MPs: a decision is added, and stays as it was made."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import F, Max, Model, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from portfolio.models import ModelPortfolioVersion, SubPortfolioVersion, TargetDecision
from portfolio.selectors.targets import class_label, decisions_of, weight_lines, weights_said
from rebalancing.admin.imports import export_targets, import_page
from rebalancing.selectors.words import WORDS
from rebalancing.services.keepers import targets_change
from rebalancing.services.targets import decide_targets
from trading.admin.lists import of_account, period
from trading.admin.past import told_of
from trading.admin.read_only import AddOnlyAdmin, in_lines
from trading.admin.two_people import note_for_accounts
from trading.domain.errors import InputError
from trading.models import Account, Proposal
from trading.selectors.people import accounts_of
from trading.services.proposals import Change, SecondPersonNeeded, takes_two
from trading.views.access import chosen_account

__all__ = ["TargetDecisionAdmin"]


def _newest(model: Any) -> Any:
    """Of each portfolio the version that rules."""
    return (
        model.objects.annotate(last=Max("portfolio__versions__number"))
        .filter(number=F("last"))
        .select_related("portfolio")
        .order_by("portfolio__code")
    )


class _ModelVersion(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        weights = weights_said((class_label(k), w) for k, w in obj.weights_by_class().items())
        return f"{obj} {obj.portfolio.name} ({weights})"


class _SubVersions(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        rows = obj.weights.select_related("instrument")
        weights = weights_said((row.instrument.name, row.weight) for row in rows)
        return f"{obj.portfolio.get_asset_class_display()} — {obj} {obj.portfolio.name} ({weights})"


class DecisionForm(forms.ModelForm):
    """Checks the choice with the service itself, and undoes it, so that every reason shows in the form."""

    account = forms.ModelChoiceField(
        Account.objects.none(), label=_("계좌"), widget=UnfoldAdminSelectWidget()
    )
    model_version = _ModelVersion(
        ModelPortfolioVersion.objects.none(), label=_("MP"), widget=UnfoldAdminRadioSelectWidget()
    )
    sub_versions = _SubVersions(
        SubPortfolioVersion.objects.none(),
        label=_("Sub-MP"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("비중이 있는 자산군마다 하나씩 고르세요."),
    )
    reason = forms.CharField(
        label=_("이유"), required=False, max_length=300, widget=UnfoldAdminTextInputWidget()
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput())
    user: Any = None
    ruling: TargetDecision | None = None
    """What the chosen account follows now."""

    class Meta:
        model = TargetDecision
        fields = ("account", "model_version", "sub_versions", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = accounts_of(self.user)  # type: ignore[attr-defined]
        self.fields["model_version"].queryset = _newest(ModelPortfolioVersion)  # type: ignore[attr-defined]
        self.fields["sub_versions"].queryset = _newest(SubPortfolioVersion)  # type: ignore[attr-defined]
        newest = TargetDecision.objects.order_by("-pk").values_list("pk", flat=True).first()
        self.fields["seen"].initial = newest or 0
        if self.ruling is not None:
            self._say_what_rules(self.ruling)

    def _say_what_rules(self, ruling: TargetDecision) -> None:
        """The form chooses newest versions; the account may still follow an older one."""
        subs = ", ".join(str(version) for version in ruling.sub_versions.all())
        self.fields["model_version"].help_text = _("지금 %(account)s의 목표: %(now)s") % {
            "account": ruling.account,
            "now": " · ".join(filter(None, [str(ruling.model_version), subs])),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if self._decided_meanwhile(cleaned):
            self.add_error(
                None, _("그 사이 이 계좌의 목표가 바뀌었습니다. 이 화면을 다시 열어 확인하세요.")
            )
            return cleaned
        try:
            with transaction.atomic():
                self.decide(cleaned)
                transaction.set_rollback(True)
        except InputError as error:
            for reason in error.reasons:
                self.add_error(None, WORDS.say(reason.code, reason.facts))
        return cleaned

    def _decided_meanwhile(self, values: dict[str, Any]) -> bool:
        """A program that does not say what it saw is taken at its word."""
        seen = str(values.get("seen") or "")
        if not (seen.isascii() and seen.isdigit() and len(seen) <= 18):
            return False
        return TargetDecision.objects.filter(account=values["account"], pk__gt=int(seen)).exists()

    def change(self) -> Change:
        values = self.cleaned_data
        return targets_change(
            values["account"], values["model_version"], values["sub_versions"], values["reason"]
        )

    def decide(self, values: dict[str, Any]) -> TargetDecision:
        return decide_targets(
            values["account"],
            values["model_version"],
            list(values["sub_versions"]),
            by=self.user.get_username(),
            reason=values["reason"],
        )

    def _post_clean(self) -> None:
        """The service makes the row; the model form has nothing to check."""

    def save(self, commit: bool = True) -> TargetDecision:
        self.instance = self.decide(self.cleaned_data)
        return self.instance

    def save_m2m(self) -> None:
        """Done by the service."""


@admin.register(TargetDecision)
class TargetDecisionAdmin(AddOnlyAdmin):
    account_path = "account"
    list_display = ("decided_at", "account", "model_version", "source", "decided_by", "reason")
    list_filter = (of_account(), period("decided_at"), "source")
    search_fields = ("^decided_by", "reason", "model_version__portfolio__code")
    search_help_text = _("결정한 사람, 이유, MP의 코드로 찾습니다.")
    list_select_related = ("account", "model_version__portfolio")
    actions_detail = ("open_desk",)
    actions_list = ("import_csv", "export_csv")

    @action(description=_("CSV로 가져오기"), url_path="import-csv", permissions=["add"])
    def import_csv(self, request: HttpRequest) -> HttpResponse:
        return import_page(request, self.admin_site)

    @action(description=_("CSV로 내려받기"), url_path="export-csv")
    def export_csv(self, request: HttpRequest) -> HttpResponse:
        return export_targets(request)

    def get_form(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, **kwargs)
        given = {"user": request.user, "ruling": self._ruling(request)}
        return type("DecisionFormOfUser", (DecisionForm,), given)

    def about(self, row: TargetDecision) -> Q:
        """The chain tells of decisions under their account."""
        return told_of(f"account:{row.account_id}", "decision", row.pk)

    def _ruling(self, request: HttpRequest) -> TargetDecision | None:
        account = chosen_account(request)
        return next(iter(decisions_of(account, most=1)), None) if account else None

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start from what the account follows now: the newest versions of the same portfolios."""
        initial: dict[str, Any] = {"account": chosen_account(request)}
        ruling = self._ruling(request)
        if ruling is not None:
            subs = [version.portfolio_id for version in ruling.sub_versions.all()]
            initial |= {
                "model_version": _newest(ModelPortfolioVersion)
                .filter(portfolio=ruling.model_version.portfolio_id)
                .first(),
                "sub_versions": list(_newest(SubPortfolioVersion).filter(portfolio__in=subs)),
            }
        return initial

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return (*DecisionForm.Meta.fields, "seen")
        return (
            "account",
            "model_version",
            "sub_versions",
            "weights_then",
            "source",
            "reason",
            "decided_by",
            "agreed_by",
        )

    def before_saving(self, request: HttpRequest) -> str:
        return note_for_accounts(accounts_of(request.user), Proposal.Kind.TARGETS)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        if takes_two(form.cleaned_data["account"]):
            raise SecondPersonNeeded(form.change())
        return super().save_form(request, form, change)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """`save_form` has already made the row."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service binds the Sub-MPs."""

    @admin.display(description=_("비중 사본"))
    def weights_then(self, decision: TargetDecision) -> str:
        return in_lines(weight_lines(decision.snapshot))

    @action(description=_("데스크에서 보기"), url_path="desk")
    def open_desk(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect(reverse("portfolio:portfolio") + "#targets")
