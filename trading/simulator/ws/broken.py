"""What armed faults make of a frame on its way out: lost, doubled, late, in the wrong order, or not itself.

A fault alters frames of its own kind alone: one armed for notices lets prices pass, and the reverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trading.kis_wire import Channel
from trading.simulator.faults import Armed
from trading.simulator.ws.cipher import Secret

__all__ = ["NOTICE_FAULTS", "TRADE_FAULTS", "Broken", "broken"]

NOTICE_FAULTS = frozenset({"C01", "C02", "C05", "C06", "C10"})
TRADE_FAULTS = frozenset({"C16"})
WRONG_KEY = Secret("0" * 32, "0" * 16)
SHAPES = ("truncated", "count", "extra", "garbage")
LIES = ("zero", "negative", "spike", "twice", "backwards")
TIMES = {"STCK_CNTG_HOUR": "090000"}


@dataclass(frozen=True, slots=True)
class Broken:
    """What is sent at once, and what is sent `seconds` of virtual time later, or after the next frame."""

    frames: tuple[str, ...]
    late: str = ""
    seconds: float = 0.0
    after_next: bool = False


def broken(armed: Armed, channel: Channel, frame: str) -> Broken | None:
    """The outcome of `armed` for one frame; None when the fault is not about such frames."""
    fault = armed.fault
    is_notice, is_trade = (
        channel.encrypted,
        channel.name.startswith("ccnl_") and not channel.encrypted,
    )
    if (fault in NOTICE_FAULTS and not is_notice) or (fault in TRADE_FAULTS and not is_trade):
        return None
    match fault:
        case "C01":
            return Broken(())
        case "C02":
            return Broken((frame,) * int(armed.number_param("times", 2)))
        case "C05":
            return Broken((), late=frame, seconds=armed.number_param("seconds", 30))
        case "C06":
            return Broken((), late=frame, after_next=True)
        case "C09":
            return Broken((_misshapen(frame, str(armed.params.get("shape", SHAPES[0]))),))
        case "C10":
            head, _payload = frame.rsplit("|", 1)
            return Broken((f"{head}|{WRONG_KEY.hide('a notice of another key')}",))
        case "C16":
            return Broken(_untrue(channel, frame, str(armed.params.get("lie", LIES[0]))))
    return None


def _misshapen(frame: str, shape: str) -> str:
    """Another number of fields, another count, a cut, or no frame at all."""
    hidden, tr_id, count, payload = frame.split("|", 3)
    if shape == "count":
        return f"{hidden}|{tr_id}|{int(count) + 3:03d}|{payload}"
    if shape == "extra":
        return f"{hidden}|{tr_id}|{count}|{payload}^1^2^3"
    if shape == "garbage":
        return "{" + payload[:40]
    return frame[: len(frame) - max(8, len(payload) // 2)]


def _untrue(channel: Channel, frame: str, lie: str) -> tuple[str, ...]:
    """A trade that cannot have been: the first record of the frame is made of it."""
    if lie == "twice":
        return frame, frame
    head, payload = frame.rsplit("|", 1)
    values = payload.split("^")
    at = channel.fields.index
    changed: Mapping[str, str] = {
        "zero": {"STCK_PRPR": "0"},
        "negative": {"CNTG_VOL": "-5"},
        "spike": {"STCK_PRPR": str(int(values[at("STCK_PRPR")]) * 19 // 10)},
        "backwards": TIMES,
    }[lie]
    for name, value in changed.items():
        values[at(name)] = value
    return (f"{head}|{'^'.join(values)}",)
