"""Request bodies, strictly typed: a string is not a number, an unknown field is an error."""

from __future__ import annotations

import re
from datetime import time
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request

__all__ = [
    "StrictBooleanField",
    "StrictChoiceField",
    "StrictDecimalField",
    "StrictIntegerField",
    "StrictSerializer",
    "StrictTimeField",
    "refuse_body",
]

_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)
_PLAIN_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_PLAIN_TIME = re.compile(r"([01][0-9]|2[0-3])(:[0-5][0-9]){1,2}", re.ASCII)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know: a mistyped name must not be silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(
                    {name: [_("모르는 항목입니다.")] for name in unknown}
                )
        return super().to_internal_value(data)


def refuse_body(request: Request) -> None:
    """For an act that takes nothing: what somebody sends along would be lost without a word. Raises
    ValidationError naming it."""
    if request.data:
        named = sorted(request.data) if isinstance(request.data, dict) else ["body"]
        raise serializers.ValidationError({name: [_("모르는 항목입니다.")] for name in named})


class StrictDecimalField(serializers.DecimalField):
    """A number in ASCII digits with a point: neither "3,0" nor full-width digits nor true."""

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not _PLAIN_NUMBER.fullmatch(str(data)):
            raise serializers.ValidationError(_("숫자와 점만 쓰세요. 예: 3.0"))
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A whole number in ASCII digits: neither 1.0 nor "1,000" nor full-width digits nor true."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not _PLAIN_WHOLE.fullmatch(str(data)):
            raise serializers.ValidationError(_("숫자만 쓰세요. 예: 1000000"))
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(_("true 또는 false를 쓰세요."))
        return data


class StrictChoiceField(serializers.ChoiceField):
    """A refusal names what may be chosen; `beside` says where to get what is none of the choices."""

    def __init__(self, choices: Any, *, beside: Any = "", **options: Any) -> None:
        super().__init__(choices, **options)
        self.beside = beside

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and data in self.choices:
            return data
        text = _("쓸 수 없는 값입니다: %(value)s. 쓸 수 있는 값: %(allowed)s.") % {
            "value": str(data)[:60],
            "allowed": ", ".join(str(value) for value in self.choices),
        }
        raise serializers.ValidationError(f"{text} {self.beside}".strip(), code="invalid_choice")


class StrictTimeField(serializers.TimeField):
    """A time of day as 09:40; with seconds it is read, for whoever refuses them to say so."""

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str) or not _PLAIN_TIME.fullmatch(value):
            raise serializers.ValidationError(_("시각은 09:40처럼 적으세요."))
        return time.fromisoformat(value)
