"""The mistakes M1 to M24, each with the bed that has to see it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PROCESSES", "QUICK", "SIMULATION", "TABLE", "UNIT", "Mutant"]

SIMULATION, PROCESSES, UNIT = "simulation", "processes", "unit"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`runs` are seeds of `tests.storm` in the simulation, else tests by their names.

    `laws` are those that are about the mistake: a storm that breaks others alone has not seen it.
    """

    id: str
    mistake: str
    bed: str
    runs: tuple[str, ...]
    laws: tuple[str, ...] = ()
    must_die: bool = True


_ALL = (
    Mutant(
        "M01",
        "An order whose answer was lost on the way is posted again, up to three times.",
        SIMULATION,
        ("7",),
        ("I1",),
    ),
    Mutant(
        "M02",
        "An order whose answer does not come in time counts as refused.",
        SIMULATION,
        ("7",),
        ("I2",),
    ),
    Mutant(
        "M03",
        "The record of a send is committed after the POST instead of before it.",
        SIMULATION,
        ("8",),
        ("I1c", "I22"),
    ),
    Mutant(
        "M04",
        "Every notice of a fill that the WebSocket tells is booked as a fill more.",
        UNIT,
        ("tests/faults/test_notices.py::test_what_the_line_tells_of_fills_books_nothing",),
    ),
    Mutant(
        "M05",
        "Of a list in pages the first page alone is read.",
        UNIT,
        ("tests/trading/brokers/test_client.py::test_every_page_is_read",),
    ),
    Mutant(
        "M06",
        "An empty list of orders is taken for word that nothing was taken.",
        UNIT,
        (
            "tests/faults/test_send_once.py"
            "::test_empty_lists_are_no_word_that_an_order_was_not_taken",
        ),
    ),
    Mutant(
        "M07",
        "A lost order is looked for by its terms among all orders, those known before it too.",
        UNIT,
        (
            "tests/trading/domain/test_reconciliation.py"
            "::test_a_row_fits_in_every_fact_or_not_at_all",
        ),
    ),
    Mutant(
        "M08",
        "The cash of a plan and of a buy is tomorrow's deposit, whatever may be spent without debt.",
        SIMULATION,
        ("7",),
        ("I10",),
        must_die=False,
    ),
    Mutant(
        "M09",
        "An approval is looked up by its run, whatever plan it was given for.",
        UNIT,
        (
            "tests/trading/services/test_gate_inputs.py"
            "::test_a_runs_order_needs_the_approval_of_exactly_its_plan",
        ),
    ),
    Mutant(
        "M10",
        "The kill switch is kept in memory for a minute.",
        UNIT,
        (
            "tests/trading/services/test_gateway.py"
            "::test_a_stop_between_the_promise_and_the_post_is_seen",
        ),
    ),
    Mutant(
        "M11",
        "That a slot has fired is a key in the cache and no row of the database.",
        UNIT,
        ("tests/faults/test_guards.py::test_a_crash_between_the_slot_and_its_run_loses_neither",),
        must_die=False,
    ),
    Mutant(
        "M12",
        "The planner's answer says how many shares are traded.",
        UNIT,
        (
            "tests/rebalancing/test_gemini_planner.py"
            "::test_a_hostile_answer_leaves_the_trades_as_they_are",
        ),
    ),
    Mutant(
        "M13",
        "What a fill was worth is its average price times its shares, as floating-point numbers.",
        SIMULATION,
        ("7",),
        ("I3", "I8"),
        must_die=False,
    ),
    Mutant(
        "M14",
        "A link of the audit chain does not cover the one before it.",
        UNIT,
        (
            "tests/trading/services/test_anchors.py"
            "::test_whoever_has_the_export_and_the_key_needs_nothing_of_ours",
        ),
        must_die=False,
    ),
    Mutant(
        "M15",
        "Every worker asks for a token of its own.",
        UNIT,
        (
            "tests/trading/services/test_shared_state.py"
            "::test_cold_workers_that_start_together_issue_one_token",
        ),
        must_die=False,
    ),
    Mutant(
        "M16",
        "A task that comes a second time sends the order that its dead worker had promised.",
        PROCESSES,
        ("tests/faults/test_kill.py::test_a_killed_worker_leaves_one_truth[engine-after_reply:1]",),
    ),
    Mutant(
        "M17",
        "Buys are sized on what the sales were expected to bring.",
        UNIT,
        (
            "tests/faults/test_bad_inputs.py"
            "::test_buys_are_sized_on_what_the_broker_lets_be_spent"
            "_and_not_on_what_the_sales_should_bring",
        ),
    ),
    Mutant(
        "M18",
        "EGW00202, under which orders have been taken, counts as a refusal.",
        SIMULATION,
        ("9",),
        ("I2",),
    ),
    Mutant(
        "M19",
        "SQLite's transactions begin as readers and become writers later.",
        UNIT,
        ("tests/config/test_sqlite.py::test_two_that_read_and_then_write_wait_for_each_other",),
        must_die=False,
    ),
    Mutant(
        "M20",
        "An alert is made inside the transaction whose failure it tells of.",
        UNIT,
        ("tests/rebalancing/test_api.py::test_an_expired_plan_cannot_be_approved",),
        must_die=False,
    ),
    Mutant(
        "M21",
        "Every answer with HTTP status 500 or above counts as a refusal.",
        SIMULATION,
        ("8",),
        ("I2",),
        must_die=False,
    ),
    Mutant(
        "M22",
        "The broker's rows of cancels count as orders.",
        UNIT,
        (
            "tests/trading/domain/test_reconciliation.py"
            "::test_a_row_fits_in_every_fact_or_not_at_all",
        ),
        must_die=False,
    ),
    Mutant(
        "M23",
        "A page with less than a hundred rows is taken for the last one, as it is on real accounts.",
        UNIT,
        ("tests/trading/brokers/test_client.py::test_every_page_is_read",),
        must_die=False,
    ),
    Mutant(
        "M24",
        "A superuser approves the plan that they asked for, where two people are needed.",
        UNIT,
        ("tests/rebalancing/test_api.py::test_a_superuser_needs_a_second_person_too",),
    ),
)
TABLE = {one.id: one for one in _ALL}
QUICK = ("M05", "M07", "M19", "M22", "M23")
"""The five cheapest: `make test` plays them."""
