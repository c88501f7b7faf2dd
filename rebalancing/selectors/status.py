"""Where one account stands: worth, drift, thresholds, the run in progress."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portfolio.models import TargetDecision
from rebalancing.models import RebalancingConfig, Run
from rebalancing.selectors.drift import drift_of
from trading.domain.errors import InputError
from trading.models import Account, Snapshot
from trading.selectors.moments import told_at

__all__ = ["account_status"]


def account_status(account: Account, now: datetime) -> dict[str, Any]:
    """A plain document; what is not known yet is None. `now` is the market's time, for the age."""
    snapshot = Snapshot.objects.filter(account=account).defer("raw").first()
    target = TargetDecision.objects.filter(account=account).first()
    config = RebalancingConfig.objects.first() or RebalancingConfig()
    active = Run.objects.filter(account=account, terminal_at=None).first()
    newest = Run.objects.filter(account=account).first()
    report = _drift(snapshot, target, config)
    return {
        "account": account.pk,
        "environment": account.environment,
        "equity": snapshot.equity if snapshot else None,
        "cash": snapshot.cash if snapshot else None,
        "snapshot_at": told_at(snapshot.ended_at) if snapshot else None,
        "age_seconds": round((now - snapshot.ended_at).total_seconds(), 1) if snapshot else None,
        "target": target.snapshot if target else None,
        "thresholds": {
            "mp_threshold_percent": str(config.mp_threshold_percent),
            "sub_mp_threshold_percent": str(config.sub_mp_threshold_percent),
        },
        "drift": report,
        "needed": bool(report and report["triggers"]),
        "active_run": active.pk if active else None,
        "last_run": newest.pk if newest else None,
        "last_state": newest.state if newest else None,
    }


def _drift(
    snapshot: Snapshot | None, target: TargetDecision | None, config: RebalancingConfig
) -> dict[str, Any] | None:
    if snapshot is None or target is None:
        return None
    try:
        report = drift_of(snapshot, target, config)
    except InputError:
        return None
    return {
        "mp": {name: str(round(value, 4)) for name, value in report.mp.items()},
        "sub": {name: str(round(value, 4)) for name, value in report.sub.items()},
        "triggers": [[t.level, t.name] for t in report.triggers],
    }
