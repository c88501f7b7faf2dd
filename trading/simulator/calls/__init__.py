"""The broker's business calls, a file a theme; each file's `HANDLERS` names the calls it answers.

A handler reads the truth and writes one reply; what several of them share is in `trading.simulator.wire`.
"""

from __future__ import annotations

from collections.abc import Callable

from trading.simulator.calls import (
    accounts,
    charts,
    credit,
    finance,
    flows,
    funds,
    indices,
    instruments,
    margins,
    news,
    orders,
    profits,
    quotes,
    rankings,
    reserved,
    unoffered,
    us_accounts,
    us_charts,
    us_lists,
    us_orders,
    us_profits,
    us_quotes,
    us_reserved,
    worths,
)
from trading.simulator.http import Reply
from trading.simulator.truth import Truth
from trading.simulator.wire import Ask

__all__ = ["HANDLERS", "Handler"]

Handler = Callable[[Truth, Ask, bool], Reply]
HANDLERS: dict[str, Handler] = {
    **orders.HANDLERS,
    **reserved.HANDLERS,
    **accounts.HANDLERS,
    **profits.HANDLERS,
    **quotes.HANDLERS,
    **charts.HANDLERS,
    **indices.HANDLERS,
    **flows.HANDLERS,
    **credit.HANDLERS,
    **rankings.HANDLERS,
    **worths.HANDLERS,
    **instruments.HANDLERS,
    **funds.HANDLERS,
    **finance.HANDLERS,
    **news.HANDLERS,
    **margins.HANDLERS,
    **unoffered.HANDLERS,
    **us_orders.HANDLERS,
    **us_reserved.HANDLERS,
    **us_accounts.HANDLERS,
    **us_profits.HANDLERS,
    **us_quotes.HANDLERS,
    **us_charts.HANDLERS,
    **us_lists.HANDLERS,
}
"""Who answers a call of the broker's table; one that is missing here is no service here."""
