"""Everything the gate's rules look at, read just before the write-ahead record and inside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from trading.domain.errors import BrokerContradicts, ConfigurationError
from trading.domain.limits import GateInputs, GateLimits
from trading.domain.ports import Balance
from trading.domain.quotes import Quote
from trading.domain.sent import UNANSWERED, WORKING, Wanted, same_order, tally
from trading.domain.sessions import Phase
from trading.models import Account, Intent, Lane, Ledger, OrderAction, Position, Side
from trading.models.prepared import Prepared
from trading.selectors.limits import limits_in_force
from trading.selectors.sent import sent_since
from trading.services.brokers import base_url_of, broker_for
from trading.services.build_fence import build_in_the_way
from trading.services.calendar import market_phase
from trading.services.clock import market_clock
from trading.services.reservations import (
    budget_used,
    reserve_for,
    unseen_buy_won,
    unseen_sell_shares,
)
from trading.services.switches import switch_state

__all__ = ["FreshInputs", "fresh_inputs", "gate_inputs"]

LATEST_FILLS = 20
"""Enough to find the account's own without sorting every fill there ever was."""


@dataclass(frozen=True, slots=True)
class FreshInputs:
    """What was read from the broker just before T2."""

    quote: Quote | None = None
    sellable: int | None = None
    orderable: int | None = None
    orderable_at: datetime | None = None


def fresh_inputs(intent: Intent) -> FreshInputs:
    """Quote, and cash or shares, read now; the quote last, because it ages fastest. Raises BrokerError."""
    if intent.action == OrderAction.CANCEL:
        return FreshInputs()
    broker = broker_for(intent.account)
    clock = market_clock(intent.account)
    if intent.side == Side.BUY:
        at = clock.now()
        orderable = broker.orderable_cash(intent.instrument_id).amount
        return FreshInputs(
            quote=broker.quote(intent.instrument_id), orderable=orderable, orderable_at=at
        )
    sellable = _sellable(intent, broker.balance())
    return FreshInputs(quote=broker.quote(intent.instrument_id), sellable=sellable)


def _sellable(intent: Intent, balance: Balance) -> int:
    """Shares that may be sold.

    Raises BrokerContradicts when it is too few only because the balance shows fewer than we hold: one such
    answer must not end a sale for good.
    """
    row = next((h for h in balance.holdings if h.ticker == intent.instrument_id), None)
    held, sellable = (row.quantity, row.sellable) if row is not None else (0, 0)
    ours = Position.objects.filter(account=intent.account, instrument=intent.instrument).first()
    if sellable < intent.quantity and ours is not None and held < ours.quantity:
        raise BrokerContradicts("the balance shows fewer shares than our books")
    return sellable


def gate_inputs(
    intent: Intent, lane: Lane, fresh: FreshInputs, now: datetime, budget_won: int | None
) -> GateInputs:
    account = intent.account
    phase = market_phase(now)
    quote = fresh.quote
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    window = timedelta(seconds=GateLimits().duplicate_seconds)
    wanted = Wanted(
        intent.pk,
        (intent.instrument_id, intent.side, intent.quantity, intent.limit_price),
        (intent.origin, intent.origin_id),
    )
    lately = sent_since(account, min(midnight, now - window))
    todays = [one for one in lately if one.at >= midnight]
    counted = tally(todays, wanted, now)
    in_force = limits_in_force(account, intent.approval.decided_at if intent.approval else None)
    needed = reserve_for(intent, quote.upper_limit) if quote and intent.side == Side.BUY else 0
    return GateInputs(
        action=intent.action,
        origin=intent.origin,
        side=intent.side,
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        kind=intent.instrument.kind,
        now=now.isoformat(),
        switch=switch_state(account),
        environment_ok=_environment_ok(account),
        other_build=build_in_the_way(todays, now),
        market_open=phase == Phase.REGULAR,
        cancel_allowed_now=phase in (Phase.PRE_OPEN, Phase.REGULAR, Phase.CLOSING_AUCTION),
        instrument_tradable=intent.instrument.tradable,
        approval_ok=_approval_holds(intent),
        deadline=intent.deadline_at.astimezone(now.tzinfo).isoformat(),
        lane_free=not lane.attempts.filter(state__in=UNANSWERED).exists(),
        account_paused=bool(account.paused_reason) and intent.side == Side.BUY,
        opposite_open=_opposite_open(intent),
        duplicates=same_order(lately, wanted, now - window),
        sent_last_minute=counted.minute,
        sent_today=counted.today,
        quote_at=quote.at.isoformat() if quote else None,
        quote_last=quote.last if quote else None,
        upper_limit=quote.upper_limit if quote else None,
        lower_limit=quote.lower_limit if quote else None,
        halted=quote.halted if quote else None,
        vi=quote.vi if quote else None,
        warning=quote.warning if quote else "",
        sellable=fresh.sellable,
        open_sell_shares=unseen_sell_shares(intent),
        ticker_won=counted.ticker_won,
        run_won=counted.run_won,
        day_won=counted.day_won,
        previous_volume=quote.previous_volume if quote else None,
        limits=asdict(in_force),
        orderable_won=fresh.orderable,
        orderable_at=fresh.orderable_at.isoformat() if fresh.orderable_at else None,
        cash_changed_at=_cash_changed_at(intent),
        reserved_won=unseen_buy_won(intent, fresh.orderable_at),
        needed_won=needed,
        budget_won=budget_won,
        budget_used_won=budget_used(intent) if budget_won is not None else 0,
    )


def _opposite_open(intent: Intent) -> int:
    """Orders of the other side of the name that may still be filled."""
    wanted = (intent.account_id, intent.instrument_id, OrderAction.ORDER)
    return sum(one[:3] == wanted and one[3] != intent.side for one in _WORKING_TERMS())


_WORKING_TERMS = Prepared(
    lambda _value: (
        Intent.objects.filter(state__in=WORKING)  # few, by an index of their own
        .order_by()
        .values_list("account_id", "instrument_id", "action", "side")
    )
)


def _environment_ok(account: Account) -> bool:
    try:
        base_url_of(account)
    except ConfigurationError:
        return False
    return account.is_active


def _approval_holds(intent: Intent) -> bool:
    """A run's order needs the approval of exactly its plan; a manual order up to the cap needs none."""
    approval = intent.approval
    if intent.origin != Intent.Origin.RUN or intent.action == OrderAction.CANCEL:
        return approval is None or approval.verdict == "APPROVE"
    return (
        approval is not None
        and approval.verdict == "APPROVE"
        and approval.plan_hash == intent.plan_hash
        and approval.account_id == intent.account_id
    )


def _cash_changed_at(intent: Intent) -> str | None:
    """When a fill last moved the account's cash as far as we know: a figure read before it is old."""
    if intent.side != Side.BUY:
        return None
    moved = Ledger.objects.order_by("-pk")
    lately = moved.values_list("order__account_id", "posted_at")[:LATEST_FILLS]
    newest = next((at for owner, at in lately if owner == intent.account_id), None)
    if newest is None and len(lately) == LATEST_FILLS:  # those are other accounts'
        own = moved.filter(order__account=intent.account)
        newest = own.values_list("posted_at", flat=True).first()
    return newest.isoformat() if newest is not None else None
