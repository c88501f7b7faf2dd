"""Who did something, under which policy, by which proof and for which reason, as people say it.

Rows keep short codes for what a program did and said; people keep their names and their own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from trading.models import ApprovalPolicy, Intent
from trading.selectors.program_reasons import program_reason
from trading.selectors.words import Sentence

__all__ = [
    "actor_said",
    "order_time_said",
    "order_type_said",
    "policy_said",
    "proof_said",
    "reason_said",
    "slot_said",
    "version_said",
]

_ACTORS: Mapping[str, Sentence] = {
    "engine": "Jeoul",
    "defaults": _("Jeoul 기본값"),
    "system": _("시스템"),
    "schedule": _("예약"),
}
_PROOFS: Mapping[str, Sentence] = {
    "password": _("비밀번호"),
    "totp": _("인증 앱 코드"),
    "recovery": _("복구 코드"),
    "automatic": _("한도 안 자동"),
    "policy": _("한도 안 자동"),
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?")
_SPAN = re.compile(r"(\d{4}-\d{2}|\d{4}Q[1-4]):(first|last)")
_EDGES = {"first": _("%(span)s 첫 거래일"), "last": _("%(span)s 마지막 거래일")}


def actor_said(by: str) -> str:
    """A person by name; what ran by itself in words."""
    kind, _colon, number = by.partition(":")
    if kind == "policy" and number:
        return gettext("승인 정책 v%(n)s") % {"n": number}
    return str(_ACTORS.get(by, by))


def policy_said(kind: str) -> str:
    """The kind of an approval policy; a plan that no person decided went by the account's limits."""
    if kind == "automatic":
        return gettext("한도 안 자동")
    return str(dict(ApprovalPolicy.Kind.choices).get(kind, kind)) or "–"


def proof_said(level: str) -> str:
    """How somebody showed that it was them."""
    return str(_PROOFS.get(level, level)) or "–"


def reason_said(reason: str) -> str:
    """A program's own words are kept in one language and read in everybody's; a person's are left alone."""
    if not reason:
        return ""
    return program_reason(reason) or gettext(reason)


def slot_said(slot: str) -> str:
    """What a run was opened for: a person's press, a program's call, or a day of a schedule."""
    first, _colon, rest = slot.partition(":")
    if first == "person":
        try:
            at = datetime.strptime(rest[:15], "%Y%m%dT%H%M%S")
        except ValueError:
            return slot
        return gettext("사람이 시작함 (%(at)s)") % {"at": f"{at:%Y-%m-%d %H:%M:%S}"}
    if first == "api":
        return gettext("API로 시작함")
    last = rest.partition(":")[2] if first == "rebalance" else slot
    if (span := _SPAN.fullmatch(last)) is not None:
        return str(_EDGES[span[2]]) % {"span": span[1]}
    return last.replace("T", " ") if _DAY.fullmatch(last) else slot


def order_time_said(text: str) -> str:
    """The broker's 093714 as 09:37:14; what is no such time as it stands."""
    whole = len(text) == 6 and text.isascii() and text.isdigit()
    return f"{text[:2]}:{text[2:4]}:{text[4:]}" if whole else text


def order_type_said(kind: str) -> str:
    """At a limit or at market."""
    return str(dict(Intent._meta.get_field("order_type").choices or ()).get(kind, kind))


def version_said(version: str) -> str:
    """gate-3: the third edition of the rules before a send."""
    name, _dash, number = version.rpartition("-")
    return gettext("%(n)s판") % {"n": number} if name == "gate" and number.isdigit() else version
