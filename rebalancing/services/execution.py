"""Carries out the legs of one side, one order per step, from fresh books and inside the collar."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from rebalancing.domain.execution import CHASE, Move, MoveKind, next_move
from rebalancing.domain.netting import Side
from rebalancing.models import Leg, Run
from rebalancing.services.cancelling import LOOKED, cancel_order
from rebalancing.services.legs import leg_views, open_legs, sync_legs
from rebalancing.services.wishes import ENGINE, is_still_priced, new_intent, requote, stands_well
from trading.domain.errors import Reason
from trading.domain.orders import IntentState
from trading.domain.sending import WAITING_RULES
from trading.models import Intent, RuleCheck
from trading.models.prepared import Prepared
from trading.services import gateway
from trading.services.crashpoints import crashpoint
from trading.services.states import move

__all__ = ["Progress", "work"]

STAND_BACK = timedelta(seconds=1)


class Progress:
    """What one pass did: asked the door at most once, `waiting` for some legs; `done` when all are over.

    `again` says that the next step may come at once: something was sent, a list was read for a cancel, or
    a rule put a leg off while others have not been tried. What the line or the broker refused lets nobody
    else try in its place.
    """

    def __init__(self) -> None:
        self.sent = False
        self.looked = False
        self.asked = False
        self.put_off = False
        self.untried = False
        self.waiting: list[str] = []

    @property
    def again(self) -> bool:
        return self.sent or self.looked or (self.put_off and self.untried)

    @property
    def done(self) -> bool:
        return not self.again and not self.waiting


def work(run: Run, side: str, now: datetime, deadline: datetime, *, stopping: bool) -> Progress:
    """Look at every open leg and ask the gate for at most one order or cancel.

    A leg that the gate put off stands back for a second, so that it never holds up the others. Raises
    BrokerError while inputs cannot be read; nothing was sent then.
    """
    progress = Progress()
    legs = open_legs(run, side)
    views = leg_views(run, legs)
    put_off = _put_off(run, now)
    finished: list[tuple[Leg, Move]] = []
    for leg in legs:
        todo = next_move(views[leg.pk], now, deadline, stopping=stopping)
        if todo.kind is MoveKind.DONE:
            finished.append((leg, todo))
        elif todo.kind is MoveKind.WAIT:
            progress.waiting.append(todo.why)
        elif leg.pk in put_off:
            progress.waiting.append("turn")
        elif progress.asked:
            progress.waiting.append("turn")
            progress.untried = True
        else:
            _act(progress, run, leg, todo, now, deadline)
    if finished:
        _finish(run, finished, now)
    return progress


def _put_off(run: Run, now: datetime) -> set[int | None]:
    """Legs that the gate asked to wait within the last second."""
    return set(_VETOED(run=run.pk, since=now - STAND_BACK))


_VETOED = Prepared(
    lambda value: RuleCheck.objects.filter(
        intent__origin=Intent.Origin.RUN,
        intent__origin_id=value.run,
        intent__state=IntentState.AUTHORIZED,
        verdict="VETO",
        at__gt=value.since,
    ).values_list("intent__leg_id", flat=True),
    run=int,
    since=datetime,
)


def _finish(run: Run, finished: list[tuple[Leg, Move]], now: datetime) -> None:
    """Close the legs that have nothing left to do, with the reason where something is missing."""
    with transaction.atomic():
        for leg, todo in finished:
            leg.done, leg.outcome = True, todo.why or leg.outcome
            if todo.intent_id is not None:
                intent = Intent.objects.get(pk=todo.intent_id)
                if intent.state == IntentState.AUTHORIZED:
                    move(intent, IntentState.REVOKED, at=now, by=ENGINE, reason=todo.why)
        legs = [leg for leg, _todo in finished]
        sync_legs(run, legs)
        Leg.objects.bulk_update(legs, ["done", "outcome"])


def _act(
    progress: Progress, run: Run, leg: Leg, todo: Move, now: datetime, deadline: datetime
) -> None:
    """Carry out one move and note what came of it."""
    if todo.kind is MoveKind.CANCEL:
        assert todo.intent_id is not None
        if todo.why == CHASE and stands_well(leg, todo.intent_id):
            progress.waiting.append("working")
            return
        progress.asked = True
        _note(progress, cancel_order(run, todo.intent_id, now))
        return
    wish = _wish(run, leg, todo, now, deadline)
    if isinstance(wish, str):
        progress.waiting.append(wish)
        return
    progress.asked = True
    _note(progress, _send(run, leg, wish))


def _note(progress: Progress, waited: str) -> None:
    """What the door answered: taken or refused for good when empty, else why the leg waits."""
    if not waited:
        progress.sent = True
        return
    if waited == LOOKED:
        progress.looked = True
        return
    reasons = set(waited.split(","))
    progress.put_off = reasons <= WAITING_RULES
    progress.waiting.extend(sorted(reasons))


def _wish(run: Run, leg: Leg, todo: Move, now: datetime, deadline: datetime) -> Intent | str:
    """The intent to send, or why there is none now."""
    if todo.kind is MoveKind.SEND:
        assert todo.intent_id is not None
        intent = Intent.objects.get(pk=todo.intent_id)
        outlived = intent.deadline_at <= now < deadline  # the step was given more time since
        if outlived or not is_still_priced(leg, intent, now):
            return requote(leg, intent, now)
    else:
        made = new_intent(run, leg, todo, now, deadline)
        if isinstance(made, Reason):
            Leg.objects.filter(pk=leg.pk).update(outcome=made.code)
            leg.outcome = made.code
            return made.code
        intent = made
    return intent


def _send(run: Run, leg: Leg, intent: Intent) -> str:
    """Why the order had to wait, or an empty string when the door took or refused it for good."""
    budget = run.cash_confirmed if leg.side == Side.BUY else None
    crashpoint("before_send")
    outcome = gateway.send(intent.pk, by=ENGINE, budget_won=budget)
    if outcome.note and not outcome.retry and outcome.state in ("VETOED", "REJECTED"):
        Leg.objects.filter(pk=leg.pk).update(outcome=outcome.note[:60])
    return outcome.why_waiting
