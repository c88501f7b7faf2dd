"""Spend a budget on whole lots so that the money lands as near as possible to each target.

Up to its floor every lot of a name brings the miss down by its full price; the one lot above the
floor brings less, or harm. The best fractional spending is therefore known at once and bounds every
whole one: when a solution is close to that bound the search stops, with proof.

Steps: floors (scaled into the budget) → the largest decrease that fits → one-for-many exchanges → a
beam search where the bound still leaves room. Whole numbers throughout; ties go to the earlier lot.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Lots", "fill_lots"]

_MAX_EXCHANGES = 200
_NARROW_BEAM = 32
_WIDE_BEAMS = (256, 2_048)
_MAX_BEAM_WORK = 40_000
"""Ways kept × names. Many names need no wide beam: their optimum lies close to the bound."""
_MAX_STEPS_PER_NAME = 24
_LAMBDA_BITS = 20


@dataclass(frozen=True)
class Lots:
    """The problem in one unit of money. `costs` include fees; `scale` is the whole account."""

    prices: list[int]
    costs: list[int]
    targets: list[int]
    budget: int
    scale: int

    @cached_property
    def floors(self) -> list[int]:
        return [t // p for t, p in zip(self.targets, self.prices, strict=True)]

    @cached_property
    def top_gains(self) -> list[int]:
        """What the lot above the floor improves; not positive means that lot is never bought."""
        return [
            2 * (t - k * p) - p
            for t, k, p in zip(self.targets, self.floors, self.prices, strict=True)
        ]

    @cached_property
    def caps(self) -> list[int]:
        return [k + (g > 0) for k, g in zip(self.floors, self.top_gains, strict=True)]

    @cached_property
    def bound(self) -> _Bound:
        return _relaxed(self)

    def gain(self, index: int, count: int) -> int:
        """How much `count` lots of one name reduce the miss, from zero lots."""
        floor = self.floors[index]
        if count <= floor:
            return count * self.prices[index]
        return floor * self.prices[index] + self.top_gains[index]

    def gap(self, counts: list[int]) -> int:
        """An upper limit of how far `counts` is from the optimum."""
        return self.bound.gain - sum(self.gain(i, n) for i, n in enumerate(counts))

    def slack(self, counts: list[int]) -> int:
        return self.budget - sum(n * c for n, c in zip(counts, self.costs, strict=True))

    @cached_property
    def promise(self) -> int:
        """The gap that is still acceptable: max(0.0005, 5 % of J)."""
        return max(self.scale // 2_000, (sum(self.targets) - self.bound.gain) // 20)

    @cached_property
    def tolerance(self) -> int:
        """The gap at which cheap improvement stops, well inside the promise."""
        return self.promise * 2 // 5


@dataclass(frozen=True, slots=True)
class _Bound:
    """The relaxed optimum and the price of money there, `worth / cost` per unit spent."""

    gain: int
    worth: int
    cost: int


def fill_lots(lots: Lots) -> list[int]:
    """Lots per name, within budget always."""
    counts = _add_lots(lots, _start(lots))
    if lots.gap(counts) > lots.tolerance:
        counts = _exchange(lots, counts)
    if lots.gap(counts) > lots.tolerance:
        counts = _beam(lots, counts, _NARROW_BEAM)
    for width in _WIDE_BEAMS:
        if lots.gap(counts) <= lots.promise or width * len(counts) > _MAX_BEAM_WORK:
            break
        counts = _beam(lots, counts, width)
    return counts


def _relaxed(lots: Lots) -> _Bound:
    segments = [
        (k * p, k * c, p, c)
        for k, p, c in zip(lots.floors, lots.prices, lots.costs, strict=True)
        if k
    ]
    segments += [(g, c, g, c) for g, c in zip(lots.top_gains, lots.costs, strict=True) if g > 0]
    segments.sort(key=lambda s: -(s[2] << 40) // s[3])
    left, gain = lots.budget, 0
    for worth, cost, unit_worth, unit_cost in segments:
        if cost > left:
            # Rounded up: a bound that is too low would end the search early.
            return _Bound(gain + -(-left * worth // cost), unit_worth, unit_cost)
        left -= cost
        gain += worth
    return _Bound(gain, 0, 1)


def _start(lots: Lots) -> list[int]:
    """The floors, or, where they cost too much, the floors of targets shrunk in proportion.

    Every lot below its floor does the same harm per won when dropped, so the objective leaves open
    which names carry the shortage; in proportion, no name is emptied for the sake of the others.
    """
    if lots.slack(lots.floors) >= 0:
        return list(lots.floors)
    wished = sum(
        -(-t * c // p) for t, c, p in zip(lots.targets, lots.costs, lots.prices, strict=True)
    )
    return [t * lots.budget // (p * wished) for t, p in zip(lots.targets, lots.prices, strict=True)]


def _add_lots(lots: Lots, counts: list[int]) -> list[int]:
    """Take the largest decrease that fits, again and again; whole floors at a time."""
    counts = list(counts)
    slack = lots.slack(counts)
    full = sorted(range(len(counts)), key=lambda i: (-lots.prices[i], i))
    steps = [(lots.prices[i], i, True) for i in full if counts[i] < lots.floors[i]]
    steps += [(g, i, False) for i, g in enumerate(lots.top_gains) if g > 0]
    for _, i, below_floor in sorted(steps, key=lambda step: (-step[0], step[1])):
        fits = slack // lots.costs[i]
        if below_floor:
            more = min(fits, lots.floors[i] - counts[i])
        else:
            more = min(fits, 1) if counts[i] == lots.floors[i] else 0
        counts[i] += more
        slack -= more * lots.costs[i]
    return counts


def _exchange(lots: Lots, counts: list[int]) -> list[int]:
    """Swap one lot of a name against as many lots of another as pays best, until none pays."""
    price, cost, floor, cap, top = (
        np.array(column, dtype=np.int64)
        for column in (lots.prices, lots.costs, lots.floors, lots.caps, lots.top_gains)
    )
    held = np.array(counts, dtype=np.int64)
    none = np.iinfo(np.int64).min
    diagonal = np.eye(len(held), dtype=bool)
    for _ in range(_MAX_EXCHANGES):
        slack = int(lots.budget - (held * cost).sum())
        over = held > floor
        # Drop one lot of the row's name, add as many of the column's name as then fit.
        drop_one = np.where(over, top, price)[:, None]
        added = np.minimum((cap - held)[None, :], (slack + cost)[:, None] // cost[None, :])
        full = np.minimum(added, np.maximum(floor - held, 0)[None, :])
        sell_one = full * price + (added > full) * top - drop_one
        sell_one = np.where((held > 0)[:, None] & (added > 0) & ~diagonal, sell_one, none)
        # Add one lot of the row's name, drop as few of the column's name as that needs.
        add_one = np.where(held < floor, price, top)[:, None]
        dropped = np.maximum(-((slack - cost)[:, None] // cost[None, :]), 0)
        harm = dropped * price + ((dropped > 0) & over) * (top - price)
        buy_one = np.where(
            (held < cap)[:, None] & (dropped <= held[None, :]) & ~diagonal, add_one - harm, none
        )
        best_sell, best_buy = int(sell_one.argmax()), int(buy_one.argmax())
        if max(sell_one.flat[best_sell], buy_one.flat[best_buy]) <= 0:
            break
        if sell_one.flat[best_sell] >= buy_one.flat[best_buy]:
            i, j = divmod(best_sell, len(held))
            held[i] -= 1
            held[j] += added[i, j]
        else:
            i, j = divmod(best_buy, len(held))
            held[i] += 1
            held[j] -= dropped[i, j]
        if lots.gap(held.tolist()) <= lots.tolerance:
            break
    return held.tolist()


def _beam(lots: Lots, counts: list[int], width: int) -> list[int]:
    """Re-decide every name, dearest first, keeping at each step the `width` most promising ways.

    A way is dropped when even perfect spending of the rest could not beat the best known.
    """
    order = sorted(range(len(counts)), key=lambda i: (-lots.costs[i], i))
    allowed = lots.gap(counts) - 1
    options = [_options(lots, counts, i, lots.costs[order[0]], allowed) for i in order]
    if not all(options):
        return counts
    choices = [[count for count, _ in option] for option in options]
    most_left = _suffix_sums([max(n) * lots.costs[i] for i, n in zip(order, choices, strict=True)])
    least_left = _suffix_sums([min(n) * lots.costs[i] for i, n in zip(order, choices, strict=True)])
    bits = min(_LAMBDA_BITS, 62 - (2 * lots.budget).bit_length())
    worth = (lots.bound.worth << bits) // lots.bound.cost
    spent = np.zeros(1, dtype=np.int64)
    loss = np.zeros(1, dtype=np.int64)
    trail: list[tuple[np.ndarray, np.ndarray]] = []
    for depth, i in enumerate(order):
        step_cost = np.array([n * lots.costs[i] for n in choices[depth]], dtype=np.int64)
        step_loss = np.array([lost for _, lost in options[depth]], dtype=np.int64)
        all_spent = (spent[:, None] + step_cost[None, :]).ravel()
        all_loss = (loss[:, None] + step_loss[None, :]).ravel()
        idle = np.maximum(lots.budget - all_spent - most_left[depth + 1], 0)
        hopeful = all_loss + (idle * worth >> bits) <= allowed
        alive = np.flatnonzero(hopeful & (all_spent + least_left[depth + 1] <= lots.budget))
        if not len(alive):
            return counts
        alive = alive[_thinned(all_spent[alive], all_loss[alive], width)]
        spent, loss = all_spent[alive], all_loss[alive]
        trail.append((alive // len(step_cost), alive % len(step_cost)))
    return min(_endings(lots, counts, order, choices, trail, spent, loss), key=lots.gap)


def _endings(
    lots: Lots,
    counts: list[int],
    order: list[int],
    choices: list[list[int]],
    trail: list[tuple[np.ndarray, np.ndarray]],
    spent: np.ndarray,
    loss: np.ndarray,
) -> list[list[int]]:
    """The known solution and the best way found, walked back through the trail."""
    idle = [(lots.budget - s) * lots.bound.worth // lots.bound.cost for s in spent.tolist()]
    state = min(range(len(idle)), key=lambda s: (loss[s] + idle[s], s))
    found = list(counts)
    for depth in range(len(order) - 1, -1, -1):
        parents, picks = trail[depth]
        found[order[depth]] = choices[depth][int(picks[state])]
        state = int(parents[state])
    return [counts, found]


def _options(
    lots: Lots, counts: list[int], index: int, dearest: int, allowed: int
) -> list[tuple[int, int]]:
    """Counts worth trying, each with its loss, while that alone does not exceed `allowed`.

    The loss is what a count gives up against the best count at the relaxed price of money; never
    below zero. The range has enough cheap lots to make up for two of the dearest name.
    """
    reach = min(max(2, -(-2 * dearest // lots.costs[index])), _MAX_STEPS_PER_NAME)
    low, high = max(0, counts[index] - reach), min(lots.caps[index], counts[index] + reach)
    best = max(_net_worth(lots, index, n) for n in (0, lots.floors[index], lots.caps[index]))
    losses = ((n, best - _net_worth(lots, index, n)) for n in range(low, high + 1))
    return [(n, lost) for n, lost in losses if lost <= allowed]


def _net_worth(lots: Lots, index: int, count: int) -> int:
    worth, cost = lots.bound.worth, lots.bound.cost
    return (lots.gain(index, count) * cost - count * lots.costs[index] * worth) // cost


def _suffix_sums(values: list[int]) -> list[int]:
    sums = [0]
    for value in reversed(values):
        sums.append(sums[-1] + value)
    return sums[::-1]


def _thinned(spent: np.ndarray, loss: np.ndarray, width: int) -> np.ndarray:
    """The cheapest loss in each of `width` bands of money spent, in order of money."""
    order = np.lexsort((loss, spent))
    spent, loss = spent[order], loss[order]
    first = np.ones(len(spent), dtype=bool)
    first[1:] = spent[1:] != spent[:-1]
    order, spent, loss = order[first], spent[first], loss[first]
    if len(order) <= width:
        return order
    span = int(spent[-1] - spent[0]) + 1
    band = (spent - spent[0]) // -(-span // width)
    best = np.lexsort((-spent, loss, band))
    keep = np.ones(len(best), dtype=bool)
    keep[1:] = band[best][1:] != band[best][:-1]
    return order[np.sort(best[keep])]
