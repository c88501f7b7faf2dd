"""A real installation and a real browser, as a person has them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.conftest import ROOT
from tests.support.servers import ensure_chromium

__all__ = [
    "FLAGS",
    "Installation",
    "browser",
    "listening",
    "open_first_plan",
    "see_the_end",
    "sign_in",
]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Installation:
    """`manage.py up` in a folder of its own, as `make run` starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        } | {
            "VAR_DIR": str(folder),
            "JEOUL_IGNORE_DOTENV": "1",
            "PORT": "0",
            "LOG_LEVEL": "WARNING",
        }
        self.log = (folder / "up.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.facts = self._await()
        self.login: dict[str, str] = json.loads((folder / "demo" / "login.json").read_text())

    def _await(self) -> dict[str, Any]:
        give_up = time.monotonic() + 90
        while time.monotonic() < give_up:
            assert self.process.poll() is None, (self.folder / "up.log").read_text()[-2000:]
            try:
                facts: dict[str, Any] = json.loads((self.folder / "running.json").read_text())
                if httpx2.get(facts["web"] + "accounts/login/").status_code == 200:
                    return facts
            except (OSError, ValueError, httpx2.HTTPError):
                time.sleep(0.1)
        raise AssertionError("the installation did not start")

    def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx2.get(self.facts["sim_control"] + "/truth").json()
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        finally:
            self.log.close()


@contextmanager
def browser() -> Iterator[Any]:
    """One Chromium, ended with the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or ensure_chromium()
        made = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        made.close()


def listening(page: Any) -> list[str]:
    """What the page's console complains of from now on."""
    noise: list[str] = []
    page.on("console", lambda m: noise.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.set_default_timeout(30_000)
    return noise


def sign_in(tab: Any, installation: Installation, name: str) -> None:
    tab.goto(installation.facts["web"])
    tab.locator("input[name=username]").fill(name)
    tab.locator("input[name=password]").fill(installation.login["password"])
    tab.locator("main form.stack button[type=submit]").click()


def open_first_plan(installation: Installation, page: Any) -> Any:
    """Sign in, see the drift, ask for a rebalancing; returns the button that approves its plan."""
    sign_in(page, installation, installation.login["user"])
    page.get_by_text("임계값을 넘은 곳").first.wait_for()
    page.locator("main").get_by_text("리밸런싱하기", exact=True).first.click()
    page.get_by_role("button", name="리밸런싱 시작").click()
    approve = page.get_by_role("button", name=re.compile("건 승인"))
    approve.wait_for()
    return approve


def see_the_end(page: Any) -> None:
    """Wait until the run has ended and every part of its page says so: each refreshes by itself."""
    page.get_by_text("끝난 리밸런싱").wait_for(timeout=240_000)
    page.get_by_text("현금 (후)").wait_for()
