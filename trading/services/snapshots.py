"""One look at an account: balance, orderable cash and a quote for every name that matters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from trading.domain.cash import usable_cash
from trading.domain.errors import (
    BrokerGarbled,
    BrokerPriceless,
    BrokerRefused,
    InputError,
    Reason,
)
from trading.domain.ports import Balance
from trading.domain.quotes import Quote
from trading.models import Account, Attempt, BrokerOrder, Instrument, Position, Snapshot
from trading.services.alerts import alert
from trading.services.brokers import broker_for
from trading.services.clock import market_clock
from trading.services.confirmed import require_confirmed
from trading.services.day_loss import stop_when_the_day_is_lost
from trading.services.ledger import adopt_first_holdings, adopt_holding

__all__ = ["compare_positions", "quote_as_json", "take_snapshot"]


def quote_as_json(quote: Quote) -> dict[str, object]:
    return {
        "last": quote.last,
        "reference": quote.reference,
        "upper": quote.upper_limit,
        "lower": quote.lower_limit,
        "tick": quote.tick,
        "halted": quote.halted,
        "vi": quote.vi,
        "warning": quote.warning,
        "previous_volume": quote.previous_volume,
        "at": quote.at.isoformat(),
    }


def take_snapshot(account: Account, tickers: Iterable[str]) -> Snapshot:
    """Read and store the account with quotes for everything held or in `tickers`.

    Raises BrokerError when something cannot be read or contradicts our books for the first time,
    BrokerPriceless naming every ticker without a readable price, InputError naming every ticker the broker
    does not know: a price is never guessed and never zero.
    """
    broker, clock = broker_for(account), market_clock(account)
    started = clock.now()
    balance = broker.balance()
    require_confirmed(account, balance, started, moving=lambda: _is_working(account))
    wanted = sorted({*tickers, *(h.ticker for h in balance.holdings)})
    orderable = broker.orderable_cash(wanted[0] if wanted else "")
    quotes, unknown, priceless = {}, [], []
    for ticker in wanted:
        try:
            quotes[ticker] = broker.quote(ticker)
        except BrokerRefused as error:
            unknown.append(Reason("unknown_instrument", {"ticker": ticker, "why": error.msg_cd}))
        except BrokerGarbled:
            priceless.append(ticker)
    if unknown:
        raise InputError(unknown)
    if priceless:
        raise BrokerPriceless(priceless)
    raw = json.dumps(
        {"balance": balance.raw, "orderable": orderable.raw}, ensure_ascii=False, default=str
    )
    cash = usable_cash(balance.d2_cash, orderable.amount)
    equity = cash + sum(h.quantity * quotes[h.ticker].last for h in balance.holdings)
    with transaction.atomic():
        _remember(balance, quotes)
        if not _is_working(account):
            compare_positions(account, balance, started)
        found = Snapshot.objects.create(
            account=account,
            taken_at=started,
            ended_at=clock.now(),
            equity=equity,
            cash=cash,
            deposit=balance.d2_cash,
            holdings={
                h.ticker: {"quantity": h.quantity, "sellable": h.sellable, "name": h.name}
                for h in balance.holdings
            },
            quotes={ticker: quote_as_json(quote) for ticker, quote in quotes.items()},
            raw=raw,
            raw_hash=hashlib.sha256(raw.encode()).hexdigest(),
        )
    stop_when_the_day_is_lost(account, found)
    return found


def _is_working(account: Account) -> bool:
    """While an order of anybody's may still fill, a difference in holdings proves nothing."""
    return (
        BrokerOrder.objects.filter(account=account, is_final=False).exists()
        or Attempt.objects.filter(
            intent__account=account, state__in=["SENDING", "UNKNOWN"]
        ).exists()
    )


def _remember(balance: Balance, quotes: dict[str, Quote]) -> None:
    """Keep names and last prices for pages; an instrument seen for the first time may not be traded
    until a person has said what it is."""
    known = {i.ticker: i for i in Instrument.objects.filter(ticker__in=quotes)}
    names = {h.ticker: h.name for h in balance.holdings}
    for ticker in set(quotes) - set(known):
        known[ticker] = Instrument.objects.create(
            ticker=ticker, name=names.get(ticker, ticker), kind="kospi", tradable=False
        )
    for ticker, quote in quotes.items():
        known[ticker].last_price = quote.last
        known[ticker].priced_at = quote.at
        known[ticker].halted = quote.halted
    Instrument.objects.bulk_update(known.values(), ["last_price", "priced_at", "halted"])


def _instruments(tickers: list[str], names: dict[str, str]) -> dict[str, Instrument]:
    """The instruments by ticker; one seen for the first time may not be traded yet."""
    found = Instrument.objects.in_bulk(tickers)
    for ticker in set(tickers) - set(found):
        found[ticker] = Instrument.objects.create(
            ticker=ticker, name=names.get(ticker, ticker), kind="kospi", tradable=False
        )
    return found


def compare_positions(account: Account, balance: Balance, at: datetime) -> list[str]:
    """Make our positions equal the broker's and report each difference nobody of us explains.

    Call only when no order of ours is working: a fill that one list shows before the other is not a
    difference. Returns the tickers that differed.
    """
    ours = {
        p.instrument_id: p.quantity
        for p in Position.objects.filter(account=account, quantity__gt=0)
    }
    theirs = {h.ticker: h for h in balance.holdings}
    held = {
        ticker: theirs[ticker].quantity if ticker in theirs else 0 for ticker in {*ours, *theirs}
    }
    differing = sorted(ticker for ticker, n in held.items() if n != ours.get(ticker, 0))
    if not differing:
        return []
    first = not Position.objects.filter(account=account).exists()
    costs = {h.ticker: int(h.average_price * h.quantity) for h in balance.holdings}
    names = {h.ticker: h.name for h in balance.holdings}
    instruments = _instruments(differing, names)
    if first:
        adopt_first_holdings(account, [(instruments[t], held[t], costs[t]) for t in differing], at)
        return differing
    for ticker in differing:
        adopt_holding(account, instruments[ticker], held[ticker], costs.get(ticker, 0), at)
    alert("external_holding_change", account=account, tickers=differing)
    return differing
