"""KIS as the engine's Broker: typed questions, strictly read answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

from trading.brokers.kis import orders, parsing
from trading.brokers.kis.client import KisClient
from trading.domain.errors import BrokerError, BrokerForeign, BrokerGarbled, BrokerShifted
from trading.domain.orders import Reply
from trading.domain.ports import (
    Balance,
    CancellableOrder,
    Clock,
    Holding,
    MarketDayWord,
    OrderableCash,
    OrderLine,
    OrderList,
    OrderRequest,
    OrderRow,
    PreparedPost,
    RawReply,
)
from trading.domain.quotes import BookLevel, OrderBook, Quote

__all__ = ["KisBroker"]

_LIMITLESS = frozenset(
    {"01", "03", "04", "05", "06", "13", "14", "15", "16", "28", "29", "44", "45", "46", "47"}
)
"""Order types without a price of their own (kis-protocol §7); 11 and 12 are limits."""
RECENT = timedelta(days=88)
"""The list of recent days reaches back three months, 89 days at least; older ones have their own."""


class KisBroker:
    """One account over one `KisClient`. Reads raise BrokerError; posting answers and never raises."""

    def __init__(self, client: KisClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    # --- the account ---------------------------------------------------------------------
    def balance(self) -> Balance:
        """Holdings and D+2 cash from every page.

        Raises BrokerGarbled when a ticker appears twice (pages that shifted prove nothing), and when nothing
        is listed but something is valued.
        """
        params = self._client.credentials.account | {
            "AFHR_FLPR_YN": "N",
            "OFL_YN": "",
            "INQR_DVSN": "02",
            "UNPR_DVSN": "01",
            "FUND_STTL_ICLD_YN": "N",
            "FNCG_AMT_AUTO_RDPT_YN": "N",
            "PRCS_DVSN": "00",
        }
        pages = list(self._client.pages("inquire_balance", params))
        found: dict[str, Holding] = {}
        for page in pages:
            for row in parsing.rows(page, "output1"):
                holding = _holding(row)
                if holding.ticker in found:
                    raise BrokerGarbled(f"{holding.ticker} is listed twice in the balance")
                found[holding.ticker] = holding
        totals = parsing.rows(pages[-1], "output2") or parsing.rows(pages[0], "output2")
        if len(totals) != 1:
            raise BrokerGarbled("the balance has no totals")
        valued = "scts_evlu_amt" in totals[0] and parsing.won(totals[0], "scts_evlu_amt") != 0
        if valued and not any(h.quantity > 0 for h in found.values()):
            raise BrokerGarbled("the balance values shares that it does not list")
        return Balance(
            holdings=tuple(h for h in found.values() if h.quantity > 0),
            d2_cash=parsing.won(totals[0], "prvs_rcdl_excc_amt"),
            raw=tuple(pages),
        )

    def orderable_cash(self, ticker: str) -> OrderableCash:
        """What may be spent without a receivable, asked as a market order so that the margin rate
        of the instrument is applied. Without a ticker the broker tells the amount alone."""
        params = self._client.credentials.account | {
            "PDNO": ticker,
            "ORD_UNPR": "0" if ticker else "",
            "ORD_DVSN": "01",
            "CMA_EVLU_AMT_ICLD_YN": "N",
            "OVRS_ICLD_YN": "N",
        }
        body = self._client.read("inquire_psbl_order", params, lane="ledger").body
        return OrderableCash(amount=parsing.won(_only(body, "output"), "nrcvb_buy_amt"), raw=body)

    def orders(self, since: date, until: date) -> OrderList:
        """Every order of these days, in whatever state. Never raises: a failed page makes it
        incomplete. Order numbers restart daily, so a row is known by its day and number."""
        params = self._client.credentials.account | {
            "SLL_BUY_DVSN_CD": "00",
            "PDNO": "",
            "CCLD_DVSN": "00",
            "INQR_DVSN": "01",
            "INQR_DVSN_3": "00",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
            "INQR_DVSN_1": "",
            "EXCG_ID_DVSN_CD": "ALL" if self._client.wire == "real" else "KRX",
        }
        found: dict[tuple[date, str], OrderRow] = {}
        pages = 0
        try:
            for variant, first, last in _spans(since, until, self._clock.now().date()):
                span = {"INQR_STRT_DT": f"{first:%Y%m%d}", "INQR_END_DT": f"{last:%Y%m%d}"}
                for body in self._client.pages(
                    "inquire_daily_ccld", params | span, variant=variant
                ):
                    pages += 1
                    for row in parsing.rows(body, "output1"):
                        order = _order_row(row)
                        at = (order.trade_date, order.order_no)
                        if at in found:
                            raise BrokerShifted("one order is listed twice")
                        found[at] = order
        except BrokerForeign as error:
            return OrderList((), pages, False, str(error)[:200], error.code)
        except BrokerError as error:
            lies = isinstance(error, BrokerGarbled) and not isinstance(error, BrokerShifted)
            alarm = "order_list_garbled" if lies else ""
            return OrderList(tuple(found.values()), pages, False, str(error)[:200], alarm)
        return OrderList(tuple(found.values()), pages, True)

    def cancellable(self) -> Sequence[CancellableOrder] | None:
        """Orders whose rest may still be cancelled, from every page; None on the mock environment,
        which does not offer the question. Raises BrokerGarbled when an order is listed twice."""
        if not self._client.offers("inquire_psbl_rvsecncl"):
            return None
        params = self._client.credentials.account | {"INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
        found: dict[str, CancellableOrder] = {}
        for body in self._client.pages("inquire_psbl_rvsecncl", params):
            for row in parsing.rows(body, "output"):
                order = _cancellable(row)
                if order.order_no in found:
                    raise BrokerGarbled(f"order {order.order_no} is listed twice")
                found[order.order_no] = order
        return [order for order in found.values() if order.cancellable > 0]

    # --- the market ----------------------------------------------------------------------
    def quote(self, ticker: str) -> Quote:
        params = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": ticker}
        at = self._clock.now()  # before the request: a late answer is as old as its question
        row = _only(self._client.read("inquire_price", params).body, "output")
        status = parsing.text(row, "iscd_stat_cls_code")
        return Quote(
            ticker=ticker,
            last=_positive(row, "stck_prpr"),
            reference=_positive(row, "stck_sdpr"),
            upper_limit=_positive(row, "stck_mxpr"),
            lower_limit=_positive(row, "stck_llam"),
            tick=_positive(row, "aspr_unit"),
            halted=status == "58"
            or parsing.flag(row, "temp_stop_yn")
            or parsing.flag(row, "sltr_yn"),
            warning=_warning(row, status),
            vi=parsing.text(row, "vi_cls_code") not in ("", "N", "0"),
            at=at,
            previous_volume=_previous_volume(row),
        )

    def book(self, ticker: str) -> OrderBook:
        params = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": ticker}
        at = self._clock.now()
        row = _only(self._client.read("inquire_asking_price_exp_ccn", params).body, "output1")
        return OrderBook(ticker=ticker, asks=_levels(row, "askp"), bids=_levels(row, "bidp"), at=at)

    def market_days(self, since: date) -> Sequence[MarketDayWord] | None:
        if not self._client.offers("chk_holiday"):
            return None
        body = self._client.read(
            "chk_holiday",
            {"BASS_DT": since.strftime("%Y%m%d"), "CTX_AREA_FK": "", "CTX_AREA_NK": ""},
        ).body
        return [
            MarketDayWord(parsing.day(row, "bass_dt"), parsing.flag(row, "opnd_yn"))
            for row in parsing.rows(body, "output")
        ]

    def clock_skew(self) -> timedelta | None:
        """How far our clock is ahead (+) or behind (−) of the last answer's, zero when the answer's
        time lies between asking and now. Call it right after a read; None where none was dated."""
        said = self._client.server_said
        if said is None or said.at.tzinfo is None:
            return None
        now = self._clock.now()
        asked = now - timedelta(seconds=time.monotonic() - said.asked)
        if said.at > now:
            return now - said.at
        return max(timedelta(0), asked - said.at)

    # --- sending -------------------------------------------------------------------------
    def prepare(self, request: OrderRequest) -> PreparedPost:
        prepared = orders.prepare(self._client, request)
        if not self._client.signs_orders:
            return prepared
        return replace(prepared, hashkey=self.hashkey(prepared))

    def hashkey(self, prepared: PreparedPost) -> str:
        """The broker's hash over a prepared body. One call more, so never between the write-ahead
        record and its POST. Raises BrokerError."""
        return self._client.hash_of(prepared.body)

    def open_line(self) -> OrderLine:
        """Pace, take the current token and connect. Raises BrokerError while nothing has been sent."""
        token = self._client.tokens.current() or self._client.tokens.renew(None)
        self._client.budget.acquire("order")
        return orders.Line(self._client, token.token)

    def read_reply(self, raw: RawReply) -> Reply:
        return orders.decode_reply(raw)

    def renew_token(self, dead: str) -> None:
        """After a refusal for the token `dead`: one renewal, shared by all processes; none at all when
        somebody has renewed meanwhile."""
        self._client.tokens.renew(dead)

    def slow_down(self) -> None:
        self._client.budget.slow_down()


def _spans(since: date, until: date, today: date) -> list[tuple[str, date, date]]:
    """(variant, first, last day): what is older than three months is asked of the list of older days."""
    border = today - RECENT
    older = [("before", since, min(until, border - timedelta(days=1)))] if since < border else []
    recent = [("inner", max(since, border), until)] if until >= border else []
    return older + recent


def _only(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = parsing.rows(body, key)
    if len(found) != 1:
        raise BrokerGarbled(f"{key} does not hold exactly one row")
    return found[0]


def _positive(row: Mapping[str, Any], name: str) -> int:
    found = parsing.won(row, name)
    if found <= 0:
        raise BrokerGarbled(f"{name} is not positive")
    return found


def _warning(row: Mapping[str, Any], status: str) -> str:
    """Why a buy is unwise, in the broker's codes; empty when nothing is flagged."""
    marks = []
    if status in ("51", "52", "53", "59"):
        marks.append(status)
    market = parsing.text(row, "mrkt_warn_cls_code")
    if market in ("02", "03"):
        marks.append(f"market-{market}")
    return ",".join(marks)


def _previous_volume(row: Mapping[str, Any]) -> int | None:
    """Yesterday's shares from today's volume and its ratio to yesterday's (in %): exact enough to
    tell a large order from a small one, unknown before the first trade of the day."""
    volume = parsing.integer(row, "acml_vol")
    ratio = parsing.decimal(row, "prdy_vrss_vol_rate")
    return int(volume * 100 / ratio) if volume > 0 and ratio > 0 else None


def _holding(row: Mapping[str, Any]) -> Holding:
    return Holding(
        ticker=parsing.code(row, "pdno", r"[0-9A-Z]{6,7}"),
        name=parsing.text(row, "prdt_name"),
        quantity=parsing.integer(row, "hldg_qty"),
        sellable=parsing.integer(row, "ord_psbl_qty"),
        average_price=parsing.decimal(row, "pchs_avg_pric"),
        last=parsing.won(row, "prpr"),
    )


def _side(row: Mapping[str, Any]) -> Literal["SELL", "BUY"]:
    return "SELL" if parsing.code(row, "sll_buy_dvsn_cd", r"0[12]") == "01" else "BUY"


def _cancellable(row: Mapping[str, Any]) -> CancellableOrder:
    quantity = parsing.integer(row, "ord_qty")
    filled = parsing.integer(row, "tot_ccld_qty")
    left = parsing.integer(row, "psbl_qty")
    if min(quantity, filled, left) < 0 or filled + left > quantity:
        raise BrokerGarbled("an open order's quantities do not add up")
    return CancellableOrder(
        org_no=parsing.text(row, "ord_gno_brno"),
        order_no=parsing.code(row, "odno", r"[0-9]{1,10}").zfill(10),
        ticker=parsing.code(row, "pdno", r"[0-9A-Z]{6,7}"),
        side=_side(row),
        quantity=quantity,
        filled_quantity=filled,
        cancellable=left,
    )


def _order_row(row: Mapping[str, Any]) -> OrderRow:
    kind = parsing.text(row, "ord_dvsn_cd")
    quantity = parsing.integer(row, "ord_qty")
    filled = parsing.integer(row, "tot_ccld_qty")
    remaining = parsing.integer(row, "rmn_qty")
    rejected = parsing.integer(row, "rjct_qty")
    # The portal's table and its examples spell the cancelled quantity in two ways.
    cancelled_name = "cnc_cfrm_qty" if "cnc_cfrm_qty" in row else "cncl_cfrm_qty"
    cancelled = parsing.integer(row, cancelled_name)
    if min(quantity, filled, remaining, rejected, cancelled) < 0 or filled > quantity:
        raise BrokerGarbled("an order row's quantities do not add up")
    changes = _order_number(parsing.text(row, "orgn_odno"))
    if not changes and filled + remaining + cancelled + rejected > quantity:
        raise BrokerGarbled("an order row's quantities exceed what was ordered")
    price = parsing.won(row, "ord_unpr")
    return OrderRow(
        trade_date=parsing.day(row, "ord_dt"),
        org_no=parsing.text(row, "ord_gno_brno"),
        order_no=parsing.code(row, "odno", r"[0-9]{1,10}").zfill(10),
        original_order_no=changes,
        ticker=parsing.code(row, "pdno", r"[0-9A-Z]{6,7}"),
        side=_side(row),
        order_type=kind,
        quantity=quantity,
        price=None if price == 0 or kind in _LIMITLESS else price,
        order_time=parsing.text(row, "ord_tmd"),
        filled_quantity=filled,
        filled_amount=parsing.won(row, "tot_ccld_amt"),
        cancelled_quantity=cancelled,
        remaining_quantity=remaining,
        rejected_quantity=rejected,
    )


def _levels(row: Mapping[str, Any], side: str) -> tuple[BookLevel, ...]:
    found = []
    for level in range(1, 11):
        price = parsing.won(row, f"{side}{level}")
        quantity = parsing.integer(row, f"{side}_rsqn{level}")
        if price > 0 and quantity > 0:
            found.append(BookLevel(price, quantity))
    prices = [level.price for level in found]
    if prices != sorted(prices, reverse=side == "bidp"):
        raise BrokerGarbled("the book's levels are out of order")
    return tuple(found)


def _order_number(text: str) -> str:
    """An order number padded to ten digits; blank or all zeros means there is none."""
    return text.zfill(10) if text.strip("0") else ""
