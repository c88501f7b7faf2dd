"""What a run's plan is made of, as the pure code wants it: the stored snapshot, targets and settings."""

from __future__ import annotations

from collections.abc import Mapping

from rebalancing.domain import pipeline
from rebalancing.domain.planning import PlanRules
from rebalancing.models import RebalancingConfig, Run
from rebalancing.services.targets import get_target_mp_allocation, get_target_sub_mp_allocation
from trading.domain.instruments import InstrumentKind
from trading.domain.quotes import OrderBook
from trading.models import Instrument, Snapshot

__all__ = ["plan_config", "targets_of", "values_of"]


def values_of(run: Run, books: Mapping[str, OrderBook]) -> pipeline.Snapshot:
    """The stored snapshot as the pure code wants it."""
    snapshot: Snapshot = run.snapshot  # type: ignore[assignment]
    known = {i.ticker: i for i in Instrument.objects.filter(ticker__in=snapshot.quotes)}
    untradable = {
        ticker
        for ticker, quote in snapshot.quotes.items()
        if quote["halted"] or ticker not in known or not known[ticker].tradable
    }
    return pipeline.Snapshot(
        account_id=str(run.account_id),
        cash=snapshot.cash,
        holdings={t: row["quantity"] for t, row in snapshot.holdings.items()},
        prices={t: quote["last"] for t, quote in snapshot.quotes.items()},
        kinds={t: InstrumentKind(i.kind) for t, i in known.items()},
        books=books,
        daily_volumes={
            t: quote["previous_volume"]
            for t, quote in snapshot.quotes.items()
            if quote.get("previous_volume")
        },
        untradable=frozenset(untradable),
    )


def targets_of(run: Run) -> pipeline.Targets:
    assert run.target is not None
    return pipeline.Targets(
        mp=get_target_mp_allocation(run.target), sub=get_target_sub_mp_allocation(run.target)
    )


def plan_config(config: RebalancingConfig, run: Run) -> pipeline.PlanConfig:
    return pipeline.PlanConfig(
        mp_threshold=config.mp_threshold_percent,
        sub_threshold=config.sub_mp_threshold_percent,
        min_trade=config.min_trade_won,
        buffer=config.cash_buffer_percent / 100,
        rules=PlanRules(advised_market=run.wants_advice),
        commission=run.account.commission,
        inside_bands=run.ignores_bands,
        flow=run.flow,
    )
