"""Free loopback ports, the usual ones first."""

from __future__ import annotations

import socket

__all__ = ["free_port"]


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
