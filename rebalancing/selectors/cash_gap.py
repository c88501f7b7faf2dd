"""What lies between the cash that should be there and the cash that the broker lets be spent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from rebalancing.models import Leg, Run
from rebalancing.selectors.told import Told, won
from trading.models import Intent, Ledger

__all__ = ["cash_gap"]

ROUNDING = 10
"""Won by which a broker's own rounding of its commission may be off."""


def cash_gap(run: Run, legs: Iterable[Leg], at: datetime | None) -> list[Told]:
    """The sum of cash and proceeds beside the broker's answer; nothing where they are equal or unknown.

    The broker leaves room for the commission of a buy (`COMMISSION_SHARE`). The difference is called that
    only where it is what the account's stored rate makes of the sum, to a few won; else it is called
    unexplained.
    """
    if run.snapshot is None or run.cash_confirmed is None:
        return []
    proceeds = _proceeds(run, at)
    whole = run.snapshot.cash + proceeds
    gap = whole - run.cash_confirmed
    if not gap:
        return []
    facts = {
        "before": won(run.snapshot.cash),
        "proceeds": won(proceeds),
        "whole": won(whole),
        "gap": won(abs(gap)),
    }
    total = (
        _("조회한 현금 %(before)s원에 매도 대금 %(proceeds)s원을 더하면 %(whole)s원입니다.")
        if proceeds
        else _("조회한 현금은 %(whole)s원이었습니다.")
    )
    rate = next((rate for rate in _rates(run, legs) if _is_commission(gap, whole, rate)), None)
    if rate is not None:
        facts["rate"] = f"{(rate * 100).normalize():f}"
        rest = _(
            "수수료와 세금: 매도의 것은 대금에서 이미 뺐고, 나머지 %(gap)s원은 증권사가 매수 수수료"
            " (%(rate)s %%) 몫으로 남겨 둔 돈입니다."
        )
    elif gap > 0:
        rest = _("설명되지 않은 차이: 증권사의 답이 %(gap)s원 적습니다.")
    else:
        rest = _("설명되지 않은 차이: 증권사의 답이 %(gap)s원 많습니다.")
    return [Told(f"{total % facts} {rest % facts}", run.snapshot, at)]


def _proceeds(run: Run, at: datetime | None) -> int:
    """What the sells had brought by then, less commission and tax."""
    rows = Ledger.objects.filter(
        order__owner__origin=Intent.Origin.RUN, order__owner__origin_id=run.pk, order__side="SELL"
    )
    if at is not None:
        rows = rows.filter(posted_at__lte=at)
    return rows.aggregate(won=Sum(F("amount") - F("fee") - F("tax")))["won"] or 0


def _rates(run: Run, legs: Iterable[Leg]) -> list[Decimal]:
    """The commission of each kind of thing that was to be bought."""
    commission = run.account.commission
    kinds = {leg.instrument.instrument_kind for leg in legs if leg.side == "BUY"}
    return sorted({commission.of(kind) for kind in kinds})


def _is_commission(gap: int, whole: int, rate: Decimal) -> bool:
    return abs(gap - whole * rate / (1 + rate)) <= ROUNDING
