"""The windows of a day: each begins with its first moment and is over at its last one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from trading.domain.sessions import KRX
from trading.simulator.windows import Board, end_of, open_at, spans_of

MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("day", "windows"),
    [
        (date(2026, 11, 20), 6),
        (date(2026, 11, 19), 6),
        (date(2026, 9, 11), 5),
        (date(2025, 2, 28), 2),
    ],
    ids=["a usual day", "the day of the exam", "before the evening's market", "before NXT"],
)
def test_a_board_is_open_from_a_windows_start_up_to_its_end(day: date, windows: int) -> None:
    hours = KRX.session_hours(day)
    spans = spans_of(hours)
    assert len(spans) == windows
    for span in spans:
        assert open_at(hours, span.board, span.start - MOMENT) is None
        assert open_at(hours, span.board, span.start) is span
        assert open_at(hours, span.board, span.end - MOMENT) is span
        assert open_at(hours, span.board, span.end) is None
    for board in {span.board for span in spans}:
        assert end_of(hours, board) == max(span.end for span in spans if span.board is board)
        assert open_at(hours, board, end_of(hours, board)) is None


def test_a_board_that_is_none_yet_is_never_open() -> None:
    hours = KRX.session_hours(date(2025, 2, 28))
    for hour in range(24):
        assert open_at(hours, Board.NXT, hours.open.replace(hour=hour)) is None
