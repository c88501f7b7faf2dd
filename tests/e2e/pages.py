"""Every page once: where it is, how it is looked at, and what must not be found on it."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.e2e.installation import Installation, listening, sign_in

__all__ = ["LOOKS", "PAGES", "Look", "Page", "barriers", "looked_at", "under_a_bar", "weight"]

USER = "demo"
SERIOUS = ("serious", "critical")
MOST_KILOBYTES = 400


@dataclass(frozen=True, slots=True)
class Page:
    """An address, as the demo knows it after its first rebalancing."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Look:
    name: str
    width: int
    height: int
    language: str
    theme: str


LOOKS = (
    Look("phone-ko-dark", 390, 844, "ko", "dark"),
    Look("desk-en-light", 1440, 900, "en", "light"),
)
DESK = (
    Page("overview", "/"),
    Page("rebalancing", "/rebalancing/"),
    Page("start", "/rebalancing/start/"),
    Page("run", "/rebalancing/runs/1/"),
    Page("why", "/rebalancing/runs/1/why/"),
    Page("reconciliation", "/rebalancing/reconciliation/"),
    Page("proposals", "/rebalancing/proposals/"),
    Page("portfolio", "/portfolio/"),
    Page("health", "/health/"),
    Page("guide", "/guide/"),
    Page("tokens", "/accounts/tokens/"),
    Page("second-factor", "/accounts/second-factor/"),
)
ADMIN = (
    Page("admin", "/admin/"),
    Page("admin-waiting", "/admin/rebalancing/run/waiting/"),
    Page("admin-limits", "/admin/limits/"),
    Page("admin-compare", "/admin/portfolio/modelportfolio/1/compare/"),
    Page("admin-mp", "/admin/portfolio/modelportfolio/"),
    Page("admin-mp-one", "/admin/portfolio/modelportfolio/1/change/"),
    Page("admin-targets", "/admin/portfolio/targetdecision/add/"),
    Page("admin-settings", "/admin/rebalancing/rebalancingconfig/"),
    Page("admin-runs", "/admin/rebalancing/run/"),
    Page("admin-run", "/admin/rebalancing/run/1/change/"),
    Page("admin-orders", "/admin/trading/brokerorder/"),
    Page("admin-account", "/admin/trading/account/1/change/"),
    Page("admin-schedules", "/admin/rebalancing/runschedule/add/"),
    Page("admin-audit", "/admin/trading/auditentry/"),
    Page("admin-proposals", "/admin/trading/proposal/"),
    Page("admin-past", "/admin/rebalancing/run/1/history/"),
    Page("admin-checks", "/admin/trading/rulecheck/"),
    Page("admin-check", "/admin/trading/rulecheck/1/change/"),
    Page("admin-transitions", "/admin/trading/transition/"),
)
PAGES = DESK + ADMIN


def looked_at(
    browser: Any, installation: Installation, pages: Iterable[Page], look: Look
) -> Iterator[tuple[Page, Any, list[str]]]:
    """Each page in one look, the tab that shows it and what is wrong with it."""
    locale = "ko-KR" if look.language == "ko" else "en-US"
    context = browser.new_context(
        locale=locale,
        viewport={"width": look.width, "height": look.height},
        color_scheme=look.theme,
    )
    tab = context.new_page()
    noise = listening(tab)
    sign_in(tab, installation, USER)
    tab.wait_for_url(installation.facts["web"])
    for page in pages:
        noise.clear()
        answer = tab.goto(installation.facts["web"].rstrip("/") + page.path)
        tab.wait_for_load_state("load")
        problems = [] if answer.status == 200 else [f"status {answer.status}"]
        problems += [f"console: {line}" for line in noise]
        wide = tab.evaluate("document.documentElement.scrollWidth")
        if wide > look.width:
            problems.append(f"{wide} px wide")
        kilobytes = weight(tab)
        if kilobytes > MOST_KILOBYTES:
            problems.append(f"{kilobytes:.0f} kB with all that it loads")
        problems += [f"an icon is a word: {word}" for word in undrawn_icons(tab)]
        problems += [f"covered: {one}" for one in under_a_bar(tab)]
        problems += barriers(tab)
        yield page, tab, problems
    context.close()


WEIGHT = """() => ["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
  .filter(one => !one.name.includes("/chart/")).reduce((sum, one) => sum + one.encodedBodySize, 0) / 1000"""


def weight(tab: Any) -> float:
    """Kilobytes of the page and of all that it loads but a chart library, as they come over the wire, cached
    ones included."""
    return float(tab.evaluate(WEIGHT))


UNDRAWN = """() => [...document.querySelectorAll(".material-symbols-outlined")]
  .filter(one => one.checkVisibility() && one.innerText.trim())
  .filter(one => one.getBoundingClientRect().width > 2 * parseFloat(getComputedStyle(one).fontSize))
  .map(one => one.innerText.trim())"""


def undrawn_icons(tab: Any) -> list[str]:
    """Icons that the font does not know: their names are shown in place of them."""
    tab.evaluate("document.fonts.ready.then(() => true)")
    found: list[str] = tab.evaluate(UNDRAWN)
    return found


def barriers(tab: Any) -> list[str]:
    """What axe calls serious or critical, by rule, with the first place."""
    tab.evaluate(_axe())
    found = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"axe {one['id']}: {one['nodes'][0]['target']} ({len(one['nodes'])})"
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]


UNDER = """() => {
  const stays = one => ["fixed", "sticky"].includes(getComputedStyle(one).position);
  const bars = [...document.querySelectorAll("*")].filter(one => {
    const box = one.getBoundingClientRect();
    return stays(one) && box.width > 100 && box.height;
  });
  const asked = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const found = new Set();
  const look = one => {
    const box = one.getBoundingClientRect();
    for (const bar of bars.filter(each => !each.contains(one))) {
      const over = bar.getBoundingClientRect();
      const down = Math.min(box.bottom, over.bottom) - Math.max(box.top, over.top);
      const across = Math.min(box.right, over.right) - Math.max(box.left, over.left);
      const name = (one.innerText || one.name || one.id).trim().slice(0, 40);
      if (down > 1 && across > 1) found.add(`${name}: ${Math.round(down)} px under ${bar.className}`);
    }
  };
  scrollTo(0, 0);
  for (const one of document.querySelectorAll(asked)) {
    if (!one.checkVisibility({visibilityProperty: true}) || stays(one)) continue;
    one.focus();
    if (document.activeElement !== one || one.getBoundingClientRect().width < 2) continue;
    look(one);
    one.scrollIntoView({block: "end"});
    look(one);
  }
  document.activeElement.blur();
  scrollTo(0, 0);
  return [...found];
}"""
"""Whatever takes the focus is given it, from the top down as Tab does, then scrolled to; boxes are compared."""


def under_a_bar(tab: Any) -> list[str]:
    """What a bar that stays in place covers when it has been scrolled to and has the focus."""
    found: list[str] = tab.evaluate(UNDER)
    return found


@cache
def _axe() -> str:
    return (
        importlib.resources.files("axe_playwright_python")
        .joinpath("axe.min.js")
        .read_text(encoding="utf-8")
    )
