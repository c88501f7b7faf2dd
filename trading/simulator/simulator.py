"""The simulator as an object for tests: real sockets on loopback, started and stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from trading.simulator.limits import UNTHROTTLED, Rates
from trading.simulator.main import plans_of
from trading.simulator.prices import BarSource, demo_source
from trading.simulator.server import Server
from trading.simulator.tls import tls_context
from trading.simulator.world import Options, World
from trading.simulator.ws.streams import Layout

__all__ = ["DEMO_APPKEY", "DEMO_APPSECRET", "Simulator"]

DEMO_APPKEY = "PS" + "0" * 34
DEMO_APPSECRET = "s" * 180
"""A key pair of the right shape; without an accounts list any such pair is accepted."""


class Simulator:
    """A KIS of one's own.

        with Simulator(seed=7, speed=0, tame=True) as sim:      # stepped clock, no mess
            client = MyKisClient(sim.base_url, DEMO_APPKEY, DEMO_APPSECRET, "12345678-01")
            sim.set_price("069500", 55_000)                      # held there until set to None
            sim.arm("A03", match={"side": "buy"})                # accepted, but no reply
            ...
            sim.advance(60)                                      # virtual seconds
            assert sim.truth()["orders"][0]["filled"] == 10
            assert [r for r in sim.journal() if r["kind"] == "fault_fired"]

    `speed` 0 (the default here) stops the clock between `advance` calls; `start` defaults to 09:35
    of the latest session; `accounts` has the shape of the accounts file. `throttled=False` lifts
    every rate limit and tokenP's minute. `tls` serves https and leaves its certificate there.
    """

    def __init__(
        self,
        *,
        profile: str = "real",
        seed: int = 1,
        speed: float = 0.0,
        start: datetime | None = None,
        tame: bool = False,
        throttled: bool = True,
        rates: Rates | None = None,
        minute_rule: bool | None = None,
        accounts: Sequence[Mapping[str, Any]] | None = None,
        journal: Path | str | None = None,
        resume: bool = False,
        port: int = 0,
        control_port: int = 0,
        ws_port: int = 0,
        layout: Layout | None = None,
        tls: Path | None = None,
        host: str = "127.0.0.1",
        source: Callable[[int, bool], BarSource] = demo_source,
    ) -> None:
        secrets, plans, owners = plans_of(accounts) if accounts is not None else (None, {}, None)
        self.world = World(
            Options(
                profile=profile,
                seed=seed,
                speed=speed,
                start=start,
                tame=tame,
                rates=rates or (None if throttled else UNTHROTTLED),
                minute_rule=throttled if minute_rule is None else minute_rule,
                secrets=secrets,
                plans=plans,
                owners=owners,
                journal=journal,
                resume=resume,
                layout=layout or Layout(),
                source=source,
            )
        )
        self.server = Server(
            self.world,
            host,
            port,
            control_port,
            ws_port,
            tls_context(tls) if tls else None,
        )
        self.scheme = "https" if tls else "http"
        self.control = self.server.control

    def start(self) -> Simulator:
        """Open the ports and serve in the background."""
        self.server.start()
        return self

    def stop(self) -> None:
        """Close the ports; the state stays readable."""
        self.server.stop()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Where the broker's REST calls go."""
        return f"{self.scheme}://{self.server.host}:{self.server.port}"

    @property
    def ws_url(self) -> str:
        """Where the broker's WebSocket is."""
        return f"ws://{self.server.host}:{self.server.stream.port}"

    @property
    def control_url(self) -> str:
        """Where `/__sim/…` is served; the value for SIM_CLOCK_URL."""
        return f"http://127.0.0.1:{self.server.control_port}"

    def _do(self, verb: str, **body: Any) -> dict[str, Any]:
        with self.world.lock:
            return self.control.posts[verb](body)

    def now(self) -> datetime:
        """The virtual time, aware, Asia/Seoul."""
        with self.world.lock:
            return self.world.now()

    def health(self) -> dict[str, Any]:
        with self.world.lock:
            return self.control.health()

    def truth(self) -> dict[str, Any]:
        """Orders, positions and cash as they really are."""
        with self.world.lock:
            return self.control.truth()

    def journal(self, since: int = 1) -> list[dict[str, Any]]:
        """Everything that happened, as records."""
        with self.world.lock:
            self.world.now()
            return self.world.journal.since(since)

    def journal_bytes(self) -> bytes:
        """The journal as it is on disk: one JSON document a line."""
        with self.world.lock:
            return "".join(line + "\n" for line in self.world.journal.lines).encode()

    def advance(self, seconds: float) -> datetime:
        """Move virtual time forward; returns the new time."""
        return self.world.advance(seconds)

    def set_price(self, code: str, price: int | None) -> int:
        """Hold a price, or let the walk go on (None). Returns the last price."""
        return int(self._do("price", code=code, price=price)["last"])

    def gap(self, code: str, percent: float) -> int:
        """Jump by `percent`, then walk on; returns the last price."""
        return int(self._do("gap", code=code, percent=percent)["last"])

    def halt(self, code: str, halted: bool = True, seconds: float | None = None) -> None:
        self._do("halt", code=code, halted=halted, seconds=seconds)

    def move_cash(self, account: str, amount: int) -> int:
        """Deposit or withdraw; returns what moved."""
        return int(self._do("cash", account=account, amount=amount)["moved"])

    def manual_order(
        self, account: str, ticker: str, side: str, qty: int, price: int | None = None
    ) -> dict[str, Any]:
        """A person's order in the broker's own app."""
        return self._do(
            "manual_order", account=account, ticker=ticker, side=side, qty=qty, price=price
        )

    def arm(
        self,
        fault: str,
        *,
        when: str | None = None,
        match: Mapping[str, Any] | None = None,
        count: int = 1,
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Arm a fault of the fault model. ValueError names what is known."""
        body: dict[str, Any] = {"fault": fault, "match": match or {}, "count": count}
        body |= {"params": dict(params or {})}
        if when:
            body["when"] = when
        armed: dict[str, Any] = self._do("arm", **body)["armed"]
        return armed

    def disarm(self) -> None:
        """Take off every armed fault."""
        self._do("disarm")

    def snapshot(self, name: str = "default") -> None:
        self._do("snapshot", name=name)

    def restore(self, name: str = "default") -> None:
        self._do("restore", name=name)

    def reset(self, seed: int | None = None, profile: str | None = None) -> None:
        """Start over; a new epoch."""
        self.world.reset(seed, profile)
