"""A stop shows on every open page within three seconds, in a real browser, and nobody else's does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.e2e.installation import Installation, browser, listening, sign_in

pytestmark = pytest.mark.e2e
SOON = 3_000
BADGE = "header .banner-stop"
OTHER = """
from trading.models import Account, AccountMember
from django.contrib.auth import get_user_model
other = Account.objects.get()
other.pk, other.account_no, other.name = None, "55667788-01", "Other"
other.save(force_insert=True)
AccountMember.objects.create(account=other, user=get_user_model().objects.get(username="admin2"))
print(other.pk)
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("demo"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as made:
        yield made


class Person:
    """Somebody with a browser of their own, and the pages they have open."""

    def __init__(self, chromium: Any, installation: Installation, name: str) -> None:
        self.web = installation.facts["web"].rstrip("/")
        self.context = chromium.new_context(locale="ko-KR", viewport={"width": 1440, "height": 900})
        first = self.context.new_page()
        sign_in(first, installation, name)
        first.wait_for_url(f"{self.web}/")
        first.close()

    def open(self, path: str) -> Any:
        tab = self.context.new_page()
        tab.noise = listening(tab)
        tab.goto(self.web + path)
        tab.locator("#live-state[data-state=live]").wait_for()
        return tab


def _second_account(installation: Installation) -> int:
    environment = os.environ | {"VAR_DIR": str(installation.folder), "JEOUL_IGNORE_DOTENV": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", OTHER],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(told.stdout.split()[-1])


MOVED = """() => { window.moved = 0; new PerformanceObserver(list => {
  for (const one of list.getEntries()) window.moved += one.value;
}).observe({type: "layout-shift"}); }"""


def test_a_stop_comes_and_goes_on_open_pages_and_only_where_it_concerns(
    installation: Installation, chromium: Any
) -> None:
    other = _second_account(installation)
    demo = Person(chromium, installation, "demo")
    second = Person(chromium, installation, "admin2")
    mine = [demo.open("/"), demo.open("/accounts/tokens/"), demo.open("/guide/")]
    theirs = second.open(f"/?account={other}")
    for tab in mine:
        tab.evaluate(MOVED)

    # a stop of an account that demo has no part in
    switch = second.open(f"/health/?account={other}")
    switch.get_by_role("button", name="긴급 정지", exact=False).first.click()
    theirs.locator(BADGE).wait_for(timeout=SOON)
    for tab in mine:
        tab.wait_for_timeout(500)
        assert tab.locator(BADGE).count() == 0

    # a stop of demo's own account, pressed on another page
    pressed = demo.open("/health/")
    pressed.get_by_role("button", name="긴급 정지", exact=False).first.click()
    for tab in mine:
        tab.locator(BADGE).wait_for(timeout=SOON)
        assert tab.locator(BADGE).inner_text().strip() == "긴급 정지 중"
    assert mine[1].evaluate("window.moved") == 0, "nothing on the tokens page has moved"

    pressed.get_by_label("해제 이유").fill("seen to")
    pressed.get_by_role("button", name="해제", exact=False).first.click()
    for tab in mine:
        tab.locator(BADGE).wait_for(state="detached", timeout=SOON)
    assert theirs.locator(BADGE).count() == 1
    assert [line for tab in (*mine, theirs) for line in tab.noise] == []
