"""`make test`: the whole suite on SQLite, then all that touches orders, runs and tasks on PostgreSQL
and Redis that it starts itself. Exits 0 only if everything passed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

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
    started = time.monotonic()
    base = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "VAR_DIR", "KIS_REAL_REST_URL")
    }
    base |= {"JEOUL_IGNORE_DOTENV": "1", "CHROMIUM": ensure_chromium()}
    print("── SQLite, in-process broker", flush=True)
    first = pytest(*sys.argv[1:], env=base)
    if first:
        return first
    with private_servers() as servers:
        print("── PostgreSQL and Redis: orders, runs, tasks", flush=True)
        urls = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        second = pytest("-m", "money", *sys.argv[1:], env=base | urls)
    print(f"── {time.monotonic() - started:.0f} s", flush=True)
    return second


if __name__ == "__main__":
    sys.exit(main())
