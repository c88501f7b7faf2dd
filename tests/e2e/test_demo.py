"""A newcomer's first ten minutes, in a real browser: log in, see the drift, approve, watch, compare.

Only what a person sees is used; the simulator's truth is asked at the end and must agree to the won.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import ROOT
from tests.support.authenticator import Phone
from tests.support.servers import ensure_chromium

pytestmark = pytest.mark.e2e
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


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("demo"))
    yield made
    if made.process.poll() is None:
        made.stop()


@pytest.fixture(scope="module")
def page(installation: Installation) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or ensure_chromium()
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(locale="ko-KR", viewport={"width": 1440, "height": 900})
        opened = context.new_page()
        opened.noise = []
        opened.on(
            "console",
            lambda m: opened.noise.append(m.text) if m.type in ("error", "warning") else None,
        )
        opened.on("pageerror", lambda error: opened.noise.append(str(error)))
        opened.set_default_timeout(30_000)
        yield opened
        browser.close()


def won(text: str) -> int:
    return int(re.sub(r"[^0-9]", "", text))


@pytest.mark.timeout(400)
def test_a_newcomer_rebalances_the_demo_and_every_number_is_true(
    installation: Installation, page: Any
) -> None:
    """One story in one test: its parts follow one another on one installation."""
    rebalance_in_the_browser(installation, page)
    find_out_why_on_a_phone(installation, page)
    end_with_ctrl_c(installation)
    go_on_the_next_day_and_end_on_sigterm(installation)


def rebalance_in_the_browser(installation: Installation, page: Any) -> None:
    page.goto(installation.facts["web"])
    page.get_by_label("사용자").or_(page.locator("input[name=username]")).first.fill(
        installation.login["user"]
    )
    page.locator("input[name=password]").fill(installation.login["password"])
    page.locator("main button[type=submit]").click()
    page.get_by_text("임계값을 넘은 곳").first.wait_for()
    page.locator("main").get_by_text("리밸런싱하기", exact=True).first.click()
    page.get_by_role("button", name="리밸런싱 시작").click()
    approve = page.get_by_role("button", name=re.compile("건 승인"))
    approve.wait_for()
    assert installation.truth()["orders"] == [], "nothing is sent before a person agreed"
    approve.dblclick()
    page.get_by_text("끝난 리밸런싱").wait_for(timeout=240_000)
    page.get_by_text("현금 (후)").wait_for()  # each part of the page refreshes by itself
    text = page.locator("main").inner_text()
    truth = installation.truth()
    (number,) = truth["cash"]
    orders = [row for row in truth["orders"] if not row.get("orgn_odno")]
    assert orders and len({row["ticker"] for row in orders}) >= 5
    for row in orders:
        if row["filled"]:
            assert row["odno"] in text
    shown = sum(won(amount) for amount in _fill_amounts(page))
    assert shown == sum(row["amount"] for row in orders)
    assert f"{truth['cash'][number]['d2_cash']:,}원" in text
    assert page.noise == []


def _fill_amounts(page: Any) -> list[str]:
    """The amount column of the table of fills, as it stands on the page."""
    table = page.locator("table", has_text="주문번호")
    headers = [h.strip() for h in table.locator("thead th").all_inner_texts()]
    column = headers.index("금액")
    rows = table.locator("tbody tr")
    return [
        rows.nth(i).locator("td, th").nth(column).inner_text()
        for i in range(rows.count())
        if rows.nth(i).locator("td, th").count() == len(headers)
    ]


def find_out_why_on_a_phone(installation: Installation, page: Any) -> None:
    """Another person, in English, on a phone: sets up a second factor, comes in with it, reads the story."""
    phone = page.context.browser.new_context(
        locale="en-US", viewport={"width": 390, "height": 844}, color_scheme="dark"
    )
    tab = phone.new_page()
    tab.set_default_timeout(30_000)
    noise: list[str] = []
    tab.on("console", lambda m: noise.append(m.text) if m.type in ("error", "warning") else None)
    sign_in(tab, installation, "approver")
    tab.get_by_label("Menu", exact=True).click()
    tab.get_by_role("link", name="Settings").click()
    tab.get_by_label("Password").fill(installation.login["password"])
    tab.get_by_role("button", name="Set up a second factor").click()
    app = Phone(tab.locator("code.seed").inner_text())
    tab.get_by_label("Authenticator code").fill(app.code())
    tab.get_by_role("button", name="Finish").click()
    assert tab.locator("ol li code").count() == 10
    tab.get_by_label("Menu", exact=True).click()
    tab.get_by_role("button", name="Sign out").click()
    sign_in(tab, installation, "approver")
    tab.get_by_label("Authenticator code").fill(app.code())
    tab.get_by_role("button", name="Continue").click()
    tab.locator("nav.tabs").get_by_text("Rebalancing").click()
    tab.get_by_role("link", name=re.compile("#1")).first.click()
    tab.get_by_role("link", name="Why sold").first.click()
    story = tab.locator("main").inner_text()
    assert "demo started the rebalancing" in story and "approved exactly this plan" in story
    assert "were filled at" in story
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert noise == []
    phone.close()


def sign_in(tab: Any, installation: Installation, name: str) -> None:
    tab.goto(installation.facts["web"])
    tab.locator("input[name=username]").fill(name)
    tab.locator("input[name=password]").fill(installation.login["password"])
    tab.locator("main form.stack button[type=submit]").click()


def end_with_ctrl_c(installation: Installation) -> None:
    health = installation.facts["sim_control"] + "/health"
    assert httpx2.get(health).status_code == 200
    assert installation.stop() == 0
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(health)
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(installation.facts["web"])


def go_on_the_next_day_and_end_on_sigterm(installation: Installation) -> None:
    before = json.loads((installation.folder / "demo" / "world.json").read_text())
    again = Installation(installation.folder)
    try:
        day = httpx2.get(again.facts["sim_control"] + "/health").json()["vt"][:10]
        assert day > before["day"], "a simulated day is never replayed"
        assert again.login == installation.login
        again.process.send_signal(signal.SIGTERM)
        again.process.wait(30)
    finally:
        again.process.kill()  # a failed assertion must not leave an installation behind
    assert not (installation.folder / "running.json").exists()
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(again.facts["sim_control"] + "/health")
