"""A question whose SQL is built once gets the answer that Django gives, whatever it is asked about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Case, Value, When
from django.test.utils import CaptureQueriesContext

from rebalancing.models import Leg, Run
from tests.support.world import World
from trading.models import Account, Approval, Attempt, BrokerOrder, Enumeration, Intent
from trading.models.prepared import Prepared, PreparedUpdate

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]

NEWEST = Prepared(
    lambda value: (
        Enumeration.objects.filter(account=value.account, ended_at__lte=value.now)
        .order_by("-pk")
        .values_list("ended_at", "complete")[:2]
    ),
    account=int,
    now=datetime,
)


def plausible(world: World) -> dict[str, list[Any]]:
    """For each name that a question binds, a value that finds something and one that does not."""
    run = world.drive(world.open())
    approval = Approval.objects.order_by("-pk")[0]
    epoch = Attempt.objects.values_list("epoch", "epoch__host", "epoch__pid")[0]
    now = world.now
    return {
        "account": [world.account.pk, 77],
        "now": [now, now - timedelta(days=9)],
        "since": [now - timedelta(hours=9), now + timedelta(days=1)],
        "start": [now - timedelta(hours=9), now + timedelta(days=1)],
        "kept": [now - timedelta(days=4), now + timedelta(days=1)],
        "day": [now.date(), date(2020, 1, 2)],
        "run": [run.pk, 77],
        "subject": [approval.subject, "nothing"],
        "plan": [approval.plan_hash, ""],
        "host": [epoch[1], "elsewhere"],
        "pid": [epoch[2], 1],
        "epoch": [epoch[0], 77],
        "first": [now.date(), date(2020, 1, 2)],
        "last": [now.date(), date(2020, 1, 2)],
        "generation": [run.generation, 77],
        "side": ["SELL", "NONE"],
    }


def told(rows: list[Any]) -> list[Any]:
    """Rows of a model by all that was read of them."""
    return [read_of(row) if hasattr(row, "_state") else row for row in rows]


def read_of(row: Any) -> dict[str, Any]:
    known = {name: value for name, value in vars(row).items() if name != "_state"}
    related = row._state.fields_cache
    return known | {f"its {name}": read_of(one) for name, one in related.items() if one is not None}


def test_every_question_of_the_program_is_answered_as_django_answers_it(world: World) -> None:
    known = plausible(world)
    # on this day also what is found seldom: an order without an answer, one that is open, one unclaimed
    Attempt.objects.filter(pk=Attempt.objects.order_by("pk")[0].pk).update(state="UNKNOWN")
    BrokerOrder.objects.filter(pk=BrokerOrder.objects.order_by("pk")[0].pk).update(is_final=False)
    Enumeration.objects.filter(pk=Enumeration.objects.order_by("pk")[0].pk).update(
        unclaimed=[{"order_no": "7", "trade_date": world.now.date().isoformat()}]
    )
    found = 0
    for one in Prepared.every:
        for at in (0, 1, 0):
            values = {
                name: known[name][at].date()
                if kind is date and name == "since"
                else known[name][at]
                for name, kind in one.kinds.items()
            }
            ours, theirs = told(one(**values)), told(list(one.queryset(**values)))
            assert sorted(map(repr, ours)) == sorted(map(repr, theirs)), one.queryset(
                **values
            ).query
            found += bool(ours)
    assert len(Prepared.every) > 15 and found > len(Prepared.every), "most of them found something"


def test_it_is_one_statement_and_the_same_text_each_time(world: World) -> None:
    world.drive(world.open(), until="CASH_CONFIRM")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        newest = NEWEST(account=world.account.pk, now=world.now)
        none = NEWEST(account=world.account.pk, now=datetime(2020, 1, 1, tzinfo=UTC))
    assert len(seen.captured_queries) == 2 and len(newest) == 2 and none == []
    assert newest[0][0] > newest[1][0] and newest[0][0].tzinfo is not None
    assert NEWEST.first(account=world.account.pk, now=world.now) == newest[0]
    assert NEWEST.first(account=77, now=world.now) is None


def test_a_row_of_a_model_is_a_row_like_any_other(world: World) -> None:
    world.drive(world.open(), until="SELL_WAIT")
    every = Prepared(
        lambda value: Intent.objects.filter(account=value.account).order_by("pk"), account=int
    )
    Prepared.every.remove(every)
    row = every.first(account=world.account.pk)
    assert row.pk and not row._state.adding and row.account == world.account
    row.state_reason = "looked at"
    row.save(update_fields=["state_reason"])
    assert Intent.objects.get(pk=row.pk).state_reason == "looked at"


def test_a_row_brings_the_rows_that_it_was_asked_for_with(world: World) -> None:
    run = world.drive(world.open(), until="SELL_WAIT")
    legs = Prepared(
        lambda value: Leg.objects.filter(run=value.run).select_related(
            "instrument", "run__account"
        ),
        run=int,
    )
    Prepared.every.remove(legs)
    with CaptureQueriesContext(connection) as seen:
        (leg, *_others) = legs(run=run.pk)
        assert leg.instrument.name and leg.run.account == world.account
    assert len(seen.captured_queries) == 1


def test_an_update_changes_what_its_condition_names_and_counts_it(world: World) -> None:
    run = world.open()
    update = PreparedUpdate(
        lambda value: (
            Run.objects.filter(pk=value.run, state=value.state),
            {
                "due_at": Case(When(terminal_at=None, then=Value(value.due))),
                "end_reason": value.why,
            },
        ),
        run=int,
        state=str,
        due=datetime,
        why=str,
    )
    due = world.now + timedelta(minutes=7)
    assert update(run=run.pk, state="SELLING", due=due, why="never") == 0
    assert update(run=77, state=run.state, due=due, why="never") == 0
    assert update(run=run.pk, state=run.state, due=due, why="looked %s at") == 1
    run.refresh_from_db()
    assert (run.due_at, run.end_reason) == (due, "looked %s at")


@pytest.mark.once
@pytest.mark.parametrize(
    ("build", "kinds", "why"),
    [
        (lambda value: Intent.objects.filter(account=1), {"account": int}, "not in its query"),
        (lambda value: Intent.objects.values("pk"), {}, "rows of a model"),
        (
            lambda value: Intent.objects.filter(leg_id=31_901, account=value.account),
            {"account": int},
            "looks like one of its values",
        ),
    ],
    ids=["a value that is not asked for", "dictionaries", "a constant like a value"],
)
def test_what_it_could_not_do_right_it_refuses(
    db: None, build: Any, kinds: dict[str, type], why: str
) -> None:
    wrong = Prepared(build, **kinds)
    Prepared.every.remove(wrong)
    with pytest.raises(ValueError, match=why):
        wrong(**dict.fromkeys(kinds, 1))


@pytest.mark.once
def test_a_value_that_is_missing_is_an_error_and_not_the_one_that_stood_for_it(db: None) -> None:
    with pytest.raises(KeyError):
        NEWEST(account=1)
    with pytest.raises(TypeError, match="account cannot be None"):
        NEWEST(account=None, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert Account.objects.count() == 0
