"""One seed and the same requests: journal, truth, every REST reply and every WebSocket frame, byte for byte."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from tests.driver import wait_until
from tests.trading.simulator.conftest import FRIDAY
from tests.trading.simulator.ear import Ear
from tests.trading.simulator.kis import Answer, Hand
from tests.trading.simulator.test_domestic_tables import EXAMPLES
from tests.trading.simulator.test_world import random_order
from trading.simulator import Simulator
from trading.simulator.ws.streams import Streams

CHANNELS = {
    "real": ("H0STCNT0", "H0STASP0", "H0STMKO0", "H0STMBC0", "H0STPGM0", "H0STNAV0"),
    "mock": ("H0STCNT0", "H0STASP0"),
}
NOTICES = {"real": "H0STCNI0", "mock": "H0STCNI9"}
US_LISTS = ("us_balance", "us_fills", "us_power")


@dataclass
class Recorder(Hand):
    """A hand that keeps every reply as it came."""

    kept: list[str] = field(default_factory=list)

    def raw(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        answer = super().raw(method, path, headers, body)
        self.kept.append(f"{method} {path} {answer.status} {answer.headers!r} {answer.text}")
        return answer


@dataclass
class Listener(Ear):
    """An ear that keeps every text as it came."""

    kept: list[str] = field(default_factory=list)

    def hear(self) -> str:
        text = super().hear()
        self.kept.append(text)
        return text


@dataclass(frozen=True)
class Session:
    journal: bytes
    truth: dict[str, Any]
    rest: list[str]
    frames: list[str]


@cache
def play(profile: str, seed: int, _time: int = 1) -> Session:
    """An hour of one hand: its login, orders of every kind, faults, every inquiry, two pushed codes."""
    with Simulator(tame=False, throttled=False, start=FRIDAY, seed=seed, profile=profile) as sim:
        hand, rng = Recorder(sim).login(), random.Random("the same requests")
        with Listener(hand) as ear:
            for tr_id in CHANNELS[profile]:
                ear.register(tr_id, "069500")
                ear.register(tr_id, "005930")
            ear.register(NOTICES[profile], "hts_id")
            sim.arm("A06", count=2, match={"side": "buy"})
            sim.arm("A05", count=1, match={"side": "sell"})
            sim.arm("B06", params={}, count=1)
            for _ in range(25):
                random_order(hand, rng)
                sim.advance(rng.choice((0, 1, 2, 30)))
            sim.advance(10)
            _listen(ear)
        for call, params in EXAMPLES.items():
            hand.ask(call, **params)
        for inquiry in (hand.fills, hand.balance, *(getattr(hand, name) for name in US_LISTS)):
            inquiry()
        return Session(sim.journal_bytes(), sim.truth(), hand.kept, ear.kept)


def _listen(ear: Listener) -> None:
    """Everything that is on its way, up to the answer to a last word of ours, said when all is told."""
    streams = ear.hand.sim.world.streams
    wait_until(lambda: _all_told(streams) or None, "everything is told")
    ear.say(ear.message("H0STCNT0", "000660"))
    while "000660" not in (text := ear.hear()) or not text.startswith("{"):
        if "PINGPONG" in text:
            ear.say(text)


def _all_told(streams: Streams) -> bool:
    waiting = any(session.outbox for session in list(streams.sessions.values()))
    return streams.told_up_to == streams.truth.time and not waiting


@pytest.mark.parametrize("profile", ["real", "mock"])
def test_a_session_played_again_is_the_same_to_the_byte(profile: str) -> None:
    first, again = play(profile, 5), play(profile, 5, 2)
    assert len(first.rest) > 100 and len(first.frames) > 100
    assert any("|" in text and text.startswith("1|") for text in first.frames), "a notice was heard"
    assert first.rest == again.rest
    assert first.frames == again.frames
    assert first.truth == again.truth and first.truth["orders"]
    assert first.journal == again.journal


def test_another_seed_tells_another_session() -> None:
    first, other = play("mock", 5), play("mock", 6)
    assert first.journal != other.journal and first.truth != other.truth
    assert set(first.rest) != set(other.rest) and first.frames != other.frames
