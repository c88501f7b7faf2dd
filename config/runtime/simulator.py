"""The demo's simulator as a child process, one simulated trading day for each start.

Holdings and cash carry over: they are saved while it runs and the next start begins on the following
session with them. A day is never replayed, because order numbers restart daily and must not repeat.
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

from config.runtime.ports import free_port
from trading.domain.sessions import SEOUL, is_session, next_session, session_hours

__all__ = ["DemoSimulator"]

OPENING = timedelta(minutes=35)
SAVE_SECONDS = 3.0


class DemoSimulator:
    """Start, wait until it answers, keep its state, stop."""

    def __init__(self, folder: Path, *, profile: str = "real", speed: float = 1.0) -> None:
        self.folder = folder
        self.profile = profile
        self.speed = speed
        self.port = free_port(9443)
        self.control_port = free_port(9444)
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._http = httpx2.Client(timeout=2.0, trust_env=False)
        self._day: date | None = None

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self.control_port}/__sim"

    def start(self) -> None:
        """Raises RuntimeError when it does not answer within twenty seconds."""
        self._day = self._next_day()
        self._carry_over()
        opens = session_hours(self._day).open + OPENING
        command = [
            sys.executable,
            "-m",
            "trading.simulator",
            "--exit-with-parent",
            *("--port", str(self.port)),
            *("--control-port", str(self.control_port)),
            *("--profile", self.profile),
            *("--speed", str(self.speed)),
            *("--start", opens.isoformat()),
            *("--accounts", str(self.folder / "accounts.json")),
            *("--journal", str(self.folder / f"journal-{self._day:%Y%m%d}.jsonl")),
        ]
        # its own session: Ctrl-C reaches the parent alone, which then ends it in order
        self._child = subprocess.Popen(command, start_new_session=True)  # noqa: S603
        self._wait()
        threading.Thread(target=self._keep_saving, daemon=True, name="demo-world").start()

    def stop(self) -> None:
        self._stopping.set()
        if self._child is None:
            return
        self._save()
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
            try:
                if self._http.get(f"{self.control_url}/health").status_code == 200:
                    return
            except httpx2.HTTPError:
                time.sleep(0.05)
        raise RuntimeError("the simulator did not start; see the messages above")

    # --- one day after the other -------------------------------------------------------------
    @property
    def _world_file(self) -> Path:
        return self.folder / "world.json"

    def _world(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._world_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def _next_day(self) -> date:
        today = datetime.now(SEOUL).date()
        latest = today
        while not is_session(latest):
            latest -= timedelta(days=1)
        used = self._world().get("day")
        return max(latest, next_session(date.fromisoformat(used))) if used else latest

    def _carry_over(self) -> None:
        """The accounts file starts from what the last simulated day ended with."""
        world, path = self._world(), self.folder / "accounts.json"
        rows = json.loads(path.read_text(encoding="utf-8"))
        for row in rows:
            kept = world.get("accounts", {}).get(row["account"])
            if kept:
                row["cash"], row["holdings"] = kept["cash"], kept["holdings"]
        _write_private(path, rows)
        assert self._day is not None
        accounts = world.get("accounts", {})
        _write_private(self._world_file, {"day": self._day.isoformat(), "accounts": accounts})

    def _keep_saving(self) -> None:
        while not self._stopping.wait(SAVE_SECONDS):
            self._save()

    def _save(self) -> None:
        try:
            truth = self._http.get(f"{self.control_url}/truth").json()
            day = self._http.get(f"{self.control_url}/health").json()["vt"][:10]
        except (httpx2.HTTPError, ValueError, KeyError):
            return
        accounts = {
            number: {"cash": cash["d2_cash"], "holdings": truth["positions"].get(number, {})}
            for number, cash in truth["cash"].items()
        }
        if accounts:
            last = day if is_session(date.fromisoformat(day)) else str(self._day)
            _write_private(self._world_file, {"day": last, "accounts": accounts})


def _write_private(path: Path, value: Any) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)
    os.replace(temporary, path)
