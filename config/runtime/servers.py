"""One process for each job, on PostgreSQL and Redis: started together, ended together."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from config.env import BASE_DIR

__all__ = ["Servers"]


class Servers:
    """Children in sessions of their own, so that a terminal's Ctrl-C reaches only the parent."""

    def __init__(self, commands: dict[str, list[str]]) -> None:
        self._commands = commands
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for name, arguments in self._commands.items():
            command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
            self._children[name] = subprocess.Popen(  # noqa: S603
                command, cwd=BASE_DIR, start_new_session=True
            )

    def wait(self) -> str:
        """Block until a child ends; returns its name. One that ends means all must."""
        while True:
            for name, child in self._children.items():
                if child.poll() is not None:
                    return name
            time.sleep(0.3)

    def stop(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        give_up = time.monotonic() + 20
        for child in self._children.values():
            try:
                child.wait(max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(5)
