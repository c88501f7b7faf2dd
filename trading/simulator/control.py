"""The control port: health, truth and journal to read; time, prices, cash and faults to move.

Never reachable through the broker's ports. Whatever it does not understand is refused with 400 and
what is known; nothing is accepted in silence.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from trading.domain.matching import OrderType, Side
from trading.domain.sessions import SEOUL
from trading.simulator.fault_values import values_of
from trading.simulator.faults import FAULTS, whole
from trading.simulator.http import BadRequest, Reply, Request, json_reply
from trading.simulator.placing import NewOrder, Placed
from trading.simulator.us.money import cents_of, dollars
from trading.simulator.world import World

__all__ = ["Control"]

PREFIX = "/__sim/"
MANY = 100
SCRIPTED = ("arm", "price", "halt", "advance", "manual_order", "cash", "gap")


class Control:
    """Verbs of the control port as plain methods; HTTP is only one way in."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.on_agenda(self._scheduled)
        self.on_refuse: Callable[[float], None] | None = None
        self.on_cut: Callable[[], None] | None = None
        self.posts: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "reset": self.reset,
            "arm": self.arm,
            "disarm": self.disarm,
            "advance": self.advance,
            "script": self.script,
            "snapshot": self.snapshot,
            "restore": self.restore,
            "price": self.price,
            "gap": self.gap,
            "halt": self.halt,
            "cash": self.cash,
            "manual_order": self.manual_order,
        }
        self.gets: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            "health": lambda _: self.health(),
            "truth": lambda _: self.truth(),
            "journal": lambda query: self.journal(int(query.get("from", "1"))),
            "instruments": lambda query: self.instruments(query.get("codes", "")),
            "faults": lambda _: self.faults(),
        }

    def answer(self, request: Request) -> Reply:
        """One request of the control port."""
        name = request.path.removeprefix(PREFIX)
        try:
            with self.world.lock:
                if request.method == "GET" and name in self.gets:
                    return json_reply(self.gets[name](request.query))
                if request.method == "POST" and name in self.posts:
                    return json_reply(self.posts[name](request.json()))
        except (ValueError, KeyError, TypeError, BadRequest) as error:
            return json_reply({"error": str(error) or type(error).__name__}, 400)
        known = {"GET": sorted(self.gets), "POST": sorted(self.posts)}
        return json_reply(
            {"error": f"no such control: {request.method} {name}", "known": known}, 404
        )

    # --- reading ------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        world = self.world
        now = world.now()
        return {
            "status": "ok",
            "vt": now.isoformat(),
            "speed": world.clock.speed,
            "seed": world.options.seed,
            "profile": world.options.profile,
            "epoch": world.journal.epoch,
            "phase": world.truth.phase().value,
            "session": world.options.calendar.is_session(now.date()),
            "pid": os.getpid(),
        }

    def truth(self) -> dict[str, Any]:
        self.world.now()
        return self.world.truth.as_dict(self.world.journal.epoch)

    def journal(self, since: int = 1) -> dict[str, Any]:
        self.world.now()
        records = self.world.journal.since(since)
        return {"epoch": self.world.journal.epoch, "records": records,
                "next": len(self.world.journal.lines) + 1}  # fmt: skip

    def instruments(self, codes: str = "") -> dict[str, Any]:
        """Listings with their last price: all, or those of a comma-separated list.

        Each price costs the day's whole path; above a hundred listings, ask for the codes you need.
        """
        now, market = self.world.now(), self.world.market
        wanted = codes.split(",") if codes else sorted(market.source.listings)
        if len(wanted) > MANY:
            raise ValueError(f"{len(wanted)} listings: ask for at most {MANY} with ?codes=a,b,c")
        rows = []
        for code in wanted:
            if code not in market:
                raise ValueError(f"{code} is not listed here")
            listing, shown = market.listing(code), market.shown(code, now)
            rows.append(
                {
                    "code": code,
                    "name": listing.name,
                    "kind": listing.kind.value,
                    "market": listing.market,
                    "last": shown.last,
                    "reference": shown.bar.reference,
                    "halted": shown.halted,
                }
            )
        return {"instruments": rows}

    def faults(self) -> dict[str, Any]:
        known = {
            name: {
                "title": spec.title,
                "when": [*spec.points, "on_nth_match"],
                "scope": spec.scope,
                "params": values_of(name, spec.params),
            }
            for name, spec in FAULTS.items()
        }
        return {"known": known, "armed": [armed.as_dict() for armed in self.world.faults.armed]}

    # --- moving -------------------------------------------------------------------------------

    def reset(self, body: dict[str, Any]) -> dict[str, Any]:
        _only(body, "seed", "profile")
        self.world.reset(body.get("seed"), body.get("profile"))
        return self.health()

    def arm(self, body: dict[str, Any]) -> dict[str, Any]:
        armed = self.world.arm(body)
        if armed.fault == "A01" and self.on_cut:
            self.on_cut()
        if armed.fault == "A01" and armed.params.get("mode") == "refuse" and self.on_refuse:
            self.on_refuse(armed.number_param("seconds", 1))
            self.world.journal.write("fault_fired", fault="A01", req_seq=None, arm=armed.number)
            self.world.faults.fired(armed)
        return {"armed": armed.as_dict()}

    def disarm(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take off one armed fault by `id`, or all of them."""
        _only(body, "id")
        faults = self.world.faults
        keep = [a for a in faults.armed if "id" in body and a.number != body["id"]]
        removed = len(faults.armed) - len(keep)
        if "id" in body and not removed:
            raise ValueError(f"no armed fault {body['id']!r}; GET faults lists those there are")
        faults.armed[:] = keep
        return {"disarmed": removed}

    def advance(self, body: dict[str, Any]) -> dict[str, Any]:
        _only(body, "seconds")
        _need(body, "seconds")
        return {"vt": self.world.advance(_number(body, "seconds", least=0)).isoformat()}

    def snapshot(self, body: dict[str, Any]) -> dict[str, Any]:
        _only(body, "name")
        return {"name": self.world.snapshot(str(body.get("name", "default")))}

    def restore(self, body: dict[str, Any]) -> dict[str, Any]:
        _only(body, "name")
        name = str(body.get("name", "default"))
        if name not in self.world.snapshots:
            raise ValueError(f"no snapshot {name!r}; known: {sorted(self.world.snapshots)}")
        self.world.restore(name)
        return self.health()

    def price(self, body: dict[str, Any]) -> dict[str, Any]:
        """Hold `code` at `price` (on the grid, inside the limits) until a price of null lets go.

        The price of a US listing is dollars.
        """
        _only(body, "code", "price")
        _need(body, "code")
        if str(body["code"]) in self.world.truth.us.market:
            return self._us_price(str(body["code"]), body.get("price"))
        world, code = self.world, self._code(body)
        now = world.now()
        price = body.get("price")
        held = None if price is None else whole("price", price, least=1)
        world.market.pin(code, held, self._day())
        world.truth.recheck(code)
        world.journal.settle()
        return {"code": code, "last": world.market.shown(code, now).last}

    def _us_price(self, code: str, price: object) -> dict[str, Any]:
        world, us = self.world, self.world.truth.us
        world.now()
        us.market.pin(code, None if price is None else _cents(price), us.day)
        us.recheck(code)
        world.journal.settle()
        return {"code": code, "last": dollars(us.market.shown(code, us.time).last)}

    def gap(self, body: dict[str, Any]) -> dict[str, Any]:
        """Move the price by `percent` at once; the walk goes on from there."""
        _only(body, "code", "percent")
        _need(body, "code", "percent")
        world, code = self.world, self._code(body)
        now = world.now()
        world.market.gap(code, self._day(), _number(body, "percent"))
        world.truth.recheck(code)
        world.journal.settle()
        return {"code": code, "last": world.market.shown(code, now).last}

    def halt(self, body: dict[str, Any]) -> dict[str, Any]:
        _only(body, "code", "halted", "seconds")
        _need(body, "code")
        self.world.now()
        code, halted = self._code(body), body.get("halted", True)
        if not isinstance(halted, bool):
            raise ValueError(f"halted is true or false, not {halted!r}")
        seconds = _number(body, "seconds", least=0) if body.get("seconds") is not None else None
        self.world.truth.halt(code, halted, seconds or None)
        return {"code": code, "halted": self.world.market.halted(code, self.world.truth.time)}

    def cash(self, body: dict[str, Any]) -> dict[str, Any]:
        """Deposit (positive) or withdraw; what may not leave stays. `reason` may be dividend.

        `currency` USD moves dollars and tells them as text.
        """
        _only(body, "account", "amount", "reason", "currency")
        currency = body.get("currency", "KRW")
        if currency not in ("KRW", "USD"):
            raise ValueError("currency is KRW or USD")
        world = self.world
        _need(body, "account", "amount")
        amount = (
            _cents(body["amount"])
            if currency == "USD"
            else whole("amount", body["amount"], least=-(10**15))
        )
        world.now()
        reason = str(body.get("reason") or ("deposit" if amount > 0 else "withdraw"))
        if reason not in ("deposit", "withdraw", "dividend"):
            raise ValueError("reason is deposit, withdraw or dividend")
        if currency == "USD":
            world.truth.account(str(body["account"]))
            cents = world.truth.us.move_cash(str(body["account"]), amount, reason)
            world.journal.settle()
            return {"account": body["account"], "moved": dollars(cents), "currency": "USD"}
        moved = world.truth.move_cash(str(body["account"]), amount, reason)
        world.journal.settle()
        return {"account": body["account"], "moved": moved}

    def manual_order(self, body: dict[str, Any]) -> dict[str, Any]:
        """A person trading in the broker's own app: an order that no request of ours caused."""
        _only(body, "account", "ticker", "side", "qty", "price")
        _need(body, "account", "ticker", "side", "qty")
        world = self.world
        world.now()
        price = body.get("price")
        order = NewOrder(
            account=str(body["account"]),
            code=str(body["ticker"]),
            side=Side(body["side"]),
            quantity=whole("qty", body["qty"], least=1),
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            price=0 if price is None else int(price),
            dvsn="01" if price is None else "00",
        )
        placed = world.truth.place(order)
        world.journal.settle()
        if isinstance(placed, Placed):
            return {"accepted": True, "odno": placed.odno, "filled": placed.filled}
        return {"accepted": False, "reason": placed.why.value}

    def script(self, body: dict[str, Any]) -> dict[str, Any]:
        """Actions in order: {action, at (ISO) or after (virtual seconds), …its own keys}."""
        _only(body, "actions")
        actions = list(body["actions"])
        for action in actions:
            if action.get("action") not in SCRIPTED:
                raise ValueError(f"unknown action {action.get('action')!r}; known: {SCRIPTED}")
            if action["action"] == "advance" and {"at", "after"} & action.keys():
                raise ValueError("advance cannot be scheduled: it is what moves time")
        done: list[dict[str, Any]] = []
        start = self.world.now()
        for action in actions:
            at = _moment(action, start)
            if at is None:
                done.append(self._perform(action))
            else:
                self.world.truth.schedule(at, dict(action))
        return {"done": done, "scheduled": len(actions) - len(done)}

    # --- inside -------------------------------------------------------------------------------

    def _scheduled(self, action: dict[str, Any]) -> None:
        try:
            self._perform(action)
        except (ValueError, KeyError, TypeError) as error:
            self.world.journal.write(
                "script_error", self.world.truth.time, action=action["action"], error=str(error)
            )

    def _perform(self, action: dict[str, Any]) -> dict[str, Any]:
        body = {k: v for k, v in action.items() if k not in ("action", "at", "after")}
        return self.posts[action["action"]](body)

    def _code(self, body: dict[str, Any]) -> str:
        code = str(body["code"])
        if code not in self.world.market:
            raise ValueError(f"{code} is not listed here")
        return code

    def _day(self) -> Any:
        day = self.world.truth.time.date()
        calendar = self.world.options.calendar
        return day if calendar.is_session(day) else calendar.next_session(day)


def _cents(value: object) -> int:
    cents = cents_of(value)
    if cents is None:
        raise ValueError(f"{value!r} is no amount of dollars and cents")
    return cents


def _only(body: Mapping[str, Any], *known: str) -> None:
    unknown = set(body) - set(known)
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}; known: {', '.join(known)}")


def _need(body: Mapping[str, Any], *names: str) -> None:
    missing = [name for name in names if name not in body]
    if missing:
        raise ValueError(f"missing: {', '.join(missing)}")


def _number(body: Mapping[str, Any], name: str, *, least: float | None = None) -> float:
    value = body[name]
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not fits or (least is not None and value < least):
        bound = "" if least is None else f", {least:g} or more"
        raise ValueError(f"{name} is a number{bound}, not {value!r}")
    return float(value)


def _moment(action: Mapping[str, Any], start: datetime) -> datetime | None:
    if "at" in action:
        at = datetime.fromisoformat(str(action["at"]))
        return at if at.tzinfo else at.replace(tzinfo=SEOUL)
    if "after" in action:
        return start + timedelta(seconds=float(action["after"]))
    return None
