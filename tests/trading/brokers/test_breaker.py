"""A silent host is left alone, met again by one question, and never taken for silent when it speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests.trading.brokers.test_client import QUOTE, client, script
from trading.brokers.kis.breaker import FAILURES, LONGEST_PAUSE, Breaker
from trading.brokers.kis.client import TRIES, KisClient
from trading.domain.errors import BrokerDown, BrokerError, BrokerUnavailable


@dataclass
class Hand:
    """A breaker on a clock moved by hand, and what it told."""

    now: float = 0.0
    told: list[bool] = field(default_factory=list)
    breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = Breaker(lambda: self.now, self.told.append)

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.breaker.failed()

    def may_ask(self) -> bool:
        try:
            self.breaker.ask()
        except BrokerDown:
            return False
        return True


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_it_opens_after_a_row_of_silences_and_not_before(hand: Hand) -> None:
    hand.fail(FAILURES - 1)
    assert hand.may_ask() and hand.told == []
    hand.fail(1)
    assert not hand.may_ask() and hand.told == [True]


def test_an_answer_between_silences_starts_the_count_again(hand: Hand) -> None:
    hand.fail(FAILURES - 1)
    hand.breaker.answered()
    hand.fail(FAILURES - 1)
    assert hand.may_ask() and hand.told == []


def test_after_a_pause_one_asks_and_the_others_wait(hand: Hand) -> None:
    hand.fail(FAILURES)
    hand.now += 1.1
    assert [hand.may_ask() for _ in range(3)] == [True, False, False]


def test_pauses_double_to_a_longest(hand: Hand) -> None:
    hand.fail(FAILURES)
    waited = []
    for _ in range(7):
        started = hand.now
        while not hand.may_ask():
            hand.now += 0.25
        waited.append(hand.now - started)
        hand.fail(1)
    assert waited[:4] == [1, 2, 4, 8]
    assert set(waited[5:]) == {LONGEST_PAUSE}


def test_three_hours_of_silence_are_some_seven_hundred_questions(hand: Hand) -> None:
    hand.fail(FAILURES)
    asked = 0
    while hand.now < 3 * 3600:
        hand.now += 0.5
        if hand.may_ask():
            asked += 1
            hand.fail(1)
    assert 700 <= asked <= 3 * 3600 / LONGEST_PAUSE + 5


def test_one_answer_closes_it_and_says_so_once(hand: Hand) -> None:
    hand.fail(FAILURES + 2)
    hand.breaker.answered()
    hand.breaker.answered()
    assert hand.may_ask() and hand.told == [True, True, True, False]


# --- behind the reads -------------------------------------------------------------------------
def _counted(*replies: Any) -> tuple[KisClient, list[int]]:
    """A client, and how many questions have reached its host."""
    asked, answer = [0], script(*replies)

    def counted(request: httpx2.Request) -> httpx2.Response:
        asked[0] += 1
        return answer(request)

    return client(counted), asked


GOOD = (200, {"rt_cd": "0", "output": {}}, {})
SILENCE = httpx2.ConnectError("refused")


def test_reads_of_a_dead_host_stop_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    kis, asked = _counted(*[SILENCE] * 50)
    for _ in range(10):
        with pytest.raises(BrokerUnavailable):
            kis.read("inquire_price", QUOTE)
    assert asked == [FAILURES]


@pytest.mark.parametrize(
    "reply",
    [
        (500, {"rt_cd": "1", "msg_cd": "EGW00202", "msg1": "routing"}, {}),
        (500, {"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "too fast"}, {}),
        (200, {"rt_cd": "1", "msg_cd": "MCA05918", "msg1": "no such code"}, {}),
    ],
    ids=lambda reply: reply[1]["msg_cd"],
)
def test_a_host_that_speaks_is_never_silent_whatever_it_says(reply: Any) -> None:
    kis, asked = _counted(*[reply] * 80)
    for _ in range(3 * FAILURES):
        with pytest.raises(BrokerError) as refused:
            kis.read("inquire_price", QUOTE)
        assert not isinstance(refused.value, BrokerDown)
    assert asked[0] >= 3 * FAILURES and not kis.breaker.is_open


def test_a_token_in_hand_is_no_sign_of_life() -> None:
    kis, _asked = _counted(*[SILENCE] * 50)
    for _ in range(3):
        with pytest.raises(BrokerUnavailable):
            kis.read("inquire_price", QUOTE)
    assert kis.breaker.is_open


def test_the_first_answer_after_silence_lets_everybody_ask_again() -> None:
    kis, asked = _counted(*[SILENCE] * FAILURES, GOOD, GOOD)
    hand = Hand()
    kis.breaker = hand.breaker
    for _ in range(2):
        with pytest.raises(BrokerUnavailable):
            kis.read("inquire_price", QUOTE)
    hand.now += 1.1
    assert kis.read("inquire_price", QUOTE).body == GOOD[1]
    assert kis.read("inquire_price", QUOTE).body == GOOD[1]
    assert asked == [FAILURES + 2] and TRIES < FAILURES
