"""What is true of orders, shares and money, in the published shape; equals the fold of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.simulator.accounts import Account

__all__ = ["truth_of"]


def truth_of(accounts: Mapping[str, Account], epoch: int, us: dict[str, Any]) -> dict[str, Any]:
    orders = []
    for number, account in sorted(accounts.items()):
        for order in account.truth.orders.values():
            link = {"orgn_odno": order.orgn_odno} if order.orgn_odno else {}
            orders.append(
                {
                    "account": number,
                    "trade_date": f"{order.day:%Y%m%d}",
                    "orgno": order.orgno,
                    "odno": order.odno,
                    **link,
                    "ticker": order.code,
                    "side": order.side.value,
                    "qty": order.quantity,
                    "filled": order.filled,
                    "amount": order.amount,
                }
            )
    return {
        "epoch": epoch,
        "orders": orders,
        "positions": {
            number: {c: h.quantity for c, h in a.truth.holdings.items() if h.quantity}
            for number, a in sorted(accounts.items())
        },
        "cash": {
            number: {"cash": a.truth.cash, "d2_cash": a.truth.d2_cash}
            for number, a in sorted(accounts.items())
        },
        **({"us": us} if us else {}),
    }
