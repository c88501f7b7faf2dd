"""Words for tests of what takes two people."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rebalancing.models import RebalancingConfig
from rebalancing.services.keepers import config_change
from trading.models import Proposal
from trading.services.proposals import propose

LOOSE, STRICT = "owner_practice", "four_eyes"
PROPOSALS = "/rebalancing/proposals/"


def thresholds() -> Decimal:
    newest = RebalancingConfig.objects.order_by("-pk").first()
    assert newest is not None
    return newest.mp_threshold_percent


def codes(error: Any) -> list[str]:
    return [reason.code for reason in error.value.reasons]


def wider(by: str = "admin") -> Proposal:
    return propose(config_change({"mp_threshold_percent": "9.0"}), by=by)
