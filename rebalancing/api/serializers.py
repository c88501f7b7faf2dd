"""Request bodies, strictly typed: a string is not a number, an unknown field is an error."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from rebalancing.models import RebalancingConfig, Run

__all__ = [
    "ConfigSerializer",
    "DecisionSerializer",
    "RunRequestSerializer",
    "TargetsSerializer",
    "WeightsSerializer",
]

_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)


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


class StrictDecimalField(serializers.DecimalField):
    """A number in ASCII digits with a point: neither "3,0" nor full-width digits nor true."""

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not _PLAIN_NUMBER.fullmatch(str(data)):
            raise serializers.ValidationError(_("숫자와 점만 쓰세요. 예: 3.0"))
        return super().to_internal_value(data)


class ConfigSerializer(StrictSerializer):
    mp_threshold_percent = StrictDecimalField(
        max_digits=4, decimal_places=1, min_value=Decimal("0.1"), max_value=Decimal("50")
    )
    sub_mp_threshold_percent = StrictDecimalField(
        max_digits=4, decimal_places=1, min_value=Decimal("0.1"), max_value=Decimal("50")
    )
    min_trade_won = serializers.IntegerField(min_value=0, max_value=10**9, required=False)
    cash_buffer_percent = StrictDecimalField(
        max_digits=3,
        decimal_places=1,
        min_value=Decimal("1.0"),
        max_value=Decimal("2.0"),
        required=False,
    )
    updated_at = serializers.DateTimeField(read_only=True, allow_null=True)
    updated_by = serializers.CharField(read_only=True)

    def create(self, validated_data: dict[str, Any]) -> RebalancingConfig:
        return RebalancingConfig.objects.create(**validated_data)


class StrictBooleanField(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(_("true 또는 false를 쓰세요."))
        return data


class RunRequestSerializer(StrictSerializer):
    account = serializers.IntegerField(min_value=1)
    dry_run = StrictBooleanField(default=False)
    planner = serializers.ChoiceField(
        choices=[Run.Planner.RULES.value, Run.Planner.GEMINI.value], default=Run.Planner.RULES.value
    )


class DecisionSerializer(StrictSerializer):
    plan_hash = serializers.RegexField(r"^[0-9a-f]{64}$")
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class WeightsSerializer(StrictSerializer):
    """A new version: percentages by asset class or ticker, summing to exactly 100."""

    code = serializers.SlugField(max_length=20)
    weights = serializers.DictField(
        child=StrictDecimalField(max_digits=12, decimal_places=6), allow_empty=False
    )
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class TargetsSerializer(StrictSerializer):
    account = serializers.IntegerField(min_value=1)
    model_portfolio = serializers.SlugField(max_length=20)
    sub_portfolios = serializers.ListField(
        child=serializers.SlugField(max_length=20), allow_empty=True, max_length=20
    )
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
