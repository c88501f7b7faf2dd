"""An order that nobody of us sent and that is in everything like one that we have just sent.

The broker may have taken one request twice, or somebody between us may have repeated it. Whichever it is: the
next order could come twice as well, so nothing more goes out until somebody has looked.
"""

from __future__ import annotations

from trading.domain.ports import OrderRow
from trading.domain.reconciliation import misfits
from trading.models import Account, Alert, Attempt, OrderAction
from trading.selectors.sought import sought_of
from trading.services.alerts import alert
from trading.services.switches import account_scope, engage

__all__ = ["stop_for_a_twin"]


def stop_for_a_twin(account: Account, row: OrderRow) -> bool:
    """Halt `account` when `row`, which is not ours, fits an order of ours that has its number already.

    Must run inside a transaction. True when it did.
    """
    answered = Attempt.objects.filter(
        intent__account=account,
        intent__instrument_id=row.ticker,
        intent__side=row.side,
        intent__quantity=row.quantity,
        action=OrderAction.ORDER,
        state="ACKED",
    ).select_related("intent__account", "intent__target_order", "broker_order")
    for attempt in answered.order_by("-pk"):
        if misfits(row, sought_of(attempt)):
            continue
        ours = attempt.broker_order.order_no if attempt.broker_order else ""
        engage(account_scope(account), "HALTED", "system", f"order {ours} came twice")
        alert(
            "order_twice",
            severity=Alert.Severity.PAGE,
            account=account,
            intent_id=attempt.intent_id,
            order_no=row.order_no,
            ticker=row.ticker,
            ours=ours,
        )
        return True
    return False
