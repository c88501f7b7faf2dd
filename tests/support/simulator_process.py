"""The simulator as `manage.py kis_simulator`: a process with ports of its own that can lose its power.

It reads as `trading.simulator.Simulator` does, over the control port.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2

from tests.driver import free_port, wait_until

__all__ = ["SimulatorProcess"]

ROOT = Path(__file__).resolve().parents[2]


class SimulatorProcess:
    """One journal, one pair of ports, as many lives as wanted."""

    def __init__(
        self,
        *,
        profile: str,
        accounts: Sequence[Mapping[str, Any]],
        seed: int,
        tame: bool,
        throttled: bool,
        start: datetime,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="jeoul-simulator-")
        folder = Path(self._folder.name)
        (folder / "accounts.json").write_text(json.dumps(list(accounts)), encoding="utf-8")
        self._port, self._control = free_port(), free_port()
        self._http = httpx2.Client(timeout=5, trust_env=False)
        self._command = [
            sys.executable,
            str(ROOT / "manage.py"),
            "kis_simulator",
            *("--port", str(self._port), "--control-port", str(self._control), "--ws-port", "0"),
            *("--profile", profile, "--seed", str(seed), "--speed", "0"),
            *("--accounts", str(folder / "accounts.json")),
            *("--journal", str(folder / "journal.jsonl"), "--resume"),
            *(["--tame"] if tame else []),
            *([] if throttled else ["--unthrottled"]),
        ]
        self._first = ["--start", start.isoformat()]

    def __enter__(self) -> SimulatorProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        self._http.close()
        self._folder.cleanup()

    def start(self) -> None:
        """Another life on the same ports and the same journal."""
        self._process = subprocess.Popen(
            [*self._command, *self._first],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._first = []  # another life goes on where this one ends
        wait_until(self._answers, "the simulator answers")

    def kill(self) -> None:
        """The power goes: nothing is said, nothing is saved."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def _answers(self) -> bool:
        assert self._process.poll() is None, f"the simulator ended: {self._process.returncode}"
        try:
            return self._http.get(f"{self.control_url}/__sim/health").status_code == 200
        except httpx2.HTTPError:
            return False

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self._control}"

    def _post(self, verb: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"{self.control_url}/__sim/{verb}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def advance(self, seconds: float) -> None:
        self._post("advance", seconds=seconds)

    def set_price(self, code: str, price: int | None) -> None:
        self._post("price", code=code, price=price)

    def arm(self, fault: str, **how: Any) -> None:
        self._post("arm", fault=fault, **how)

    def truth(self) -> dict[str, Any]:
        return dict(self._http.get(f"{self.control_url}/__sim/truth").json())

    def journal(self) -> list[dict[str, Any]]:
        return list(self._http.get(f"{self.control_url}/__sim/journal").json()["records"])
