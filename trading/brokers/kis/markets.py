"""Indices, rankings, investors and headlines from KIS. None of it decides an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from trading.brokers.kis.backwards import backwards
from trading.brokers.kis.client import KisClient
from trading.brokers.kis.tables import Row, number, positive, read_table, whole
from trading.domain.errors import BrokerGarbled, BrokerUnsupported
from trading.domain.markets import Flow, Headline, IndexDay, IndexNow, Ranked
from trading.domain.ports import Clock

__all__ = ["KisMarkets"]

SEOUL = ZoneInfo("Asia/Seoul")
THOUSAND, MILLION = 1_000, 1_000_000
"""The broker counts an index's shares in thousands and its won, like those of investors, in millions."""
TOLD_AT = time(18, 0)
"""By then the investors of the day are told."""
NOBODY = {
    "FID_DIV_CLS_CODE": "0",
    "FID_TRGT_CLS_CODE": "0",
    "FID_TRGT_EXLS_CLS_CODE": "0",
    "FID_VOL_CNT": "",
}


class KisMarkets:
    """Raises BrokerError; BrokerUnsupported where the environment does not offer the question, BrokerGarbled
    where a number that must be there is not."""

    def __init__(self, client: KisClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def index(self, code: str) -> IndexNow:
        """An index now: 0001 KOSPI, 1001 KOSDAQ, 2001 KOSPI 200."""
        at = self._clock.now()
        row = self._ask("inquire_index_price", _index(code)).only()
        return IndexNow(
            code=code,
            last=positive(row, "bstp_nmix_prpr"),
            change=number(row, "bstp_nmix_prdy_vrss"),
            change_percent=number(row, "bstp_nmix_prdy_ctrt"),
            open=positive(row, "bstp_nmix_oprc"),
            high=positive(row, "bstp_nmix_hgpr"),
            low=positive(row, "bstp_nmix_lwpr"),
            volume=whole(row, "acml_vol") * THOUSAND,
            turnover=whole(row, "acml_tr_pbmn") * MILLION,
            risers=whole(row, "ascn_issu_cnt"),
            unchanged=whole(row, "stnr_issu_cnt"),
            fallers=whole(row, "down_issu_cnt"),
            at=at,
        )

    def index_days(self, code: str, since: date, until: date) -> list[IndexDay]:
        """Sessions of an index, the oldest first."""

        def page(last: date) -> list[IndexDay]:
            params = _index(code) | {
                "FID_INPUT_DATE_1": f"{since:%Y%m%d}",
                "FID_INPUT_DATE_2": f"{last:%Y%m%d}",
                "FID_PERIOD_DIV_CODE": "D",
            }
            rows = self._ask("inquire_daily_indexchartprice", params).rows["output2"]
            return [self._index_day(code, row) for row in rows if any(row.values())]

        return backwards(page, lambda one: one.day, since, until, timedelta(days=1))

    def most_traded(self) -> list[Ranked]:
        """Up to thirty instruments by today's volume, the most first."""
        params = NOBODY | {
            "FID_COND_MRKT_DIV_CODE": "J",
            "FID_COND_SCR_DIV_CODE": "20171",
            "FID_INPUT_ISCD": "0000",
            "FID_BLNG_CLS_CODE": "0",
            "FID_INPUT_PRICE_1": "",
            "FID_INPUT_PRICE_2": "",
            "FID_INPUT_DATE_1": "",
        }
        return self._ranking("volume_rank", params, "mksc_shrn_iscd")

    def movers(self, *, falling: bool = False) -> list[Ranked]:
        """Up to thirty instruments by today's change, the largest rise first, or the largest fall."""
        params = {name.lower(): value for name, value in NOBODY.items()} | {
            "fid_cond_mrkt_div_code": "J",
            "fid_cond_scr_div_code": "20170",
            "fid_input_iscd": "0000",
            "fid_rank_sort_cls_code": "1" if falling else "0",
            "fid_input_cnt_1": "0",
            "fid_prc_cls_code": "1",  # against the close of the day before
            "fid_input_price_1": "",
            "fid_input_price_2": "",
            "fid_rsfl_rate1": "",
            "fid_rsfl_rate2": "",
        }
        return self._ranking("fluctuation", params, "stck_shrn_iscd")

    def flows(self, ticker: str, until: date) -> list[Flow]:
        """Who bought and sold an instrument in the sessions up to `until`, the oldest first. The session
        that is still on is left out: its investors are told after the close."""
        params = {
            "FID_COND_MRKT_DIV_CODE": "J",
            "FID_INPUT_ISCD": ticker,
            "FID_INPUT_DATE_1": f"{until:%Y%m%d}",
            "FID_ORG_ADJ_PRC": "",
            "FID_ETC_CLS_CODE": "1",
        }
        rows = self._ask("investor_trade_by_stock_daily", params).rows["output2"]
        now = self._clock.now().astimezone(SEOUL)
        told = until if now.time() >= TOLD_AT else min(until, now.date() - timedelta(days=1))
        found = [_flow(ticker, row) for row in rows if any(row.values()) and _is_told(row, told)]
        return sorted(found, key=lambda flow: flow.day)

    def headlines(self, ticker: str = "") -> list[Headline]:
        """The newest titles first, of one instrument or of all."""
        params = {
            "FID_NEWS_OFER_ENTP_CODE": "",
            "FID_COND_MRKT_CLS_CODE": "",
            "FID_INPUT_ISCD": ticker,
            "FID_TITL_CNTT": "",
            "FID_INPUT_DATE_1": "",
            "FID_INPUT_HOUR_1": "",
            "FID_RANK_SORT_CLS_CODE": "",
            "FID_INPUT_SRNO": "",
        }
        rows = self._ask("news_title", params).rows["output"]
        return [_headline(row) for row in rows if any(row.values())]

    # --- inside -------------------------------------------------------------------------------
    def _ask(self, name: str, params: Mapping[str, str]) -> Any:
        if not self._client.offers(name):
            raise BrokerUnsupported(f"{name} is not offered in this environment")
        return read_table(name, self._client.read(name, params).body)

    def _ranking(self, name: str, params: Mapping[str, str], ticker: str) -> list[Ranked]:
        at = self._clock.now()
        rows = self._ask(name, params).rows["output"]
        return [
            Ranked(
                rank=_rank(row),
                ticker=_text(row, ticker),
                name=_text(row, "hts_kor_isnm"),
                last=whole(row, "stck_prpr"),
                change_percent=number(row, "prdy_ctrt"),
                volume=whole(row, "acml_vol"),
                at=at,
            )
            for row in rows
            if any(row.values())
        ]

    def _index_day(self, code: str, row: Row) -> IndexDay:
        day = row.get("stck_bsop_date")
        if not isinstance(day, date):
            raise BrokerGarbled("a session of an index has no day")
        opened, high, low, close = (
            positive(row, f"bstp_nmix_{name}") for name in ("oprc", "hgpr", "lwpr", "prpr")
        )
        if not low <= min(opened, close) or not max(opened, close) <= high:
            raise BrokerGarbled("a session of an index whose points contradict each other")
        return IndexDay(
            code, day, opened, high, low, close,
            volume=whole(row, "acml_vol") * THOUSAND,
            turnover=whole(row, "acml_tr_pbmn") * MILLION,
            is_final=day < self._clock.now().astimezone(SEOUL).date(),
        )  # fmt: skip


def _index(code: str) -> dict[str, str]:
    return {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": code}


def _text(row: Row, name: str) -> str:
    found = row.get(name)
    if not isinstance(found, str) or not found:
        raise BrokerGarbled(f"{name} is missing")
    return found


def _rank(row: Row) -> int:
    text = _text(row, "data_rank")
    if not text.isascii() or not text.isdigit():
        raise BrokerGarbled("data_rank is not a number")
    return int(text)


def _flow(ticker: str, row: Row) -> Flow:
    day = row.get("stck_bsop_date")
    if not isinstance(day, date):
        raise BrokerGarbled("a session of investors has no day")
    return Flow(
        ticker, day,
        people=whole(row, "prsn_ntby_qty"),
        foreigners=whole(row, "frgn_ntby_qty"),
        institutions=whole(row, "orgn_ntby_qty"),
        people_won=whole(row, "prsn_ntby_tr_pbmn") * MILLION,
        foreigners_won=whole(row, "frgn_ntby_tr_pbmn") * MILLION,
        institutions_won=whole(row, "orgn_ntby_tr_pbmn") * MILLION,
    )  # fmt: skip


def _is_told(row: Row, until: date) -> bool:
    day = row.get("stck_bsop_date")
    return not isinstance(day, date) or day <= until


def _headline(row: Row) -> Headline:
    day, text = row.get("data_dt"), row.get("data_tm")
    if not isinstance(day, date) or not isinstance(text, str):
        raise BrokerGarbled("a headline has no time")
    try:
        hour = datetime.strptime(text, "%H%M%S").time()
    except ValueError as error:
        raise BrokerGarbled("data_tm is not a time") from error
    codes = (str(row.get(f"iscd{n}") or "") for n in range(1, 6))
    return Headline(
        number=_text(row, "cntt_usiq_srno"),
        at=datetime.combine(day, hour, SEOUL),
        title=_text(row, "hts_pbnt_titl_cntt"),
        source=cast(str, row.get("dorg") or ""),
        tickers=tuple(code for code in codes if code),
    )
