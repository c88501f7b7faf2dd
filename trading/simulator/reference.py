"""Writes docs/kis.md, the broker's calls and channels as tables, from the one table both sides share.

python -m trading.simulator.reference
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trading.kis_wire import Call, Channel, calls, channels
from trading.simulator.calls import HANDLERS
from trading.simulator.ws.frames import MARKET_FRAMES

__all__ = ["reference"]

BESIDE_BUSINESS = frozenset({"auth_token", "revoke", "auth_ws_token", "hashkey"})
"""Answered by the gateway itself, not by a handler of a business call."""


def reference() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# KIS: calls and channels"
    yield ""
    yield "Written by `python -m trading.simulator.reference` from `trading/kis_wire`;"
    yield "a test fails when it is old."
    yield "*Simulator*: yes where `manage.py kis_simulator` answers the call with behaviour of its own."
    group = ""
    for call in calls().values():
        if call.group != group:
            group = call.group
            yield from ("", f"## {group}", "")
            yield "| call | title | TR id, real | TR id, mock | older ids | pages by | simulator |"
            yield "|---|---|---|---|---|---|---|"
        yield _call(call)
    yield from ("", "## WebSocket channels", "")
    yield "| channel | TR id | mock | key | encrypted | fields | simulator |"
    yield "|---|---|---|---|---|---|---|"
    yield from map(_channel, channels().values())


def _call(call: Call) -> str:
    real = _ids((tr.variant, tr.real) for tr in call.trs)
    mock = _ids((tr.variant, tr.mock) for tr in call.trs) if call.mock else "–"
    older = _ids(("", old) for tr in call.trs for old in (tr.legacy_real, tr.legacy_mock))
    answered = "yes" if call.name in HANDLERS or call.name in BESIDE_BUSINESS else "no"
    where = f"`{call.name}` {call.method} `{call.path}`"
    return f"| {where} | {call.title} | {real} | {mock} | {older} | {call.paging or '–'} | {answered} |"


def _ids(named: Iterator[tuple[str, str | None]]) -> str:
    found = [f"{name} `{tr}`".strip() for name, tr in named if tr]
    return "<br>".join(found) or "–"


def _channel(channel: Channel) -> str:
    count = f"{len(channel.fields)}" + (f" + {len(channel.appended)}" if channel.appended else "")
    mock = f"`{channel.mock}`" if channel.mock else "–"
    encrypted = "yes" if channel.encrypted else "no"
    notices = ("ccnl_notice", "overseas_ccnl_notice")
    told = "yes" if channel.name in MARKET_FRAMES or channel.name in notices else "no"
    names = f"{channel.name} | `{channel.tr_id}` | {mock} | {channel.key}"
    return f"| {names} | {encrypted} | {count} | {told} |"


if __name__ == "__main__":
    Path("docs/kis.md").write_text(reference(), encoding="utf-8")
