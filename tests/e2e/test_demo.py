"""A newcomer's first ten minutes, in a real browser: log in, see the drift, approve, watch, compare.

Only what a person sees is used; the simulator's truth is asked at the end and must agree to the won.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

from tests.e2e.installation import (
    Installation,
    browser,
    listening,
    open_first_plan,
    see_the_end,
    sign_in,
)
from tests.e2e.pages import LOOKS, PAGES, looked_at, under_a_bar
from tests.support.authenticator import Phone

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("demo"))
    yield made
    if made.process.poll() is None:
        made.stop()


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browser() as made:
        context = made.new_context(locale="ko-KR", viewport={"width": 1440, "height": 900})
        opened = context.new_page()
        opened.noise = listening(opened)
        yield opened


def won(text: str) -> int:
    return int(re.sub(r"[^0-9]", "", text))


@pytest.mark.timeout(600)
def test_a_newcomer_rebalances_the_demo_and_every_number_is_true(
    installation: Installation, page: Any
) -> None:
    """One story in one test: its parts follow one another on one installation."""
    rebalance_in_the_browser(installation, page)
    approver = find_out_why_on_a_phone(installation, page)
    new_targets_and_a_schedule_in_the_admin(installation, page)
    approve_what_waits_on_a_phone(installation, page, approver)
    every_page_is_sound(installation, page)
    end_with_ctrl_c(installation)
    go_on_the_next_day_and_end_on_sigterm(installation)


def rebalance_in_the_browser(installation: Installation, page: Any) -> None:
    approve = open_first_plan(installation, page)
    assert installation.truth()["orders"] == [], "nothing is sent before a person agreed"
    approve.dblclick()
    see_the_end(page)
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


def find_out_why_on_a_phone(installation: Installation, page: Any) -> Phone:
    """Another person, in English, on a phone: sets up a second factor, comes in with it, reads the story.

    Returns the authenticator that asks for this person from now on.
    """
    phone = page.context.browser.new_context(
        locale="en-US", viewport={"width": 390, "height": 844}, color_scheme="dark"
    )
    tab = phone.new_page()
    noise = listening(tab)
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
    return app


def new_targets_and_a_schedule_in_the_admin(installation: Installation, page: Any) -> None:
    """Other weights, too far away for a policy alone, and a look at the drift at ten, by visible words."""
    page.noise.clear()
    page.get_by_role("link", name="관리", exact=True).click()
    page.get_by_role("link", name="MP", exact=True).first.click()
    page.get_by_role("link", name=re.compile("MP-3")).first.click()
    page.get_by_label("주식").fill("20")
    page.get_by_label("채권").fill("60")
    page.get_by_text("합계 100.00 %").wait_for()
    page.get_by_role("button", name="저장", exact=True).click()
    page.get_by_text("바꿨습니다").first.wait_for()
    page.get_by_role("link", name="목표 결정", exact=True).first.click()
    page.get_by_role("link", name=re.compile("추가")).first.click()
    page.get_by_role("combobox", name=re.compile("^계좌")).select_option(index=1)
    page.get_by_role("radio", name=re.compile("^MP-3 v2")).check()
    for sub in ("Eq-A", "Bnd-L", "Alt-C"):
        page.get_by_role("checkbox", name=re.compile(sub)).check()
    page.get_by_role("button", name="저장", exact=True).click()
    page.get_by_text("MP-3 v2").first.wait_for()
    page.get_by_role("link", name="예약", exact=True).first.click()
    page.get_by_role("link", name=re.compile("추가")).first.click()
    page.get_by_role("combobox", name=re.compile("^계좌")).select_option(index=1)
    page.get_by_label("시각").fill("10:00")
    page.get_by_role("button", name="저장", exact=True).click()
    page.get_by_role("link", name="개요", exact=True).first.click()
    page.get_by_text("임계값을 넘은 곳").first.wait_for()
    assert page.noise == []


def approve_what_waits_on_a_phone(installation: Installation, page: Any, app: Phone) -> None:
    """At ten the run is there by itself and waits; somebody approves it on a phone and reads why it bought."""
    control = installation.facts["sim_control"]
    now = datetime.fromisoformat(httpx2.get(f"{control}/health").json()["vt"])
    ten = now.replace(hour=10, minute=0, second=5)
    httpx2.post(
        f"{control}/advance", json={"seconds": (ten - now).total_seconds()}
    ).raise_for_status()
    phone = page.context.browser.new_context(locale="en-US", viewport={"width": 390, "height": 844})
    tab = phone.new_page()
    noise = listening(tab)
    sign_in(tab, installation, "approver")
    tab.get_by_label("Authenticator code").fill(app.code())
    tab.get_by_role("button", name="Continue").click()
    waits = tab.locator("main").get_by_role("link", name=re.compile("#2")).first
    waits.wait_for(timeout=120_000)
    waits.click()
    assert under_a_bar(tab) == []
    tab.get_by_role("button", name=re.compile("Approve")).click()
    tab.get_by_text("Filled as planned.").or_(
        tab.get_by_text("Nothing more to do.")
    ).first.wait_for(timeout=240_000)
    tab.get_by_role("link", name="Why bought").first.click()
    story = tab.locator("main").inner_text()
    assert "approver approved exactly this plan" in story and "were filled at" in story
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert noise == []
    phone.close()


def every_page_is_sound(installation: Installation, page: Any) -> None:
    """On a phone in Korean and dark, at a desk in English and light: no noise, nothing cut off, no barrier."""
    found = {}
    for look in LOOKS:
        for visited, _tab, problems in looked_at(page.context.browser, installation, PAGES, look):
            if problems:
                found[f"{visited.path} {look.name}"] = problems
    assert found == {}


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
