"""What an act of the audit chain names, told in words: a program kept codes, numbers and hashes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from trading.models import Switch
from trading.selectors.audit_words import FACT_NAMES, VALUE_WORDS
from trading.selectors.moments import moment_said
from trading.selectors.order_words import ORDER_STATES
from trading.selectors.said import policy_said, reason_said, slot_said
from trading.selectors.words import WORDS

__all__ = ["told_facts"]

_SHORT = 12
_FOR_PROGRAMS = frozenset({"body_hash", "nonce"})
"""Told where the payload is shown as it is stored, and nowhere else."""
_HOLE = re.compile(r"\S*%\(\w+\)s\S*\s*")
_END = re.compile(r"(?<=\.)\s+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")


def told_facts(payload: str, states: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    """(name, value) of each fact of a payload that says something; a payload that is no JSON as it stands.
    `states` names the states of what the act is about."""
    try:
        found = json.loads(payload)
    except ValueError:
        return [("", payload)]
    if not isinstance(found, dict):
        return [("", payload)]
    named: dict[str, Any] = dict(Switch.State.choices)
    named |= {str(k): v for k, v in (*ORDER_STATES.items(), *(states or {}).items())}
    return [
        (str(FACT_NAMES.get(name, name)), _said(name, value, named))
        for name, value in found.items()
        if value not in ("", None, [], {}) and name not in _FOR_PROGRAMS
    ]


def _said(name: str, value: Any, states: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        return _("예") if value else _("아니요")
    if isinstance(value, list):
        return ", ".join(_said(name, one, states) for one in value)
    if isinstance(value, dict):
        return " · ".join(f"{FACT_NAMES.get(k, k)} {_said(k, v, states)}" for k, v in value.items())
    text = str(value)
    if name == "slot":
        return slot_said(text)
    if name == "state":
        return str(states.get(text, text))
    if text in VALUE_WORDS.get(name, {}):
        return str(VALUE_WORDS[name][text])
    if name in ("rules", "why", "code"):
        return _without_gaps(text)
    if name == "reason":
        return reason_said(text)
    if name in ("kind", "policy"):
        return policy_said(text)
    if name in ("model", "subs"):
        return f"#{text}"
    if name.endswith("_won") and text.isdigit():
        return f"{int(text):,}"
    if name == "amount" and text.isdigit():
        return _("%(amount)s원") % {"amount": f"{int(text):,}"}
    if (
        name == "order" and text.count("/") == 2
    ):  # the day and the branch stand with the order itself
        return text.rpartition("/")[2].lstrip("0")
    if _MOMENT.fullmatch(text):
        return moment_said(datetime.fromisoformat(text))
    if len(text) == 64 and all(digit in "0123456789abcdef" for digit in text):
        return f"{text[:_SHORT]}…"
    return text


def _without_gaps(code: str) -> str:
    """The sentences of a code whose facts stand elsewhere: those that need none of them, else all without the
    words that wait for one."""
    found = str(WORDS.find(code) or "")
    if "%(" not in found:
        return WORDS.say(code)
    whole = [one for one in _END.split(found) if "%(" not in one]
    said = " ".join(whole) if whole else _HOLE.sub("", found)
    return said.replace("%%", "%").strip() or code
