"""Which of the broker's cash figures counts: the D+2 deposit, unless less of it may be spent."""

from __future__ import annotations

__all__ = ["COMMISSION_SHARE", "usable_cash"]

COMMISSION_SHARE = 500
"""The orderable figure leaves room for commission; up to 1/500 below the deposit means nothing else."""


def usable_cash(d2_cash: int, orderable: int) -> int:
    """Won that belong to the account and may be planned with.

    The deposit after settlement is exact; when the broker lets clearly less of it be spent (a lock, a
    receivable), only that much counts. Never negative.
    """
    locked = orderable < d2_cash - d2_cash // COMMISSION_SHARE
    return max(0, orderable if locked else d2_cash)
