"""Changes that wait for a second person, told as what is now and what would be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from portfolio.models import AssetClass, ModelPortfolioVersion, SubPortfolioVersion, TargetDecision
from rebalancing.models import RebalancingConfig
from trading.models import Attempt, Decision, Instrument, MarketDay, Proposal, TradingLimits
from trading.selectors.people import Role

__all__ = ["Line", "lines_of"]

KIND = Proposal.Kind


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that would change. Empty texts are told as a dash."""

    name: str
    now: str
    then: str

    @property
    def changes(self) -> bool:
        return self.now != self.then


def lines_of(proposal: Proposal) -> list[Line]:
    """Every value that the proposal is about, beside what ruled when it was made; read from the rows it names,
    which never change."""
    return _TELLERS[KIND(proposal.kind)](proposal)


def _targets(proposal: Proposal) -> list[Line]:
    newest = TargetDecision.objects.filter(pk=_number(proposal.standing)).first()
    mp_now: Mapping[str, str] = newest.snapshot["mp"] if newest else {}
    sub_now: Mapping[str, Mapping[str, str]] = newest.snapshot["sub"] if newest else {}
    model = ModelPortfolioVersion.objects.filter(pk=proposal.value["model"]).first()
    mp_then = model.weights_by_class() if model else {}
    subs = SubPortfolioVersion.objects.filter(pk__in=proposal.value["subs"]).select_related(
        "portfolio"
    )
    sub_then = {version.portfolio.asset_class: version.weights_by_ticker() for version in subs}
    names = _instrument_names({t for side in (sub_now, sub_then) for i in side.values() for t in i})
    lines = []
    for asset_class in AssetClass.values:
        now, then = mp_now.get(asset_class), mp_then.get(asset_class)
        if now is None and not then:
            continue
        lines.append(Line(str(AssetClass(asset_class).label), _percent(now), _percent(then)))
        inside_now, inside_then = sub_now.get(asset_class, {}), sub_then.get(asset_class, {})
        for ticker in dict.fromkeys([*inside_now, *inside_then]):
            if not then and ticker not in inside_now:
                continue
            name = f"{AssetClass(asset_class).label} › {names.get(ticker, ticker)}"
            lines.append(
                Line(name, _percent(inside_now.get(ticker)), _percent(inside_then.get(ticker)))
            )
    return lines


def _instrument_names(tickers: set[str]) -> dict[str, str]:
    rows = Instrument.objects.filter(ticker__in=tickers).values_list("ticker", "name")
    return {ticker: f"{name} {ticker}" for ticker, name in rows}


def _percent(weight: Decimal | str | None) -> str:
    return "" if weight is None else f"{Decimal(weight):.2f} %"


def _config(proposal: Proposal) -> list[Line]:
    newest = RebalancingConfig.objects.filter(pk=_number(proposal.standing)).first()
    newest = newest or RebalancingConfig()
    fields = {field.name: field for field in RebalancingConfig._meta.fields}
    return [
        Line(str(fields[name].verbose_name), _plain(getattr(newest, name)), _plain(text))
        for name, text in proposal.value.items()
        if name in fields
    ]


def _limits(proposal: Proposal) -> list[Line]:
    newest = TradingLimits.objects.filter(pk=_number(proposal.standing)).first()
    newest = newest or TradingLimits()
    fields = {field.name: field for field in TradingLimits._meta.fields}
    return [
        Line(str(fields[name].verbose_name), _plain(getattr(newest, name)), _plain(text))
        for name, text in proposal.value.items()
        if name in fields
    ]


def _plain(value: object) -> str:
    number = Decimal(str(value))
    return f"{number:,}" if number == number.to_integral() and number >= 1000 else str(number)


def _day(proposal: Proposal) -> list[Line]:
    day = date.fromisoformat(_name(proposal))
    words = dict(MarketDay.Override.choices)
    now = words.get(proposal.standing.partition("|")[0], "")
    return [Line(f"{day:%Y-%m-%d}", str(now), str(words.get(proposal.value["override"], "")))]


def _approver(proposal: Proposal) -> list[Line]:
    person = get_user_model().objects.filter(pk=_name(proposal)).first()
    name = person.get_username() if person else proposal.value["name"]
    held = {role for role in proposal.standing.rpartition("|")[2].split(",") if role}
    now = ", ".join(sorted(held))
    then = ", ".join(sorted(held | {str(Role.APPROVER)}))
    return [Line(_("%(who)s님의 역할") % {"who": name}, now, then)]


def _attempt(proposal: Proposal) -> list[Line]:
    attempt = (
        Attempt.objects.filter(pk=_name(proposal)).select_related("intent__instrument").first()
    )
    if attempt is None:
        return []
    intent = attempt.intent
    name = f"{intent.instrument.name} {intent.get_side_display()} {intent.quantity:,}"
    then = str(dict(Decision.Verdict.choices).get(proposal.value["verdict"], ""))
    if number := proposal.value["order_no"]:
        then = f"{then} · {number}"
    return [Line(name, str(_("모름")), then)]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _name(proposal: Proposal) -> str:
    return proposal.subject.partition(":")[2]


_TELLERS: Mapping[Proposal.Kind, Callable[[Proposal], list[Line]]] = {
    KIND.TARGETS: _targets,
    KIND.CONFIG: _config,
    KIND.LIMITS: _limits,
    KIND.DAY: _day,
    KIND.APPROVER: _approver,
    KIND.ATTEMPT: _attempt,
}
