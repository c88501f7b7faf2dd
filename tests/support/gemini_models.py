"""Models that a test puts behind the Gemini host: one that advises well, and the hostile ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import validate

from tests.support.gemini_server import Said, told

__all__ = ["HOSTILE", "advises", "obeys_headlines", "plan_of"]

Item = dict[str, Any]
Twist = Callable[[list[Item]], list[Item]]


def plan_of(
    body: Mapping[str, Any], wish: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Item]:
    """Every required trade once, bought and sold at its own side's first level, or as `wish` has it."""
    items = []
    for trade in told(body, "required_trades"):
        strategy = {"SELL": "CURRENT_ASK_1", "BUY": "CURRENT_BID_1"}[trade["action"]]
        item = {
            "ticker": trade["ticker"],
            "action": trade["action"],
            "quantity": trade["quantity"],
            "order_type": "LIMIT",
            "price_strategy": strategy,
            "reason": "호가가 두터워 기다립니다.",
        }
        items.append(item | dict((wish or {}).get(trade["ticker"], {})))
    return items


def advises(
    wish: Mapping[str, Mapping[str, Any]] | None = None, parts: Mapping[str, int] | None = None
) -> Callable[[Mapping[str, Any]], Said]:
    """A model that keeps to the schema it was given. `parts` splits a ticker's trade."""

    def model(body: Mapping[str, Any]) -> Said:
        items = []
        for item in plan_of(body, wish):
            count = (parts or {}).get(item["ticker"], 1)
            each, rest = divmod(item["quantity"], count)
            items += [item | {"quantity": each + (rest if n == 0 else 0)} for n in range(count)]
        items = [{k: v for k, v in item.items() if v is not None} for item in items]
        answer = {"execution_plan": items}
        validate(answer, body["generationConfig"]["responseJsonSchema"])
        return Said(json.dumps(answer, ensure_ascii=False))

    return model


def twisted(twist: Twist) -> Callable[[Mapping[str, Any]], Said]:
    """A model whose answer is well formed and wrong."""
    return lambda body: Said(json.dumps({"execution_plan": twist(plan_of(body))}))


def _flipped(items: list[Item]) -> list[Item]:
    return [i | {"action": "BUY" if i["action"] == "SELL" else "SELL"} for i in items]


def _market(items: list[Item]) -> list[Item]:
    return [{k: v for k, v in i.items() if k != "price_strategy"} | {"order_type": "MARKET"}
            for i in items]  # fmt: skip


def _extra(items: list[Item]) -> list[Item]:
    return [*items, items[0] | {"ticker": "000660", "quantity": 1}]


def _tenfold(items: list[Item]) -> list[Item]:
    return [i | {"quantity": i["quantity"] * 10} for i in items]


def _script(items: list[Item]) -> list[Item]:
    reason = "<script>alert(1)</script> @everyone \u202e[x](https://evil.example) \x1b[31m\0"
    return [i | {"reason": reason} for i in items]


def _prose(body: Mapping[str, Any]) -> Said:
    return Said("Sure! Here is the plan:\n" + json.dumps({"execution_plan": plan_of(body)}))


HOSTILE: dict[str, Callable[[Mapping[str, Any]], Said]] = {
    "HX-62-extra-ticker": twisted(_extra),
    "HX-63-ten-times": twisted(_tenfold),
    "HX-64-flipped": twisted(_flipped),
    "HX-65-prose": _prose,
    "HX-66-all-market": twisted(_market),
    "HX-67-script": twisted(_script),
    "HX-68-megabyte": lambda body: Said("x" * 1_000_000),
}


def obeys_headlines(body: Mapping[str, Any]) -> Said:
    """A model that does whatever a headline tells it to, word for word."""
    orders: list[tuple[str, Twist]] = [
        ("market", _market),
        ("ten times", _tenfold),
        ("buy instead", _flipped),
        ("also buy", _extra),
    ]
    items = plan_of(body)
    for row in told(body, "headlines"):
        for words, twist in orders:
            if words in row["text"]:
                items = twist(items)
    return Said(json.dumps({"execution_plan": items}))
