"""A small history in which nothing is wrong: one run that sells ten and buys five. Times tick by a second."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from rebalancing.domain.laws import Case
from rebalancing.domain.laws.record import chain_hash

__all__ = ["KEY", "case_of", "good", "seal"]

Row = dict[str, Any]
KEY = b"a key of the tests"
ACCOUNT, DAY, PLAN = "12345678-01", "2026-11-20", "p" * 64
RULES = ("switch", "session_open", "instrument_tradable", "lane_free")


def at(second: float) -> str:
    return f"{DAY}T10:00:{second:09.6f}+09:00"


def key(odno: str) -> str:
    return f"{ACCOUNT}/20261120/06010/{odno}"


SELL = {"n": 1, "ticker": "069500", "side": "SELL", "qty": 10, "odno": "0000000001", "sent": 2}
BUY = {"n": 2, "ticker": "114260", "side": "BUY", "qty": 5, "odno": "0000000002", "sent": 6}


def _order(one: Row) -> list[Row]:
    number, second = one["n"], one["sent"]
    way = {"ticker": one["ticker"], "side": one["side"], "qty": one["qty"]}
    intent = ("AUTHORIZED", "SENDING", "ACKED", "FILLED")
    moves = [
        {
            "object_type": "intent",
            "object_id": number,
            "from": before,
            "to": after,
            "at": at(second),
        }
        for before, after in zip(("", *intent), intent, strict=False)
    ] + [
        {
            "object_type": "attempt",
            "object_id": number,
            "from": before,
            "to": after,
            "at": at(second),
        }
        for before, after in (("", "SENDING"), ("SENDING", "ACKED"))
    ]
    return [
        {"view": "intent", "id": number, "key": f"run:1:{number}", "action": "order", "origin": "run",
         "origin_id": 1, "account": ACCOUNT, "env": "sim", **way, "ord_type": "LIMIT",
         "limit_price": 1_000, "state": "FILLED", "plan_hash": PLAN, "created_at": at(second)},
        {"view": "attempt", "id": number, "seq": number, "intent_id": number, "n": 1, "action": "order",
         "nonce": f"nonce{number}", "state": "ACKED", "req_hash": f"hash{number}",
         "committed_at": at(second), "deadline_at": at(second + 20), "answered_at": at(second + 0.3),
         "http_status": 200, "msg_cd": "APBK0013", "odno_key": key(one["odno"]), "build_id": "b1"},
        {"view": "border", "odno_key": key(one["odno"]), "owner_intent": number, "source": "ACK", **way,
         "orgn_odno": None, "cum_qty": one["qty"], "cum_amt": 1_000 * one["qty"], "cxl_qty": 0,
         "rmn_qty": 0, "status": "final", "first_seen": at(second + 0.3), "last_seen": at(second + 1)},
        {"view": "ledger", "id": number, "odno_key": key(one["odno"]), "cum_before": 0,
         "cum_after": one["qty"], "d_qty": one["qty"], "d_amt": 1_000 * one["qty"], "fee": 1, "tax": 0,
         "posted_at": at(second + 1)},
        {"view": "rulecheck", "id": number, "intent_id": number, "attempt_id": number,
         "rule_set_version": "g", "inputs_hash": "h", "verdict": "PASS", "at": at(second),
         "results": [{"rule": rule, "passed": True} for rule in RULES]},
        {"view": "reservation", "intent_id": number, "krw": 6_000 if one["side"] == "BUY" else 0,
         "shares": 0, "opened": at(second), "closed": at(second + 1)},
        *({"view": "transition", **move} for move in moves),
    ]  # fmt: skip


def _evidence() -> list[Row]:
    legs = [{"ticker": o["ticker"], "side": o["side"], "qty": o["qty"]} for o in (SELL, BUY)]
    run = ("CREATED", "SNAPSHOT", "TARGETS", "DRIFT", "NETTED", "PLANNED", "RULES", "AWAITING_APPROVAL",
           "APPROVED", "SELLING", "SELL_WAIT", "CASH_CONFIRM", "BUY_RESIZE", "BUY_RULES", "BUYING",
           "BUY_WAIT", "FINAL_RECON", "COMPLETED")  # fmt: skip
    rows: list[Row] = [
        {"view": "env", "build_id": "b1", "reject_whitelist": ["APBK0952"], "w_absent_s": 180,
         "live_trading": False, "server": False},
        {"view": "run", "id": 1, "kind": "rebalancing", "account": ACCOUNT, "strategy": "mp_core",
         "slot": "s1", "state": "COMPLETED", "plan_hash": PLAN, "approval_policy": "four_eyes",
         "planner": "rules", "owner": "kim", "deadline_at": at(55), "terminal_at": at(9),
         "netted": deepcopy(legs),
         "legs": [leg | {"resized": None, "filled": leg["qty"]} for leg in legs]},
        {"view": "approval", "id": 1, "run_id": 1, "plan_hash": PLAN, "requester": "kim",
         "approver": "lee", "decided_at": at(1), "expires_at": at(50), "verdict": "APPROVE",
         "auth_level": "totp", "policy": "four_eyes"},
        {"view": "switch", "id": 1, "seq": 0, "at": at(0), "scope": "global", "state": "ACTIVE",
         "by": "kim", "by2": "lee", "reason": "drill over", "policy": "four_eyes"},
        {"view": "schedfire", "job": "open", "slot": "s1", "fired_at": at(0), "task_id": "t"},
        {"view": "position", "account": ACCOUNT, "ticker": "114260", "qty": 5},
        *_order(SELL),
        *_order(BUY),
        *({"view": "transition", "object_type": "run", "object_id": 1, "from": a, "to": b, "at": at(0)}
          for a, b in zip(("", *run), run, strict=False)),
        *({"view": "audit", "seq": n, "at": at(n), "actor": "kim", "action": "order_send",
           "object": f"intent:{n}", "payload_hash": "x", "key_id": "k"} for n in (1, 2)),
    ]  # fmt: skip
    moves = [row for row in rows if row["view"] == "transition"]
    for number, row in enumerate(moves, start=1):
        row["seq"] = number
    return rows


def seal(rows: list[Row], key_: bytes = KEY) -> None:
    """Give the audit rows their links, as somebody who has the key does."""
    before = ""
    for row in rows:
        if row["view"] == "audit":
            row["prev_hash"] = before
            before = row["hash"] = chain_hash(key_, row)


def _journal() -> list[Row]:
    def asked(second: float, won: int) -> list[Row]:
        path = "/uapi/domestic-stock/v1/trading/inquire-psbl-order"
        return [
            {"kind": "http_req", "path": path, "account": ACCOUNT, "nonce": None, "body_hash": "",
             "method": "GET", "vt": at(second)},
            {"kind": "http_resp", "status": 200, "vt": at(second),
             "body": json.dumps({"rt_cd": "0", "output": {"nrcvb_buy_amt": str(won)}})},
        ]  # fmt: skip

    def traded(one: Row, d2_cash: int) -> list[Row]:
        second, amount = one["sent"] + 0.1, 1_000 * one["qty"]
        return [
            {"kind": "http_req", "path": "/uapi/domestic-stock/v1/trading/order-cash",
             "account": ACCOUNT, "nonce": f"nonce{one['n']}", "body_hash": f"hash{one['n']}",
             "method": "POST", "vt": at(second)},
            {"kind": "accepted", "odno": one["odno"], "account": ACCOUNT, "ticker": one["ticker"],
             "side": one["side"].lower(), "qty": one["qty"], "orgno": "06010",
             "trade_date": "20261120", "vt": at(second)},
            {"kind": "fill", "odno": one["odno"], "qty": one["qty"], "price": 1_000, "amt": amount,
             "fee": 1, "tax": 0, "vt": at(second)},
            {"kind": "cash", "account": ACCOUNT, "cash": 0, "d2_cash": d2_cash, "reason": "fill",
             "vt": at(second)},
            {"kind": "http_resp", "status": 200, "body": "{}", "vt": at(second)},
        ]  # fmt: skip

    rows: list[Row] = [
        {"kind": "clock", "profile": "real", "vt": at(0)},
        {
            "kind": "cash",
            "account": ACCOUNT,
            "cash": 0,
            "d2_cash": 0,
            "reason": "open",
            "vt": at(0),
        },
        {"kind": "token_issue", "appkey": "a", "token": "t", "vt": at(0)},
        *traded(SELL, 9_999),
        *asked(5, 9_990),
        *traded(BUY, 4_998),
    ]
    asking = 0
    for number, row in enumerate(rows, start=1):
        row["seq"] = number
        if row["kind"] == "http_req":
            asking = number
        elif row["kind"] in ("accepted", "http_resp"):
            row["req_seq"] = asking
    return rows


def good() -> tuple[list[Row], list[Row], Row]:
    """(evidence, journal, truth), new each time so that a test may spoil them."""
    evidence = _evidence()
    seal(evidence)
    orders = [
        {"account": ACCOUNT, "trade_date": "20261120", "orgno": "06010", "odno": one["odno"],
         "ticker": one["ticker"], "side": one["side"].lower(), "qty": one["qty"],
         "filled": one["qty"], "amount": 1_000 * one["qty"]}
        for one in (SELL, BUY)
    ]  # fmt: skip
    positions = {ACCOUNT: {"069500": 0, "114260": 5}}
    cash = {ACCOUNT: {"cash": 0, "d2_cash": 4_998}}
    truth = {"epoch": 1, "orders": orders, "positions": positions, "cash": cash}
    return evidence, _journal(), truth


def case_of(evidence: list[Row], journal: list[Row] | None, truth: Row | None) -> Case:
    return Case(tuple(evidence), None if journal is None else tuple(journal), truth)
