"""What one call of the order door may answer, and which refusals pass by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from trading.domain.limits import RuleResult

__all__ = ["SOFT_RESENDS", "WAITING_RULES", "SendOutcome"]

SOFT_RESENDS = 3


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What happened to one call of `send`.

    `state` is the intent's state afterwards. `retry` says that nothing was sent and the same intent
    may be tried again later; `reasons` are the rules that refused.
    """

    state: str
    retry: bool = False
    reasons: tuple[RuleResult, ...] = ()
    note: str = ""

    @property
    def why_waiting(self) -> str:
        """The rules that put it off, or `retry` for what passes by trying again; else empty."""
        if not self.retry:
            return ""
        return self.note if self.reasons else "retry"


WAITING_RULES = frozenset(
    {
        "quote_fresh",
        "lane_free",
        "cash",
        "pace",
        "no_self_trade",
        "no_duplicate",
        "not_interrupted",
        "one_build",
    }
)
"""Refusals that pass by themselves: the intent stays AUTHORIZED and is tried again until its deadline."""
