"""The demo's simulator as a child process, one simulated trading day for each start.

Holdings and cash carry over: the next start begins on the following session with what the journal ended
with. A day is never replayed, because order numbers restart daily and must not repeat. A start that
finds work half done goes on in the same day instead, and so does a child that died.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import structlog

from config.runtime.ports import free_port
from trading.domain.sessions import SEOUL, is_session, next_session, session_hours
from trading.simulator.carried import ended_with

__all__ = ["DemoSimulator"]

log = structlog.get_logger(__name__)
OPENING = timedelta(minutes=35)
CARRIED = ("cash", "holdings", "usd", "overseas")
"""What of an account's entry the journal of the day before decides, where it tells of it."""
SAVE_SECONDS = 3.0
USUAL_PORTS = (9443, 9444, 21000)


class _AnotherWorld(RuntimeError):
    """The child runs, with accounts that are not those of this demo."""


class DemoSimulator:
    """Start, wait until it answers, keep its state, stop."""

    def __init__(
        self,
        folder: Path,
        *,
        profile: str = "real",
        speed: float = 1.0,
        resume: bool = False,
        ports: tuple[int, int, int] = USUAL_PORTS,
    ) -> None:
        """`ports`: REST, control, WebSocket as wished; the next free ones where somebody listens."""
        self.folder = folder
        self.resumed = resume
        """Asked for before the start; afterwards, whether it goes on in the same day."""
        self.profile = profile
        self.speed = speed
        self.port, self.control_port, self.ws_port = (free_port(port) for port in ports)
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._turn = threading.Lock()  # a child that is ended is not started again
        self._http = httpx2.Client(timeout=2.0, trust_env=False)
        self._seen: tuple[datetime, float] | None = None

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.ws_port}"

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self.control_port}/__sim"

    def start(self) -> None:
        """Raises RuntimeError when it does not answer within twenty seconds."""
        self.resumed = self.resumed and self._goes_on()
        if not self.resumed:
            day = self._next_day()
            self._carry_over(day)
            self._journal = self.folder / f"journal-{day:%Y%m%d}.jsonl"
            self._launch_somewhere(session_hours(day).open + OPENING, resume=False)
        threading.Thread(target=self._keep, daemon=True, name="demo-world").start()

    def _goes_on(self) -> bool:
        """Go on in the last day; False when its journal cannot be gone on with."""
        newest = _newest_journal(self.folder)
        if newest is None:
            return False
        self._journal = newest
        try:
            self._launch_somewhere(None, resume=True)
        except RuntimeError:
            log.warning("simulated_day_lost", journal=newest.name)
            return False
        return True

    def _launch_somewhere(self, start: datetime | None, *, resume: bool) -> None:
        """On the ports that were free a moment ago, or on others if somebody took them since."""
        try:
            self._launch(start, resume=resume)
        except _AnotherWorld:
            raise  # our own child on our own port: another port holds no other world
        except RuntimeError:
            self.port, self.control_port, self.ws_port = free_port(), free_port(), free_port()
            self._launch(start, resume=resume)

    def _launch(self, start: datetime | None, *, resume: bool) -> None:
        command = [
            sys.executable,
            "-m",
            "trading.simulator",
            "--exit-with-parent",
            *("--port", str(self.port)),
            *("--control-port", str(self.control_port)),
            *("--ws-port", str(self.ws_port)),
            *("--profile", self.profile),
            *("--speed", str(self.speed)),
            *("--accounts", str(self.folder / "accounts.json")),
            *("--journal", str(self._journal)),
            *(["--start", start.isoformat()] if start else []),
            *(["--resume"] if resume else []),
        ]
        # its own session: Ctrl-C reaches the parent alone, which then ends it in order
        self._child = subprocess.Popen(command, start_new_session=True)  # noqa: S603
        self._wait()

    def stop(self) -> None:
        self._stopping.set()
        with self._turn:
            if self._child is None:
                return
            self._save()
            self._end_child()

    def _end_child(self) -> None:
        assert self._child is not None
        self._child.terminate()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(5)

    def _wait(self) -> None:
        assert self._child is not None
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up and self._child.poll() is None:
            if self._is_ours() and self._child.poll() is None:
                return
            if self._child_keeps_another_world():
                self._end_child()
                raise _AnotherWorld("the journal tells of other accounts")
            time.sleep(0.05)
        self._end_child()
        raise RuntimeError("the simulator did not start; see the messages above")

    def _child_keeps_another_world(self) -> bool:
        """The child that was started answers, and the accounts are not ours: waiting changes nothing."""
        assert self._child is not None
        try:
            said = self._http.get(f"{self.control_url}/health").json()
        except (httpx2.HTTPError, ValueError):
            return False
        return said.get("pid") == self._child.pid and not self._is_ours()

    def _is_ours(self) -> bool:
        """Whether what answers there keeps our accounts: another demo may listen on the same port."""
        try:
            return self._keeps_our_accounts(self._http.get(f"{self.control_url}/truth").json())
        except (httpx2.HTTPError, ValueError, KeyError):
            return False

    def _keeps_our_accounts(self, truth: dict[str, Any]) -> bool:
        rows = json.loads((self.folder / "accounts.json").read_text(encoding="utf-8"))
        return {row["account"] for row in rows} <= truth["cash"].keys()

    # --- one day after the other -------------------------------------------------------------
    @property
    def _world_file(self) -> Path:
        return self.folder / "world.json"

    def _world(self) -> dict[str, Any]:
        """What the last day ended with: the journal knows it to the last fill."""
        try:
            found: dict[str, Any] = json.loads(self._world_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = {}
        newest = _newest_journal(self.folder)
        return found | (ended_with(newest) if newest else {})

    def _next_day(self) -> date:
        today = datetime.now(SEOUL).date()
        latest = today
        while not is_session(latest):
            latest -= timedelta(days=1)
        used = self._world().get("day")
        return max(latest, next_session(date.fromisoformat(used))) if used else latest

    def _carry_over(self, day: date) -> None:
        """The accounts file starts from what the last simulated day ended with."""
        accounts, path = self._world().get("accounts", {}), self.folder / "accounts.json"
        rows = json.loads(path.read_text(encoding="utf-8"))
        for row in rows:
            kept = accounts.get(row["account"])
            if kept:
                row |= {name: kept[name] for name in CARRIED if name in kept}
        _write_private(path, rows)
        _write_private(self._world_file, {"day": day.isoformat(), "accounts": accounts})

    def _keep(self) -> None:
        """Save what can be seen, and start a child again that died: brokers come back."""
        while not self._stopping.wait(SAVE_SECONDS):
            with self._turn:
                if self._stopping.is_set():
                    return
                if self._child is not None and self._child.poll() is not None:
                    self._come_back()
                self._save()

    def _come_back(self) -> None:
        now = None
        if self._seen is not None:
            at, monotonic = self._seen
            now = at + timedelta(seconds=(time.monotonic() - monotonic) * self.speed)
        try:
            self._launch(now, resume=True)
        except RuntimeError as error:
            log.warning("simulator_does_not_come_back", error=str(error))

    def _save(self) -> None:
        try:
            truth = self._http.get(f"{self.control_url}/truth").json()
            health = self._http.get(f"{self.control_url}/health").json()
            if not self._keeps_our_accounts(truth):
                return  # ours died and somebody else's demo took its port: theirs is not our world
            self._seen = (datetime.fromisoformat(health["vt"]), time.monotonic())
        except (httpx2.HTTPError, ValueError, KeyError):
            return
        accounts = {
            number: {"cash": cash["d2_cash"], "holdings": truth["positions"].get(number, {})}
            for number, cash in truth["cash"].items()
        }
        if accounts:
            _write_private(self._world_file, {"day": health["vt"][:10], "accounts": accounts})


def _newest_journal(folder: Path) -> Path | None:
    """The journal of the last simulated day; names sort as days do."""
    return max(folder.glob("journal-????????.jsonl"), default=None)


def _write_private(path: Path, value: Any) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)
    os.replace(temporary, path)
