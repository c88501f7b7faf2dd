"""Faults on demand: what can be armed, when it strikes, and what it does to a reply or to truth.

A fault that finds nothing to alter stays armed; `fault_fired` is journalled only when a reply or
the state was really changed. Ids and points are those of the published fault model.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trading.simulator.fault_values import check_values
from trading.simulator.http import Reply

__all__ = [
    "AFTER",
    "BEFORE",
    "FAULTS",
    "WHENS",
    "WS_OPEN",
    "WS_OUT",
    "Armed",
    "Delivery",
    "FaultSpec",
    "Faults",
    "whole",
]

READ = "before_read"
BEFORE = "after_read_before_accept"
AFTER = "after_accept_before_reply"
MID = "mid_reply"
LATE = "after_reply"
AT = "at_vt"
NTH = "on_nth_match"
WS_OUT = "before_send"
"""A frame of the WebSocket is about to leave."""
WS_OPEN = "at_open"
"""A connection to the WebSocket was made."""
EITHER = f"{AFTER} {BEFORE}"
ANYTIME = f"{AT} {LATE} {BEFORE}"
WHENS = (READ, BEFORE, AFTER, MID, LATE, AT, NTH, WS_OUT, WS_OPEN)
MATCHES = frozenset({"tr_id", "ticker", "side", "account", "page"})


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One fault: where it strikes (`points`, the first is the default), on what, with what."""

    title: str
    points: tuple[str, ...]
    scope: str
    """order, cancel, inquiry, token, connection, any, state, frame or session."""
    params: frozenset[str] = frozenset()


def _spec(title: str, points: str, scope: str, params: str = "") -> FaultSpec:
    return FaultSpec(title, tuple(points.split()), scope, frozenset(params.split()))


FAULTS: dict[str, FaultSpec] = {
    "A01": _spec("no byte of the request is read", READ, "connection", "mode seconds"),
    "A02": _spec("cut after the request was read, before acceptance", BEFORE, "order", "seconds"),
    "A03": _spec("accepted, no reply", AFTER, "order", "seconds"),
    "A04": _spec("accepted, cut inside the reply", MID, "order", "bytes"),
    "A05": _spec("accepted, HTTP 500 with HTML", AFTER, "order", "empty"),
    "A06": _spec("gateway 502/503/504, accepted or not", EITHER, "order", "status accepted"),
    "A07": _spec("EGW00301, accepted or not", EITHER, "order", "code accepted"),
    "A08": _spec("EGW00202 and kin, accepted or not", EITHER, "order", "code accepted"),
    "A09": _spec("EGW00201 calls per second", BEFORE, "any", "status"),
    "A10": _spec("EGW00215 ledger calls per second", BEFORE, "any", "status"),
    "A11": _spec("EGW00123 token dead on an order", BEFORE, "order", "code status"),
    "A12": _spec("accepted, reply without a usable ODNO", AFTER, "order", "odno"),
    "A13": _spec("accepted, answered with another order's number", AFTER, "order", "whose"),
    "A14": _spec("business refusal by code", BEFORE, "order", "code text status rt_cd"),
    "A15": _spec("overloaded APBK0918/0919", BEFORE, "order", "code text status"),
    "A16": _spec("unlisted code, accepted or not", EITHER, "order", "code accepted status"),
    "A17": _spec("slow reply", AFTER, "any", "seconds"),
    "A18": _spec("accepted twice for one request", AFTER, "order"),
    "A19": _spec("redirected to another host", BEFORE, "order", "status location"),
    "A20": _spec("accepted, answered with the number of another name's order", AFTER, "order",
                 "whose"),
    "A21": _spec("cancel: accepted, no reply", AFTER, "cancel", "seconds"),
    "A22": _spec("cancel: the order fills first", BEFORE, "cancel"),
    "A26": _spec("the request is replayed on its way", AFTER, "order", "answer"),
    "A27": _spec("EGW02004 wrong environment", BEFORE, "any"),
    "A28": _spec("accepted with another quantity than was sent", BEFORE, "order", "quantity"),
    "B01": _spec("accepted order missing from the lists", BEFORE, "order", "seconds"),
    "B02": _spec("a listed order missing from the next lists", AFTER, "inquiry", "seconds ticker"),
    "B03": _spec("a page of an inquiry fails", BEFORE, "inquiry", "code cut seconds"),
    "B05": _spec("the list never ends", AFTER, "inquiry", "shape"),
    "B06": _spec("rt_cd 0 with an empty list", AFTER, "inquiry"),
    "B07": _spec("a later page repeats a row and lacks one", AFTER, "inquiry"),
    "B08": _spec("a fill goes back", AFTER, "inquiry", "share ticker"),
    "B09": _spec("filled, without an amount", AFTER, "inquiry", "value ticker"),
    "B10": _spec("too much in the balance", AFTER, "inquiry", "shape ticker as"),
    "B11": _spec("too little in the balance", AFTER, "inquiry", "shape ticker"),
    "B17": _spec("a column more, missing or renamed", AFTER, "inquiry", "shape field"),
    "B18": _spec("a number in another notation", AFTER, "inquiry", "shape field"),
    "B19": _spec("another account's rows", AFTER, "inquiry", "trace"),
    "C01": _spec("own-order notice lost", WS_OUT, "frame"),
    "C02": _spec("own-order notice sent more than once", WS_OUT, "frame", "times"),
    "C05": _spec("own-order notice late", WS_OUT, "frame", "seconds"),
    "C06": _spec("own-order notice after the one that follows it", WS_OUT, "frame"),
    "C09": _spec("frame of another shape", WS_OUT, "frame", "shape"),
    "C10": _spec("own-order notice under another key", WS_OUT, "frame"),
    "C11": _spec("the line falls silent and stays open", WS_OUT, "frame", "seconds"),
    "C16": _spec("a trade that cannot be", WS_OUT, "frame", "lie"),
    "C17": _spec("closed as soon as it is opened", WS_OPEN, "session"),
    "D01": _spec("EGW00133 one token a minute", BEFORE, "token", "shape"),
    "D02": _spec("token revoked", f"{AT} {BEFORE} {LATE}", "state", "at code appkey"),
    "D04": _spec("the same dead token again", BEFORE, "token"),
    "D05": _spec("a token that is none", BEFORE, "token", "shape"),
    "E01": _spec("partial fill, then halt", BEFORE, "order", "share seconds"),
    "E02": _spec("volatility interruption", ANYTIME, "state", "at ticker seconds"),
    "E04": _spec("price gap", ANYTIME, "state", "at ticker percent"),
    "E05": _spec("locked at a limit of the day", ANYTIME, "state", "at ticker limit"),
    "E13": _spec("a fill is taken back", ANYTIME, "state", "at account ticker quantity"),
    "F01": _spec("cash shortfall: price drop or withdrawal", ANYTIME, "state",
                 "at ticker percent account amount"),
    "F02": _spec("sale proceeds late in buying power", BEFORE, "order", "seconds"),
    "F04": _spec("cash withdrawn or deposited", ANYTIME, "state", "at account amount"),
    "F08": _spec("commissions higher than agreed", ANYTIME, "state", "at percent"),
}  # fmt: skip


@dataclass(slots=True)
class Delivery:
    """How a reply leaves: `wait` seconds first, then all of it, `part` bytes of it, or nothing."""

    reply: Reply | None
    wait: float = 0.0
    part: int | None = None
    cut: bool = False
    at: datetime | None = None


@dataclass(slots=True)
class Armed:
    """One armed fault. `left` counts down at each firing; `skip` matches are let through first."""

    number: int
    fault: str
    when: str
    match: dict[str, Any]
    left: int
    params: dict[str, Any]
    skip: int = 0
    accepted: bool | None = None

    @property
    def spec(self) -> FaultSpec:
        return FAULTS[self.fault]

    def number_param(self, name: str, default: float) -> float:
        return float(self.params.get(name, default))

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.number, "fault": self.fault, "when": self.when, "match": self.match,
            "count": self.left, "params": self.params,
        }  # fmt: skip


@dataclass
class Faults:
    """Every armed fault of one world, in the order they were armed."""

    seed: int
    armed: list[Armed] = field(default_factory=list)
    numbers: int = 0

    def arm(self, request: Mapping[str, Any]) -> Armed:
        """Arm one fault. Raises ValueError, with what is known, for anything not understood."""
        unknown = set(request) - {"fault", "when", "match", "count", "params", "n"}
        if unknown:
            raise ValueError(
                f"unknown keys {sorted(unknown)}; known: fault, when, match, count, params, n"
            )
        fault = str(request.get("fault", ""))
        if fault not in FAULTS:
            raise ValueError(f"unknown fault {fault!r}; known: {', '.join(FAULTS)}")
        spec = FAULTS[fault]
        params, match = dict(request.get("params") or {}), dict(request.get("match") or {})
        nth = whole("n", request.get("n", params.pop("n", 0)), least=0)
        count = whole("count", request.get("count", 1), least=1)
        when = str(request.get("when") or (NTH if nth else spec.points[0]))
        _check(fault, spec, when, match, params)
        if when == NTH and not nth:
            raise ValueError("on_nth_match needs n, from 1")
        skip = max(0, nth - 1) if when == NTH else 0
        self.numbers += 1
        armed = Armed(self.numbers, fault, when, match, count, params, skip)
        armed.accepted = self._accepted(armed, said=bool(request.get("when")))
        self.armed.append(armed)
        return armed

    def _accepted(self, armed: Armed, said: bool) -> bool | None:
        """For faults that come both ways: after acceptance or before it, a coin when not said."""
        if "accepted" not in armed.spec.params:
            return None
        if "accepted" in armed.params:
            return bool(armed.params["accepted"])
        if said and armed.when in (BEFORE, AFTER):
            return armed.when == AFTER
        return random.Random(f"{self.seed}:coin:{armed.number}").random() < 0.5

    def point_of(self, armed: Armed) -> str:
        """The point of the pipeline at which `armed` acts."""
        if armed.accepted is not None:
            return AFTER if armed.accepted else BEFORE
        if armed.when == NTH:
            first = armed.spec.points[0]
            return LATE if first == AT else first
        return armed.when

    def due(self, point: str, matches: Callable[[Armed], bool]) -> list[Armed]:
        """Armed faults of this point whose match fits now; skipping ones are counted down."""
        ready = []
        for armed in self.armed:
            if self.point_of(armed) != point or not matches(armed):
                continue
            if armed.skip:
                armed.skip -= 1
                continue
            ready.append(armed)
        return ready

    def fired(self, armed: Armed) -> None:
        """Count a firing; a fault without firings left is taken off."""
        armed.left -= 1
        if armed.left <= 0 and armed in self.armed:
            self.armed.remove(armed)


def whole(name: str, value: Any, *, least: int) -> int:
    """A whole number of a request. Raises ValueError for anything else, and below `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is a whole number, {least} or more, not {value!r}")
    return value


def _check(
    fault: str, spec: FaultSpec, when: str, match: Mapping[str, Any], params: Mapping[str, Any]
) -> None:
    allowed = (*spec.points, NTH)
    if when not in allowed:
        raise ValueError(f"{fault} cannot strike at {when!r}; it can at: {', '.join(allowed)}")
    if set(match) - MATCHES:
        raise ValueError(f"cannot match {sorted(set(match) - MATCHES)}; known: {sorted(MATCHES)}")
    if spec.scope == "connection" and match:
        raise ValueError(f"{fault} cannot match anything: the request is not read")
    if fault == "E05" and params.get("limit", "lower") not in ("lower", "upper"):
        raise ValueError(f"E05 locks at the lower or upper limit, not at {params['limit']!r}")
    if set(params) - spec.params:
        raise ValueError(
            f"{fault} does not know {sorted(set(params) - spec.params)}; "
            f"known: {sorted(spec.params) or 'none'}"
        )
    check_values(fault, params)
