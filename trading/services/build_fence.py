"""One build at a time sends for an account: old and new code together is nobody's tested program.

Source: invariant I20. What another build sent today bars this one while an order of it has no answer, or
while its process may still send: one of this machine until it is proven to be gone, one of another machine
until it has sent nothing for as long as no frame and no slow step of it can still be under way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from trading.domain.sent import UNANSWERED, Sent
from trading.services.epochs import has_ended, is_of_this_machine

__all__ = ["SILENT", "build_in_the_way"]

SILENT = timedelta(minutes=10)


def build_in_the_way(todays: Iterable[Sent], now: datetime) -> str:
    """The other build for which nothing may be sent now, by what the account sent today; empty when there is
    none."""
    lives: dict[int, list[Sent]] = {}
    for one in todays:
        if one.build != settings.BUILD_ID:
            lives.setdefault(one.epoch, []).append(one)
    for epoch, sent in lives.items():
        unanswered = any(one.state in UNANSWERED for one in sent)
        silent_for = now - max(one.at for one in sent)
        if unanswered or (not sent[0].epoch_ended and _may_still_send(epoch, silent_for)):
            return sent[0].build
    return ""


def _may_still_send(epoch: int, silent_for: timedelta) -> bool:
    if has_ended(epoch):
        return False
    return is_of_this_machine(epoch) or silent_for < SILENT
