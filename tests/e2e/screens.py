"""Pictures of every page for eyes, and those of the README: `python -m tests.e2e.screens [--readme]`.

A demo of its own is started, rebalanced in the browser, and looked at in each look; what axe or the console
find is printed, and makes it end with 1.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.e2e.installation import Installation, browser, open_first_plan, see_the_end
from tests.e2e.pages import LOOKS, PAGES, Look, looked_at, weight

ALL = (
    *LOOKS,
    Look("phone-en-light", 390, 844, "en", "light"),
    Look("desk-ko-dark", 1440, 900, "ko", "dark"),
)
README = {
    ("overview", "desk-en-light"): "overview.png",
    ("run", "desk-en-light"): "run.png",
    ("why", "phone-ko-dark"): "why-phone.png",
    ("overview", "phone-ko-dark"): "overview-phone.png",
}
SHIFT = """() => new Promise(done => { let sum = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; })
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 250); })"""
MOST_SHIFT = 0.1
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity"
LATEST_PAINT = 1_000
"""Milliseconds to the first paint, on the machine that serves and draws at once."""
PICTURES = ROOT / "docs" / "pictures"


def main(folder: Path, readme: bool) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wrong, paints, weights = 0, [], []
    with tempfile.TemporaryDirectory(prefix="jeoul-screens-") as home, browser() as made:
        installation = Installation(Path(home))
        try:
            context = made.new_context(locale="ko-KR", viewport={"width": 1440, "height": 900})
            page = context.new_page()
            open_first_plan(installation, page).click()
            see_the_end(page)
            context.close()
            for look in ALL:
                for visited, tab, problems in looked_at(made, installation, PAGES, look):
                    picture = folder / f"{visited.name}-{look.name}.png"
                    tab.screenshot(path=picture, full_page=True)
                    name = README.get((visited.name, look.name))
                    if readme and name:
                        PICTURES.mkdir(exist_ok=True)
                        tab.screenshot(path=PICTURES / name)
                    paints.append((tab.evaluate(PAINT), visited.path))
                    weights.append((weight(tab), visited.path))
                    if paints[-1][0] > LATEST_PAINT:
                        problems.append(f"first paint after {paints[-1][0]:.0f} ms")
                    moved = tab.evaluate(SHIFT)
                    if moved > MOST_SHIFT:
                        problems.append(f"the page moved by {moved:.2f}")
                    for problem in problems:
                        wrong += 1
                        print(f"{visited.path} {look.name}: {problem}")
        finally:
            installation.stop()
    middle = statistics.median(took for took, _ in paints)
    print(f"first paint: median {middle:.0f} ms, latest {max(paints)[0]:.0f} ms ({max(paints)[1]})")
    print(f"heaviest page: {max(weights)[0]:.0f} kB ({max(weights)[1]})")
    print(f"{len(ALL) * len(PAGES)} pictures in {folder}, {wrong} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(ROOT / "screenshots", "--readme" in sys.argv))
