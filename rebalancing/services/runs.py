"""Opening, stopping and resuming runs. What a run does between is in `stages`."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from rebalancing.domain.states import BEFORE_SELLING, TERMINAL, RunState
from rebalancing.models import Run
from rebalancing.services.lease import move_run
from rebalancing.services.news import announce
from rebalancing.services.stages.pausing import resumed_deadline
from rebalancing.services.targets import current_config, current_target
from trading.domain.errors import Reason, RuleViolation, StateConflict
from trading.domain.sessions import Phase
from trading.models import Account, Attempt, Intent
from trading.selectors.calendar import is_trading_day
from trading.services.audit import audit
from trading.services.calendar import market_phase, run_cutoffs
from trading.services.clock import market_clock
from trading.services.pauses import lift_pause
from trading.services.policies import policy_of
from trading.services.states import record_transition
from trading.services.switches import switch_state

__all__ = ["active_run", "refusals_to_start", "run_cancel", "run_open", "run_resume"]


def active_run(account: Account) -> Run | None:
    return Run.objects.filter(account=account, terminal_at=None).first()


def refusals_to_start(account: Account, now: datetime, *, dry_run: bool) -> list[Reason]:
    """Every ground on which a run may not start now."""
    reasons = []
    if current_target(account) is None:
        reasons.append(Reason("no_targets"))
    if dry_run:
        return reasons
    if not is_trading_day(now.date()):
        reasons.append(Reason("not_a_trading_day", {"day": now.date().isoformat()}))
    elif market_phase(now) != Phase.REGULAR:
        reasons.append(Reason("market_closed", {"now": now.isoformat(timespec="minutes")}))
    elif now > run_cutoffs(now.date())[0]:
        last = run_cutoffs(now.date())[0]
        reasons.append(Reason("too_late_today", {"last_start": f"{last:%H:%M}"}))
    state = switch_state(account)
    if state != "ACTIVE":
        reasons.append(Reason("trading_stopped", {"state": state}))
    if account.paused_reason == Account.EXTERNAL_ORDER:
        reasons.append(Reason("account_paused_external"))
    elif account.paused_reason:
        reasons.append(Reason("account_paused", {"why": account.paused_reason}))
    unknown = Attempt.objects.filter(
        intent__account=account, state__in=["SENDING", "UNKNOWN"]
    ).count()
    if unknown:
        reasons.append(Reason("unknown_orders", {"count": unknown}))
    return reasons


def run_open(
    account: Account,
    *,
    requester: str,
    requester_kind: str = Run.Requester.PERSON,
    slot: str = "",
    dry_run: bool = False,
    planner: str = "rules",
    trigger_kind: str | None = None,
    trigger_facts: dict[str, object] | None = None,
    set_by: str | None = None,
) -> Run:
    """Open a run; at most one is active per account and one exists per slot.

    Raises RuleViolation with every ground not to start, StateConflict when a run is already active or
    the slot has had its run: `facts["run"]` names it.
    """
    now = market_clock(account).now()
    if reasons := refusals_to_start(account, now, dry_run=dry_run):
        raise RuleViolation(reasons)
    slot = slot or f"person:{now:%Y%m%dT%H%M%S}:{secrets.token_hex(4)}"
    target, config = current_target(account), current_config()
    deadline = run_cutoffs(now.date())[1] if is_trading_day(now.date()) else now
    try:
        with transaction.atomic():
            run = Run.objects.create(
                account=account,
                slot=slot,
                state=RunState.CREATED,
                state_since=now,
                requester=requester,
                requester_kind=requester_kind,
                set_by=set_by,
                dry_run=dry_run,
                planner=planner,
                trigger_kind=trigger_kind,
                trigger_facts=trigger_facts,
                approval_policy=policy_of(account).kind,
                config=config,
                target=target,
                created_at=now,
                deadline_at=deadline,
                due_at=now,
            )
            record_transition("run", run.pk, "", RunState.CREATED, now, requester)
            audit(requester, "run_opened", f"run:{run.pk}", {"slot": slot, "dry_run": dry_run})
            announce(run.pk, account.pk)
    except IntegrityError as error:
        same = Run.objects.filter(account=account, slot=slot).first()
        busy = same or active_run(account)
        code = "slot_taken" if same else "run_active"
        raise StateConflict(code, run=busy.pk if busy else None) from error
    return run


def run_cancel(run_id: int, by: str) -> Run:
    """Stop a run: at once while nothing was sent, else by cancelling what works and closing the books."""
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).select_related("account").get(pk=run_id)
        if run.state in TERMINAL:
            raise StateConflict("run_ended", run=run.pk, state=run.state)
        now = market_clock(run.account).now()
        if run.state in BEFORE_SELLING:
            end_early(run, RunState.CANCELED, now, by=by, reason="canceled_by_person")
        elif not run.stop_requested:
            Run.objects.filter(pk=run.pk).update(stop_requested="person", due_at=now)
            run.stop_requested = "person"
            announce(run.pk, run.account_id)
        audit(by, "run_cancel", f"run:{run.pk}", {"state": run.state})
    return run


def end_early(run: Run, to: RunState, now: datetime, *, by: str, reason: str) -> None:
    """End a run that has sent nothing, and whatever it had authorised with it."""
    move_run(run, to, at=now, by=by, reason=reason, terminal_at=now, due_at=None, end_reason=reason)


def run_resume(run_id: int, by: str, *, close: bool = False) -> Run:
    """A person lets a paused run go on where it was, or closes it.

    What paused the account with the run is lifted in the same act; closing leaves it in place.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).select_related("account").get(pk=run_id)
        if run.state not in (RunState.PAUSED_UNKNOWN, RunState.PAUSED_EXTERNAL):
            raise StateConflict("not_paused", run=run.pk, state=run.state)
        if not close and run.account.paused_reason == Account.EXTERNAL_ORDER:
            lift_pause(run.account, by)
        now = market_clock(run.account).now()
        to = RunState.FINAL_RECON if close else RunState(run.outcome["resume"])
        outcome = run.outcome | {"external_accepted_at": now.isoformat()}
        move_run(
            run,
            to,
            at=now,
            by=by,
            reason="resumed",
            due_at=now,
            outcome=outcome,
            step_deadline_at=resumed_deadline(run, now),
        )
        audit(by, "run_closed" if close else "run_resumed", f"run:{run.pk}")
    return run


def intents_of(run: Run):  # type: ignore[no-untyped-def]
    return Intent.objects.filter(origin=Intent.Origin.RUN, origin_id=run.pk)
