"""Weights as they are typed: an MP by class, a Sub-MP by rows of instruments; both know what they showed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from portfolio.models import AssetClass, ModelPortfolio, SubPortfolio
from trading.admin.numbers import PlainDecimalField
from trading.admin.seen import SeenForm
from trading.domain.errors import Reason
from trading.domain.targets import validate_percentages
from trading.models import Instrument
from trading.selectors.words import WORDS

__all__ = ["ModelPortfolioForm", "SubPortfolioForm", "sub_form_with"]


def _weight_field(label: Any) -> PlainDecimalField:
    widget = UnfoldAdminTextInputWidget(
        attrs={
            "inputmode": "decimal",
            "data-weight": "",
            "data-total": _("합계 %(sum)s %"),
            "data-short": _("%(gap)s %p 모자랍니다"),
            "data-over": _("%(gap)s %p 넘습니다"),
            "data-exact": _("꼭 맞습니다"),
            "data-unread": _("읽을 수 없는 값 %(n)s개"),
        }
    )
    return PlainDecimalField(
        label=label, required=False, max_digits=5, decimal_places=2, widget=widget
    )


def _show(form: forms.BaseForm, reasons: list[Reason]) -> None:
    for reason in reasons:
        form.add_error(None, WORDS.say(reason.code, reason.facts))


class _VersionForm(SeenForm, forms.ModelForm):
    """Weights beside the portfolio's own fields. `weights()` is what was typed."""

    note = forms.CharField(
        label=_("메모"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget()
    )

    weights: Callable[..., dict[str, Decimal]]
    """What was typed, by name; each form says how it asks."""
    read: Callable[[Any], dict[str, Decimal]]
    """The weights of a stored version."""

    def newest(self) -> dict[str, Decimal]:
        version = self.instance.versions.first() if self.instance.pk else None
        return self.read(version) if version else {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            _show(self, validate_percentages(self.weights(), scope=str(_("비중"))))
        return cleaned

    @property
    def weights_changed(self) -> bool:
        return self.weights() != self.newest()


class _ModelWeights(_VersionForm):
    class Meta:
        model = ModelPortfolio
        fields = ("code", "name", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = self.newest()
        for code in AssetClass.values:
            self.fields[f"weight_{code}"].initial = newest.get(code, Decimal("0.00"))
        self.as_one = frozenset(f"weight_{code}" for code in AssetClass.values)

    def weights(self) -> dict[str, Decimal]:
        return {
            code: self.cleaned_data.get(f"weight_{code}") or Decimal(0)
            for code in AssetClass.values
        }

    @staticmethod
    def read(version: Any) -> dict[str, Decimal]:
        found = version.weights_by_class()
        return {code: found.get(code, Decimal(0)) for code in AssetClass.values}


ModelPortfolioForm = type(
    "ModelPortfolioForm",
    (_ModelWeights,),
    {"__module__": __name__}
    | {f"weight_{code}": _weight_field(label) for code, label in AssetClass.choices},
)


class SubPortfolioForm(_VersionForm):
    """Rows of ticker and weight; an empty row is no row. How many there are depends on the portfolio."""

    rows = 0

    class Meta:
        model = SubPortfolio
        fields = ("code", "name", "asset_class")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, (ticker, weight) in enumerate(self.newest().items(), start=1):
            if number <= self.rows:
                self.fields[f"instrument_{number}"].initial = ticker
                self.fields[f"weight_{number}"].initial = weight
        rows = range(1, self.rows + 1)
        self.as_one = frozenset(f"{name}_{n}" for n in rows for name in ("instrument", "weight"))

    def weights(self) -> dict[str, Decimal]:
        found = {}
        for number in range(1, self.rows + 1):
            instrument = self.cleaned_data.get(f"instrument_{number}")
            weight = self.cleaned_data.get(f"weight_{number}")
            if instrument is not None and weight:
                found[instrument.pk] = weight
        return found

    @staticmethod
    def read(version: Any) -> dict[str, Decimal]:
        return version.weights_by_ticker()  # type: ignore[no-any-return]

    def clean(self) -> dict[str, Any]:
        chosen = [
            self.cleaned_data[f"instrument_{n}"].pk
            for n in range(1, self.rows + 1)
            if self.cleaned_data.get(f"instrument_{n}")
        ]
        for number in range(1, self.rows + 1):
            weight = self.cleaned_data.get(f"weight_{number}")
            if weight and not self.cleaned_data.get(f"instrument_{number}"):
                self.add_error(
                    f"instrument_{number}",
                    _("비중 %(weight)s %%의 종목을 고르세요.") % {"weight": weight},
                )
        for ticker in sorted({t for t in chosen if chosen.count(t) > 1}):
            self.add_error(None, _("%(ticker)s이 두 번 있습니다.") % {"ticker": ticker})
        return super().clean()


def sub_form_with(rows: int) -> type[SubPortfolioForm]:
    fields: dict[str, Any] = {"rows": rows, "__module__": __name__}
    for number in range(1, rows + 1):
        fields[f"instrument_{number}"] = forms.ModelChoiceField(
            Instrument.objects.filter(tradable=True),
            label=_("종목"),
            required=False,
            widget=UnfoldAdminSelectWidget(),
        )
        fields[f"weight_{number}"] = _weight_field(_("비중 %"))
    return type("SubPortfolioRowsForm", (SubPortfolioForm,), fields)
