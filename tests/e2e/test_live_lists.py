"""A list of records keeps itself fresh in a real browser: what is new comes, what is in hand stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import unfold

from tests.conftest import ROOT
from tests.e2e.installation import FLAGS
from tests.support.servers import ensure_chromium

pytestmark = pytest.mark.e2e
HTMX = Path(unfold.__file__).parent / "static" / "unfold" / "js" / "htmx" / "htmx.js"
ADDRESS = "http://jeoul.test/admin/trading/intent/"
WORDS = (
    'data-ago="%(span)s 전" data-now="방금" data-s="%(n)d초" data-m="%(n)d분" data-h="%(n)d시간"'
    ' data-d="%(n)d일" data-left-word="남은 시간" data-over="지남"'
)


def page_with(rows: str) -> str:
    return (
        f'<html><head><script src="/htmx.js"></script><script src="/jeoul-admin.js"></script></head>'
        f'<body><div class="jeoul-banner" {WORDS}></div>'
        f'<p class="jeoul-live" hx-get="{ADDRESS}" hx-trigger="every 10s" hx-target="#changelist-form"'
        f' hx-select="#changelist-form" hx-swap="outerHTML"><span data-age="0">방금</span></p>'
        f'<form id="changelist-form"><table id="result_list"><tr><td><a href="#">{rows}</a></td></tr>'
        f"</table></form></body></html>"
    )


class Server:
    """What the address answers with; `asked` counts how often."""

    def __init__(self) -> None:
        self.rows, self.status, self.asked = "one", 200, 0

    def answer(self, route: Any) -> None:
        self.asked += 1
        body = page_with(self.rows) if self.rows else "<html><body>sign in</body></html>"
        route.fulfill(status=self.status, content_type="text/html; charset=utf-8", body=body)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or ensure_chromium()
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[tuple[Any, Server]]:
    server, context = Server(), browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.route("**/htmx.js", lambda route: route.fulfill(path=HTMX))
    script = ROOT / "static" / "jeoul-admin.js"
    page.route("**/jeoul-admin.js", lambda route: route.fulfill(path=script))
    page.route(ADDRESS, server.answer)
    page.goto(ADDRESS)
    yield page, server
    context.close()


def after(page: Any, server: Server, seconds: int = 11) -> None:
    """So long later, with every answer in the page."""
    page.clock.run_for(seconds * 1000)
    page.wait_for_load_state("networkidle")


def test_what_is_new_comes_by_itself(opened: tuple[Any, Server]) -> None:
    page, server = opened
    server.rows = "two"
    after(page, server)
    page.get_by_text("two").wait_for()
    assert page.get_by_text("one").count() == 0 and server.asked == 2


def test_what_is_the_same_is_not_swapped_and_its_age_begins_anew(
    opened: tuple[Any, Server],
) -> None:
    page, server = opened
    page.evaluate("document.getElementById('result_list').dataset.mark = 'kept'")
    after(page, server, 9)
    assert "9초 전" in page.locator(".jeoul-live").inner_text()
    after(page, server, 3)
    page.wait_for_function("!document.querySelector('.jeoul-live').textContent.includes('9')")
    assert page.locator("#result_list[data-mark=kept]").count() == 1 and server.asked == 2


def test_a_row_in_hand_stays_until_it_is_let_go(opened: tuple[Any, Server]) -> None:
    page, server = opened
    page.locator("#result_list a").focus()
    server.rows = "two"
    after(page, server, 31)
    assert server.asked == 1 and page.get_by_text("one").count() == 1
    assert "초 전" in page.locator(".jeoul-live").inner_text(), "an age that goes on says so"
    page.evaluate("document.activeElement.blur()")
    after(page, server)
    page.get_by_text("two").wait_for()


def test_an_answer_without_a_list_is_opened_as_it_is(opened: tuple[Any, Server]) -> None:
    """A session that has ended: the sign-in page is shown and not an empty list."""
    page, server = opened
    server.rows = ""
    after(page, server)
    page.get_by_text("sign in").wait_for()
    assert page.locator("#changelist-form").count() == 0 and server.asked == 3, "asked, then opened"


def test_a_server_that_fails_leaves_what_is_there_with_its_age(opened: tuple[Any, Server]) -> None:
    page, server = opened
    server.status = 500
    after(page, server, 25)
    assert page.get_by_text("one").count() == 1
    assert "25초 전" in page.locator(".jeoul-live").inner_text()
