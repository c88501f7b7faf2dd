"""The reasons that the platform itself writes when it stops an account, read in the reader's language.

They are kept with their numbers in one language; another text, such as a person's, is none of these.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

from trading.selectors.words import Sentence, shown

__all__ = ["program_reason"]

_REASONS: tuple[tuple[str, Sentence], ...] = (
    (
        r"law (?P<law>I\d+) is broken: .+",
        _(
            "늘 지켜야 할 규칙이 깨졌습니다: %(law)s. 어느 기록인지는 manage.py invariants가 "
            "알려 줍니다."
        ),
    ),
    (r"order (?P<no>\S+) came twice", _("두 번 접수된 주문: %(no)s.")),
    (r"daily loss (?P<percent>-?[\d.]+) %", _("오늘 손익이 %(percent)s %%입니다.")),
    (r"(?P<n>\d+) unknown orders today", _("오늘 결과를 모르는 주문이 %(n)s건입니다.")),
    (r"(?P<n>\d+) rejects in ten minutes", _("10분 동안 증권사가 거부한 주문이 %(n)s건입니다.")),
    (r"clock off by (?P<seconds>-?\d+) s", _("시계가 증권사와 %(seconds)s초 다릅니다.")),
    (r"broker says (?P<code>\S+)", _("증권사가 거래를 막는 답을 했습니다 (%(code)s).")),
    (r"late order (?P<no>\S+)", _("없던 것으로 정한 주문이 늦게 나타났습니다 (%(no)s).")),
    (
        r"order (?P<no>\S+) is larger than was sent",
        _("주문 %(no)s의 체결이 보낸 수량보다 많습니다."),
    ),
    (
        r"no token after (?P<n>\d+) tries",
        _("접속 토큰을 %(n)s번 시도해도 받지 못했습니다."),
    ),
    (
        r"(?P<code>\S+) was no refusal",
        _("거부라던 답(%(code)s)의 주문이 접수되어 있었습니다."),
    ),
)
_NUMBERS = ("no", "code")
"""What names something and is no amount keeps its zeros."""
_COMPILED = tuple((re.compile(pattern), sentence) for pattern, sentence in _REASONS)


def program_reason(reason: str) -> str | None:
    """The sentence of a reason that a program wrote; None for every other text."""
    for pattern, sentence in _COMPILED:
        if (found := pattern.fullmatch(reason)) is not None:
            return str(sentence) % {
                k: v if k in _NUMBERS else shown(k, v) for k, v in found.groupdict().items()
            }
    return None
