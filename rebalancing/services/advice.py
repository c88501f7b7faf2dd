"""Advice on record: prepared, asked for at most once, and settled with the plan.

The question is committed as ASKED before it leaves. Whoever comes after a crash finds it so and does not
ask again: the first one may have been heard and paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from rebalancing.domain.advice_states import AdviceState
from rebalancing.domain.legs import Leg
from rebalancing.domain.plain_text import inert
from rebalancing.models import Advice, Run
from rebalancing.planners.gemini import MOST_TEXT, Briefing, question_of, read_reply, told_items
from strategies.analysts.gemini import Analyst, NoReply, Question, Reply
from trading.domain.errors import Reason, StateConflict
from trading.services.crashpoints import crashpoint

__all__ = ["Settled", "ask", "give_up", "newest", "prepare", "settled_advice", "without"]

log = structlog.get_logger(__name__)
KEPT_RESPONSE = 60_000
_OPEN = (AdviceState.READY, AdviceState.ASKED)


def newest(run: Run) -> Advice | None:
    """The advice of the run's present generation."""
    return Advice.objects.filter(run=run, generation=run.generation).first()


def prepare(run: Run, briefing: Briefing, model: str, now: datetime, look: timedelta) -> Advice:
    """Write the question down; nobody is asked yet. `look` is how long the books took to read."""
    question = question_of(briefing)
    return _written(
        run=run,
        generation=run.generation,
        state=AdviceState.READY,
        model=model,
        request={
            "system": question.system,
            "parts": list(question.parts),
            "schema": dict(question.schema),
            "briefing": briefing.as_json(),
        },
        look_ms=round(look.total_seconds() * 1000),
        created_at=now,
    )


def without(run: Run, code: str, now: datetime) -> None:
    """Write down that nobody is asked for this generation, and why."""
    _written(
        run=run,
        generation=run.generation,
        state=AdviceState.NOT_ASKED,
        created_at=now,
        ended_at=now,
        reasons=[{"code": code}],
    )


def give_up(advice: Advice, code: str, now: datetime) -> None:
    """No answer will come: it was never asked for, or nobody knows whether it was."""
    to = AdviceState.NOT_ASKED if advice.state == AdviceState.READY else AdviceState.LOST
    _move(advice, to, ended_at=now, reasons=[{"code": code}])


def ask(advice: Advice, analyst: Analyst, now: datetime, seconds: float, clock: Any) -> None:
    """Ask once and keep what came, in two transactions with the network between them.

    Raises StateConflict when somebody else has the question, or had it when the answer came.
    """
    with transaction.atomic():
        _move(advice, AdviceState.ASKED, asked_at=now)
    crashpoint("advice_asked")
    said = advice.request
    question = Question(said["system"], tuple(said["parts"]), said["schema"])
    try:
        reply = analyst.ask(question, seconds=seconds)
    except NoReply as silent:
        log.warning("advice_missing", run_id=advice.run_id, code=silent.code, status=silent.status)
        with transaction.atomic():
            _move(advice, AdviceState(silent.outcome), **_silence(silent), ended_at=clock.now())
        return
    crashpoint("advice_answered")
    with transaction.atomic():
        _move(advice, AdviceState.ANSWERED, **_words(reply), ended_at=clock.now())


@dataclass(frozen=True, slots=True)
class Settled:
    """What the plan gets from the advice: decoded items, or why there are none. Neither where nobody
    wanted advice."""

    advice: Advice | None = None
    plan: list[Any] | None = None
    reasons: tuple[Reason, ...] = ()

    def settle(self, discarded: Sequence[Reason], rules: Sequence[Leg], now: datetime) -> None:
        """Write down what became of it, in the transaction that writes the plan."""
        advice = self.advice
        if advice is None:
            return
        to = AdviceState(advice.state)
        if to is AdviceState.ANSWERED:
            to = AdviceState.DISCARDED if discarded else AdviceState.FOLLOWED
        fields: dict[str, Any] = {
            "rules": [leg.as_json() for leg in rules],
            "items": told_items(self.plan or []),
            "settled_at": now,
        }
        if not advice.reasons:
            fields["reasons"] = [_plain(reason) for reason in discarded]
        _move(advice, to, **fields)


def settled_advice(run: Run) -> Settled:
    """The advice of this generation, read; every ground why there is none to follow."""
    if not run.wants_advice:
        return Settled()
    advice = newest(run)
    if advice is None or advice.state in _OPEN:
        raise StateConflict("advice_open", run=run.pk)
    if advice.state != AdviceState.ANSWERED:
        reasons = tuple(Reason(row["code"]) for row in advice.reasons)
        return Settled(advice, reasons=reasons or (Reason("advice_lost"),))
    found = read_reply(advice.response)
    if isinstance(found, Reason):
        return Settled(advice, reasons=(found,))
    return Settled(advice, plan=found)


def _words(reply: Reply) -> dict[str, Any]:
    """The model's text, cut only where it is too long to be read: the plan is made from what is kept."""
    return {
        "response": _storable(reply.text)[: MOST_TEXT + 1],
        "latency_ms": round(reply.seconds * 1000),
        "tokens": dict(reply.tokens),
    }


def _silence(silent: NoReply) -> dict[str, Any]:
    facts = {"status": silent.status, "detail": silent.detail}
    return {
        "response": _storable(silent.body)[:KEPT_RESPONSE],
        "latency_ms": round(silent.seconds * 1000),
        "reasons": [{"code": silent.code} | {k: v for k, v in facts.items() if v}],
    }


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL and no half of a character."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def _plain(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code} | {
        name: inert(str(fact), 60) for name, fact in reason.facts.items()
    }


def _written(**fields: Any) -> Advice:
    try:
        with transaction.atomic():
            return Advice.objects.create(**fields)
    except IntegrityError as error:
        raise StateConflict("advice_moved", run=fields["run"].pk) from error


def _move(advice: Advice, to: AdviceState, **fields: Any) -> None:
    hit = Advice.objects.filter(pk=advice.pk, state=advice.state, settled_at=None).update(
        state=to, **fields
    )
    if not hit:
        raise StateConflict("advice_moved", run=advice.run_id)
    advice.state = to
    for name, value in fields.items():
        setattr(advice, name, value)
