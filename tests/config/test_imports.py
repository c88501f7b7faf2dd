"""A web process stays light: resolving every address loads no numerical library and no model's client."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.memory import heavy_modules


def test_resolving_every_address_loads_nothing_heavy(tmp_path: Path) -> None:
    env = os.environ | {"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings.local"}
    assert heavy_modules(env) == set()
