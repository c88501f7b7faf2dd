"""Drives one run to its end in a process of its own, so that a test can kill it anywhere.

    python -m tests.support.drive_child RUN_ID CONTROL_URL

`JEOUL_CRASH_AT=commit:K` kills it right after the K-th transaction it commits, `before-commit:K` right
before; any other value names a crash point of the product.
"""

from __future__ import annotations

import os
import signal
import sys

import django

commits = 0


def kill_at_commit(wanted: str) -> None:
    """Count real transactions; die around the K-th one."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    place, _, number = wanted.partition(":")
    if place not in ("commit", "before-commit"):
        return
    original = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

    def counted(self: BaseDatabaseWrapper) -> None:
        global commits
        commits += 1
        if commits == int(number) and place == "before-commit":
            os.kill(os.getpid(), signal.SIGKILL)
        original(self)
        if commits == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    BaseDatabaseWrapper._commit = counted  # type: ignore[attr-defined]


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()
    kill_at_commit(os.environ.get("JEOUL_CRASH_AT", ""))

    import httpx2
    from django.conf import settings
    from django.contrib.auth import get_user_model

    from rebalancing.models import Run
    from rebalancing.services.advance import run_advance
    from rebalancing.services.approvals import decide_run
    from trading.models import Attempt
    from trading.services.clock import market_clock
    from trading.services.epochs import close_dead_epochs

    settings.KIS_RATE_PER_SECOND = {"real": 500, "mock": 500}
    settings.KIS_LEDGER_RATE_PER_SECOND = {"real": 500, "mock": 500}
    run_id, control = int(sys.argv[1]), sys.argv[2]
    close_dead_epochs()
    owner = get_user_model().objects.get(username="owner")
    for _ in range(600):
        run = Run.objects.select_related("account").get(pk=run_id)
        if run.is_terminal:
            print(f"{commits} commits, {run.state}")
            return 0
        waiting = Attempt.objects.filter(state="UNKNOWN", absent_presumed=True)
        if run.state == "PAUSED_UNKNOWN" and waiting.exists():
            return 0  # a person must decide
        if run.state == "AWAITING_APPROVAL":
            decide_run(run.pk, run.plan_hash, owner, "APPROVE")
            continue
        now = market_clock(run.account).now()
        if run.due_at is not None and run.due_at > now:
            wait = (run.due_at - now).total_seconds()
            httpx2.post(f"{control}/__sim/advance", json={"seconds": wait})
        run_advance(run.pk)
    return 3


if __name__ == "__main__":
    sys.exit(main())
