"""The life of one request for advice: prepared, asked at most once, answered or not, followed or not."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ADVICE_BIRTH", "ADVICE_MOVES", "AdviceState"]


class AdviceState(StrEnum):
    """ASKED is committed before the network is touched: whoever finds it without an answer does not ask
    again, because the question may have been heard."""

    READY = "READY"
    NOT_ASKED = "NOT_ASKED"
    ASKED = "ASKED"
    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"
    LATE = "LATE"
    FAILED = "FAILED"
    LOST = "LOST"
    FOLLOWED = "FOLLOWED"
    DISCARDED = "DISCARDED"


_S = AdviceState
ADVICE_BIRTH = (_S.READY, _S.NOT_ASKED)
ADVICE_MOVES: dict[AdviceState, frozenset[AdviceState]] = {state: frozenset() for state in _S} | {
    _S.READY: frozenset({_S.ASKED, _S.NOT_ASKED}),
    _S.ASKED: frozenset({_S.ANSWERED, _S.REFUSED, _S.LATE, _S.FAILED, _S.LOST}),
    _S.ANSWERED: frozenset({_S.FOLLOWED, _S.DISCARDED}),
}
