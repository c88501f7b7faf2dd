"""The story of a run and of one of its orders, told from stored rows only.

Every sentence names the row it was read from; what no row says is not told.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from rebalancing.models import Leg, RebalancingHistory, Run
from rebalancing.selectors.deeds import deeds_of
from rebalancing.selectors.refused_cancels import refusal_text
from rebalancing.selectors.run_detail import approvals_of, history_of, legs_of, names_in
from rebalancing.selectors.story_stop import stop_of
from rebalancing.selectors.told import Told, count, won
from rebalancing.selectors.triggers import TRIGGERS, trigger_sentence
from rebalancing.selectors.why import Why, why_of
from rebalancing.selectors.words import STATE_NAMES, WORDS, end_said, price_rule
from trading.models import Attempt, BrokerOrder, Intent, Ledger

__all__ = ["Told", "story_of_leg", "story_of_run"]


def story_of_run(run: Run) -> list[Told]:
    """Who asked, what was found, what was planned and allowed, what was done, and how it ended."""
    legs, history = legs_of(run), history_of(run)
    return [
        _asked(run),
        *_targets(run),
        *_looked(run),
        *_found(run),
        *_special(run),
        *_planned(run, legs),
        *_too_small(run, legs),
        *_decided(run),
        *deeds_of(run, legs),
        *stop_of(run),
        *_ended(run, history),
    ]


def story_of_leg(run: Run, leg: Leg) -> list[Told]:
    """Why this name, why so many, who allowed it, what was sent, and what became of it."""
    why = why_of(run).get(leg.instrument_id)
    return [
        _asked(run),
        *_targets(run),
        *_special(run),
        *([_reason(run, why, leg.side)] if why and not run.flow else []),
        *_quantity(run, leg),
        _manner(leg),
        *_decided(run),
        *_sent(run, leg),
        *stop_of(run),
        *_result(leg),
    ]


def _asked(run: Run) -> Told:
    if run.requester_kind == Run.Requester.SCHEDULE:
        kind = TRIGGERS.get(run.trigger_kind or "")
        text = _("예약이 리밸런싱을 시작했습니다.") + (f" ({kind})" if kind else "")
        return Told(text, run, run.created_at)
    text = _("%(who)s님이 리밸런싱을 시작했습니다.") % {"who": run.requester}
    return Told(text, run, run.created_at)


def _special(run: Run) -> list[Told]:
    """What a run of its kind does besides keeping to the thresholds."""
    text = trigger_sentence(run)
    return [Told(text, run)] if text else []


def _targets(run: Run) -> list[Told]:
    if run.target is None:
        return []
    text = _("목표는 %(who)s님이 정한 %(model)s입니다.") % {
        "who": run.target.decided_by,
        "model": run.target.model_version,
    }
    return [
        Told(text, run.target)
    ]  # decided by the wall's clock, which a simulated market is not on


def _looked(run: Run) -> list[Told]:
    found = run.snapshot
    if found is None:
        return []
    text = _(
        "계좌를 조회했습니다: 총자산 %(equity)s원, 그 가운데 주문 가능 현금 %(cash)s원, 보유 %(n)s종목."
    )
    facts = {"equity": won(found.equity), "cash": won(found.cash), "n": len(found.holdings)}
    return [Told(text % facts, found, found.taken_at)]


def _found(run: Run) -> list[Told]:
    drift = run.outcome.get("drift")
    if not drift or run.config is None:
        return []
    broken = len(drift.get("triggers", []))
    facts = {
        "n": broken,
        "mp": run.config.mp_threshold_percent,
        "sub": run.config.sub_mp_threshold_percent,
    }
    text = (
        _("임계값(MP ±%(mp)s %%p, Sub-MP ±%(sub)s %%p)을 벗어난 비중이 %(n)s개 있었습니다.")
        if broken
        else _("모든 비중이 임계값(MP ±%(mp)s %%p, Sub-MP ±%(sub)s %%p) 안에 있었습니다.")
    )
    return [Told(text % facts, run.config)]


def _planned(run: Run, legs: list[Leg]) -> list[Told]:
    if not legs:
        return []
    sells = [leg for leg in legs if leg.side == "SELL"]
    facts = {
        "sells": len(sells),
        "buys": len(legs) - len(sells),
        "out": won(sum(leg.quantity * leg.reference_price for leg in sells)),
        "into": won(sum(leg.quantity * leg.reference_price for leg in legs if leg.side == "BUY")),
        "cost": won(sum(leg.expected_cost for leg in legs)),
    }
    text = _(
        "매도 %(sells)s건 %(out)s원, 매수 %(buys)s건 %(into)s원을 계획했습니다. 예상 비용 %(cost)s원."
    )
    checks = run.outcome.get("checks", [])
    failed = sum(check["verdict"] == "FAIL" for check in checks)
    asked = sum(check["verdict"] == "NEEDS_PERSON" for check in checks)
    if failed:
        verdict = _("점검 %(n)s개 가운데 %(failed)s개를 통과하지 못했습니다.")
    elif asked:
        verdict = _("점검 %(n)s개 가운데 %(asked)s개는 사람이 판단해야 했습니다.")
    else:
        verdict = _("점검 %(n)s개를 모두 통과했습니다.")
    return [
        Told(text % facts, legs[0]),
        *(
            [Told(verdict % {"n": len(checks), "failed": failed, "asked": asked}, run)]
            if checks
            else []
        ),
    ]


def _too_small(run: Run, legs: list[Leg]) -> list[Told]:
    filtered = run.outcome.get("filtered", [])
    if not filtered:
        return []
    names = names_in(run, legs)
    each = [
        _("%(name)s %(won)s원")
        % {"name": names.get(t["ticker"], t["ticker"]), "won": won(t["amount"])}
        for t in filtered
    ]
    text = _("최소 거래금액보다 작아 하지 않기로 한 거래: %(trades)s.")
    return [Told(text % {"trades": ", ".join(each)}, run)]


def _decided(run: Run) -> list[Told]:
    told = []
    for row in approvals_of(run):
        automatic = row.approver.startswith("policy:")
        if row.verdict != "APPROVE":
            text = _("%(who)s님이 이 계획을 거절했습니다.")
        elif automatic:
            text = _("승인 정책의 한도 안이라 자동으로 승인했습니다.")
        elif row.auth_level in ("totp", "recovery"):
            text = _("%(who)s님이 2차 인증을 하고 바로 이 계획을 승인했습니다.")
        else:
            text = _("%(who)s님이 바로 이 계획을 승인했습니다.")
        told.append(Told(text % {"who": row.approver}, row, row.decided_at))
    return told


def _ended(run: Run, history: RebalancingHistory | None) -> list[Told]:
    if not run.is_terminal:
        text = _("지금은 ‘%(state)s’ 단계입니다.") % {
            "state": STATE_NAMES.get(run.state, run.state)
        }
        return [Told(text, run, run.state_since)]
    told = []
    if history is not None:
        text = _(
            "비용은 %(real)s원이었습니다 (예상 %(expected)s원). 총자산 %(before)s원 → %(after)s원."
        )
        facts = {
            "real": won(history.real_cost),
            "expected": won(history.expected_cost),
            "before": won(history.equity_before),
            "after": won(history.equity_after or 0),
        }
        told.append(Told(text % facts, history, history.created_at))
    text = (
        end_said(run.end_reason, run.end_facts)
        if run.end_reason
        else _("계획한 주문이 모두 끝났습니다.")
    )
    return [*told, Told(text, run, run.terminal_at)]


# --- one order ----------------------------------------------------------------------------------


def _reason(run: Run, why: Why, side: str) -> Told:
    facts = {
        "name": why.class_name,
        "now": _percent(why.class_now),
        "target": _percent(why.class_target),
        "own": _percent(why.now),
        "goal": _percent(why.target),
    }
    beyond = _("자산군 %(name)s이 총자산의 %(now)s인데 목표는 %(target)s라 임계값을 벗어났습니다.")
    if why.class_drift is not None and why.name_drift is None:
        text = beyond + _(" 이 종목은 총자산의 %(own)s → %(goal)s.")
    elif why.name_drift is not None:
        facts["off"] = f"{abs(why.name_drift):.1f}"
        text = (
            _(
                "자산군 %(name)s 안에서 이 종목이 목표보다 %(off)s %%p 많았습니다: 총자산의 %(own)s → %(goal)s."
            )
            if why.name_drift > 0
            else _(
                "자산군 %(name)s 안에서 이 종목이 목표보다 %(off)s %%p 적었습니다: 총자산의 %(own)s → %(goal)s."
            )
        )
    else:
        text = _(
            "이 종목은 임계값 안이지만 다른 거래와 함께 목표에 맞췄습니다: 총자산의 %(own)s → %(goal)s."
        )
    if why.class_drift is not None and why.name_drift is not None:
        text = f"{beyond} {text}"  # both bands were left, and one alone may speak against the trade
    return Told(f"{text % facts} {why.resolve(side)}".strip(), run.snapshot or run)


def _quantity(run: Run, leg: Leg) -> list[Told]:
    held = 0
    if run.snapshot is not None:
        held = run.snapshot.holdings.get(leg.instrument_id, {}).get("quantity", 0)
    after = held + (leg.quantity if leg.side == "BUY" else -leg.quantity)
    facts = {"held": count(held), "after": count(after), "n": count(leg.quantity)}
    text = (
        _("계획은 %(n)s주를 사서 보유를 %(held)s주에서 %(after)s주로 맞추는 것입니다.")
        if leg.side == "BUY"
        else _("계획은 %(n)s주를 팔아 보유를 %(held)s주에서 %(after)s주로 맞추는 것입니다.")
    )
    told = [Told(text % facts, leg)]
    if leg.resized_quantity is not None and leg.resized_quantity != leg.quantity:
        text = _("매수 전에 확인한 현금 %(cash)s원에 맞춰 %(n)s주로 줄였습니다.")
        cash = won(run.cash_confirmed or 0)
        told.append(Told(text % {"cash": cash, "n": count(leg.resized_quantity)}, leg))
    return told


def _manner(leg: Leg) -> Told:
    if leg.order_type == "MARKET":
        text = _("주문 방식은 시장가입니다: %(why)s.")
    else:
        text = _("주문 가격은 %(rule)s입니다: %(why)s. 기준가 %(reference)s원.")
    facts = {
        "rule": price_rule(leg.price_strategy or ""),
        "why": WORDS.say(leg.reason) if leg.reason else "–",
        "reference": won(leg.reference_price),
    }
    return Told(text % facts, leg)


def _sent(run: Run, leg: Leg) -> list[Told]:
    """Every order and cancel of the leg in the order they left, with their fills."""
    intents = list(
        Intent.objects.filter(origin=Intent.Origin.RUN, origin_id=run.pk, leg_id=leg.pk).order_by(
            "id"
        )
    )
    attempts: dict[int, list[Attempt]] = {}
    for attempt in Attempt.objects.filter(intent__in=intents).order_by("id"):
        attempts.setdefault(attempt.intent_id, []).append(attempt)
    orders = {o.owner_id: o for o in BrokerOrder.objects.filter(owner__in=intents)}
    fills: dict[int, list[Ledger]] = {}
    for row in Ledger.objects.filter(order__in=orders.values()).order_by("id"):
        fills.setdefault(row.order_id, []).append(row)
    told: list[Told] = []
    for intent in intents:
        order = orders.get(intent.pk)
        told += [_attempt(intent, one, order) for one in attempts.get(intent.pk, [])]
        told += [_fill(row) for row in fills.get(order.pk, [])] if order else []
        if intent.pk not in attempts and intent.state_reason:
            told.append(Told(WORDS.say(intent.state_reason), intent, intent.state_since))
    return sorted(told, key=lambda one: one.at.timestamp() if one.at else 0)


def _attempt(intent: Intent, attempt: Attempt, order: BrokerOrder | None) -> Told:
    facts: dict[str, Any] = {
        "n": count(intent.quantity),
        "price": _("시장가")
        if intent.limit_price is None
        else _("%(won)s원") % {"won": won(intent.limit_price)},
        "no": order.order_no if order else "",
        "why": attempt.message or attempt.msg_cd,
    }
    if intent.action == "cancel" and attempt.state == "REJECTED":
        facts["why"] = refusal_text(attempt)
        text = _("남은 수량을 취소해 달라고 했는데 증권사가 거부했습니다: %(why)s")
    elif intent.action == "cancel":
        text = _("남은 수량을 취소해 달라고 했습니다.")
    elif attempt.state == "SENDING":
        text = _("%(n)s주를 %(price)s에 보내고 있습니다. 아직 답이 없습니다.")
    elif attempt.state == "UNKNOWN":
        text = _(
            "%(n)s주를 %(price)s에 보냈는데 답을 받지 못했습니다. 결과를 확인할 때까지 다시 보내지 않습니다."
        )
    elif attempt.state in ("REJECTED", "NOT_SENT", "ABSENT"):
        text = _("%(n)s주 %(price)s 주문이 접수되지 않았습니다. %(why)s")
    elif order is not None and order.source == BrokerOrder.Source.ADOPTED:
        text = _(
            "%(n)s주를 %(price)s에 보냈고, 답은 없었지만 주문 목록에서 주문번호 %(no)s를 찾았습니다."
        )
    else:
        text = _("%(n)s주를 %(price)s에 보냈고 증권사가 주문번호 %(no)s로 받았습니다.")
    return Told((text % facts).strip(), attempt, attempt.committed_at)


def _fill(row: Ledger) -> Told:
    facts = {
        "n": count(row.quantity),
        "price": won(round(row.amount / row.quantity)),
        "fee": won(row.fee),
        "tax": won(row.tax),
    }
    text = (
        _("%(n)s주가 평균 %(price)s원에 체결되었습니다. 수수료 %(fee)s원, 세금 %(tax)s원.")
        if row.tax
        else _("%(n)s주가 평균 %(price)s원에 체결되었습니다. 수수료 %(fee)s원.")
    )
    return Told(text % facts, row, row.posted_at)


def _result(leg: Leg) -> list[Told]:
    if not leg.done:
        return []
    facts = {"filled": count(leg.filled_quantity), "n": count(leg.quantity)}
    text = _("체결은 모두 %(filled)s주입니다 (계획 %(n)s주).") % facts
    if leg.outcome:
        text = f"{text} {WORDS.say(leg.outcome)}"
    return [Told(text, leg)]


def _percent(value: Decimal) -> str:
    return f"{value:.1f} %"
