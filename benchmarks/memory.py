"""How much memory the processes hold after every page was read and a run was driven through them, and what
a web process never loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.place import entry_of
from tests.driver import LOGIN, Driver
from tests.support.servers import private_servers

__all__ = ["HEAVY", "figures", "heavy_modules"]

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "scipy", "numba", "pandas", "google", "pydantic")
PAGES = (
    "/", "/rebalancing/", "/rebalancing/cards/standing/", "/portfolio/", "/health/", "/admin/",
    "/admin/rebalancing/run/", "/admin/trading/intent/", "/admin/trading/ledger/", "/api/schema/",
    "/api/macro-trading/rebalancing/runs", "/api/macro-trading/rebalancing/drift",
)  # fmt: skip
_RESOLVE = """
import sys, django
django.setup()
from django.urls import get_resolver
def walk(patterns):
    for pattern in patterns:
        getattr(pattern, "callback", None)
        walk(getattr(pattern, "url_patterns", []))
walk(get_resolver().url_patterns)
import config.asgi
print(",".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def figures() -> dict[str, dict[str, Any]]:
    """MiB of resident memory: everything embedded, the web process alone on servers."""
    entries = {"memory_embedded": _embedded()}
    try:
        with private_servers() as servers:
            entries["memory_web"] = _web(servers.database_url, servers.redis_url)
    except RuntimeError as missing:
        entries["memory_web"] = entry_of(
            -1, "MiB", "config.management.commands.web", 0, not_measured=str(missing)
        )
    return entries


def heavy_modules(env: dict[str, str]) -> set[str]:
    """Which of HEAVY a fresh interpreter has loaded after resolving every address."""
    done = subprocess.run(
        [sys.executable, "-c", _RESOLVE],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(HEAVY) & set(done.stdout.splitlines()[-1].split(","))


def _embedded() -> dict[str, Any]:
    with Driver() as jeoul:
        address = jeoul.up()
        first = httpx2.get(address + LOGIN, trust_env=False)
        process = jeoul.processes[0][1]
        at_first = _rss(process.pid)
        pages = _used(jeoul)
        return entry_of(
            _rss(process.pid),
            "MiB",
            "config.management.commands.up",
            1,
            goal=450,
            after_first_page=at_first if first.status_code == 200 else None,
            pages=pages,
            simulator=sum(_rss(child) for child in _children(process.pid)),
            heavy_modules=sorted(heavy_modules(jeoul._env)),
        )


def _web(database_url: str, redis_url: str) -> dict[str, Any]:
    with Driver() as jeoul:
        env = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        jeoul.up(["simulator", "web", "worker", "beat"], env)
        pages = _used(jeoul)
        (process,) = (made for kind, made in jeoul.processes if kind == "web")
        return entry_of(
            _rss(process.pid),
            "MiB",
            "config.management.commands.web",
            1,
            goal=200,
            pages=pages,
        )


def _used(jeoul: Driver) -> int:
    """One run from its opening to its end, and every page three times; how many pages that were."""
    owner = jeoul.login()
    run = jeoul.start_run(owner)
    jeoul.wait_for(run, "AWAITING_APPROVAL")
    if (answer := jeoul.decide(owner, run, "yes")).status_code != 200:
        raise AssertionError(f"the plan was not approved: {answer.text[:200]}")
    jeoul.wait_for(run, "COMPLETED", "COMPLETED_WITH_SHORTFALL", seconds=400)
    pages = [*PAGES, f"/rebalancing/runs/{run}/"]
    for page in pages * 3:
        answer = owner.get(page)
        if answer.status_code != 200:
            raise AssertionError(f"{page} answered {answer.status_code}")
    return len(pages)


def _rss(pid: int) -> float:
    """Resident MiB of a process, as the kernel says."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in found]
