"""What a run did: sold, had in cash, bought, and left undone with the reason; from stored rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from rebalancing.domain.states import RunState
from rebalancing.models import Leg, Run
from rebalancing.selectors.cash_gap import cash_gap
from rebalancing.selectors.refused_cancels import told_refusals
from rebalancing.selectors.told import Told, count, won
from rebalancing.selectors.words import WORDS
from trading.models import Intent, Ledger, Transition

__all__ = ["Filled", "deeds_of", "filled_legs", "why_question"]

_CLOSED = (RunState.COMPLETED, RunState.COMPLETED_WITH_SHORTFALL)


@dataclass(frozen=True, slots=True)
class Filled:
    """The booked steps of one leg's orders, summed; `last` is the newest of them."""

    quantity: int
    amount: int
    fee: int
    tax: int
    last: Ledger

    @property
    def proceeds(self) -> int:
        return self.amount - self.fee - self.tax


def filled_legs(run: Run) -> dict[int, Filled]:
    """Leg → what the ledger says of it. A leg without a fill has no entry."""
    rows = (
        Ledger.objects.filter(
            order__owner__origin=Intent.Origin.RUN, order__owner__origin_id=run.pk
        )
        .select_related("order__owner")
        .order_by("id")
    )
    found: dict[int, Filled] = {}
    for row in rows:
        owner = row.order.owner
        if owner is None or owner.leg_id is None:
            continue
        step = Filled(row.quantity, row.amount, row.fee, row.tax, row)
        before = found.get(owner.leg_id)
        found[owner.leg_id] = _plus(before, step) if before else step
    return found


def _plus(one: Filled, more: Filled) -> Filled:
    return Filled(
        one.quantity + more.quantity,
        one.amount + more.amount,
        one.fee + more.fee,
        one.tax + more.tax,
        more.last,
    )


def deeds_of(run: Run, legs: Sequence[Leg]) -> list[Told]:
    """In the order it happened: the sells, the cash, the buys; then what was planned and not done."""
    filled = filled_legs(run)
    sells = [
        _traded(leg, filled[leg.pk]) for leg in legs if leg.side == "SELL" and leg.pk in filled
    ]
    buys = [_traded(leg, filled[leg.pk]) for leg in legs if leg.side == "BUY" and leg.pk in filled]
    done = [*sells, *_came_in(legs, filled), *_was_there(run, legs), *buys]
    return [*_by_time([*done, *told_refusals(run)]), *_undone(run, legs, filled)]


def _by_time(told: Sequence[Told]) -> list[Told]:
    """A late booking is told when it was booked; what has no moment stays behind what it stood behind."""
    keys, newest = [], 0.0
    for one in told:
        newest = one.at.timestamp() if one.at else newest
        keys.append(newest)
    order = sorted(range(len(told)), key=keys.__getitem__)
    return [told[i] for i in order]


def _traded(leg: Leg, filled: Filled) -> Told:
    facts = {
        "name": leg.instrument.name,
        "n": count(filled.quantity),
        "won": won(filled.amount),
        "fee": won(filled.fee),
        "tax": won(filled.tax),
    }
    if leg.side == "BUY":
        text = _("%(name)s %(n)s주를 모두 %(won)s원에 샀습니다. 수수료 %(fee)s원.")
    elif filled.tax:
        text = _(
            "%(name)s %(n)s주를 모두 %(won)s원에 팔았습니다. 수수료 %(fee)s원, 세금 %(tax)s원."
        )
    else:
        text = _("%(name)s %(n)s주를 모두 %(won)s원에 팔았습니다. 수수료 %(fee)s원.")
    return Told(text % facts, leg, filled.last.posted_at)


def _came_in(legs: Sequence[Leg], filled: Mapping[int, Filled]) -> list[Told]:
    sold = [filled[leg.pk] for leg in legs if leg.side == "SELL" and leg.pk in filled]
    if not sold:
        return []
    last = max((one.last for one in sold), key=lambda row: row.pk)
    text = _("매도 대금은 수수료와 세금을 빼고 %(won)s원입니다.")
    return [Told(text % {"won": won(sum(one.proceeds for one in sold))}, last, last.posted_at)]


def _was_there(run: Run, legs: Sequence[Leg]) -> list[Told]:
    """The cash that the broker itself called spendable before the buys, when, and how it differs from the
    cash that was counted."""
    if run.cash_confirmed is None:
        return []
    at = (
        Transition.objects.filter(object_type="run", object_id=run.pk, to_state=RunState.BUY_RESIZE)
        .order_by("id")
        .values_list("at", flat=True)
        .last()
    )
    text = _("매수 전에 증권사가 바로 쓸 수 있다고 답한 현금은 %(cash)s원이었습니다.")
    answer = Told(text % {"cash": won(run.cash_confirmed)}, run, at)
    return [answer, *cash_gap(run, legs, at)]


def _undone(run: Run, legs: Sequence[Leg], filled: Mapping[int, Filled]) -> list[Told]:
    """Only of legs that are over: what may still fill is not undone, and what never began the end tells."""
    over = run.state in _CLOSED
    told = []
    for leg in legs:
        got = filled[leg.pk].quantity if leg.pk in filled else 0
        if got < leg.quantity and (over or leg.done):
            told.append(Told(_short_of(leg, got, run.cash_confirmed), leg))
    return told


def _short_of(leg: Leg, got: int, cash: int | None) -> str:
    facts = {
        "name": leg.instrument.name,
        "n": count(leg.quantity),
        "less": count(leg.quantity - got),
    }
    if leg.side == "BUY":
        text = (
            _("%(name)s: 계획한 %(n)s주보다 %(less)s주 적게 샀습니다.")
            if got
            else _("%(name)s: 계획한 %(n)s주를 사지 않았습니다.")
        )
    else:
        text = (
            _("%(name)s: 계획한 %(n)s주보다 %(less)s주 적게 팔았습니다.")
            if got
            else _("%(name)s: 계획한 %(n)s주를 팔지 않았습니다.")
        )
    return " ".join([text % facts, *_why_short(leg, cash)])


def _why_short(leg: Leg, cash: int | None) -> list[str]:
    why = []
    if leg.resized_quantity and leg.resized_quantity < leg.quantity and cash is not None:
        text = _("매수 전에 확인한 현금 %(cash)s원에 맞춰 %(n)s주로 줄였습니다.")
        why.append(text % {"cash": won(cash), "n": count(leg.resized_quantity)})
    if leg.outcome:
        why.append(WORDS.say(leg.outcome))
    return why


def why_question(side: str, filled: int, over: bool) -> str:
    """What is asked about an order: before it trades, after it did, and when it will not any more."""
    if side == "BUY":
        if filled:
            return _("왜 샀나")
        return _("왜 사지 않았나") if over else _("왜 사려고 하나")
    if filled:
        return _("왜 팔았나")
    return _("왜 팔지 않았나") if over else _("왜 팔려고 하나")
