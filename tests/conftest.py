"""What every test may use: no network beyond loopback, a simulator over real sockets, people."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the names of the tests that passed, for the table of features: see `tests/run.py`."""
    path = os.environ.get("JEOUL_PASSED", "")
    if not path or "PYTEST_XDIST_WORKER" in os.environ:
        return
    absent = report.skipped and not SHARED.exists()
    if absent or (report.when == "call" and report.passed):
        with open(path, "a", encoding="utf-8") as file:
            file.write(report.nodeid + "\n")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that forgets its fake must not send an order to a broker."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            local = host == "localhost" or ip_address(host).is_loopback
            assert local, f"a test tried to reach {host}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session", autouse=True)
def _private_var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Files a test writes stay out of the installation's own `var/`."""
    from django.conf import settings

    folder = tmp_path_factory.mktemp("var")
    settings.VAR = folder
    settings.KILL_FILE = folder / "KILL"
    settings.SPOOL_DIR = folder / "spool"
    settings.AUDIT_ANCHORS = str(folder / "audit-anchors.jsonl")
    yield


@pytest.fixture(autouse=True)
def _fresh_processes() -> Iterator[None]:
    """Brokers, clocks and the process epoch are per test: the database behind them is."""
    from django.conf import settings

    from trading.services import brokers, chain_watch, clock, epochs, rate

    brokers.forget_brokers()
    rate.budget_for.cache_clear()  # it keeps the pace of the settings that it was made under
    rate._window.cache_clear()  # one made for a Redis that is not there crawls, and so would every test
    clock.simulated_clock.cache_clear()
    epochs.forget_epoch()
    chain_watch.forget_chain()
    settings.KILL_FILE.unlink(missing_ok=True)
    Path(settings.AUDIT_ANCHORS).unlink(missing_ok=True)
    yield
    brokers.forget_brokers()


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """A page asked for in English leaves its thread English; the next test begins in the default."""
    from django.utils import translation

    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture
def world(transactional_db: None, settings: Any) -> Iterator[Any]:
    """A tame, stepped world; tests that want mess arm it."""
    from tests.support.world import world_of

    with world_of() as made:
        yield made


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Flushing between tests deletes rows, which the append-only law refuses on SQLite; the tests of
    that law put its triggers back."""
    from django.db import connection

    from tests.support.flushing import flush_quickly

    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT name FROM sqlite_master WHERE type='trigger' AND name LIKE '%_no_delete'"
                )
                for (name,) in cursor.fetchall():
                    cursor.execute(f"DROP TRIGGER {name}")
        flush_quickly()
