"""A run as one plain document: what the command prints, the API answers and the evidence repeats."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from rebalancing.models import Advice, Leg, Run
from trading.models import Intent, Ledger
from trading.selectors.moments import told_at

__all__ = ["run_report", "run_summary"]


def run_summary(run: Run) -> dict[str, Any]:
    """One line of the history."""
    return {
        "run": run.pk,
        "account": run.account_id,
        "state": run.state,
        "generation": run.generation,
        "dry_run": run.dry_run,
        "requester": run.requester,
        "planner": run.planner,
        "plan_hash": run.plan_hash,
        "plan_expires_at": told_at(run.plan_expires_at),
        "approval_policy": run.approval_policy,
        "end_reason": run.end_reason,
        "end_facts": run.end_facts,
        "created_at": told_at(run.created_at),
        "terminal_at": told_at(run.terminal_at),
    }


def run_report(run: Run) -> dict[str, Any]:
    """Everything about a run: drift, trades, checks, legs with their orders and fills."""
    snapshot = run.snapshot
    return run_summary(run) | {
        "equity": snapshot.equity if snapshot else None,
        "cash": snapshot.cash if snapshot else None,
        "snapshot_at": told_at(snapshot.taken_at) if snapshot else None,
        "target": run.target.snapshot if run.target else None,
        "drift": run.outcome.get("drift"),
        "trades": run.outcome.get("trades", []),
        "filtered": run.outcome.get("filtered", []),
        "checks": run.outcome.get("checks", []),
        "plan": run.plan.get("canonical"),
        "advice": _advice(run),
        "legs": _legs(run),
    }


def _advice(run: Run) -> dict[str, Any] | None:
    """What a model was asked for and said about the newest plan; None where nobody asked."""
    if not run.wants_advice:
        return None
    row = Advice.objects.filter(run=run, generation=run.generation).first()
    if row is None:
        return None
    return {
        "state": row.state,
        "model": row.model,
        "asked_at": told_at(row.asked_at),
        "latency_ms": row.latency_ms,
        "tokens": row.tokens,
        "reasons": row.reasons,
        "items": row.items,
        "rules": row.rules,
    }


def _legs(run: Run) -> list[dict[str, Any]]:
    orders = _orders(run)
    return [
        {
            "leg": leg.pk,
            "number": leg.number,
            "ticker": leg.instrument_id,
            "name": leg.instrument.name,
            "side": leg.side,
            "quantity": leg.quantity,
            "resized_quantity": leg.resized_quantity,
            "reference_price": leg.reference_price,
            "order_type": leg.order_type,
            "price_strategy": leg.price_strategy,
            "limit_price": leg.limit_price,
            "slices": leg.slices,
            "reason": leg.reason,
            "expected_cost": leg.expected_cost,
            "filled_quantity": leg.filled_quantity,
            "filled_amount": leg.filled_amount,
            "fee": leg.fee,
            "tax": leg.tax,
            "outcome": leg.outcome,
            "orders": orders[leg.pk],
        }
        for leg in Leg.objects.filter(run=run, generation=run.generation)
        .select_related("instrument")
        .order_by("number")
    ]


def _orders(run: Run) -> dict[int, list[dict[str, Any]]]:
    fills = defaultdict(list)
    for row in Ledger.objects.filter(
        order__owner__origin="run", order__owner__origin_id=run.pk
    ).order_by("pk"):
        fills[row.order_id].append(
            {
                "quantity": row.quantity,
                "amount": row.amount,
                "fee": row.fee,
                "tax": row.tax,
                "at": told_at(row.posted_at),
            }
        )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    intents = (
        Intent.objects.filter(origin="run", origin_id=run.pk, action="order")
        .select_related("broker_order")
        .order_by("pk")
    )
    for intent in intents:
        order = getattr(intent, "broker_order", None)
        found[intent.leg_id or 0].append(
            {
                "intent": intent.pk,
                "state": intent.state,
                "reason": intent.state_reason,
                "quantity": intent.quantity,
                "limit_price": intent.limit_price,
                "slice": intent.slice_no,
                "generation": intent.generation,
                "order_no": order.order_no if order else None,
                "fills": fills[order.pk] if order else [],
            }
        )
    return found
