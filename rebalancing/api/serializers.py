"""Request bodies, strictly typed: a string is not a number, an unknown field is an error."""

from __future__ import annotations

from decimal import Decimal

from rest_framework import serializers

from rebalancing.models import Run, RunSchedule
from trading.api.shapes import REAL
from trading.api.strict import (
    StrictBooleanField,
    StrictChoiceField,
    StrictDecimalField,
    StrictIntegerField,
    StrictSerializer,
    StrictTimeField,
)

__all__ = [
    "ConfigSerializer",
    "DecisionSerializer",
    "RunRequestSerializer",
    "ScheduleChangeSerializer",
    "ScheduleSerializer",
    "TargetsSerializer",
    "WeightsSerializer",
]


_PLANNERS = [Run.Planner.RULES.value, Run.Planner.GEMINI.value]


class ConfigSerializer(StrictSerializer):
    mp_threshold_percent = StrictDecimalField(
        max_digits=4, decimal_places=1, min_value=Decimal("0.1"), max_value=Decimal("50")
    )
    sub_mp_threshold_percent = StrictDecimalField(
        max_digits=4, decimal_places=1, min_value=Decimal("0.1"), max_value=Decimal("50")
    )
    min_trade_won = StrictIntegerField(min_value=0, max_value=10**9, required=False)
    cash_buffer_percent = StrictDecimalField(
        max_digits=3,
        decimal_places=1,
        min_value=Decimal("1.0"),
        max_value=Decimal("2.0"),
        required=False,
    )
    updated_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text=REAL)
    updated_by = serializers.CharField(read_only=True)
    agreed_by = serializers.CharField(read_only=True)


class RunRequestSerializer(StrictSerializer):
    account = StrictIntegerField(min_value=1)
    dry_run = StrictBooleanField(default=False)
    planner = StrictChoiceField(_PLANNERS, default=Run.Planner.RULES.value)


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
    account = StrictIntegerField(min_value=1)
    model_portfolio = serializers.SlugField(max_length=20)
    sub_portfolios = serializers.ListField(
        child=serializers.SlugField(max_length=20), allow_empty=True, max_length=20
    )
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class ScheduleChangeSerializer(StrictSerializer):
    """What of a schedule may change; its account may not."""

    kind = StrictChoiceField(RunSchedule.KindChoice.choices, default="drift")
    at = StrictTimeField()
    period = StrictChoiceField(RunSchedule.PeriodChoice.choices, default="month")
    edge = StrictChoiceField(RunSchedule.EdgeChoice.choices, default="last")
    inside_bands = StrictBooleanField(default=False)
    min_flow_won = StrictIntegerField(min_value=0, max_value=10**15, default=1_000_000)
    catch_up = StrictBooleanField(default=False)
    planner = StrictChoiceField(_PLANNERS, default=Run.Planner.RULES.value)
    enabled = StrictBooleanField(default=True)


class ScheduleSerializer(ScheduleChangeSerializer):
    account = StrictIntegerField(min_value=1)
