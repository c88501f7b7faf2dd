"""What came into an account or went out of it since a schedule last looked."""

from __future__ import annotations

from dataclasses import dataclass

from rebalancing.domain.flows import outside_flow
from rebalancing.domain.schedules import Kind
from rebalancing.domain.states import RunState
from rebalancing.models import Run, RunSchedule
from trading.models import Account, Ledger, Side, Snapshot
from trading.selectors.snapshots import latest_snapshot

__all__ = ["Flow", "begin_to_count", "counted_snapshots", "flow_since"]

_TRADED = (RunState.COMPLETED, RunState.COMPLETED_WITH_SHORTFALL)


@dataclass(frozen=True, slots=True)
class Flow:
    """Won from outside between two looks, the later of which is `seen`."""

    won: int
    seen: Snapshot


def begin_to_count(schedule: RunSchedule) -> None:
    """Remember the account as it is now; what comes or goes later is counted from here.

    Where a run brought the account to its targets since, counting begins with that run: it has spread
    what it found.
    """
    start = _newest_run(schedule.account, after=schedule.baseline_id or 0)
    if start is None and schedule.baseline_id is None:
        newest = latest_snapshot(schedule.account)
        start = newest.pk if newest else None
    if start is not None:
        _settle(schedule, start)


def _settle(schedule: RunSchedule, snapshot_id: int) -> None:
    """What came or went up to that look has been dealt with."""
    RunSchedule.objects.filter(pk=schedule.pk).update(baseline=snapshot_id)
    schedule.baseline = Snapshot.objects.defer("raw").get(pk=snapshot_id)


def _newest_run(account: Account, after: int) -> int | None:
    """The look up to which runs that traded have dealt with everything, None when that is not after `after`.

    A run that spread a flow dealt with what was counted when it opened, not with what came while it worked.
    One that ended without a trade dealt with nothing: its flow is counted again.
    """
    rows = Run.objects.filter(account=account, state__in=_TRADED, snapshot_id__gt=after)
    newest = rows.order_by("-snapshot_id").values_list("snapshot_id", "trigger_facts")[:20]
    looks = [(facts or {}).get("seen", snapshot) for snapshot, facts in newest]
    latest = max(looks, default=0)
    return latest if latest > after else None


def counted_snapshots(account: Account) -> list[int]:
    """Looks that runs for a flow were counted from; a schedule goes on from there."""
    runs = Run.objects.filter(account=account, trigger_kind=Kind.CASH_FLOW).order_by("-pk")
    newest = runs.values_list("trigger_facts", flat=True)[:20]
    return [facts["seen"] for facts in newest if facts and "seen" in facts]


def flow_since(schedule: RunSchedule) -> Flow | None:
    """The flow since the schedule's baseline; None while there are no two looks to compare."""
    before, now = schedule.baseline, latest_snapshot(schedule.account)
    if before is None or now is None:
        return None
    fills = Ledger.objects.filter(
        order__account=schedule.account_id,
        posted_at__gt=before.taken_at,
        posted_at__lte=now.ended_at,
    ).select_related("order")
    cash = _deposit(now) - _deposit(before)
    strange = _shares(now)
    for ticker, count in _shares(before).items():
        strange[ticker] = strange.get(ticker, 0) - count
    for fill in fills:
        sign = 1 if fill.order.side == Side.BUY else -1
        cash += sign * fill.amount + fill.fee + fill.tax
        ticker = fill.order.instrument_id
        strange[ticker] = strange.get(ticker, 0) - sign * fill.quantity
    prices = {ticker: quote["last"] for ticker, quote in (before.quotes | now.quotes).items()}
    return Flow(outside_flow(cash, strange, prices), now)


def _deposit(snapshot: Snapshot) -> int:
    """What is there, whether it may be spent or not: a lock is no withdrawal."""
    return snapshot.cash if snapshot.deposit is None else snapshot.deposit


def _shares(snapshot: Snapshot) -> dict[str, int]:
    return {ticker: row["quantity"] for ticker, row in snapshot.holdings.items()}
