"""How long the product needs from a snapshot to a checked plan, and how near to the optimum it
lands.

Measures `rebalancing.domain.pipeline.make_plan`, which pages and commands call, on synthetic
accounts. The peer is HiGHS through scipy solving the sizing step alone, exactly; without scipy this
fails.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from rebalancing.domain.pipeline import PlanConfig, Snapshot, Targets, make_plan
from rebalancing.planners.rules import plan_by_rules
from trading.domain.instruments import InstrumentKind
from trading.domain.price_grid import round_to_tick, shift_ticks
from trading.domain.quotes import BookLevel, OrderBook
from trading.domain.sizing import calculate_target_quantities

__all__ = ["exact_objective", "figures", "measure", "random_account"]

ENTRY = "rebalancing.domain.pipeline.make_plan"
_AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
_CLASSES = ("STOCK", "BOND", "ALTERNATIVE", "GLOBAL", "INCOME")
_CENTS = 10_000


def measure(names: int = 50, *, runs: int = 15, seed: int = 1) -> dict[str, object]:
    """Median milliseconds of one plan for `names` instruments, fresh accounts each run, warm.

    `agree` is true when every sizing was inside max(0.0005, 5 % of J) of the exact optimum; `ratio`
    compares sizing with sizing, the only part that the peer does.
    """
    rng = random.Random(seed)
    make_plan(*random_account(rng, names), plan_by_rules)
    ours, sizing, peer, gaps, agree = [], [], [], [], True
    for _ in range(runs):
        snapshot, targets, config = random_account(rng, names)
        start = time.perf_counter()
        outcome = make_plan(snapshot, targets, config, plan_by_rules)
        ours.append((time.perf_counter() - start) * 1000)
        if not (outcome.ok and outcome.plan):
            raise AssertionError(f"the plan to be measured was refused: {outcome.checks}")
        equity, weights = outcome.drift.equity, targets.weights
        start = time.perf_counter()
        best = exact_objective(equity, weights, snapshot.prices, config.buffer)
        peer.append((time.perf_counter() - start) * 1000)
        start = time.perf_counter()
        sized = calculate_target_quantities(equity, weights, snapshot.prices, buffer=config.buffer)
        sizing.append((time.perf_counter() - start) * 1000)
        gap = float(sized.objective) - best
        gaps.append(gap)
        agree = agree and gap <= max(5e-4, 0.05 * best)
    value, peer_value = statistics.median(ours), statistics.median(peer)
    return {
        "value": round(value, 3),
        "unit": "ms",
        "worst": round(max(ours), 3),
        "peer": "scipy.optimize.milp (HiGHS), sizing only",
        "peer_version": _peer_version(),
        "peer_value": round(peer_value, 3),
        "sizing_value": round(statistics.median(sizing), 3),
        "ratio": round(peer_value / statistics.median(sizing), 2),
        "runs": runs,
        "names": names,
        "worst_gap": max(gaps),
        "agree": agree,
        "entry": ENTRY,
    }


def random_account(rng: random.Random, names: int) -> tuple[Snapshot, Targets, PlanConfig]:
    """A drifted account of up to `names` holdings, priced, with books, and its targets."""
    tickers = [f"{100_000 + i}" for i in range(names)]
    kinds = {t: rng.choice((InstrumentKind.ETF, InstrumentKind.KOSPI)) for t in tickers}
    prices = {
        t: round_to_tick(int(10 ** rng.uniform(3.3, 5.5)), "down", kind)
        for t, kind in kinds.items()
    }
    classes = _CLASSES[: max(1, min(len(_CLASSES), names // 2))]
    sub = {
        name: _percentages(rng, tickers[index :: len(classes)])
        for index, name in enumerate(classes)
    }
    targets = Targets(_percentages(rng, [*classes, "CASH"]), sub)
    equity = int(10 ** rng.uniform(8, 9))
    holdings = {}
    for ticker, weight in targets.weights.items():
        moved = float(weight) * rng.uniform(0.6, 1.3)
        holdings[ticker] = int(equity * moved / prices[ticker])
    invested = sum(count * prices[t] for t, count in holdings.items())
    snapshot = Snapshot(
        account_id="bench",
        cash=max(equity - invested, equity // 20),
        holdings=holdings,
        prices=prices,
        kinds=kinds,
        books={t: _book(t, prices[t], kinds[t]) for t in tickers},
        daily_volumes={t: rng.randrange(10_000, 5_000_000) for t in tickers},
    )
    return snapshot, targets, PlanConfig(mp_threshold=Decimal("0.1"), sub_threshold=Decimal("0.1"))


def exact_objective(
    equity: int, weights: Mapping[str, Decimal], prices: Mapping[str, int], buffer: Decimal
) -> float:
    """J of the exact optimum, by HiGHS, as the bounded knapsack the problem is.

    Lots up to the floor each gain their price, the lot above it 2·rest − price; written with |·|
    and big coefficients instead, HiGHS's tolerances let it call solutions optimal that are up to 10
    % off.
    """
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    gains, costs, most, wished = [], [], [], 0.0
    for ticker, weight in weights.items():
        target, price = float(weight * equity), prices[ticker]
        floor = int(weight * equity // price)
        top = 2 * (target - floor * price) - price
        wished += target
        for gain, count in ((price, floor), (top, 1)):
            if gain > 0 and count:
                gains.append(gain)
                costs.append(price)
                most.append(count)
    if not gains:
        return wished / equity
    unit = 1000 / equity
    budget = float(1 - buffer) * equity
    solved = milp(
        -np.array(gains) * unit,
        constraints=[LinearConstraint(np.array(costs)[None, :] * unit, -np.inf, budget * unit)],
        integrality=np.ones(len(gains)),
        bounds=Bounds(0, np.array(most)),
        options={"time_limit": 5},
    )
    if solved.x is None:
        raise RuntimeError(f"HiGHS found nothing: {solved.message}")
    return wished / equity + solved.fun / 1000


def _percentages(rng: random.Random, names: list[str]) -> dict[str, Decimal]:
    raw = [rng.random() + 0.05 for _ in names]
    cents = [int(value / sum(raw) * _CENTS) for value in raw]
    cents[0] += _CENTS - sum(cents)
    return {name: Decimal(value) / 100 for name, value in zip(names, cents, strict=True)}


def _book(ticker: str, price: int, kind: InstrumentKind) -> OrderBook:
    asks = tuple(BookLevel(shift_ticks(price, n, kind), 1_000) for n in range(1, 11))
    bids = tuple(BookLevel(shift_ticks(price, -n, kind), 1_000) for n in range(10))
    return OrderBook(ticker, asks, bids, _AT)


def _peer_version() -> str:
    import scipy

    return f"scipy {scipy.__version__}"


def figures() -> dict[str, dict[str, object]]:
    """A usual and a very large account."""
    return {f"rebalance_plan_{names}": measure(names) for names in (50, 500)}
