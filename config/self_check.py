"""What an installation needs before it may be trusted, looked at one thing after the other.

Every finding says what was found and, unless all is well, what to do. Nothing is changed; the broker is asked
one harmless question an account, and only when that is wanted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError
from django.utils import timezone

from rebalancing.services.heartbeat import last_beat
from trading.domain.errors import BrokerError, ConfigurationError
from trading.domain.sessions import EXAM_DAYS, KRX
from trading.models import Account
from trading.selectors.people import Role
from trading.services.anchors import anchors, missed_anchors
from trading.services.brokers import base_url_of, broker_for
from trading.services.clock import market_clock

__all__ = ["FAIL", "OFF", "OK", "WARN", "Finding", "findings"]

OK, WARN, FAIL, OFF = "ok", "warn", "fail", "off"
LEAST_FREE = 500 * 1024 * 1024
AHEAD = timedelta(days=60)
LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is ok, warn, fail, or off: left out on purpose. `todo` is empty when all is well."""

    name: str
    state: str
    found: str
    todo: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def findings(*, ask_broker: bool) -> Iterator[Finding]:
    """Everything, in the order a person would mend it. What needs a database is left out without one."""
    yield _secrets()
    yield _folder()
    database = _database()
    yield database
    yield _redis()
    yield _live()
    yield _calendar()
    if database.state != FAIL:
        yield _people()
        yield _worker()
        yield _record()
        for account in Account.objects.filter(is_active=True).order_by("pk"):
            yield from _account(account, ask_broker)
    yield _gemini()
    yield Finding("alerts", OFF, "alerts are shown on the pages; no messenger is connected yet")


def _secrets() -> Finding:
    try:
        for key in settings.FIELD_KEYS:
            cipher = Fernet(key)
            cipher.decrypt(cipher.encrypt(b"try"))
    except (ValueError, InvalidToken):
        return Finding(
            "keys", FAIL, "one of FIELD_KEYS is no key",
            "give url-safe base64 of 32 bytes; keep the old keys after the new one",
        )  # fmt: skip
    missing = [n for n in ("SECRET_KEY", "AUDIT_KEY", "FIELD_KEYS") if not getattr(settings, n)]
    if missing:
        return Finding(
            "keys", FAIL, f"{', '.join(missing)} is empty", "set it, or unset it to have one made"
        )
    return Finding("keys", OK, f"{len(settings.FIELD_KEYS)} for fields, one for the audit record")


def _record() -> Finding:
    """Whether the audit chain still holds what was written down outside the database."""
    path = settings.AUDIT_ANCHORS
    try:
        missed, newest = missed_anchors(), max((one.at for one in anchors()), default="")
    except (OSError, ValueError) as error:
        return Finding(
            "record", FAIL, f"{path} cannot be read: {error}", "see 'Is the record whole' in docs/operations.md"
        )  # fmt: skip
    if missed:
        return Finding(
            "record", FAIL, f"row {missed[0].seq} is not the one anchored at {missed[0].at}",
            "an older database was put back, or the record was rewritten: run verify_audit",
        )  # fmt: skip
    if not newest:
        return Finding("record", OK, f"no anchor yet; a worker writes them to {path}")
    return Finding("record", OK, f"holds every anchor, the newest of {newest[:19]}")


def _folder() -> Finding:
    folder = settings.VAR
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        return Finding("folder", FAIL, f"{folder} cannot be written", "make it, or set VAR_DIR")
    free = shutil.disk_usage(folder).free
    found = f"{folder}, {free // 2**20:,} MiB free"
    return (
        Finding("folder", OK, found)
        if free > LEAST_FREE
        else Finding(
            "folder",
            WARN,
            found,
            "make room: without space neither orders nor the record can be written",
        )
    )


def _database() -> Finding:
    kind = connection.vendor
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except (DatabaseError, ImproperlyConfigured) as error:
        return Finding(
            "database",
            FAIL,
            f"{kind} does not answer ({type(error).__name__})",
            "check DATABASE_URL",
        )
    if missing:
        return Finding(
            "database", FAIL, f"{kind}, {missing} migrations missing", "run manage.py migrate"
        )
    return Finding("database", OK, kind)


def _redis() -> Finding:
    if not settings.REDIS_URL:
        return Finding(
            "redis", OFF, "none: one process does everything; no real account in this mode"
        )
    import redis

    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3).ping()
    except (redis.RedisError, ValueError) as error:
        return Finding(
            "redis",
            FAIL,
            f"does not answer ({type(error).__name__})",
            "start it, or check REDIS_URL",
        )
    return Finding("redis", OK, "answers")


def _live() -> Finding:
    if not settings.LIVE_TRADING:
        return Finding("live", OFF, "LIVE_TRADING is false: nothing reaches the real environment")
    if not settings.SERVER:
        return Finding(
            "live", FAIL, "LIVE_TRADING without PostgreSQL and Redis: real accounts are refused",
            "set DATABASE_URL and REDIS_URL, or LIVE_TRADING=false",
        )  # fmt: skip
    return Finding(
        "live", WARN, "LIVE_TRADING is true: orders of real accounts go out", "meant? else false"
    )


def _calendar() -> Finding:
    today = timezone.localdate()
    try:
        following = KRX.next_session(today)
        KRX.next_session(today + AHEAD)
    except (ValueError, IndexError):
        return Finding(
            "calendar", FAIL, "the table of sessions ends within sixty days",
            "upgrade, or enter coming days under Market days in the admin",
        )  # fmt: skip
    exam = max(EXAM_DAYS)
    if exam < today:
        return Finding(
            "calendar", WARN, f"next session {following}; the last exam day known is {exam}",
            "upgrade before November: on the exam day the market opens an hour later",
        )  # fmt: skip
    return Finding("calendar", OK, f"next session {following}, next exam day {exam}")


def _people() -> Finding:
    from django.contrib.auth import get_user_model

    active = get_user_model().objects.filter(is_active=True)
    lacking = [
        str(r)
        for r in (Role.ADMIN, Role.TRADER, Role.APPROVER)
        if not active.filter(groups__name=r)
    ]
    if lacking:
        return Finding(
            "people", WARN, f"nobody is {' or '.join(lacking)}",
            "give roles under Users and roles in the admin; the first person: manage.py createsuperuser",
        )  # fmt: skip
    return Finding("people", OK, f"{active.count()} people")


def _worker() -> Finding:
    beat = last_beat()
    if beat is None or timezone.now() - beat > LATE:
        when = f"last at {timezone.localtime(beat):%Y-%m-%d %H:%M:%S}" if beat else "never"
        return Finding(
            "worker", WARN, f"nothing drives the runs ({when})",
            "start manage.py up, or manage.py worker and manage.py beat",
        )  # fmt: skip
    return Finding("worker", OK, "drives the runs")


def _account(account: Account, ask_broker: bool) -> Iterator[Finding]:
    name = f"account {account.pk}"
    try:
        url = base_url_of(account)
    except ConfigurationError as error:
        yield Finding(
            name,
            FAIL,
            f"{account.environment}: {error}",
            "set the address, or change the environment",
        )
        return
    if not (account.app_key and account.app_secret):
        yield Finding(name, FAIL, "has no keys", "enter them under Accounts in the admin")
        return
    try:
        now = market_clock(account).now()
    except ConfigurationError as error:
        yield Finding(name, FAIL, str(error), "start the simulator (manage.py up does)")
        return
    found = f"{account.environment} at {url}, its clock says {now:%Y-%m-%d %H:%M}"
    if not ask_broker:
        yield Finding(name, OK, found + "; the broker was not asked")
        return
    try:
        broker = broker_for(account)
        cash = broker.balance().d2_cash
        skew = broker.clock_skew()
    except (BrokerError, ConfigurationError) as error:
        yield Finding(
            name, FAIL, f"{found}; {error}", "check keys and account number, or wait for the broker"
        )
        return
    if skew is not None and abs(skew) > timedelta(seconds=30):
        yield Finding(
            name, FAIL, f"clocks differ by {abs(skew).seconds} s", "set this machine's clock (NTP)"
        )
        return
    yield Finding(name, OK, f"{found}; the broker answers, {cash:,} won")


def _gemini() -> Finding:
    if not settings.GEMINI_API_KEY:
        return Finding("gemini", OFF, "no GEMINI_API_KEY: plans are made by rules")
    return Finding("gemini", OK, f"a key is set, model {settings.GEMINI_MODELS['']}")
