"""One trade per name, only the difference, only when it is worth its cost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebalancing.domain.netting import apply_minimum_trade_filter, calculate_net_trades
from trading.domain.errors import InputError

shares = st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 500))


@settings(max_examples=80, deadline=None)
@given(shares, st.lists(shares, max_size=3))
def test_holdings_plus_trades_are_the_summed_targets(current, targets):
    changes = calculate_net_trades(current, targets)
    for ticker in {*current, *(t for target in targets for t in target)}:
        delta = changes[ticker].delta if ticker in changes else 0
        assert current.get(ticker, 0) + delta == sum(target.get(ticker, 0) for target in targets)
    prices = dict.fromkeys("ABCDE", 999)
    filtered = apply_minimum_trade_filter(changes, prices)
    names = [trade.ticker for trade in (*filtered.kept, *filtered.dropped)]
    assert sorted(names) == sorted(changes)
    assert all(trade.amount < 10_000 for trade in filtered.dropped)
    assert not any(changes[trade.ticker].closes for trade in filtered.dropped)


def test_a_trade_without_a_price_stops_the_run():
    changes = calculate_net_trades({"A": 1, "B": 1}, {"C": 1})
    with pytest.raises(InputError) as refused:
        apply_minimum_trade_filter(changes, {"A": 10, "B": 0})
    assert [reason.facts["ticker"] for reason in refused.value.reasons] == ["B", "C"]


def test_negative_shares_are_refused():
    with pytest.raises(InputError):
        calculate_net_trades({"A": -1}, {"A": 1})
