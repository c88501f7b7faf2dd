"""Numbers as people must write them in a form: a guess about what was meant would move money."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

__all__ = ["PlainDecimalField", "PlainIntegerField", "plain_number"]

_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)


class PlainDecimalField(forms.DecimalField):
    """3.5, and neither "3,5" nor "1e2", "1_0" or another script's digits."""

    default_error_messages = {"invalid": _("숫자와 점만 쓰세요. 예: 3.5")}

    def to_python(self, value: Any) -> Any:
        _refuse(self, value, _DECIMAL)
        return super().to_python(value)


class PlainIntegerField(forms.IntegerField):
    """200000, and neither "200,000" nor "2_00000" or another script's digits."""

    default_error_messages = {"invalid": _("쉼표 없이 숫자만 쓰세요. 예: 200000")}

    def to_python(self, value: Any) -> Any:
        _refuse(self, value, _WHOLE)
        return super().to_python(value)


def _refuse(field: forms.Field, value: Any, plain: re.Pattern[str]) -> None:
    text = str(value).strip() if value is not None else ""
    if text and not plain.fullmatch(text):
        raise forms.ValidationError(field.error_messages["invalid"], code="invalid")


def plain_number(db_field: Any, bounds: tuple[Any, Any] | None = None) -> forms.Field | None:
    """The strict form field of a number's column, inside `bounds`; None for what is no number."""
    kinds = {models.DecimalField: PlainDecimalField, models.IntegerField: PlainIntegerField}
    form_class = next((kinds[kind] for kind in kinds if isinstance(db_field, kind)), None)
    if form_class is None or db_field.choices:
        return None
    keyboard = "decimal" if form_class is PlainDecimalField else "numeric"
    limits = {"min_value": bounds[0], "max_value": bounds[1]} if bounds else {}
    found: forms.Field = db_field.formfield(
        form_class=form_class,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": keyboard}),
        **limits,
    )
    return found
