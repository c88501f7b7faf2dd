"""Rows of the rebalancing floor."""

from rebalancing.models.advice import Advice
from rebalancing.models.runs import (
    Campaign,
    Leg,
    RebalancingConfig,
    RebalancingHistory,
    Run,
)
from rebalancing.models.schedules import RunSchedule

__all__ = [
    "Advice",
    "Campaign",
    "Leg",
    "RebalancingConfig",
    "RebalancingHistory",
    "Run",
    "RunSchedule",
]
