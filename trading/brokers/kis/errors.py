"""What KIS's error codes ask of a reader. Orders are classified elsewhere: see `trading.domain.orders`."""

from __future__ import annotations

from trading.domain.errors import (
    BrokerBusy,
    BrokerError,
    BrokerMisconfigured,
    BrokerRefused,
    BrokerTokenDead,
    BrokerUnavailable,
)

__all__ = ["read_error"]

_BUSY = {"EGW00201", "EGW00215", "OPSQ1002"}
_TOKEN = {"EGW00121", "EGW00122", "EGW00123", "EGW00124", "EGW00125", "EGW00126"}
_FATAL = (
    {f"EGW{n:05d}" for n in (3, 4, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213, 303, 304)}
    | {f"EGW{n:05d}" for n in range(101, 121)}
    | {f"EGW{n:05d}" for n in range(127, 133)}
    | {"EGW02004", "OPSQ0002", "OPSQ2000", "OPSQ2001", "OPSQ2002", "APAC0081", "APAC0489"}
    | {f"OPSQ{n}" for n in range(9995, 10000)}
)
_TRANSIENT = (
    {"EGW00001", "EGW00002", "EGW00202", "EGW00203", "EGW00300", "EGW00301", "EGW00302", "EGW00316"}
    | {"OPSQ0001", *(f"OPSQ{n:04d}" for n in range(3, 12))}
    | {"OPSQ2003", "OPSQ3001", "OPSQ3002", "OPSQ3004", "APBK1999"}
)


def read_error(msg_cd: str, message: str, http_status: int) -> BrokerError:
    """The exception a read raises for `msg_cd`; an unlisted code is a refusal at 200, else transient."""
    kind: type[BrokerError]
    if msg_cd in _BUSY:
        kind = BrokerBusy
    elif msg_cd in _TOKEN:
        kind = BrokerTokenDead
    elif msg_cd in _FATAL:
        kind = BrokerMisconfigured
    elif msg_cd in _TRANSIENT or http_status >= 500:
        kind = BrokerUnavailable
    else:
        kind = BrokerRefused
    return kind(message.strip(), msg_cd=msg_cd, http_status=http_status)
