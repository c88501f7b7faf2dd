"""What the channel of a market's programs says: by why and for whom they traded an index's members.

The parts of each member add up to what program-trade-by-stock shows of it; volumes are thousand shares and
turnovers million won, as on the index's own channel. A rate is a part of the index's volume or turnover in %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from trading.simulator.calls.indices import MILLION, THOUSAND
from trading.simulator.indices import INDICES, Index, members, present
from trading.simulator.investors import NO_PROGRAMS, Deal, ProgramParts, program_parts
from trading.simulator.market import percent
from trading.simulator.truth import Truth
from trading.simulator.ws.flow_frames import in_session

__all__ = ["PROGRAM_FRAMES"]

Row = Mapping[str, object]
EVERY = 10
"""Seconds between two looks: an index has hundreds of members."""


def programs(truth: Truth, key: str, at: datetime) -> Sequence[Row]:
    """What programs have done today in an index's members."""
    if not in_session(truth, at) or at.second % EVERY:
        return ()
    index = INDICES[key]
    day = present(truth.market, index, at)
    whole = day.volume // THOUSAND, day.turnover // MILLION
    parts = truth.market.once(("programs", key), at, lambda: _together(truth, index, at))
    row = _row(_parts_of(parts), whole)
    return (row | {"BSTP_CLS_CODE": key, "BSOP_HOUR": f"{at:%H%M%S}"},)


def _together(truth: Truth, index: Index, at: datetime) -> ProgramParts:
    total = NO_PROGRAMS
    for code in members(truth.market, index):
        shown = truth.market.shown(code, at)
        total += program_parts(truth.market, code, at.date(), shown.volume, shown.turnover)
    return total


def _parts_of(parts: ProgramParts) -> dict[tuple[str, str], Deal]:
    """By the broker's short words, in its units; sums are made of what was rounded."""
    found = {
        ("ARBT", "ENTM"): parts.arbitrage_agency,
        ("ARBT", "ONSL"): parts.arbitrage_own,
        ("NABT", "ENTM"): parts.other_agency,
        ("NABT", "ONSL"): parts.other_own,
    }
    return {
        place: Deal(
            deal.bought // THOUSAND,
            deal.sold // THOUSAND,
            deal.paid // MILLION,
            deal.received // MILLION,
        )
        for place, deal in found.items()
    }


def _row(parts: Mapping[tuple[str, str], Deal], whole: tuple[int, int]) -> dict[str, object]:
    row: dict[str, object] = {"ACML_VOL": whole[0], "ACML_TR_PBMN": whole[1]}
    for (why, whom), deal in parts.items():
        row |= {
            f"{why}_SELN_{whom}_CNQN": deal.sold,
            f"{why}_SHNU_{whom}_CNQN": deal.bought,
            f"{why}_SELN_{whom}_CNTG_AMT": deal.received,
            f"{why}_SHNU_{whom}_CNTG_AMT": deal.paid,
            f"{why}_{whom}_NTBY_QTY": deal.net,
            f"{why}_{whom}_NTBY_TR_PBMN": deal.net_paid,
        }
    for names, of in SUMS:
        total = sum((d for place, d in parts.items() if of in (*place, "")), Deal(0, 0))
        amounts = (total.sold, total.received, total.bought, total.paid, total.net, total.net_paid)
        for (amount, rate), value, all_of_it in zip(names, amounts, whole * 3, strict=True):
            row |= {amount: value, rate: percent(value, all_of_it)}
    return row


def _of_why(why: str) -> tuple[tuple[str, str], ...]:
    sides = ("SELN_VOL", "SELN_TR_PBMN", "SHNU_VOL", "SHNU_TR_PBMN", "NTBY_QTY", "NTBY_TR_PBMN")
    return tuple((f"{why}_SMTN_{side}", f"{why}_SMTM_{side}_RATE") for side in sides)


def _of_whom(whom: str, quantity: str, rate: str) -> tuple[tuple[str, str], ...]:
    sides = ("SELN_VOL", "SELN_TR_PBMN", "SHNU_VOL", "SHNU_TR_PBMN")
    return (
        *((f"WHOL_{whom}_{side}", f"{whom}_{side}_RATE") for side in sides),
        (f"WHOL_{whom}_{quantity}", f"{whom}_{rate}"),
        (f"WHOL_{whom}_NTBY_TR_PBMN", f"{whom}_NTBY_TR_PBMN_RATE"),
    )


SUMS: tuple[tuple[tuple[tuple[str, str], ...], str], ...] = (
    (_of_why("ARBT"), "ARBT"),
    (_of_why("NABT"), "NABT"),
    (_of_whom("ENTM", "NTBY_QT", "NTBY_QTY_RAT"), "ENTM"),
    (_of_whom("ONSL", "NTBY_QTY", "NTBY_QTY_RATE"), "ONSL"),
    (
        (
            ("TOTAL_SELN_QTY", "WHOL_SELN_VOL_RATE"),
            ("TOTAL_SELN_TR_PBMN", "WHOL_SELN_TR_PBMN_RATE"),
            ("SHNU_CNTG_SMTN", "WHOL_SHUN_VOL_RATE"),
            ("TOTAL_SHNU_TR_PBMN", "WHOL_SHUN_TR_PBMN_RATE"),
            ("WHOL_NTBY_QTY", "WHOL_SMTM_NTBY_QTY_RATE"),
            ("WHOL_NTBY_TR_PBMN", "WHOL_NTBY_TR_PBMN_RATE"),
        ),
        "",
    ),
)
"""Of each sum the amounts sold, received, bought, paid and net with their rates, as the broker spells them,
and whose parts it has; "" has all."""
PROGRAM_FRAMES: Mapping[str, Callable[[Truth, str, datetime], Sequence[Row]]] = {
    "index_program_trade": programs,
}
