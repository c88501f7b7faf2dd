"""The laws over our own rows, while they are being written: what the database alone can show.

A law that breaks here is a defect of ours that no rule stopped: everything halts until a person has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from rebalancing.domain.laws import LIVE, Case, Finding, Violation, judge
from rebalancing.domain.laws.case import Row
from rebalancing.selectors.evidence import evidence, recent_evidence
from trading.domain.errors import ConfigurationError
from trading.models import Account, Alert
from trading.services.alerts import alert
from trading.services.clock import market_clock
from trading.services.switches import GLOBAL, engage, file_state

__all__ = ["judge_everything", "judge_recent", "stop_when_a_law_breaks"]

log = structlog.get_logger(__name__)

LOOKS_BACK = timedelta(hours=36)
"""The present trading day and the one before it, unless a weekend lies between."""


def judge_recent() -> Mapping[str, Finding]:
    """Every live law over what is young or open, on every active account whose clock answers."""
    since = _since()
    return _judged(lambda: recent_evidence(since) if since is not None else (), LIVE)


def judge_everything() -> Mapping[str, Finding]:
    """Every live law over all rows there are, and the links of the whole audit chain."""
    return _judged(evidence, (*LIVE, "I23"))


def _judged(read: Callable[[], Iterable[Row]], names: Collection[str]) -> Mapping[str, Finding]:
    """Reads without a lock first, so that a look hinders no order. Rows may change between two reads of it:
    what it finds broken counts only when one consistent reading shows it again."""
    found = judge(Case(tuple(read())), names)
    if not any(finding.violations for finding in found.values()):
        return found
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return judge(Case(tuple(read())), names)


def _since() -> datetime | None:
    """None while no account's clock answers: then nothing can be sent either."""
    clocks = []
    for account in Account.objects.filter(is_active=True):
        try:
            clocks.append(market_clock(account).now())
        except ConfigurationError:
            continue
    return min(clocks) - LOOKS_BACK if clocks else None


def stop_when_a_law_breaks() -> list[Violation]:
    """Halt everything when a law is broken; returns what was not known before.

    Each violation stops once: after a person has looked and released, the same rows do not stop again.
    """
    new = {
        name: unknown
        for name, finding in judge_recent().items()
        if (unknown := [one for one in finding.violations if _told(one) not in _known(name)])
    }
    for name, broken in new.items():
        _page(name, broken)
    found = [one for broken in new.values() for one in broken]
    if found and file_state() != "HALTED":
        engage(GLOBAL, "HALTED", "system", f"law {found[0].law} is broken: {found[0].text}")
    return found


def _page(name: str, broken: list[Violation]) -> None:
    for one in broken:
        log.error("law_broken", law=one.law, text=one.text, witness=one.witness)
    for account in Account.objects.filter(is_active=True):
        alert(
            "law_broken",
            severity=Alert.Severity.PAGE,
            account=account,
            repeat_after=timedelta(0),
            law=name,
            text=broken[0].text,
            witness=", ".join(broken[0].witness),
            count=len(broken),
            broken=[_told(one) for one in broken],
        )


def _told(one: Violation) -> str:
    return f"{one.law} {one.text}: {', '.join(one.witness)}"


def _known(name: str) -> set[str]:
    rows = Alert.objects.filter(code="law_broken", facts__law=name)
    return {told for facts in rows.values_list("facts", flat=True) for told in facts["broken"]}
