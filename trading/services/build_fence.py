"""One build at a time sends for an account: old and new code together is nobody's tested program.

Source: invariant I20. What another build sent today bars this one while an order of it has no answer, or
while its process may still send: one of this machine until it is proven to be gone, one of another machine
until it has sent nothing for as long as no frame and no slow step of it can still be under way.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q

from trading.models import Account, Attempt
from trading.services.epochs import has_ended, is_of_this_machine

__all__ = ["SILENT", "build_in_the_way"]

SILENT = timedelta(minutes=10)


def build_in_the_way(account: Account, now: datetime) -> str:
    """The other build for which nothing may be sent now; empty when there is none."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    others = Attempt.objects.filter(intent__account=account, committed_at__gte=midnight).exclude(
        epoch__build_id=settings.BUILD_ID
    )
    lives = (
        others.filter(Q(state__in=["SENDING", "UNKNOWN"]) | Q(epoch__ended_at=None))
        .order_by()
        .values("epoch", "epoch__build_id")
        .annotate(
            newest=Max("committed_at"),
            lost=Max("pk", filter=Q(state__in=["SENDING", "UNKNOWN"])),
        )
    )
    for life in lives:
        if life["lost"] is not None or _may_still_send(life["epoch"], now - life["newest"]):
            return str(life["epoch__build_id"])
    return ""


def _may_still_send(epoch: int, silent_for: timedelta) -> bool:
    if has_ended(epoch):
        return False
    return is_of_this_machine(epoch) or silent_for < SILENT
