"""Free loopback ports, the usual ones first."""

from __future__ import annotations

import socket
import time
from ipaddress import ip_address

__all__ = ["free_port", "port_number", "wait_until_listening"]


def free_port(*wanted: int) -> int:
    """The first of `wanted` that nobody listens on, else any free one."""
    for port in (*wanted, 0):
        with socket.socket() as probe:
            try:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError("no free port on 127.0.0.1")


def port_number(text: str) -> int:
    """A port as it is typed, 0 for any free one. Raises ValueError for what cannot be one."""
    found = int(text)
    if not 0 <= found <= 65_535:
        raise ValueError(text)
    return found


def wait_until_listening(host: str, port: int) -> None:
    """Return once somebody accepts connections at `port`."""
    where = "127.0.0.1" if _is_everywhere(host) else host
    while True:
        try:
            socket.create_connection((where, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


def _is_everywhere(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False
