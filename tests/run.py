"""`make test`: the whole suite on SQLite, then all that touches orders, runs and tasks on PostgreSQL
and Redis that it starts itself. Exits 0 only if everything passed, and with it every test that the table
of features names."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.claims import unproven  # noqa: E402
from tests.support.servers import ensure_chromium, private_servers  # noqa: E402


def pytest(*arguments: str, env: dict[str, str]) -> int:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "--durations=10",
        *arguments,
    ]
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="jeoul-tests-") as folder:
        passed = Path(folder) / "passed"
        failed = suites(passed)
        if failed or sys.argv[1:]:  # a part of the suite proves a part of the table
            return failed
        missing = unproven(passed.read_text(encoding="utf-8").splitlines())
    for claim in missing:
        print(f"docs/features.md claims what no test showed: {claim}")
    return 1 if missing else 0


def suites(passed: Path) -> int:
    """Both passes; the names of the tests that passed are written to `passed`."""
    started = time.monotonic()
    base = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "VAR_DIR", "KIS_REAL_REST_URL")
    }
    base |= {"JEOUL_IGNORE_DOTENV": "1", "CHROMIUM": ensure_chromium(), "JEOUL_PASSED": str(passed)}
    print("── SQLite, in-process broker", flush=True)
    first = pytest(*sys.argv[1:], env=base)
    if first:
        return first
    with private_servers() as servers:
        print("── PostgreSQL and Redis: orders, runs, tasks", flush=True)
        urls = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        second = pytest("-m", "money and not once", *sys.argv[1:], env=base | urls)
    print(f"── {time.monotonic() - started:.0f} s", flush=True)
    return second


if __name__ == "__main__":
    sys.exit(main())
