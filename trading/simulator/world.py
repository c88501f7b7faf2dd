"""One simulated broker: clock, exchange, accounts, keys, faults and journal behind one lock.

Sockets and control hand it requests; it answers with what to send and when. Nothing else touches
the state, so that one seed and one sequence of requests give one journal.
"""

from __future__ import annotations

import copy
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from trading.domain.sessions import KRX, SEOUL, Calendar
from trading.simulator.accounts import AccountPlan
from trading.simulator.auth import KeyRing, OAuthError
from trading.simulator.calls import HANDLERS, Handler
from trading.simulator.clock import VirtualClock, default_start
from trading.simulator.fault_effects import Strike, due_time, fire_state
from trading.simulator.faults import AFTER, BEFORE, MID, READ, Armed, Delivery, Faults
from trading.simulator.http import BadRequest, Reply, Request, json_reply
from trading.simulator.journal import Journal, kept_lines
from trading.simulator.limits import MOCK_RATES, REAL_RATES, RateLimiter, Rates
from trading.simulator.market import Market
from trading.simulator.prices import BarSource, demo_source
from trading.simulator.resume import begun_at, resume
from trading.simulator.truth import Truth
from trading.simulator.wire import MESSAGES, Ask, Refusal, check_params, refuse, service_of
from trading.simulator.ws.registrations import Session
from trading.simulator.ws.streams import Layout, Streams

__all__ = ["Options", "World"]

ORGNO = {"real": "06010", "mock": "00950"}
TOKEN_PATH = "/oauth2/tokenP"
REVOKE_PATH = "/oauth2/revokeP"
APPROVAL_PATH = "/oauth2/Approval"
HASHKEY_PATH = "/uapi/hashkey"
ORDER_CALLS = frozenset(
    {"order_cash", "order_rvsecncl", "overseas_order", "overseas_order_rvsecncl"}
)
ORDER_PATHS = ("order-cash", "order-rvsecncl", "order")
JOURNALLED_BODIES = ORDER_CALLS | {"inquire_psbl_order", "overseas_inquire_psamount"}


@dataclass(frozen=True)
class Options:
    """How a world is set up. `speed` 0: time moves only by advances; `tame` removes the mess."""

    profile: str = "real"
    seed: int = 1
    speed: float = 1.0
    start: datetime | None = None
    tame: bool = False
    rates: Rates | None = None
    minute_rule: bool = True
    strict_time: bool = False
    secrets: Mapping[str, str] | None = None
    plans: Mapping[str, AccountPlan] = field(default_factory=dict)
    owners: Mapping[str, str] | None = None
    """Account to app key; None lets every key use every account."""
    journal: Path | str | None = None
    hts_ids: Mapping[str, str] | None = None
    """App key to the HTS id that its notices are asked for with; None takes any id."""
    layout: Layout = field(default_factory=Layout)
    resume: bool = False
    """Go on where the journal ends, if there is one, instead of beginning a new one."""
    calendar: Calendar = KRX
    source: Callable[[int, bool], BarSource] = demo_source

    def limits(self) -> Rates:
        if self.rates is not None:
            return self.rates
        return MOCK_RATES if self.profile == "mock" else REAL_RATES

    @property
    def mock(self) -> bool:
        return self.profile == "mock"


class World:
    """The whole state; every public method takes the lock and brings time up to date first."""

    def __init__(self, options: Options) -> None:
        if options.profile not in ORGNO:
            raise ValueError(f"profile is real or mock, not {options.profile!r}")
        self.lock = threading.RLock()
        self.options = options
        self.snapshots: dict[str, tuple[dict[str, Any], Any, list[str]]] = {}
        self.actor: Callable[[dict[str, Any]], None] | None = None
        self._source: BarSource = options.source(options.seed, options.tame)
        kept = kept_lines(options.journal) if options.resume and options.journal else []
        self.clock = VirtualClock(begun_at(kept[0]) if kept else self._start(), options.speed)
        self.journal = Journal(self.clock, options.journal, kept)
        self._build()
        if kept:
            self._go_on()
        else:
            self._open()

    def _start(self) -> datetime:
        if self.options.start is not None:
            start = self.options.start
            return start if start.tzinfo else start.replace(tzinfo=SEOUL)
        if self.options.strict_time:
            return datetime.now(SEOUL)
        last = self._source.last_day()
        latest = datetime.now(SEOUL)
        if last is not None and last < latest.date():
            end_of_day = datetime.combine(last, latest.time().max, SEOUL)
            return default_start(end_of_day, self.options.calendar)
        return default_start(latest, self.options.calendar)

    def _build(self) -> None:
        options, start = self.options, self.clock.peek()
        day = start.date()
        calendar = options.calendar
        if not calendar.is_session(day) or start < calendar.session_hours(day).preopen:
            day = calendar.previous_session(day)
        self.market = Market(options.seed, self._source, options.calendar, day, options.tame)
        self.truth = Truth(
            market=self.market,
            calendar=options.calendar,
            journal=self.journal,
            seed=options.seed,
            orgno=ORGNO[options.profile],
            time=start,
            tame=options.tame,
            plans=options.plans,
        )
        self.keys = KeyRing(options.seed, options.secrets, options.minute_rule)
        self.limiter = RateLimiter(options.limits())
        self.faults = Faults(options.seed)
        self.truth.listeners.append(self._on_agenda)
        self.streams = Streams(
            truth=self.truth,
            keys=self.keys,
            mock=options.mock,
            owners=options.owners,
            hts_ids=options.hts_ids,
            layout=options.layout,
            journal=self.journal,
            faults=self.faults,
        )

    def _open(self) -> None:
        """The first lines of a new journal: the clock and the accounts as they are given."""
        self._journal_clock("start")
        for account in sorted(self.options.plans):
            self.truth.account(account)
        self.journal.settle()

    def _go_on(self) -> None:
        """Be where the journal ends, or at a later `start`."""
        last = resume(self.truth, self.keys, self.journal.lines, self.options)
        self.clock.thaw((last, last))
        self._journal_clock("resume")
        start = self.options.start
        if start is not None and self._start() > last:
            self.advance((self._start() - last).total_seconds())
        self.journal.settle()

    def _journal_clock(self, reason: str) -> None:
        options = self.options
        self.journal.write(
            "clock",
            speed=options.speed,
            seed=options.seed,
            profile=options.profile,
            tame=options.tame,
            reason=reason,
        )

    def end(self) -> None:
        """The last word of an orderly end: until when the clock ran. A second life goes on from there."""
        with self.lock:
            if self.clock.speed and self.journal.open:
                self.now()
                self._journal_clock("end")
                self.journal.settle()
            self.journal.close()

    # --- time ---------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Bring the world up to the present of its clock; inside an event, that event's time."""
        if self.truth.running:
            return self.truth.time
        now = self.clock.peek()
        self.truth.run_to(now)
        return now

    def pump(self) -> None:
        """Let due things happen although nobody asks; used while the clock runs by itself."""
        with self.lock:
            self.now()
            self.streams.tell()
            self.journal.settle()

    def advance(self, seconds: float) -> datetime:
        """Move virtual time forward by `seconds`, everything due happening on the way."""
        with self.lock:
            self.now()
            self.clock.advance(seconds)
            target = self.clock.peek()
            self.truth.run_to(target)
            self.streams.tell()
            self.journal.write("clock", target, advanced=seconds)
            self.journal.settle()
            return target

    # --- faults and scripts -------------------------------------------------------------------

    def arm(self, request: Mapping[str, Any]) -> Armed:
        """Arm one fault; ValueError when it is not understood."""
        with self.lock:
            now = self.now()
            self._check_match(dict(request.get("match") or {}))
            self._check_match(dict(request.get("params") or {}))
            armed = self.faults.arm(request)
            at = due_time(armed, now)
            self.journal.write("fault_armed", now, **armed.as_dict())
            if at is not None:
                self.truth.schedule(at, {"action": "strike", "number": armed.number})
            self.now()
            self.journal.settle()
            return armed

    def on_agenda(self, actor: Callable[[dict[str, Any]], None]) -> None:
        """Who carries out the scheduled actions that are not faults."""
        self.actor = actor

    def _on_agenda(self, action: dict[str, Any]) -> None:
        if action["action"] != "strike":
            if self.actor:
                self.actor(action)
            return
        armed = next((a for a in self.faults.armed if a.number == action["number"]), None)
        if armed and fire_state(self, armed):
            self.journal.write(
                "fault_fired", self.truth.time, fault=armed.fault, req_seq=None, arm=armed.number
            )
            self.faults.fired(armed)

    # --- requests -----------------------------------------------------------------------------

    def answer(self, request: Request) -> Delivery:
        """Answer one request of the broker's port."""
        with self.lock:
            self.now()
            seq = self._journal_request(request)
            self.now()
            strike = Strike(self, request, seq)
            delivery = self._deliver(request, strike)
            delivery.at = self.clock.peek()
            self._journal_reply(seq, request, delivery, strike)
            strike.late()
            self.journal.settle()
            return delivery

    def _deliver(self, request: Request, strike: Strike) -> Delivery:
        if request.path.startswith("/oauth2/"):
            early = strike.at(BEFORE)
            return early or Delivery(self._oauth(request))
        if request.path == HASHKEY_PATH:
            return Delivery(self._hashkey(request))
        tr_id = request.headers.get("tr_id", "")
        try:
            ask = self._gate(request, strike.seq)
            strike.ask = ask
            early = strike.at(BEFORE)
            if early:
                return early
            reply = self._handler(ask)(self.truth, ask, self.options.mock)
        except Refusal as refusal:
            reply = refuse(refusal, tr_id)
        reply.headers["gt_uid"] = hashlib.md5(
            f"{self.options.seed}:{strike.seq}".encode(), usedforsecurity=False
        ).hexdigest()
        strike.reply = reply
        return strike.at(AFTER) or strike.at(MID) or Delivery(strike.reply)

    def replay(self, request: Request, of: int) -> tuple[Reply, bool]:
        """The bytes of request number `of` once more, sent by somebody in between; no fault strikes them.

        The reply, and whether an order came of them.
        """
        seq = self._journal_request(request, replay_of=of)
        taken = False
        try:
            ask = self._gate(request, seq)
            reply = self._handler(ask)(self.truth, ask, self.options.mock)
            taken = "placed" in ask.options
        except Refusal as refusal:
            reply = refuse(refusal, request.headers.get("tr_id", ""))
        self.journal.write(
            "http_resp", req_seq=seq, status=reply.status, body=reply.text, bytes=len(reply.body)
        )
        return reply, taken

    @staticmethod
    def _handler(ask: Ask) -> Handler:
        """Who answers; a call of the broker's table that nobody answers here is no service here."""
        handler = HANDLERS.get(ask.service.call.name)
        if handler is None:
            raise Refusal("OPSQ0002")
        return handler

    def _gate(self, request: Request, seq: int) -> Ask:
        """The gateway's own checks, in its order: keys, token, service, rate, fields, account."""
        headers = request.headers
        appkey, now = headers.get("appkey", ""), self.truth.time
        bad = self.keys.check_pair(appkey, headers.get("appsecret", ""))
        bad = bad or self.keys.check_bearer(headers.get("authorization", ""), appkey, now)
        if bad:
            raise Refusal(bad)
        tr_id = headers.get("tr_id", "")
        service = service_of(tr_id, request.path, self.options.mock)
        if request.method != service.call.method:
            raise Refusal("EGW00101", "잘못된 요청입니다.")
        busy = self.limiter.check(appkey, now, service.ledger)
        if busy:
            raise Refusal(busy)
        params = self._params(request)
        check_params(service, params)
        account = ""
        if any(p.name == "CANO" for p in service.call.params):
            account = self._account(params, appkey)
        return Ask(
            service=service,
            params=params,
            account=account,
            tr_id=tr_id,
            next_page=headers.get("tr_cont", "").strip().upper() == "N",
            seq=seq,
            nonce=headers.get("x-request-id", ""),
        )

    def _params(self, request: Request) -> dict[str, str]:
        if request.method == "GET":
            return {name.upper(): value for name, value in request.query.items()}
        if "json" not in request.headers.get("content-type", "").lower():
            raise Refusal("EGW00132")
        if not request.body:
            raise Refusal("OPSQ9995")
        try:
            body = request.json()
        except BadRequest:
            raise Refusal("OPSQ9997") from None
        wrong = [name for name, value in body.items() if not isinstance(value, str)]
        if wrong:
            raise Refusal("OPSQ2001", f"ERROR : INPUT FIELD NOT STRING [{wrong[0]}]")
        claimed = request.headers.get("hashkey", "")
        if claimed and claimed != _hash_of(body):
            raise Refusal("EGW00131")
        return body

    def _account(self, params: Mapping[str, str], appkey: str) -> str:
        number, product = params["CANO"].strip(), params["ACNT_PRDT_CD"].strip()
        account = f"{number}-{product}"
        shaped = len(number) == 8 and number.isdigit() and len(product) == 2 and product.isdigit()
        owners = self.options.owners
        if not shaped or (owners is not None and owners.get(account) != appkey):
            raise Refusal("OPSQ2000")
        self.truth.account(account)
        return account

    # --- oauth and hashkey --------------------------------------------------------------------

    def _oauth(self, request: Request) -> Reply:
        if request.method != "POST" or request.path not in (TOKEN_PATH, REVOKE_PATH, APPROVAL_PATH):
            return json_reply(
                {"error_code": "EGW00101", "error_description": "잘못된 요청입니다."}, 404
            )
        try:
            body = {k: str(v) for k, v in request.json().items()}
            named = "secretkey" if request.path == APPROVAL_PATH else "appsecret"
            bad = self.keys.check_pair(body.get("appkey", ""), body.get(named, ""))
            if bad:
                raise OAuthError(bad, MESSAGES[bad])
            if request.path == REVOKE_PATH:
                return self._revoke(body)
            _require_grant(body)
            return self._approve(body) if request.path == APPROVAL_PATH else self._issue(body)
        except BadRequest:
            return oauth_refusal(OAuthError("EGW00101", "잘못된 요청입니다."))
        except OAuthError as error:
            return oauth_refusal(error)

    def _issue(self, body: Mapping[str, str]) -> Reply:
        appkey, now = body["appkey"], self.truth.time
        try:
            token = self.keys.issue(appkey, now)
        except OAuthError:
            self.journal.write("token_refuse", appkey=appkey, token=None)
            raise
        self.journal.write("token_issue", appkey=appkey, token=token.text)
        return json_reply(
            {
                "access_token": token.text,
                "access_token_token_expired": f"{token.expires:%Y-%m-%d %H:%M:%S}",
                "token_type": "Bearer",
                "expires_in": round((token.expires - now).total_seconds()),
            }
        )

    def _revoke(self, body: Mapping[str, str]) -> Reply:
        token = self.keys.tokens.get(body.get("token", ""))
        if token is None or token.appkey != body["appkey"] or not self.keys.revoke(token.text):
            raise OAuthError("EGW00121", MESSAGES["EGW00121"])
        return json_reply({"code": 200, "message": "접근토큰 폐기에 성공하였습니다"})

    def _hashkey(self, request: Request) -> Reply:
        headers = request.headers
        bad = self.keys.check_pair(headers.get("appkey", ""), headers.get("appsecret", ""))
        if bad:
            return refuse(Refusal(bad))
        try:
            body = request.json()
        except BadRequest:
            return refuse(Refusal("OPSQ9997"))
        return json_reply({"BODY": body, "HASH": _hash_of(body)})

    def _approve(self, body: Mapping[str, str]) -> Reply:
        return json_reply({"approval_key": self.keys.approve(body["appkey"], self.truth.time)})

    def _check_match(self, match: dict[str, Any]) -> None:
        """ValueError for a match that nothing can ever fit."""
        side, ticker = match.get("side"), match.get("ticker")
        if side is not None and side not in ("sell", "buy"):
            raise ValueError(f"side is sell or buy, not {side!r}")
        if ticker is not None and ticker not in self.market and ticker not in self.truth.us.market:
            raise ValueError(f"no instrument {ticker!r}; GET instruments lists those there are")

    # --- the WebSocket ------------------------------------------------------------------------

    def cut_unread(self) -> bool:
        """An armed A01: whether a new connection is closed without reading a byte of it."""
        with self.lock:
            for armed in self.faults.due(READ, lambda armed: armed.spec.scope == "connection"):
                self.journal.write("conn_cut", req_seq=None, sent_bytes=0)
                self.journal.write("fault_fired", fault=armed.fault, req_seq=None, arm=armed.number)
                self.faults.fired(armed)
                return True
        return False

    def ws_open(self) -> Session:
        """A new connection."""
        with self.lock:
            self.now()
            session = self.streams.open()
            self.journal.write("ws_open", session=session.number)
            return session

    def ws_hear(self, session: Session, text: str) -> None:
        """Act on a message of a client; the answer lies in the session's outbox."""
        with self.lock:
            self.now()
            self.streams.tell()
            self.streams.hear(session, text)
            self.journal.settle()

    def ws_take(self, session: Session) -> list[str]:
        """What is to be sent on a connection, in order; taken out of its outbox."""
        with self.lock:
            frames = [] if time.monotonic() < session.mute_until else list(session.outbox)
            session.outbox.clear()
            return frames

    def ws_close(self, session: Session) -> None:
        with self.lock:
            self.streams.close(session)
            self.journal.write("ws_close", session=session.number)

    def ping(self) -> str:
        with self.lock:
            return self.streams.ping(self.clock.peek())

    # --- journal ------------------------------------------------------------------------------

    def _journal_request(self, request: Request, **link: Any) -> int:
        values = {name.upper(): v for name, v in request.query.items()}
        if request.method == "POST" and request.body:
            try:
                values = {k: v for k, v in request.json().items() if isinstance(v, str)}
            except BadRequest:
                values = {}
        cano = values.get("CANO", "")
        account = f"{cano}-{values.get('ACNT_PRDT_CD', '')}" if cano else ""
        extra: dict[str, Any] = {}
        if request.path.rsplit("/", 1)[-1] in ORDER_PATHS:
            extra["body"] = request.body.decode("utf-8", "replace")
        return self.journal.write(
            "http_req", path=request.path, tr_id=request.headers.get("tr_id", ""), account=account,
            nonce=request.headers.get("x-request-id"), body_hash=request.body_hash,
            method=request.method, tr_cont=request.headers.get("tr_cont", ""), **extra, **link,
        )  # fmt: skip

    def _journal_reply(
        self, seq: int, request: Request, delivery: Delivery, strike: Strike
    ) -> None:
        reply = delivery.reply
        if delivery.cut:
            sent = delivery.part or 0
            self.journal.write("conn_cut", req_seq=seq, sent_bytes=sent)
            return
        if reply is None:
            return
        call = strike.ask.service.call.name if strike.ask else ""
        keep = call in JOURNALLED_BODIES or reply.status != 200 or b'"rt_cd":"0"' not in reply.body
        body = reply.text if keep and request.path != TOKEN_PATH else None
        self.journal.write(
            "http_resp", req_seq=seq, status=reply.status, body=body, bytes=len(reply.body)
        )

    # --- epochs -------------------------------------------------------------------------------

    def reset(self, seed: int | None = None, profile: str | None = None) -> None:
        """Start over from the beginning of time, with another seed or profile if given."""
        with self.lock:
            options = self.options
            profile = profile or options.profile
            if profile not in ORGNO:
                raise ValueError(f"profile is real or mock, not {profile!r}")
            seed = options.seed if seed is None else int(seed)
            self.options = Options(**{**vars(options), "seed": seed, "profile": profile})
            self._source = options.source(seed, options.tame)
            start = self._start()
            self.clock.thaw((start, start))
            self.journal.restart([])
            self.streams.hang_up()
            self._build()
            self._open()

    def snapshot(self, name: str) -> str:
        """Remember everything under `name`."""
        with self.lock:
            self.now()
            self.journal.sync()
            self.snapshots[name] = (
                self._copied(self._state()),
                self.clock.frozen(),
                list(self.journal.lines),
            )
            return name

    def restore(self, name: str) -> None:
        """Go back to a snapshot, time and journal included, as a new epoch. KeyError if unknown."""
        with self.lock:
            state, clock, lines = self.snapshots[name]
            for key, value in self._copied(state).items():
                setattr(self, key, value)
            self.market = self.truth.market
            self.streams.move_to(self.truth, self.keys, self.faults)
            self.clock.thaw(clock)
            self.journal.restart(lines)

    def _state(self) -> dict[str, Any]:
        return {
            "truth": self.truth, "keys": self.keys, "limiter": self.limiter, "faults": self.faults,
        }  # fmt: skip

    def _copied(self, state: dict[str, Any]) -> dict[str, Any]:
        """A deep copy that shares what never changes."""
        shared: tuple[object, ...] = (self._source, self.clock, self.journal, self.options.calendar)
        memo: dict[int, object] = {id(thing): thing for thing in shared}
        memo |= {id(listener): listener for listener in self.truth.listeners}
        memo |= {id(witness): witness for witness in self.truth.witnesses}
        memo |= {id(witness): witness for witness in self.truth.us.witnesses}
        return copy.deepcopy(state, memo)


def _require_grant(body: Mapping[str, str]) -> None:
    grant = body.get("grant_type", "")
    if grant != "client_credentials":
        code = "EGW00116" if grant else "EGW00115"
        raise OAuthError(code, MESSAGES[code])


def _hash_of(body: Mapping[str, Any]) -> str:
    """The hashkey of an order body: the same for the same values, however they were written."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def oauth_refusal(error: OAuthError) -> Reply:
    return json_reply({"error_description": error.text, "error_code": error.code}, 403)
