"""A Jeoul to measure in: its own folder and SQLite file, the settings of the embedded default."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["django_place", "entry_of"]

_OUTSIDE = ("DATABASE_URL", "REDIS_URL", "KIS_REAL_REST_URL", "KIS_MOCK_REST_URL", "SIM_CLOCK_URL")


@contextmanager
def django_place(env: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Set Django up on a migrated, empty database. Once a process: settings are read only once. `env` names
    servers where it is not to be the embedded default."""
    with tempfile.TemporaryDirectory(prefix="jeoul-bench-") as name:
        for outside in _OUTSIDE:
            os.environ.pop(outside, None)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "JEOUL_IGNORE_DOTENV": "1",
            "VAR_DIR": name,
            "LOG_LEVEL": "ERROR",
        } | dict(env or {})
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        yield Path(name)


def entry_of(value: float, unit: str, entry: str, runs: int, **more: Any) -> dict[str, Any]:
    """An entry without a peer; `more` adds what else was seen."""
    return {
        "value": value,
        "unit": unit,
        "peer": None,
        "peer_version": None,
        "peer_value": None,
        "ratio": None,
        "runs": runs,
        "agree": None,
        "entry": entry,
    } | more
