"""The sum of weights while they are typed, in a real browser, on the form as the server makes it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.translation import override

from portfolio.admin.portfolios import ModelPortfolioForm
from tests.conftest import ROOT
from tests.e2e.installation import FLAGS
from tests.support.servers import ensure_chromium

pytestmark = pytest.mark.e2e
TOTAL = "#weights-total"


def _form(language: str) -> str:
    with override(language):
        return f"<form><fieldset>{ModelPortfolioForm().as_p()}</fieldset></form>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or ensure_chromium()
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def typed(browser: Any) -> Iterator[Any]:
    """The form in a page under a strict policy: no script but our own file."""
    page = browser.new_page()
    noise: list[str] = []
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("console", lambda m: noise.append(m.text) if m.type == "error" else None)

    def show(language: str = "ko") -> Any:
        policy = (
            '<meta http-equiv="Content-Security-Policy" content="script-src http://jeoul.test">'
        )
        head = f'{policy}<script src="/jeoul-admin.js"></script>'
        body = f"<!doctype html><html><head>{head}</head><body>{_form(language)}</body></html>"
        script = (ROOT / "static" / "jeoul-admin.js").read_text()

        def answer(route: Any) -> None:
            if route.request.url.endswith(".js"):
                route.fulfill(body=script, content_type="text/javascript; charset=utf-8")
            elif route.request.url.endswith(".ico"):
                route.fulfill(status=204)
            else:
                route.fulfill(body=body, content_type="text/html; charset=utf-8")

        page.route("**/*", answer)
        page.goto("http://jeoul.test/")
        return page

    yield show
    page.close()
    assert noise == []


def _fill(page: Any, **weights: str) -> str:
    for name, text in weights.items():
        page.fill(f'input[name="weight_{name}"]', text)
    told: str = page.inner_text(TOTAL)
    return told


def test_the_sum_is_told_politely_while_weights_are_typed(typed: Any) -> None:
    page = typed()
    assert page.get_attribute(TOTAL, "aria-live") == "polite"
    assert page.get_attribute(TOTAL, "role") == "status"
    assert page.inner_text(TOTAL) == "합계 0.00 % · 100.00 %p 모자랍니다"
    assert _fill(page, STOCK="67", BOND="30") == "합계 97.00 % · 3.00 %p 모자랍니다"
    assert "is-off" in page.get_attribute(TOTAL, "class")
    assert _fill(page, CASH="3.00") == "합계 100.00 % · 꼭 맞습니다"
    assert "is-off" not in page.get_attribute(TOTAL, "class")
    assert _fill(page, CASH="3.01") == "합계 100.01 % · 0.01 %p 넘습니다"


@pytest.mark.parametrize("text", ["3,0", "-3", "1e1", "３", "3.001", "abc", "1000"])
def test_what_cannot_be_read_is_said_and_not_counted(typed: Any, text: str) -> None:
    told = _fill(typed(), STOCK="100", CASH=text)
    assert told == "합계 100.00 % · 읽을 수 없는 값 1개"


def test_cents_are_added_without_an_error_of_fractions(typed: Any) -> None:
    told = _fill(typed(), STOCK="0.1", BOND="0.2", ALTERNATIVE="33.33", CASH="66.37")
    assert told == "합계 100.00 % · 꼭 맞습니다"


def test_the_sum_speaks_english(typed: Any) -> None:
    told = _fill(typed("en"), STOCK="97")
    assert told == "Total 97.00 % · 3.00 %p missing"
    assert not re.search("[가-힣]", told)
