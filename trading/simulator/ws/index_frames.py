"""What the index channels say of one second: the level, the day's range and who rose and fell.

The numbers are the ones that inquire-index-price shows of the same second, in the same units: thousand
shares and million won. A tick's own volume, turnover and change are those since the second before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from trading.simulator.calls.indices import MILLION, THOUSAND, present_values
from trading.simulator.indices import INDICES, Index, IndexDay, level, members, present
from trading.simulator.truth import Truth

__all__ = ["INDEX_FRAMES", "knows"]

Row = Mapping[str, object]
SECOND = timedelta(seconds=1)
EXPECTED_SECONDS = 5
"""How often an auction's expected levels are told."""
POINT = 100
"""Parts of a point in which a tick's change is told."""
NAMES = {
    "PRPR_NMIX": "bstp_nmix_prpr",
    "PRDY_VRSS_SIGN": "prdy_vrss_sign",
    "BSTP_NMIX_PRDY_VRSS": "bstp_nmix_prdy_vrss",
    "ACML_VOL": "acml_vol",
    "ACML_TR_PBMN": "acml_tr_pbmn",
    "PRDY_CTRT": "bstp_nmix_prdy_ctrt",
    "OPRC_NMIX": "bstp_nmix_oprc",
    "NMIX_HGPR": "bstp_nmix_hgpr",
    "NMIX_LWPR": "bstp_nmix_lwpr",
    "OPRC_VRSS_NMIX_PRPR": "prdy_nmix_vrss_nmix_oprc",
    "OPRC_VRSS_NMIX_SIGN": "oprc_vrss_prpr_sign",
    "HGPR_VRSS_NMIX_PRPR": "prdy_nmix_vrss_nmix_hgpr",
    "HGPR_VRSS_NMIX_SIGN": "hgpr_vrss_prpr_sign",
    "LWPR_VRSS_NMIX_PRPR": "prdy_clpr_vrss_lwpr",
    "LWPR_VRSS_NMIX_SIGN": "lwpr_vrss_prpr_sign",
    "PRDY_CLPR_VRSS_OPRC_RATE": "bstp_nmix_oprc_prdy_ctrt",
    "PRDY_CLPR_VRSS_HGPR_RATE": "bstp_nmix_hgpr_prdy_ctrt",
    "PRDY_CLPR_VRSS_LWPR_RATE": "prdy_clpr_vrss_lwpr_rate",
    "UPLM_ISSU_CNT": "uplm_issu_cnt",
    "ASCN_ISSU_CNT": "ascn_issu_cnt",
    "STNR_ISSU_CNT": "stnr_issu_cnt",
    "DOWN_ISSU_CNT": "down_issu_cnt",
    "LSLM_ISSU_CNT": "lslm_issu_cnt",
}
"""Fields of a record and what the screen calls the same number."""


def knows(truth: Truth, key: str) -> bool:
    """Whether an index has a level here: one that is listed and has members."""
    return key in INDICES and bool(members(truth.market, INDICES[key]))


def ticks(truth: Truth, key: str, at: datetime) -> Sequence[Row]:
    """One record a second of the continuous session, and one of the close."""
    if not truth.calendar.is_session(at.date()):
        return ()
    hours = truth.calendar.session_hours(at.date())
    if not (hours.open <= at < hours.closing_auction or at == hours.close):
        return ()
    return (_row(truth, INDICES[key], at),)


def expected(truth: Truth, key: str, at: datetime) -> Sequence[Row]:
    """What the two auctions would leave the level at; silent outside them."""
    if not truth.calendar.is_session(at.date()) or at.second % EXPECTED_SECONDS:
        return ()
    hours = truth.calendar.session_hours(at.date())
    if not (hours.preopen <= at < hours.open or hours.closing_auction <= at < hours.close):
        return ()
    return (_row(truth, INDICES[key], at),)


def _row(truth: Truth, index: Index, at: datetime) -> Row:
    before, now = _second(truth, index, at - SECOND), _second(truth, index, at)
    if before.day != now.day:
        before = now
    shown = present_values(truth, index, at)
    row = {told: shown[name] for told, name in NAMES.items()}
    return row | {
        "BSTP_CLS_CODE": index.code,
        "BSOP_HOUR": f"{at:%H%M%S}",
        "PCAS_VOL": now.volume // THOUSAND - before.volume // THOUSAND,
        "PCAS_TR_PBMN": now.turnover // MILLION - before.turnover // MILLION,
        "QTQT_ASCN_ISSU_CNT": 0,
        "QTQT_DOWN_ISSU_CNT": 0,
        "TICK_VRSS": int((level(now.close) - level(before.close)) * POINT),
    }


def _second(truth: Truth, index: Index, at: datetime) -> IndexDay:
    """The day as it stands in a second, kept until the second after the next."""
    key = ("index second", index.code, at.second % 2)
    return truth.market.once(key, at, lambda: present(truth.market, index, at))


INDEX_FRAMES: Mapping[str, Callable[[Truth, str, datetime], Sequence[Row]]] = {
    "index_ccnl": ticks,
    "index_exp_ccnl": expected,
}
