"""Why a schedule opened a run, in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rebalancing.models import Run
from trading.selectors.words import Sentence

__all__ = ["TRIGGERS", "trigger_sentence"]

TRIGGERS: Mapping[str, Sentence] = {
    "drift": _("편차"),
    "periodic": _("정기"),
    "cash_flow": _("입출금"),
}


def trigger_sentence(run: Run) -> str:
    """What is special about how this run decides; empty where only the thresholds decide."""
    if run.trigger_kind == "periodic":
        if run.ignores_bands:
            return gettext("정기 리밸런싱: 임계값 안이어도 목표 비중까지 되돌립니다.")
        return gettext("정기 리밸런싱: 임계값을 넘은 비중이 있을 때만 거래합니다.")
    if run.trigger_kind == "cash_flow":
        won = {"won": f"{abs(run.flow):,}"}
        if run.flow > 0:
            return (
                gettext(
                    "입금 %(won)s원을 목표보다 모자란 종목에 나누어 삽니다. 팔지 않습니다."
                    " 점검의 목표는 이 돈을 나눈 뒤의 비중입니다."
                )
                % won
            )
        return (
            gettext(
                "출금 %(won)s원만큼 목표보다 많은 종목을 팝니다. 사지 않습니다."
                " 점검의 목표는 그 뒤의 비중입니다."
            )
            % won
        )
    return ""
