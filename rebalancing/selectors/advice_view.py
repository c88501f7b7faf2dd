"""The plan of the rules and the advice side by side, with what was known when it was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rebalancing.domain.advice_states import AdviceState
from rebalancing.models import Advice, Run
from rebalancing.selectors.words import price_rule
from trading.selectors.moments import told_at

__all__ = [
    "ADVICE_NAMES",
    "AdviceView",
    "FactRow",
    "LegPair",
    "Way",
    "advice_of",
    "raw_advice",
    "way_of",
]

ADVICE_NAMES: Mapping[AdviceState, object] = {
    AdviceState.READY: gettext_lazy("준비됨"),
    AdviceState.NOT_ASKED: gettext_lazy("묻지 않음"),
    AdviceState.ASKED: gettext_lazy("답을 기다림"),
    AdviceState.ANSWERED: gettext_lazy("답이 옴"),
    AdviceState.REFUSED: gettext_lazy("거절당함"),
    AdviceState.LATE: gettext_lazy("늦음"),
    AdviceState.FAILED: gettext_lazy("답이 없음"),
    AdviceState.LOST: gettext_lazy("답을 잃음"),
    AdviceState.FOLLOWED: gettext_lazy("따름"),
    AdviceState.DISCARDED: gettext_lazy("쓰지 않음"),
}
_FACTS = {"kospi_change_percent": gettext_lazy("KOSPI 등락률"), "vix": gettext_lazy("VIX")}
_TYPES = {"MARKET": gettext_lazy("시장가"), "LIMIT": gettext_lazy("지정가")}


@dataclass(frozen=True, slots=True)
class Way:
    """How a leg is sent, in words: type and price rule, and its parts where there are several."""

    rule: str
    parts: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class LegPair:
    """One trade with both ways of sending it; `advised` is None where the advice leaves it out."""

    side: str
    ticker: str
    name: str
    quantity: int
    ruled: Way
    advised: Way | None
    note: str
    cleaned: bool

    @property
    def differs(self) -> bool:
        advised = self.advised
        return advised is not None and (advised.rule, advised.parts) != (
            self.ruled.rule,
            self.ruled.parts,
        )


@dataclass(frozen=True, slots=True)
class FactRow:
    """`age` in seconds at the moment of asking; None where the fact is missing or undated."""

    name: str
    value: str | None
    source: str
    at: datetime | None
    age: int | None
    missing: str


@dataclass(frozen=True, slots=True)
class AdviceView:
    """All that the page shows of one generation's advice. `strange` are items for no trade of ours."""

    advice: Advice
    state_name: object
    pairs: tuple[LegPair, ...] = ()
    strange: tuple[str, ...] = ()
    facts: tuple[FactRow, ...] = ()
    headlines: tuple[FactRow, ...] = ()
    headlines_missing: str = ""
    tone: str = field(default="")

    @property
    def differing(self) -> int:
        return sum(pair.differs for pair in self.pairs)


def advice_of(run: Run, names: Mapping[str, str]) -> AdviceView | None:
    """The advice of the newest plan; None where nobody wanted any."""
    if not run.wants_advice:
        return None
    advice = Advice.objects.filter(run=run, generation=run.generation).first()
    if advice is None:
        return None
    told: dict[str, list[dict[str, Any]]] = {}
    for item in advice.items:
        told.setdefault(f"{item.get('ticker')} {item.get('action')}", []).append(item)
    pairs = tuple(_pair(leg, told, names) for leg in advice.rules)
    ours = {f"{leg['ticker']} {leg['side']}" for leg in advice.rules}
    briefing = advice.request.get("briefing", {})
    market = briefing.get("market_context", {})
    asked = advice.asked_at or advice.created_at
    return AdviceView(
        advice,
        ADVICE_NAMES[AdviceState(advice.state)],
        pairs,
        tuple(_strange(item) for key, items in told.items() if key not in ours for item in items),
        (
            *(_fact(row, asked) for row in market.get("facts", [])),
            *(_book(row, asked, names) for row in briefing.get("order_books", [])),
        ),
        tuple(_title(row, asked) for row in market.get("headlines", [])),
        market.get("headlines_missing", ""),
        _TONES.get(AdviceState(advice.state), "warn"),
    )


_TONES = {
    AdviceState.FOLLOWED: "ok",
    AdviceState.READY: "info",
    AdviceState.ASKED: "info",
    AdviceState.ANSWERED: "info",
}


def raw_advice(run: Run) -> list[dict[str, Any]]:
    """Every generation's question and answer as they went over the wire, for reading."""
    return [
        {
            "generation": row.generation,
            "state": row.state,
            "model": row.model,
            "asked_at": told_at(row.asked_at),
            "latency_ms": row.latency_ms,
            "tokens": row.tokens,
            "request": {k: v for k, v in row.request.items() if k != "briefing"},
            "response": row.response,
            "reasons": row.reasons,
            "rules": row.rules,
        }
        for row in Advice.objects.filter(run=run).order_by("generation")
    ]


def _pair(
    leg: Mapping[str, Any], told: Mapping[str, list[dict[str, Any]]], names: Mapping[str, str]
) -> LegPair:
    items = told.get(f"{leg['ticker']} {leg['side']}", [])
    return LegPair(
        leg["side"],
        leg["ticker"],
        names.get(leg["ticker"], leg["ticker"]),
        leg["quantity"],
        _ruled(leg),
        _advised(items) if items else None,
        items[0].get("note", "") if items else "",
        any(item.get("cleaned") for item in items),
    )


def _ruled(leg: Mapping[str, Any]) -> Way:
    return way_of(
        leg["order_type"], leg.get("price_strategy"), leg.get("limit_price"), leg["slices"]
    )


def way_of(kind: object, strategy: object, limit: int | None, slices: Iterable[object]) -> Way:
    """How a leg as stored is sent, in words."""
    parts = tuple(str(part) for part in slices)
    return Way(_rule(kind, strategy, limit), parts if len(parts) > 1 else (), limit)


def _advised(items: list[dict[str, Any]]) -> Way:
    rules = dict.fromkeys(
        _rule(i.get("order_type"), i.get("price_strategy"), i.get("limit_price")) for i in items
    )
    parts = tuple(str(item.get("quantity")) for item in items)
    return Way(" / ".join(rules), parts if len(parts) > 1 else ())


def _rule(kind: object, strategy: object, limit: object) -> str:
    if kind == "MARKET":
        return str(_TYPES["MARKET"])
    if isinstance(strategy, str) and strategy:
        return price_rule(strategy)
    if kind == "LIMIT" and limit:
        return f"{_TYPES['LIMIT']} {limit}"
    return str(kind)


def _strange(item: Mapping[str, Any]) -> str:
    words = [str(item.get(name)) for name in ("action", "ticker", "quantity") if name in item]
    return " ".join(words) or _("읽을 수 없는 항목")


def _fact(row: Mapping[str, Any], asked: datetime) -> FactRow:
    at = _moment(row.get("at"))
    return FactRow(
        str(_FACTS.get(row["name"], row["name"])),
        f"{row['value']} %" if row["name"].endswith("_percent") and row["value"] else row["value"],
        row["source"],
        at,
        _age(at, asked),
        row.get("missing", ""),
    )


def _book(row: Mapping[str, Any], asked: datetime, names: Mapping[str, str]) -> FactRow:
    """Spread and depth of one name."""
    at, name = _moment(row.get("at")), names.get(row["ticker"], row["ticker"])
    if row.get("spread") is None:
        return FactRow(name, None, "KIS", None, None, row.get("missing", ""))
    told = _("스프레드 %(won)s원 (%(ticks)s호가) · 다섯 호가 잔량 매수 %(bid)s, 매도 %(ask)s") % {
        "won": f"{row['spread']:,}",
        "ticks": row["spread_ticks"],
        "bid": f"{row['bid_depth_5']:,}",
        "ask": f"{row['ask_depth_5']:,}",
    }
    return FactRow(name, told, row["source"], at, _age(at, asked), "")


def _title(row: Mapping[str, Any], asked: datetime) -> FactRow:
    at = _moment(row.get("at"))
    return FactRow(row["text"], row["text"], row["source"], at, _age(at, asked), "")


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _age(at: datetime | None, asked: datetime) -> int | None:
    return None if at is None else max(0, round((asked - at).total_seconds()))
