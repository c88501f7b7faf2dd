"""Takes pictures of every page, narrow and wide, light and dark, in both languages, and reports noise.

python -m tests.support.screens http://127.0.0.1:8000 demo PASSWORD [folder] [path …]
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.servers import ensure_chromium

PATHS = ("/", "/rebalancing/", "/rebalancing/start/", "/portfolio/", "/health/", "/nowhere/")
WIDTHS = (1440, 390)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHIFT = """() => new Promise(done => { let sum = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; })
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 250); })"""


def name_of(path: str) -> str:
    return path.strip("/").replace("/", "-").replace("?", "_") or "overview"


def listen(page: Any, noise: list[str]) -> None:
    """Keep what the console complains about."""

    def heard(message: Any) -> None:
        if message.type in ("error", "warning"):
            noise.append(f"{page.url}: {message.type} {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: noise.append(f"{page.url}: {error}"))


def main(base: str, user: str, password: str, folder: str = "screenshots", *paths: str) -> int:
    from playwright.sync_api import sync_playwright

    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    noise: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=ensure_chromium(), args=FLAGS)
        for width, theme, language in itertools.product(WIDTHS, ("light", "dark"), ("ko", "en")):
            context = browser.new_context(
                viewport={"width": width, "height": 900 if width > 500 else 844}
            )
            host = urlsplit(base).hostname
            context.add_cookies(
                [
                    {"name": "jeoul_theme", "value": theme, "domain": host, "path": "/"},
                    {"name": "django_language", "value": language, "domain": host, "path": "/"},
                ]
            )
            page = context.new_page()
            listen(page, noise)
            tail = f"{width}-{theme}-{language}"
            page.goto(f"{base}/accounts/login/")
            if not paths:
                page.screenshot(path=where / f"login-{tail}.png")
            _sign_in(page, user, password)
            for path in paths or PATHS:
                label = f"{path} {tail}"
                page.goto(base + path)
                page.wait_for_load_state("load")
                shift = page.evaluate(SHIFT)
                wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                if shift > 0.01:
                    noise.append(f"{label}: layout shift {shift:.3f}")
                if wide:
                    noise.append(f"{label}: wider than the screen")
                page.screenshot(path=where / f"{name_of(path)}-{tail}.png", full_page=True)
            context.close()
        browser.close()
    for line in noise:
        print(line)
    return 1 if noise else 0


def _sign_in(page: Any, user: str, password: str) -> None:
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.click("main button.primary")
    page.wait_for_url("**/")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
