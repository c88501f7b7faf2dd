"""The laws over our own rows while they are written: silent over honest rows, a full stop over others."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rebalancing.domain.laws import LIVE
from rebalancing.selectors.evidence import evidence, recent_evidence
from rebalancing.services import live_laws
from rebalancing.services.live_laws import judge_recent, stop_when_a_law_breaks
from rebalancing.tasks import laws
from tests.support.world import World
from trading.models import Alert, Attempt, BrokerOrder, Switch, Transition
from trading.selectors.words import LAW_NAMES, WORDS
from trading.services.switches import GLOBAL, release, switch_state

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]

ABOUT_ORDERS = (
    "I1",
    "I3",
    "I5",
    "I8",
    "I9",
    "I10",
    "I11",
    "I12",
    "I17",
    "I18",
    "I19",
    "I21",
    "I22",
)


def broken() -> dict[str, list[str]]:
    """What each law finds, by the law's name."""
    found = judge_recent()
    return {name: [v.text for v in one.violations] for name, one in found.items() if one.violations}


def invariants(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("invariants", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def late(number: int) -> None:
    """An order's record that is a minute younger than its check: no code of ours could have written it."""
    attempt = Attempt.objects.order_by("pk")[number]
    shifted = attempt.committed_at + timedelta(minutes=1)
    Attempt.objects.filter(pk=attempt.pk).update(committed_at=shifted)


def more_filled() -> None:
    order = BrokerOrder.objects.filter(owner__action="order").earliest("pk")
    more = order.filled_quantity + 1
    BrokerOrder.objects.filter(pk=order.pk).update(filled_quantity=more, quantity=more)


def moved_on() -> None:
    attempt = Attempt.objects.earliest("pk")
    Transition.objects.create(
        object_type="attempt",
        object_id=attempt.pk,
        from_state="ACKED",
        to_state="SENDING",
        at=attempt.committed_at,
        by="nobody",
    )


def test_no_step_of_a_run_breaks_a_law_and_every_law_has_something_to_look_at(world: World) -> None:
    run = world.open()
    seen = set()
    for state in ("AWAITING_APPROVAL", "SELL_WAIT", "BUY_WAIT", None):
        run = world.drive(run, until=state) if state else world.drive(run)
        seen.add(run.state)
        assert broken() == {}, run.state
    assert len(seen) == 4 and run.state == "COMPLETED"
    found = judge_recent()
    assert set(found) == set(LIVE)
    assert [name for name in ABOUT_ORDERS if not found[name].examined] == []


@pytest.mark.parametrize(
    ("flaw", "law"),
    [(lambda: late(0), "I9"), (more_filled, "I3"), (moved_on, "I24")],
    ids=["I9", "I3", "I24"],
)
def test_a_row_that_cannot_be_is_found(world: World, flaw: Callable[[], None], law: str) -> None:
    world.drive(world.open())
    flaw()
    assert set(broken()) == {law}


def test_a_broken_law_stops_everything_once_and_a_release_holds_until_the_next(
    world: World,
) -> None:
    world.drive(world.open())
    laws()
    assert (switch_state(world.account), Alert.objects.filter(code="law_broken").count()) == (
        "ACTIVE",
        0,
    )
    late(0)
    laws()
    assert switch_state(world.account) == "HALTED"
    assert Switch.objects.filter(state="HALTED").count() == 1
    (told,) = Alert.objects.filter(code="law_broken")
    assert (told.severity, told.account, told.facts["law"]) == ("page", world.account, "I9")
    said = WORDS.say(told.code, told.facts)
    assert "1건" in said and "I9 ‘보내기 직전에 검사한다’" in said
    assert stop_when_a_law_breaks() == []
    release(GLOBAL, "owner", "", "looked at it", "owner_practice")
    laws()
    assert switch_state(world.account) == "ACTIVE", "the same rows stop once"
    assert Alert.objects.filter(code="law_broken").count() == 1
    late(1)
    laws()
    assert switch_state(world.account) == "HALTED", "other rows stop again"


@pytest.mark.once
def test_a_market_ahead_of_the_wall_hides_no_order_from_the_law_of_stops(world: World) -> None:
    """The audit goes by the wall's clock, orders by the market's: a demo is days ahead after a few starts."""
    with time_machine.travel(world.now - timedelta(days=60), tick=True):
        world.drive(world.open())
        assert judge_recent()["I12"].examined >= Attempt.objects.filter(action="order").count() > 0


def test_what_only_a_torn_reading_shows_is_not_broken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.drive(world.open())
    readings = []

    def torn(since: object) -> list[dict[str, Any]]:
        rows = list(recent_evidence(since))  # type: ignore[arg-type]
        readings.append(connection.in_atomic_block)
        if len(readings) == 1:
            next(row for row in rows if row["view"] == "intent")["state"] = "SENDING"
        return rows

    monkeypatch.setattr(live_laws, "recent_evidence", torn)
    assert broken() == {}
    assert readings == [False, True], "read again, and that under one consistent view"


def test_open_runs_are_whole_however_old_and_those_that_ended_are_left_out(world: World) -> None:
    of_runs = {"run", "intent", "attempt", "border", "ledger", "transition", "rulecheck"}
    run = world.drive(world.open(), until="BUY_WAIT")
    world.sim.advance(5)
    rows = list(recent_evidence(world.now))
    assert of_runs <= {row["view"] for row in rows}
    whole = [row for row in evidence() if row["view"] in of_runs]
    assert [row for row in rows if row["view"] in of_runs] == whole
    assert world.drive(run).is_terminal
    world.sim.advance(60)
    since = world.now
    assert not of_runs & {row["view"] for row in recent_evidence(since)}
    assert of_runs <= {row["view"] for row in recent_evidence(since - timedelta(hours=2))}


def test_a_look_asks_the_database_the_same_few_questions_however_much_there_is(
    world: World,
) -> None:
    world.drive(world.open())
    with CaptureQueriesContext(connection) as few:
        judge_recent()
    world.drive(world.open())
    with CaptureQueriesContext(connection) as more:
        judge_recent()
    assert len(more) <= len(few) + 1 <= 30


def test_every_law_that_may_stop_trading_has_a_name_that_people_read() -> None:
    assert set(LAW_NAMES) == set(LIVE)


def test_without_an_account_nothing_is_judged(transactional_db: None) -> None:
    assert all(one.examined == 0 for one in judge_recent().values())
    assert stop_when_a_law_breaks() == []


def test_the_command_says_what_was_looked_at_and_fails_on_what_is_broken(world: World) -> None:
    world.drive(world.open())
    code, said = invariants("--json")
    found = json.loads(said)
    assert (code, found["violations"]) == (0, [])
    assert found["examined"]["I1"] > 0 and found["examined"]["I23"] > 0
    assert invariants("--live")[0] == 0
    late(0)
    code, said = invariants("--live")
    assert code == 1 and "I9: a check of another moment" in said
    assert switch_state(world.account) == "ACTIVE", "looking stops nothing"
    assert invariants("--live", "--stop")[0] == 1
    assert switch_state(world.account) == "HALTED"


def test_the_command_judges_a_storm_s_folder(world: World, tmp_path: Path) -> None:
    world.drive(world.open())
    (tmp_path / "evidence.jsonl").write_text("\n".join(json.dumps(row) for row in evidence()))
    journal = "\n".join(json.dumps(row) for row in world.sim.journal())
    (tmp_path / "journal.jsonl").write_text(journal)
    (tmp_path / "truth.json").write_text(json.dumps(world.truth()))
    code, said = invariants("--folder", str(tmp_path), "--json")
    found = json.loads(said)
    limits = {"I15", "I16"}  # this world is asked as fast as it answers
    assert {one["law"] for one in found["violations"]} <= limits
    assert found["examined"]["I6"] > 0
    sold = json.loads((tmp_path / "truth.json").read_text())
    sold["orders"][0]["filled"] -= 1
    (tmp_path / "truth.json").write_text(json.dumps(sold))
    code, said = invariants("--folder", str(tmp_path), "--json")
    assert code == 1
    assert "I3" in {one["law"] for one in json.loads(said)["violations"]}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--stop",), "--live"),
        (("--folder", "nowhere"), "nowhere"),
        (("--live", "--folder", "x"), "--folder"),
    ],
)
def test_what_does_not_fit_is_bad_input(
    transactional_db: None, arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        call_command("invariants", *arguments)
    assert refused.value.returncode == 2
