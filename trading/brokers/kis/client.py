"""Reads from KIS: paced, retried, paged, and honest about what is incomplete.

An order never passes through here; `orders` holds the only POST to an order path. The one POST below
asks for the hash of a body and changes nothing at the broker.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeVar

import httpx2

from trading.brokers.kis.breaker import Breaker
from trading.brokers.kis.capped import TooMuch, exchange
from trading.brokers.kis.errors import read_error
from trading.brokers.kis.parsing import code, document
from trading.domain.errors import (
    BrokerBusy,
    BrokerDown,
    BrokerError,
    BrokerForeign,
    BrokerGarbled,
    BrokerMisconfigured,
    BrokerTokenDead,
    BrokerUnavailable,
)
from trading.domain.ports import RateBudget, RateLane, StoredToken, TokenStore
from trading.kis_wire import Call, calls

__all__ = ["Answer", "Credentials", "KisClient", "Said", "Wire"]

Wire = Literal["real", "mock"]
T = TypeVar("T")

MAX_BYTES = 4_000_000
MAX_PAGES = 400
TOTAL_SECONDS = 20.0
"""For one answer, from the first byte asked to the last one read."""
TRIES = 4
_ACCOUNT = re.compile(r"\s*([0-9]{8})!\^([0-9]{2})!\^")
TIMEOUT = httpx2.Timeout(10.0, connect=3.0)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys of one account; never printed."""

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    account_no: str = field(repr=False)

    @property
    def cano(self) -> str:
        return self.account_no.split("-")[0]

    @property
    def product(self) -> str:
        return self.account_no.split("-")[1]

    @property
    def account(self) -> dict[str, str]:
        """The account as every call of it names it."""
        return {"CANO": self.cano, "ACNT_PRDT_CD": self.product}


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful reply; `more` is true when another page exists."""

    body: Mapping[str, Any]
    more: bool


@dataclass(frozen=True, slots=True)
class Said:
    """The time in an answer's Date header, and the monotonic moment at which it was asked for."""

    at: datetime
    asked: float


class KisClient:
    """Reads of one account. Thread-safe as far as its HTTP client is; one per account and process."""

    def __init__(
        self,
        *,
        base_url: str,
        wire: Wire,
        credentials: Credentials,
        tokens: TokenStore,
        budget: RateBudget,
        http: httpx2.Client,
        breaker: Breaker | None = None,
        signs_orders: bool = False,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.wire = wire
        self.credentials = credentials
        self.tokens = tokens
        self.budget = budget
        self.breaker = breaker or Breaker()
        self.signs_orders = signs_orders
        self.server_said: Said | None = None
        self._http = http
        self._tries = tries
        self._sleep = sleep

    def tr_id(self, call: Call, variant: str = "") -> str:
        """The TR id for this environment. Raises BrokerMisconfigured where it is not offered."""
        for tr in call.trs:
            if tr.variant == variant:
                found = tr.real if self.wire == "real" else tr.mock
                if found is None:
                    break
                return found
        raise BrokerMisconfigured(f"{call.name} is not offered in this environment")

    def offers(self, name: str) -> bool:
        return self.wire == "real" or calls()[name].mock

    def headers(self, tr_id: str, token: str) -> dict[str, str]:
        return {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {token}",
            "appkey": self.credentials.app_key,
            "appsecret": self.credentials.app_secret,
            "tr_id": tr_id,
            "custtype": "P",
        }

    def read(
        self,
        name: str,
        params: Mapping[str, str],
        *,
        variant: str = "",
        lane: RateLane = "read",
        tr_cont: str = "",
    ) -> Answer:
        """One GET, retried while the failure is the kind that goes away. Raises BrokerError."""
        call = calls()[name]
        tr_id = self.tr_id(call, variant)
        return self._until_answered(
            lane, lambda token: self._get(call, tr_id, token, params, tr_cont)
        )

    def turn(self, lane: RateLane) -> StoredToken:
        """Wait until one call may be made; the token to make it with. Raises BrokerError."""
        self.breaker.ask()
        token = self.tokens.current() or self._renewed(None)
        self.budget.acquire(lane)
        return token

    def once(self, name: str, params: Mapping[str, str], token: StoredToken) -> Answer:
        """One GET in a turn that was taken before, not retried. Safe in any thread. Raises BrokerError."""
        call = calls()[name]
        with self._heard():
            return self._get(call, self.tr_id(call), token.token, params, "")

    def hash_of(self, body: bytes) -> str:
        """The broker's hash over `body`, for the `hashkey` header of the POST that carries it.

        Raises BrokerError; BrokerGarbled when the answer is about another body.
        """
        return self._until_answered("read", lambda _token: self._hash(body))

    def _until_answered(self, lane: RateLane, once: Callable[[str], T]) -> T:
        """`once` with the current token, repeated while the failure is the kind that goes away."""
        renewed = False
        for attempt in range(1, self._tries + 1):
            try:
                token = self.turn(lane)
                with self._heard():
                    return once(token.token)
            except BrokerTokenDead:
                if renewed:
                    raise
                renewed = True
                self._renewed(token.token)
            except BrokerBusy:
                self.budget.slow_down()
                if attempt == self._tries:
                    raise
                self._sleep(self._pause(attempt))
            except BrokerDown:
                raise
            except (BrokerUnavailable, BrokerGarbled):
                if attempt == self._tries:
                    raise
                self._sleep(self._pause(attempt))
        raise BrokerUnavailable("no answer")

    def _renewed(self, dead: str | None) -> StoredToken:
        with self._heard():
            return self.tokens.renew(dead)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Tell the breaker how a question ended. A code of the broker's own is a sign of life."""
        try:
            yield
        except BrokerError as error:
            if error.msg_cd or isinstance(error, BrokerGarbled):
                self.breaker.answered()
            elif isinstance(error, BrokerUnavailable):
                self.breaker.failed()
            raise
        self.breaker.answered()

    def pages(
        self, name: str, params: Mapping[str, str], *, variant: str = "", lane: RateLane = "ledger"
    ) -> Iterator[Mapping[str, Any]]:
        """Every page in order. Raises BrokerGarbled when the continuation repeats or never ends:
        the caller then knows that what it collected is not all there is."""
        suffix = {"fk_nk": "", "fk200_nk200": "200"}.get(calls()[name].paging or "", "100")
        fk_name, nk_name = f"CTX_AREA_FK{suffix}", f"CTX_AREA_NK{suffix}"
        fk = nk = ""
        seen: set[str] = set()
        for page in range(MAX_PAGES):
            answer = self._page(
                name,
                {**params, fk_name: fk, nk_name: nk},
                variant=variant,
                lane=lane,
                tr_cont="N" if page else "",
            )
            yield answer.body
            if not answer.more:
                return
            fk = str(answer.body.get(fk_name.lower(), ""))
            nk = str(answer.body.get(nk_name.lower(), ""))
            if not nk.strip() or nk in seen:
                raise BrokerGarbled(f"{name}: the continuation key repeats or is empty")
            seen.add(nk)
        raise BrokerGarbled(f"{name}: more than {MAX_PAGES} pages")

    def _page(self, name: str, params: Mapping[str, str], **how: Any) -> Answer:
        """One page that is about our account and does not promise more behind nothing."""
        answer = self.read(name, params, **how)
        for key in ("ctx_area_fk", "ctx_area_fk100", "ctx_area_fk200"):
            self._require_own(str(answer.body.get(key, "")))
        if answer.more and _is_empty(answer.body):
            raise BrokerGarbled(f"{name}: an empty page says that there are more")
        return answer

    def _require_own(self, echo: str) -> None:
        """The continuation repeats what was asked, the account first; where it does not, nothing is known."""
        asked = _ACCOUNT.match(echo)
        mine = (self.credentials.cano, self.credentials.product)
        if asked is not None and asked.groups() != mine:
            raise BrokerForeign("the answer is about another account")

    @staticmethod
    def _pause(attempt: int) -> float:
        return min(4.0, 0.4 * 2 ** (attempt - 1)) * random.uniform(0.8, 1.3)  # noqa: S311

    def _get(
        self, call: Call, tr_id: str, token: str, params: Mapping[str, str], tr_cont: str
    ) -> Answer:
        headers = self.headers(tr_id, token) | {"tr_cont": tr_cont}
        status, head, body = self._exchange("GET", call.path, headers, params)
        reply = _document(body, status)
        if str(reply.get("rt_cd", "")) != "0":
            raise read_error(str(reply.get("msg_cd", "")), str(reply.get("msg1", "")), status)
        return Answer(body=reply, more=head.get("tr_cont", "").strip().upper() in ("F", "M"))

    def _hash(self, body: bytes) -> str:
        """No token and no TR id: the hash is of the keys and the body alone."""
        headers = {
            "content-type": "application/json; charset=utf-8",
            "appkey": self.credentials.app_key,
            "appsecret": self.credentials.app_secret,
        }
        status, _head, answer = self._exchange(
            "POST", calls()["hashkey"].path, headers, content=body
        )
        reply = _document(answer, status)
        if "HASH" not in reply and reply.get("msg_cd"):
            raise read_error(str(reply["msg_cd"]), str(reply.get("msg1", "")), status)
        if reply.get("BODY") != document(body):
            raise BrokerGarbled("the hash is of another body")
        return code(reply, "HASH", r"[\x21-\x7e]{16,512}")

    def _exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        asked = time.monotonic()
        try:
            found = exchange(
                self._http,
                method,
                self.base_url + path,
                most=MAX_BYTES,
                seconds=TOTAL_SECONDS,
                headers=dict(headers),
                params=dict(params or {}),
                content=content,
            )
        except TooMuch as error:
            raise BrokerGarbled(str(error)) from None
        except httpx2.HTTPError as error:
            # The library's text may quote the request; keep only what kind of failure it was.
            raise BrokerUnavailable(type(error).__name__) from None
        self._note_time(found.headers.get("date", ""), asked)
        return found.status, found.headers, found.body

    def _note_time(self, date_header: str, asked: float) -> None:
        """An answer without a readable date says nothing about the time."""
        try:
            self.server_said = Said(parsedate_to_datetime(date_header), asked)
        except (TypeError, ValueError):
            self.server_said = None


def _is_empty(body: Mapping[str, Any]) -> bool:
    """A list without a row."""
    return any(body.get(key) == [] for key in ("output", "output1"))


def _document(body: bytes, status: int) -> dict[str, Any]:
    try:
        return document(body)
    except BrokerGarbled:
        if status >= 500:
            raise BrokerUnavailable("gateway error", http_status=status) from None
        raise


def is_transient(error: BrokerError) -> bool:
    return isinstance(error, BrokerUnavailable | BrokerBusy | BrokerGarbled)
