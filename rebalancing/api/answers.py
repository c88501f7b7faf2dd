"""The shapes of answers, for the schema; a test holds every real answer to them.

Won are whole numbers, percentages and dollars text with decimals, moments ISO 8601 with an offset.
"""

from __future__ import annotations

from rest_framework import serializers

from rebalancing.domain.states import RunState
from rebalancing.models import Run
from trading.api.shapes import Shape, market_moment, maybe_number, real_moment
from trading.models import Side

__all__ = [
    "AccountStatus",
    "DriftOnly",
    "PortfolioVersions",
    "RunReport",
    "RunSummary",
    "TargetHistory",
    "TargetRecord",
    "TargetsInForce",
    "WeightVersion",
]


class Thresholds(Shape):
    mp_threshold_percent = serializers.CharField()
    sub_mp_threshold_percent = serializers.CharField()


class Drift(Shape):
    """Percentage points by asset class, and by ticker within its class; what has crossed its threshold."""

    mp = serializers.DictField(child=serializers.CharField())
    sub = serializers.DictField(child=serializers.CharField())
    triggers = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class AccountStatus(Shape):
    account = serializers.IntegerField()
    environment = serializers.ChoiceField(["sim", "mock", "real"])
    equity = maybe_number()
    cash = maybe_number()
    snapshot_at = market_moment(maybe=True)
    age_seconds = serializers.FloatField(allow_null=True)
    target = serializers.DictField(allow_null=True)
    thresholds = Thresholds()
    drift = Drift(allow_null=True)
    needed = serializers.BooleanField()
    active_run = serializers.IntegerField(allow_null=True)
    last_run = serializers.IntegerField(allow_null=True)
    last_state = serializers.ChoiceField([s.value for s in RunState], allow_null=True)


class DriftOnly(Shape):
    account = serializers.IntegerField()
    drift = Drift(allow_null=True)
    snapshot_at = market_moment(maybe=True)
    age_seconds = serializers.FloatField(allow_null=True)
    thresholds = Thresholds()
    needed = serializers.BooleanField()


class RunSummary(Shape):
    run = serializers.IntegerField()
    account = serializers.IntegerField()
    state = serializers.ChoiceField([s.value for s in RunState])
    generation = serializers.IntegerField()
    dry_run = serializers.BooleanField()
    requester = serializers.CharField()
    planner = serializers.ChoiceField(Run.Planner.choices)
    plan_hash = serializers.CharField(allow_blank=True)
    plan_expires_at = market_moment(maybe=True)
    approval_policy = serializers.CharField(allow_blank=True)
    end_reason = serializers.CharField(allow_blank=True)
    end_facts = serializers.DictField()
    created_at = market_moment()
    terminal_at = market_moment(maybe=True)


class Fill(Shape):
    quantity = serializers.IntegerField()
    amount = serializers.IntegerField()
    fee = serializers.IntegerField()
    tax = serializers.IntegerField()
    at = market_moment()


class LegOrder(Shape):
    intent = serializers.IntegerField()
    state = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    quantity = serializers.IntegerField()
    limit_price = maybe_number()
    slice = serializers.IntegerField()
    generation = serializers.IntegerField()
    order_no = serializers.CharField(allow_null=True)
    fills = Fill(many=True)


class LegReport(Shape):
    leg = serializers.IntegerField()
    number = serializers.IntegerField()
    ticker = serializers.CharField()
    name = serializers.CharField()
    side = serializers.ChoiceField(Side.choices)
    quantity = serializers.IntegerField()
    resized_quantity = serializers.IntegerField(allow_null=True)
    reference_price = serializers.IntegerField()
    order_type = serializers.CharField()
    price_strategy = serializers.CharField(allow_blank=True)
    limit_price = maybe_number()
    slices = serializers.ListField()
    reason = serializers.CharField(allow_blank=True)
    expected_cost = serializers.IntegerField()
    filled_quantity = serializers.IntegerField()
    filled_amount = serializers.IntegerField()
    fee = serializers.IntegerField()
    tax = serializers.IntegerField()
    outcome = serializers.CharField(allow_blank=True)
    orders = LegOrder(many=True)


class AdviceReport(Shape):
    state = serializers.CharField()
    model = serializers.CharField(allow_blank=True)
    asked_at = market_moment(maybe=True)
    latency_ms = serializers.IntegerField(allow_null=True)
    tokens = serializers.JSONField(allow_null=True)
    reasons = serializers.JSONField(allow_null=True)
    items = serializers.JSONField(allow_null=True)
    rules = serializers.JSONField(allow_null=True)


class RunReport(RunSummary):
    equity = maybe_number()
    cash = maybe_number()
    snapshot_at = market_moment(maybe=True)
    target = serializers.DictField(allow_null=True)
    drift = serializers.JSONField(allow_null=True)
    trades = serializers.ListField(child=serializers.DictField())
    filtered = serializers.ListField(child=serializers.DictField())
    checks = serializers.ListField(child=serializers.DictField())
    plan = serializers.JSONField(allow_null=True)
    advice = AdviceReport(allow_null=True)
    legs = LegReport(many=True)


class WeightVersion(Shape):
    number = serializers.IntegerField()
    weights = serializers.DictField(child=serializers.CharField())
    note = serializers.CharField(allow_blank=True)
    created_by = serializers.CharField(allow_blank=True)
    created_at = real_moment()


class PortfolioVersions(Shape):
    code = serializers.CharField()
    name = serializers.CharField()
    asset_class = serializers.CharField(allow_null=True)
    versions = WeightVersion(many=True)


class TargetsInForce(Shape):
    id = serializers.IntegerField()
    model = serializers.CharField()
    mp = serializers.DictField(child=serializers.CharField())
    sub = serializers.DictField()
    source = serializers.CharField()  # type: ignore[assignment]
    reason = serializers.CharField(allow_blank=True)
    decided_by = serializers.CharField()
    agreed_by = serializers.CharField(allow_blank=True)
    decided_at = real_moment()


class TargetHistory(Shape):
    current = TargetsInForce(allow_null=True)
    history = TargetsInForce(many=True)


class TargetRecord(TargetsInForce):
    """`sub_portfolios` are the chosen versions, as `S-EQ v3`."""

    account = serializers.IntegerField()
    sub_portfolios = serializers.ListField(child=serializers.CharField())
