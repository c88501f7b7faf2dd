"""The run's document as lines for a terminal: drift, trades, plan, every check, orders and fills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from portfolio.models import AssetClass
from rebalancing.domain.advice_states import AdviceState
from rebalancing.selectors.advice_view import ADVICE_NAMES
from rebalancing.selectors.words import WORDS, check_sentence, end_said, price_rule, run_state_name

__all__ = ["report_lines"]


def report_lines(report: dict[str, Any]) -> Iterator[str]:
    """The whole report; a part that the run never reached is left out."""
    yield _head(report)
    if report["equity"] is not None:
        yield _("총자산 %(equity)s원 · 현금 %(cash)s원 · 조회 %(at)s") % {
            "equity": f"{report['equity']:,}",
            "cash": f"{report['cash']:,}",
            "at": str(report["snapshot_at"])[:19].replace("T", " "),
        }
    for title, lines in (
        (_("편차 (목표 − 현재, %p)"), list(_drift(report["drift"]))),
        (_("거래"), [_trade(trade) for trade in report["trades"]]),
        (_("최소 거래금액보다 작아 뺀 거래"), [_trade(trade) for trade in report["filtered"]]),
        (_("점검"), [_check(check) for check in report["checks"]]),
        (_("AI 조언"), list(_advice(report["advice"]))),
        (_("계획과 체결"), list(_legs(report["legs"]))),
    ):
        if lines:
            yield ""
            yield title
            yield from (f"  {line}" for line in lines)
    if report["plan_hash"]:
        yield ""
        yield _("계획 해시 %(hash)s") % {"hash": report["plan_hash"]}


def _head(report: dict[str, Any]) -> str:
    why = report["end_reason"]
    state = run_state_name(report["state"], why)
    said = f" · {end_said(why, report['end_facts'])}" if why else ""
    return f"#{report['run']} {state} ({report['state']}){said}"


def _drift(drift: dict[str, Any] | None) -> Iterator[str]:
    if drift is None:
        return
    over = {name for _level, name in drift["triggers"]}
    labels = dict(AssetClass.choices)
    for level in ("mp", "sub"):
        for name, points in drift[level].items():
            mark = " ◀ " + _("임계값 넘음") if name in over else ""
            yield f"{level.upper():3} {labels.get(name, name)!s:12} {float(points):+8.2f}{mark}"


def _trade(trade: dict[str, Any]) -> str:
    return (
        f"{trade['side']:4} {trade['ticker']} {trade['quantity']:>9,} × {trade['price']:>9,}"
        f" = {trade['amount']:>14,}" + _("원")
    )


def _check(check: dict[str, Any]) -> str:
    about = f" {check['ticker']}" if check["ticker"] else ""
    said = check_sentence(check["rule"], check["verdict"], check["numbers"])
    return f"{check['rule']} {check['verdict']}{about} · {said}"


def _advice(advice: dict[str, Any] | None) -> Iterator[str]:
    if advice is None:
        return
    yield f"{ADVICE_NAMES[AdviceState(advice['state'])]} ({advice['state']}) {advice['model']}".rstrip()
    for reason in advice["reasons"]:
        yield "- " + WORDS.say(reason["code"], reason)


def _legs(legs: list[dict[str, Any]]) -> Iterator[str]:
    for leg in legs:
        price = f"{leg['limit_price']:,}" + _("원") if leg["limit_price"] else _("시장가")
        outcome = f" · {WORDS.say(leg['outcome'])}" if leg["outcome"] else ""
        yield (
            f"{leg['side']:4} {leg['ticker']} {leg['quantity']:>9,} {price}"
            f" ({price_rule(leg['price_strategy'])}) → {leg['filled_quantity']:>9,}"
            f" {leg['filled_amount']:>14,}" + _("원") + outcome
        )
        for order in leg["orders"]:
            for fill in order["fills"]:
                yield (
                    f"     {order['order_no']} {fill['quantity']:>9,} {fill['amount']:>14,}"
                    + _("원")
                    + f"  {str(fill['at'])[11:19]}"
                )
