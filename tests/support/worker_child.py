"""`manage.py worker` with a power cut in it.

    python -m tests.support.worker_child [options of the worker command]

`STORM_PLACE` names where it ends; empty: nowhere. `STORM_ASKED`: there it is only asked to. Only the
broker's pace is another than in production.
"""

from __future__ import annotations

import os
import sys

from tests.support.power import PowerCut, install


def main() -> None:
    asked = os.environ.get("STORM_ASKED") == "1"
    install(PowerCut(os.environ["REDIS_URL"], os.environ.get("STORM_PLACE", ""), asked=asked))

    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    _require_watched()
    settings.KIS_RATE_PER_SECOND = {"real": 500, "mock": 500}
    settings.KIS_LEDGER_RATE_PER_SECOND = {"real": 500, "mock": 500}
    settings.KIS_TOKEN_INTERVAL_SECONDS = 0  # the tame simulator has no minute rule either
    call_command("worker", *sys.argv[1:])


def _require_watched() -> None:
    """Whoever took the crash point before it was replaced would pass it uncounted."""
    from config.celery import app
    from trading.services.crashpoints import crashpoint

    app.loader.import_default_modules()
    users = [m for m in list(sys.modules.values()) if vars(m).get("crashpoint") is not None]
    assert len(users) > 1, "nothing of the product has crash points"
    for module in users:
        assert module.crashpoint is crashpoint, f"{module.__name__} was imported too early"


if __name__ == "__main__":
    main()
