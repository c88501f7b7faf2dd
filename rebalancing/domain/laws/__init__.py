"""The laws that hold over any schedule of faults, as plain checkers over what is written down.

Source: `invariants.md`. Each takes a `Case` and says how much it looked at and what it found broken. A law that
looked at nothing proves nothing: whoever judges has to see that `examined` is not zero where it may not be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from rebalancing.domain.laws.booking import i3, i6, i8
from rebalancing.domain.laws.case import Case, Finding, Violation, rows_of
from rebalancing.domain.laws.living import i14, i15, i16, i18, i19
from rebalancing.domain.laws.money import i10
from rebalancing.domain.laws.permission import i9, i11, i12, i17, i20, i21
from rebalancing.domain.laws.record import i22, i23, i24, i25, i26
from rebalancing.domain.laws.sending import i1, i2, i4, i5, i7

__all__ = ["LAWS", "LIVE", "PAIRS", "Case", "Finding", "Law", "Violation", "judge", "rows_of"]

Law = Callable[[Case], Finding]
LAWS: Mapping[str, Law] = {
    "I1": i1,
    "I2": i2,
    "I3": i3,
    "I4": i4,
    "I5": i5,
    "I6": i6,
    "I7": i7,
    "I8": i8,
    "I9": i9,
    "I10": i10,
    "I11": i11,
    "I12": i12,
    "I14": i14,
    "I15": i15,
    "I16": i16,
    "I17": i17,
    "I18": i18,
    "I19": i19,
    "I20": i20,
    "I21": i21,
    "I22": i22,
    "I23": i23,
    "I24": i24,
}
"""Of one history. I13 waits for the bot, whose entries it is about."""
PAIRS: Mapping[str, Callable[[Case, Case], Finding]] = {"I25": i25, "I26": i26}
"""Of two histories."""
LIVE = tuple(name for name in LAWS if name not in ("I14", "I15", "I16", "I23"))
"""Those that the database alone can show at any moment. What hangs (I14) and the chain (I23) have watchers of
their own, and requests and tokens (I15, I16) are counted by the broker."""


def judge(case: Case, names: Collection[str] = tuple(LAWS)) -> dict[str, Finding]:
    """The finding of every law, or of those named, on one history."""
    return {name: LAWS[name](case) for name in names}
