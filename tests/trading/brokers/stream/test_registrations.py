"""Forty slots, the important first: what is asked, what is believed, what is asked again."""

from __future__ import annotations

import pytest

from trading.brokers.kis.stream.messages import Ack
from trading.brokers.kis.stream.registrations import (
    Registrations,
    Request,
    Wish,
    share_out,
)

TR = "ccnl_krx"


def wishes(*keys: str, priority: int = 5) -> list[Wish]:
    return [Wish(TR, key, priority) for key in keys]


def answer(book: Registrations, request: Request, code: str, now: float) -> None:
    book.answered(request.channel, Ack("", request.key, code), now)


def asked(book: Registrations, now: float) -> list[str]:
    """Keys that are registered (+) or released (-) now."""
    return [("+" if r.register else "-") + r.key for r in book.due(now)]


def live(book: Registrations, now: float = 0.0) -> None:
    for request in book.due(now):
        answer(book, request, "OPSP0000" if request.register else "OPSP0001", now)


def states(book: Registrations) -> dict[str, str]:
    return {key: row.state.value for (_channel, key), row in book.rows.items()}


def test_a_wish_is_asked_once_and_lives_when_it_is_acknowledged() -> None:
    book = Registrations()
    book.wish(wishes("a", "b"), 0)
    requests = book.due(0)
    assert [r.key for r in requests] == ["a", "b"] and all(r.register for r in requests)
    assert asked(book, 1) == []
    answer(book, requests[0], "OPSP0000", 1)
    answer(book, requests[1], "OPSP0002", 1)
    assert states(book) == {"a": "LIVE", "b": "LIVE"}
    assert asked(book, 100) == []


def test_what_is_never_answered_is_asked_again_after_five_seconds() -> None:
    book = Registrations()
    book.wish(wishes("a"), 0)
    assert asked(book, 0) == ["+a"]
    assert asked(book, 4.9) == []
    assert asked(book, 5.0) == ["+a"]


def test_a_record_proves_a_registration_whose_answer_was_lost() -> None:
    book = Registrations()
    book.wish(wishes("a"), 0)
    book.due(0)
    book.heard(TR, "a", 2)
    assert states(book) == {"a": "LIVE"}
    row = book.rows[TR, "a"]
    assert (row.age(7), asked(book, 20)) == (5, [])


def test_an_acknowledgement_alone_is_no_data() -> None:
    book = Registrations()
    book.wish(wishes("a"), 0)
    live(book)
    assert book.rows[TR, "a"].age(100) is None


def test_the_important_have_the_slots_and_the_others_are_named() -> None:
    book = Registrations(slots=2)
    book.wish(wishes("x", "y", "z", priority=9) + wishes("n", priority=0), 0)
    assert asked(book, 0) == ["+n", "+x"]
    assert [row.wish.key for row in book.unheard] == ["y", "z"]


def test_a_more_important_wish_takes_a_slot_only_when_it_is_free() -> None:
    book = Registrations(slots=2)
    book.wish(wishes("x", "y", priority=9), 0)
    live(book)
    book.wish(wishes("x", "y", priority=9) + wishes("n", priority=0), 1)
    requests = book.due(1)
    assert [(r.key, r.register) for r in requests] == [("y", False)]
    answer(book, requests[0], "OPSP0001", 2)
    assert asked(book, 2) == ["+n"]


def test_what_is_not_wished_any_more_is_released() -> None:
    book = Registrations()
    book.wish(wishes("a", "b"), 0)
    live(book)
    book.wish(wishes("b"), 1)
    assert asked(book, 1) == ["-a"]
    book.answered(TR, Ack("", "a", "OPSP0003"), 2)
    assert states(book) == {"b": "LIVE"}


def test_a_wish_that_comes_back_while_it_is_released_is_registered_again() -> None:
    book = Registrations()
    book.wish(wishes("a"), 0)
    live(book)
    book.wish([], 1)
    assert asked(book, 1) == ["-a"]
    book.wish(wishes("a"), 2)
    assert states(book) == {"a": "WANTED"}


def test_after_a_loss_everything_is_asked_again_and_old_data_stays_old() -> None:
    book = Registrations()
    book.wish(wishes("a", "b"), 0)
    live(book)
    book.heard(TR, "a", 3)
    book.lost(10)
    assert states(book) == {"a": "WANTED", "b": "WANTED"}
    assert book.rows[TR, "a"].age(10) == 7
    assert asked(book, 10) == ["+a", "+b"]


@pytest.mark.parametrize("code", ["OPSP8992", "OPSP8991", "OPSP9990"])
def test_what_does_not_exist_is_not_asked_again_and_gives_its_slot_away(code: str) -> None:
    book = Registrations(slots=1)
    book.wish(wishes("bad", priority=1) + wishes("good", priority=2), 0)
    (request,) = book.due(0)
    answer(book, request, code, 0)
    assert asked(book, 1) == ["+good"]
    live(book, 1)
    assert book.rows[TR, "bad"].why == code
    assert "+bad" not in asked(book, 10_000)


def test_a_passing_refusal_is_tried_again_later_and_later() -> None:
    book = Registrations()
    book.wish(wishes("a"), 0)
    now, waits = 0.0, []
    (request,) = book.due(now)
    for _ in range(7):
        answer(book, request, "OPSP0007", now)
        started = now
        while not (again := book.due(now)):
            now += 0.5
        (request,) = again
        waits.append(now - started)
    assert waits == sorted(waits) and waits[0] == 2 and waits[-1] == 60
    book.rows[TR, "a"].tries = 1_000_000
    assert book.due(now + 3_600), "after days it is asked for as after minutes"


def test_the_broker_is_believed_when_it_says_that_there_is_no_room() -> None:
    book = Registrations(slots=5)
    book.wish(wishes(*"abcde"), 0)
    requests = book.due(0)
    for request in requests[:3]:
        answer(book, request, "OPSP0000", 0)
    for request in requests[3:]:
        answer(book, request, "OPSP0008", 0)
    asked(book, 100)
    assert sorted(states(book).values()) == ["LIVE", "LIVE", "LIVE", "NO_SLOT", "NO_SLOT"]


def test_an_answer_nobody_waits_for_changes_nothing() -> None:
    book = Registrations()
    book.answered(TR, Ack("", "zzz", "OPSP0000"), 0)
    assert book.rows == {}


def test_wishes_are_spread_over_the_keys_and_notices_stay_with_their_own() -> None:
    notice = {"one": [Wish("ccnl_notice", "me", 0)], "two": [Wish("ccnl_notice", "you", 0)]}
    shares = share_out(wishes(*map(str, range(9))), notice)
    assert [len(share) for share in shares.values()] == [6, 5]
    assert shares["one"][0].key == "me" and shares["two"][0].key == "you"
    assert share_out(wishes("a"), {}) == {}
