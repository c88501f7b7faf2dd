"""The record of a finished run: what was planned, what filled, what it cost, where the account stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Sum

from portfolio.domain.allocation import groups_of
from portfolio.domain.drift import calculate_drift
from rebalancing.models import Leg, RebalancingHistory, Run
from rebalancing.services.targets import get_target_mp_allocation, get_target_sub_mp_allocation
from trading.domain.errors import InputError
from trading.domain.ports import Balance
from trading.models import Account, Ledger, Position

__all__ = ["Closing", "expected_cash", "positions_agree", "shortfall", "write"]


@dataclass(frozen=True, slots=True)
class Closing:
    """The account as the broker showed it when the run ended."""

    balance: Balance
    cash: int
    at: datetime

    @property
    def equity(self) -> int:
        return self.cash + sum(h.quantity * h.last for h in self.balance.holdings)


def positions_agree(account: Account, balance: Balance) -> bool:
    ours = {
        p.instrument_id: p.quantity
        for p in Position.objects.filter(account=account, quantity__gt=0)
    }
    return ours == {h.ticker: h.quantity for h in balance.holdings}


def expected_cash(run: Run) -> int:
    """The snapshot's cash moved by every fill booked on the account since, to the won."""
    assert run.snapshot is not None
    rows = (
        Ledger.objects.filter(order__account=run.account, posted_at__gt=run.snapshot.taken_at)
        .values("order__side")
        .annotate(won=Sum("amount"), fees=Sum("fee"), taxes=Sum("tax"))
    )
    moved = sum(
        (row["won"] if row["order__side"] == "SELL" else -row["won"]) - row["fees"] - row["taxes"]
        for row in rows.order_by("order__side")
    )
    return run.snapshot.cash + moved


def shortfall(legs: Sequence[Leg], closing: Closing) -> dict[str, Any]:
    """What was planned and did not fill, and the cash that is left."""
    return {
        "missing": [
            {
                "ticker": leg.instrument_id,
                "side": leg.side,
                "planned": leg.quantity,
                "filled": leg.filled_quantity,
                "why": leg.outcome,
            }
            for leg in legs
            if leg.filled_quantity < leg.quantity
        ],
        "cash": closing.cash,
        "equity": closing.equity,
    }


def write(run: Run, legs: Sequence[Leg], closing: Closing) -> RebalancingHistory:
    assert run.target is not None and run.snapshot is not None
    return RebalancingHistory.objects.create(
        run=run,
        account=run.account,
        state=run.state,
        equity_before=run.snapshot.equity,
        equity_after=closing.equity,
        target=run.target.snapshot,
        drift_before=run.outcome.get("drift", {}),
        drift_after=_drift_after(run, closing),
        expected_cost=sum(leg.expected_cost for leg in legs),
        real_cost=sum(leg.fee + leg.tax + _slippage(leg) for leg in legs),
        fills=[
            {
                "ticker": leg.instrument_id,
                "side": leg.side,
                "planned": leg.quantity,
                "filled": leg.filled_quantity,
                "amount": leg.filled_amount,
                "fee": leg.fee,
                "tax": leg.tax,
            }
            for leg in legs
        ],
        created_at=closing.at,
    )


def _slippage(leg: Leg) -> int:
    """Won worse (+) or better (−) than the reference price the plan was made at."""
    at_reference = leg.filled_quantity * leg.reference_price
    worse = leg.filled_amount - at_reference
    return worse if leg.side == "BUY" else -worse


def _drift_after(run: Run, closing: Closing) -> dict[str, Any]:
    assert run.target is not None and run.config is not None
    mp, sub = get_target_mp_allocation(run.target), get_target_sub_mp_allocation(run.target)
    try:
        report = calculate_drift(
            closing.cash,
            {h.ticker: h.quantity for h in closing.balance.holdings},
            {h.ticker: h.last for h in closing.balance.holdings},
            groups_of(mp, sub),
            mp,
            sub,
            run.config.mp_threshold_percent,
            run.config.sub_mp_threshold_percent,
        )
    except InputError:
        return {}
    return {
        "equity": report.equity,
        "cash": closing.cash,
        "mp": {k: str(round(v, 4)) for k, v in report.mp.items()},
        "sub": {k: str(round(v, 4)) for k, v in report.sub.items()},
        "triggers": [[t.level, t.name] for t in report.triggers],
    }
