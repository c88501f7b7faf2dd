"""No bar that stays in place covers what a person on a phone has scrolled to or reached with Tab."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.desk.conftest import DeskWorld, desk, instruments, targeted
from tests.e2e.pages import under_a_bar
from tests.e2e.phone import phone_of

__all__ = ["desk", "instruments", "targeted"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

LAST = """() => {
  const all = [...document.querySelectorAll("main button, main a.button")];
  const last = all.filter(one => one.checkVisibility()).pop();
  last.scrollIntoView({block: "end"});
  return last.getBoundingClientRect().bottom;
}"""


def test_no_button_lies_under_the_bar_when_it_is_scrolled_to_or_has_the_focus(
    live_server: Any, targeted: DeskWorld
) -> None:
    targeted.snapshot()
    run = targeted.run(requester="trader")
    leg = run.legs.get()
    for number in range(1, 13):  # so many that the bar with the button lies over their list
        leg.pk, leg.number = None, number
        leg.save()
    owner = targeted.proved("owner")
    session = owner.session
    session["proof"] = [(timezone.now() - timedelta(minutes=6)).isoformat(), "totp"]
    session.save()
    pages = [
        "/",
        "/rebalancing/",
        "/rebalancing/start/",
        f"/rebalancing/runs/{run.pk}/",
        f"/rebalancing/runs/{run.pk}/why/",
        "/portfolio/",
        "/health/",
        "/guide/",
        "/accounts/tokens/",
        "/accounts/second-factor/",
    ]
    forms = {"/rebalancing/start/", f"/rebalancing/runs/{run.pk}/", "/accounts/tokens/"}
    covered = {}
    with phone_of(owner, live_server) as (tab, _noise):  # this server has no WebSocket
        for page in pages:
            tab.goto(page)
            bar = tab.locator("nav.tabs").bounding_box()
            assert bar["y"] + bar["height"] == 844
            if found := under_a_bar(tab):
                covered[page] = found
            if page in forms:
                assert tab.evaluate(LAST) <= bar["y"], page
        tab.goto(f"/rebalancing/runs/{run.pk}/")
        assert tab.locator(".sticky-act #approve-code").count() == 1, "the tallest of these bars"
        press_tab_to_the_end(tab)
    assert covered == {}


def press_tab_to_the_end(tab: Any) -> None:
    """Whatever Tab leads to can be seen whole above the bar at the bottom."""
    bar = tab.locator("nav.tabs").bounding_box()["y"]
    met = []
    for _ in range(60):
        tab.keyboard.press("Tab")
        one = tab.evaluate_handle("document.activeElement").as_element()
        if one.evaluate("one => one === document.body || one.closest('nav.tabs') !== null"):
            break
        box, text = one.bounding_box(), one.inner_text()
        assert box["y"] + box["height"] <= bar + 1, text
        met.append(text)
    assert any("승인" in text for text in met) and any("취소" in text for text in met)
