"""Every WebSocket session of one world, and what is on its way to each.

Frames follow virtual seconds, so two runs of a seed that register at the same moments are told the same.
Sockets only carry what lies in a session's outbox.
"""

from __future__ import annotations

import heapq
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trading.kis_wire import Channel, channels
from trading.simulator.accounts import Account
from trading.simulator.auth import KeyRing
from trading.simulator.faults import WS_OPEN, WS_OUT, Armed, Faults
from trading.simulator.journal import Journal
from trading.simulator.ledger import Event
from trading.simulator.truth import Truth
from trading.simulator.us.accounts import UsAccount
from trading.simulator.us.ledger import UsEvent
from trading.simulator.windows import Board
from trading.simulator.ws import fund_frames, index_frames
from trading.simulator.ws.board_frames import trades_on
from trading.simulator.ws.broken import broken
from trading.simulator.ws.changes import LastSaid
from trading.simulator.ws.frames import MARKET_FRAMES, STATES, Maker, Row, encode
from trading.simulator.ws.notices import delay_of, notice_of
from trading.simulator.ws.registrations import Rules, Session
from trading.simulator.ws.us_frames import US_SNAPSHOTS, knows, us_notice

__all__ = ["Layout", "Streams"]

CATCH_UP = 60
"""After a longer jump of the clock only the last seconds are told: no feed buffers hours."""
OLD_NOTICE = ("ORD_COND_PRC", "ORD_EXG_GB", "POPUP_YN", "FILLER")
"""Fields that notices had not before 2025; the instrument's name stood in their place."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How frames are laid out: `appended` with the fields of 2026-09-14, `old_notices` with 23 fields."""

    appended: bool = False
    old_notices: bool = False


@dataclass
class Streams:
    """Sessions of `truth`; `owners` maps an account to its app key (None: any), `hts_ids` an app key to
    the id that its notices are asked for with (None: any)."""

    truth: Truth
    keys: KeyRing
    mock: bool
    journal: Journal
    faults: Faults
    owners: Mapping[str, str] | None = None
    hts_ids: Mapping[str, str] | None = None
    layout: Layout = field(default_factory=Layout)
    sessions: dict[int, Session] = field(default_factory=dict)
    opened: int = 0
    _told: datetime | None = None
    _notices: list[tuple[datetime, int, str, str, Mapping[str, object]]] = field(
        default_factory=list
    )
    _noticed: int = 0
    _last_notice: dict[str, datetime] = field(default_factory=dict)
    """When the latest notice of an account leaves: the next one never overtakes it, but for a fault."""
    _late: list[tuple[datetime, int, int, str]] = field(default_factory=list)
    """Frames that a fault holds back: when, in which order, of which session, what."""
    _said: LastSaid = field(default_factory=LastSaid)

    def __post_init__(self) -> None:
        self.rules = Rules(self.truth.seed, self.mock, self._owner, self._knows, self._in_use)
        self.truth.witnesses.append(self._witness)
        self.truth.us.witnesses.append(self._us_witness)

    # --- sessions -----------------------------------------------------------------------------
    def open(self) -> Session:
        """A new connection, nobody's yet."""
        self.opened += 1
        session = self.sessions[self.opened] = Session(self.opened)
        for armed in self.faults.due(WS_OPEN, lambda armed: not armed.match):
            session.cut = True
            self._fired(armed)
        return session

    def close(self, session: Session) -> None:
        """The connection is gone and with it every registration."""
        self.sessions.pop(session.number, None)

    def hear(self, session: Session, text: str) -> str | None:
        """Act on a client's message; returns the code it was answered with, None for a PINGPONG."""
        answer = self.rules.hear(session, text, self.truth.time)
        if answer is None:
            return None
        session.outbox.append(answer.text())
        made = answer.registration
        if made is not None and made.channel.name in TURNING:
            name, key = made.channel.name, made.key
            self._said.stands((name, key), MARKET_FRAMES[name](self.truth, key, self.truth.time))
        self.journal.write(
            "sub", session=session.number, tr_id=answer.tr_id, key=answer.tr_key, code=answer.code
        )
        if answer.code == "OPSP8996":
            session.cut = True
        return answer.code

    def ping(self, at: datetime) -> str:
        """The server's question whether somebody is there."""
        return json.dumps({"header": {"tr_id": "PINGPONG", "datetime": f"{at:%Y%m%d%H%M%S}"}})

    def hang_up(self) -> None:
        """The broker starts over: nobody stays connected."""
        for session in self.sessions.values():
            session.cut = True
        self.sessions.clear()

    def move_to(self, truth: Truth, keys: KeyRing, faults: Faults) -> None:
        """Time was moved: tell of `truth` from its present on."""
        self.truth, self.keys, self.faults = truth, keys, faults
        self._late.clear()
        self._told = truth.time
        self._notices.clear()
        self._last_notice.clear()
        self._said = LastSaid()

    # --- frames -------------------------------------------------------------------------------
    @property
    def told_up_to(self) -> datetime | None:
        """Everything up to then is in the outboxes or on the wire."""
        return self._told

    def tell(self) -> None:
        """Put into the outboxes what happened up to the truth's present."""
        now = self.truth.time
        since = self._told or now
        self._told = now
        wanted = self._wanted()
        self._said.keep(wanted)
        if not self.sessions:
            self._notices = [n for n in self._notices if n[0] > now]
            return
        self._tell_notices(now)
        self._tell_late(now)
        if wanted:
            self._tell_market(wanted, max(since, now - timedelta(seconds=CATCH_UP)), now)

    def _wanted(self) -> dict[tuple[str, str], list[tuple[Session, datetime]]]:
        found: dict[tuple[str, str], list[tuple[Session, datetime]]] = {}
        for session in self.sessions.values():
            for registration in session.registered.values():
                place = (registration.channel.name, registration.key)
                found.setdefault(place, []).append((session, registration.since))
        return found

    def _tell_market(
        self,
        wanted: Mapping[tuple[str, str], list[tuple[Session, datetime]]],
        since: datetime,
        now: datetime,
    ) -> None:
        second = since.replace(microsecond=0) + timedelta(seconds=1)
        while second <= now:
            last = second + timedelta(seconds=1) > now
            made: dict[tuple[Maker, str], Sequence[Row]] = {}
            for (name, key), listeners in wanted.items():
                maker = MARKET_FRAMES.get(name)
                hearing = [session for session, from_when in listeners if from_when < second]
                if maker is None or not hearing or (name in SNAPSHOTS and not last):
                    continue
                rows = made.get((maker, key))
                if rows is None:
                    rows = made[maker, key] = maker(self.truth, key, second)
                if not rows or not self._is_worth_telling(name, key, rows):
                    continue
                frame = encode(channels()[name], rows, self.layout.appended)
                for session in hearing:
                    self._send(session, channels()[name], key, frame)
            second += timedelta(seconds=1)

    def _is_worth_telling(self, name: str, key: str, rows: Sequence[Row]) -> bool:
        if name in TURNING:
            return self._said.turned((name, key), rows)
        return name not in STATES or self._said.is_news((name, key), rows)

    # --- notices ------------------------------------------------------------------------------
    def _witness(self, account: Account, event: Event, at: datetime) -> None:
        delay = delay_of(self.truth.seed, account.truth.account, account.events, self.truth.tame)
        code = _code_of(account, event)
        name = self.truth.market.listing(code).name if code else ""
        row = notice_of(account, event, at, "", name)
        self._notice("ccnl_notice", account.truth.account, row, at, delay)

    def _us_witness(self, account: UsAccount, event: UsEvent, at: datetime) -> None:
        number = account.truth.account
        delay = delay_of(self.truth.seed, f"us:{number}", account.events, self.truth.tame)
        row = us_notice(account, event, at)
        self._notice("overseas_ccnl_notice", number, row, at, delay)

    def _notice(
        self,
        channel: str,
        number: str,
        row: Mapping[str, object] | None,
        at: datetime,
        delay: timedelta | None,
    ) -> None:
        if row is None:
            return
        if delay is None:
            self.journal.write("notice_drop", at, odno=row["ODER_NO"], kind_of=row["CNTG_YN"])
            return
        self._noticed += 1
        leaves = max(at + delay, self._last_notice.get(number, at))
        self._last_notice[number] = leaves
        heapq.heappush(self._notices, (leaves, self._noticed, number, channel, row))

    def _tell_notices(self, now: datetime) -> None:
        while self._notices and self._notices[0][0] <= now:
            _at, _number, account, channel, row = heapq.heappop(self._notices)
            for session in self.sessions.values():
                self._tell_notice(session, account, channel, row)

    def _tell_notice(
        self, session: Session, account: str, channel: str, row: Mapping[str, object]
    ) -> None:
        if self.owners is not None and self.owners.get(account) != session.appkey:
            return
        for registration in session.registered.values():
            if registration.channel.name == channel:
                told = {**row, "CUST_ID": registration.key}
                payload = "^".join(str(told.get(n, "")) for n in self._notice_fields(channel))
                hidden = registration.secret.hide(payload)
                tr_id = registration.channel.mock if self.mock else registration.channel.tr_id
                self._send(session, registration.channel, account, f"1|{tr_id}|001|{hidden}")
                self.journal.write("notice_out", odno=row["ODER_NO"], session=session.number)

    def _notice_fields(self, channel: str) -> list[str]:
        names = list(channels()[channel].fields)
        if not self.layout.old_notices or channel != "ccnl_notice":
            return names
        at = names.index(OLD_NOTICE[0])
        return [*names[:at], "CNTG_ISNM40", *(n for n in names[at:] if n not in OLD_NOTICE)]

    # --- faults -------------------------------------------------------------------------------
    def _send(self, session: Session, channel: Channel, key: str, frame: str) -> None:
        """Put a frame into the outbox, or what an armed fault makes of it."""
        for armed in self.faults.due(WS_OUT, lambda a: _is_about(a, channel, key, self.mock)):
            if armed.fault == "C11":
                session.mute_until = time.monotonic() + armed.number_param("seconds", 60)
                self._fired(armed)
                return
            outcome = broken(armed, channel, frame)
            if outcome is None:
                continue
            self._fired(armed)
            self._journal_notice(armed)
            session.outbox += outcome.frames
            if outcome.after_next:
                session.after_next.append(outcome.late)
            elif outcome.late:
                at = self.truth.time + timedelta(seconds=outcome.seconds)
                self._noticed += 1
                heapq.heappush(self._late, (at, self._noticed, session.number, outcome.late))
            return
        session.outbox.append(frame)
        if channel.encrypted:
            session.outbox += session.after_next
            session.after_next.clear()

    def _tell_late(self, now: datetime) -> None:
        while self._late and self._late[0][0] <= now:
            _at, _order, number, frame = heapq.heappop(self._late)
            if number in self.sessions:
                self.sessions[number].outbox.append(frame)

    def _fired(self, armed: Armed) -> None:
        self.journal.write("fault_fired", fault=armed.fault, req_seq=None, arm=armed.number)
        self.faults.fired(armed)

    def _journal_notice(self, armed: Armed) -> None:
        kind = {"C01": "notice_drop", "C02": "notice_dup"}.get(armed.fault)
        if kind:
            self.journal.write(kind, arm=armed.number)

    # --- who may register for what ------------------------------------------------------------
    def _owner(self, approval: str) -> str:
        return self.keys.approved(approval, self.truth.time)

    def _in_use(self, session: Session, appkey: str) -> bool:
        return any(s is not session and s.appkey == appkey for s in self.sessions.values())

    def _knows(self, channel: Channel, key: str, appkey: str) -> bool:
        if channel.encrypted:
            return self.hts_ids is None or self.hts_ids.get(appkey, key) == key
        if channel.name.startswith("overseas"):
            return knows(key)
        if channel.name.startswith("index"):
            return index_frames.knows(self.truth, key)
        if channel.name == "etf_nav_trend":
            return fund_frames.knows(self.truth, key)
        if channel.name.endswith("_nxt"):
            return trades_on(self.truth, Board.NXT, key)
        return key in self.truth.market


def _is_about(armed: Armed, channel: Channel, key: str, mock: bool) -> bool:
    """Whether a fault's match fits a frame: its TR id, and its ticker or its account."""
    tr_id = channel.mock if mock else channel.tr_id
    facts = {"tr_id": tr_id, "account" if channel.encrypted else "ticker": key}
    return all(str(facts.get(name)) == str(value) for name, value in armed.match.items())


TURNING = frozenset({"market_status_krx", "market_status_total", "market_status_nxt"})
"""Channels that tell an instrument's state when it changes, and the market's turns."""
SNAPSHOTS = frozenset({"asking_price_krx", "asking_price_total", "asking_price_nxt"} | US_SNAPSHOTS)
"""Channels that tell how things stand, not what happened: only the latest is worth telling."""


def _code_of(account: Account, event: Event) -> str:
    key = getattr(event, "key", None)
    if key is not None:
        return account.truth.orders[key].code
    order = getattr(event, "order", None)
    return order.code if order is not None else ""
