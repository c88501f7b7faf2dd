"""Ports of this machine: which one is free, and when somebody answers there."""

from __future__ import annotations

import socket
from threading import Thread

from config.runtime.ports import free_port, wait_until_listening
from tests.driver import wait_until


def test_a_wanted_port_is_given_when_free_and_another_when_not() -> None:
    wanted = free_port()
    assert free_port(wanted) == wanted
    with socket.create_server(("127.0.0.1", wanted)):
        assert free_port(wanted) != wanted


def test_an_address_is_told_only_when_somebody_answers_there() -> None:
    port = free_port()
    waiting = Thread(target=wait_until_listening, args=("127.0.0.1", port), daemon=True)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive(), "nobody listens yet"
    with socket.create_server(("127.0.0.1", port)):
        wait_until(lambda: not waiting.is_alive(), "it notices", seconds=10)
