"""The admin's menu of a person on a phone: each word of the theme's switch on one line."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.desk.conftest import DeskWorld, desk, instruments, staff, targeted
from tests.e2e.phone import phone_of

__all__ = ["desk", "instruments", "staff", "targeted"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
HEIGHTS = """() => [...document.querySelectorAll("a[x-on\\\\:click^=switchTheme] span:last-child")]
  .filter(one => one.checkVisibility())
  .map(one => one.getClientRects().length && one.offsetHeight / parseFloat(getComputedStyle(one).fontSize))"""


def test_the_words_of_the_theme_stay_on_one_line(
    live_server: Any, targeted: DeskWorld, staff: Client
) -> None:
    with phone_of(staff, live_server) as (tab, _noise):
        tab.goto("/admin/")
        tab.evaluate("document.querySelector('[x-on\\\\:click*=sidebarMobileOpen]')?.click()")
        tab.locator("[x-on\\:click*='openUserLinks']").first.click()
        tab.locator("a[x-on\\:click^='switchTheme']").first.wait_for()
        lines = tab.evaluate(HEIGHTS)
        assert len(lines) == 3 and all(0 < tall < 1.5 for tall in lines), lines
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
