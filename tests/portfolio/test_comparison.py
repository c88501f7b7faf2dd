"""Two versions side by side: what came, what went, what moved."""

from __future__ import annotations

from decimal import Decimal

from portfolio.domain.comparison import Movement, compare_weights, moved_percent


def d(**weights: str) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in weights.items()}


def test_every_name_of_either_list_has_one_row_with_its_change() -> None:
    rows = compare_weights(d(A="60.00", B="40.00"), d(A="50.00", C="30.00", B="20.00"))
    assert [(r.code, r.points, str(r.movement)) for r in rows] == [
        ("A", Decimal("-10.00"), "CHANGED"),
        ("B", Decimal("-20.00"), "CHANGED"),
        ("C", Decimal("30.00"), "ADDED"),
    ]
    assert moved_percent(rows) == Decimal("30.00")


def test_a_weight_of_nothing_is_no_holding() -> None:
    rows = compare_weights(d(A="0.00", B="100.00", C="0"), d(A="100.00", B="0.00", C="0"))
    assert [row.movement for row in rows] == [Movement.ADDED, Movement.REMOVED, Movement.SAME]


def test_the_order_that_is_told_comes_first_and_unknown_names_of_it_are_left_out() -> None:
    rows = compare_weights(d(B="10", Z="90"), d(B="10", Y="90"), ["A", "B", "C"])
    assert [row.code for row in rows] == ["B", "Y", "Z"]


def test_equal_lists_move_nothing() -> None:
    rows = compare_weights(d(A="100"), d(A="100.00"))
    assert [row.movement for row in rows] == [Movement.SAME] and moved_percent(rows) == 0
