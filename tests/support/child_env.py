"""What another process needs to work on the same database and simulator as the test."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["child_env"]


def child_env(world: Any) -> dict[str, str]:
    from django.conf import settings
    from django.db import connection

    row = connection.settings_dict
    if connection.vendor == "sqlite":
        database = f"sqlite:///{row['NAME']}"
    else:
        database = f"postgresql://{row['USER']}@{row['HOST']}:{row['PORT']}/{row['NAME']}"
    return dict(os.environ) | {
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "JEOUL_IGNORE_DOTENV": "1",
        "KIS_REAL_REST_URL": world.sim.base_url,
        "SIM_CLOCK_URL": f"{world.sim.control_url}/__sim/health",
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "SECRET_KEY": settings.SECRET_KEY,
        "AUDIT_KEY": settings.AUDIT_KEY,
        "VAR_DIR": str(settings.VAR),
        "KILL_FILE": str(settings.KILL_FILE),
        "LOG_LEVEL": "ERROR",
    }
