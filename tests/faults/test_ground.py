"""What everything stands on: a database that takes nothing, clocks and time zones, a host that is not the one
it says, writers of one chain at once."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import DatabaseError, connection, connections, transaction

from rebalancing.services.advance import run_advance
from tests.support.truth import check_truth
from tests.support.world import World
from trading.brokers.kis.orders import Line
from trading.domain.ports import PreparedPost
from trading.models import Attempt, AuditEntry
from trading.services.audit import audit, verify
from trading.services.clock import WallClock

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


# --- G09: the database is full or may only be read ----------------------------------------------
@contextmanager
def only_read() -> Iterator[None]:
    postgres = connection.vendor == "postgresql"
    on, off = (
        ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")
        if postgres
        else ("PRAGMA query_only = ON", "PRAGMA query_only = OFF")
    )
    with connection.cursor() as cursor:
        cursor.execute(on)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(off)


def test_a_database_that_takes_nothing_lets_no_order_out_and_the_run_goes_on_after_it(
    world: World,
) -> None:
    run = world.drive(
        world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists()
    )
    before = len(world.accepted())
    with only_read():
        for _ in range(3):
            world.sim.advance(2)
            with pytest.raises(DatabaseError):
                run_advance(run.pk)
    assert len(world.accepted()) == before
    assert world.drive(run).state == "COMPLETED"
    check_truth(world)


# --- K02, K03: the wall's clock goes back, the machine is elsewhere ------------------------------
def test_a_clock_that_steps_back_in_the_middle_of_a_run_sends_nothing_twice(world: World) -> None:
    run = world.drive(
        world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists()
    )
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=10), tick=True):
        assert world.drive(run).state == "COMPLETED"
    check_truth(world)


@pytest.mark.once
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Seoul"])
def test_the_day_is_seouls_wherever_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with time_machine.travel(datetime(2026, 11, 19, 23, 30, tzinfo=UTC), tick=False):
            now = WallClock().now()
            assert (now.date(), now.hour) == (date(2026, 11, 20), 8)
    finally:
        monkeypatch.undo()
        time.tzset()


# --- L04: many writers of one chain -------------------------------------------------------------
def test_writers_that_come_at_once_make_one_chain_without_a_gap(transactional_db: None) -> None:
    writers, rows = 8, 5
    start, failed = threading.Barrier(writers), []

    def write(number: int) -> None:
        try:
            start.wait()
            for row in range(rows):
                with transaction.atomic():
                    audit(f"writer {number}", "looked", f"row:{row}")
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert list(AuditEntry.objects.order_by("seq").values_list("seq", flat=True)) == list(
        range(1, writers * rows + 1)
    )
    assert verify() is None


# --- D11: a certificate that nobody vouches for --------------------------------------------------
def certificate(folder: Path) -> Path:
    """Signed by itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.once
def test_an_order_goes_to_no_host_that_cannot_prove_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the environment names another authority to trust."""
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        taken, _from = listener.accept()
        try:
            with context.wrap_socket(taken, server_side=True) as line:
                heard.append(line.recv(65_536))
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,), daemon=True)
        server.start()
        client: Any = type(
            "Client", (), {"base_url": f"https://127.0.0.1:{listener.getsockname()[1]}"}
        )
        line = Line(client, "token")
        sent = line.post(PreparedPost("/order", "TTTC0011U", b"{}"), "nonce")
        line.close()
        server.join(5)
    assert line.problem == "SSLCertVerificationError"
    assert sent.transport == "not_sent" and heard == []
