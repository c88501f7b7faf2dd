"""The schema is the contract: every operation is called, and every answer is what it says and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.rebalancing.contract_calls import (
    BASE,
    CALLS,
    Call,
    Facts,
    client_for,
    facts_of,
    path_of,
    planned,
    send,
)
from tests.support.world import World, make_user

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def facts(world: World) -> Facts:
    return facts_of(world)


def schema_of(client: APIClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/schema/?format=json").json()
    return closed(found)


def closed(node: Any) -> Any:
    """The schema with every object closed: what is not described may not be answered."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {k: closed(v) for k, v in node.items()}
    if "properties" in made and "additionalProperties" not in made and made.get("type") == "object":
        made["additionalProperties"] = False
    if made.pop("nullable", False):
        return {"anyOf": [made, {"type": "null"}]}
    return made


def check(schema: dict[str, Any], call: Call, answer: Any) -> None:
    operation = schema["paths"][BASE + call.path][call.method]
    assert str(answer.status_code) in operation["responses"], answer.content[:300]
    told = operation["responses"][str(answer.status_code)]["content"]
    kind = answer["Content-Type"].split(";")[0]
    assert kind in told, f"{kind} is not described"
    if kind != "application/x-ndjson":
        body = json.loads(answer.content)
        jsonschema.Draft202012Validator(
            told[kind]["schema"] | {"components": schema["components"]}
        ).validate(body)


def test_every_operation_of_the_schema_is_called_here(world: World) -> None:
    schema = schema_of(client_for(world.owner))
    described = {
        (method, path.removeprefix(BASE))
        for path, verbs in schema["paths"].items()
        for method in verbs
        if path.startswith(BASE)
    }
    assert described == {(call.method, call.path) for call in CALLS}


@pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c.method} {c.path}")
def test_an_answer_is_what_the_schema_says(world: World, facts: Facts, call: Call) -> None:
    client = client_for(world.owner)
    schema = schema_of(client)
    call.prepare(client, facts)
    answer = send(client, call, facts)
    assert answer.status_code == call.status, answer.content[:500]
    check(schema, call, answer)


MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
UNDATED = {
    ("get", "/rebalancing/status"),
    ("get", "/rebalancing-status"),
    ("get", "/rebalancing/drift"),
    ("post", "/rebalancing/config"),
    ("get", "/rebalancing/config"),
    ("get", "/limits"),
}
"""What has no moment in it in a world that has not been looked at yet."""


SLOTS = ".results.slot"
"""A slot's name has its time in it and is no moment."""


def moments(node: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text in an answer that is a moment, with the way to it."""
    if isinstance(node, dict):
        for name, inner in node.items():
            yield from moments(inner, f"{where}.{name}")
    elif isinstance(node, list):
        for inner in node:
            yield from moments(inner, where)
    elif isinstance(node, str) and where != SLOTS and MOMENT.match(node):
        yield where, node


def bodies(answer: Any) -> list[Any]:
    text = answer.content
    return [json.loads(line) for line in text.decode().splitlines()]


@pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c.method} {c.path}")
def test_every_moment_of_an_answer_is_korean_time(world: World, facts: Facts, call: Call) -> None:
    client = client_for(world.owner)
    call.prepare(client, facts)
    found = list(moments(bodies(send(client, call, facts))))
    assert [one for one in found if not one[1].endswith("+09:00")] == []
    assert found or (call.method, call.path) in UNDATED


def test_a_moment_is_the_same_text_in_the_answer_that_made_it_and_ever_after(
    world: World, facts: Facts
) -> None:
    client = client_for(world.owner)
    path = f"{BASE}/rebalancing/runs"
    body = {"account": facts["account"]}
    key = {"HTTP_IDEMPOTENCY_KEY": "contract-0003"}
    made = client.post(path, body, format="json", **key).json()
    again = client.post(path, body, format="json", **key).json()
    read = client.get(f"{path}/{made['run']}").json()
    listed = client.get(path).json()["results"][0]
    assert made["created_at"].endswith("+09:00")
    assert {each["created_at"] for each in (made, again, read, listed)} == {made["created_at"]}


@pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c.method} {c.path}")
def test_a_refusal_is_what_the_schema_says(world: World, facts: Facts, call: Call) -> None:
    schema = schema_of(client_for(world.owner))
    nobody, stranger = Client(), client_for(make_user("contract-stranger"))
    check(schema, call, nobody_sends(nobody, call))
    refused = send(stranger, call, facts)
    assert refused.status_code in (403, 404)
    check(schema, call, refused)
    garbled = client_for(world.owner)
    if call.method != "get" and call.body is not None:
        path = path_of(call, {})
        answer = getattr(garbled, call.method)(
            path,
            b"{not json",
            content_type="application/json",
            HTTP_IDEMPOTENCY_KEY="contract-0002",
        )
        assert answer.status_code in (400, 404)
        check(schema, call, answer)


def nobody_sends(client: Client, call: Call) -> Any:
    path = path_of(call, {})
    answer = getattr(client, call.method)(path, content_type="application/json")
    assert answer.status_code == 401
    return answer


def test_a_body_that_is_not_described_is_found(world: World) -> None:
    """The control of this file: a field too many and one too few both fail."""
    client = client_for(world.owner)
    schema = schema_of(client)
    shape = schema["components"]["schemas"]["Config"] | {"components": schema["components"]}
    body = client.get(f"{BASE}/rebalancing/config").json()
    validator = jsonschema.Draft202012Validator(shape)
    validator.validate(body)
    assert not validator.is_valid(body | {"more": 1})
    assert not validator.is_valid({k: v for k, v in body.items() if k != "mp_threshold_percent"})


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?state=COMPLETED", 200),
        ("?state=completed", 400),
        ("?state=AWAITING_APPROVAL%00", 400),
        ("?account={account}", 200),
        ("?account=9999999", 200),
        ("?account=１", 400),
        ("?account=-1", 400),
        ("?dry_run=true", 200),
        ("?dry_run=1", 400),
        ("?planner=rules", 200),
        ("?planner=gpt", 400),
        ("?since=2026-11-20&until=2026-11-30", 200),
        ("?since=20261120", 400),
        ("?since=2026-13-01", 400),
        ("?until=9999-12-31", 400),
        ("?sort=state", 400),
        ("?page=999", 404),
        ("?page=x", 400),
        ("?page_size=abc", 400),
        ("?page_size=0", 400),
        ("?page_size=-5", 400),
        ("?account=", 400),
        ("?state=", 400),
        ("?since=0001-01-01", 400),
        ("?since=2026-W01-1", 400),
        ("?page_size=10000", 200),
    ],
)
def test_filters_are_read_or_refused_and_never_ignored(
    world: World, facts: Facts, query: str, status: int
) -> None:
    client = client_for(world.owner)
    answer = client.get(
        f"{BASE}/rebalancing/runs" + query.replace("{account}", str(facts["account"]))
    )
    assert answer.status_code == status, answer.content[:300]
    if status == 400 and "%00" not in query:
        code = "filter_unknown" if "sort" in query else "filter"
        assert answer.json()["violations"][0]["code"] == code


def test_filters_find_what_they_name(world: World, facts: Facts) -> None:
    client = client_for(world.owner)
    planned(client, facts)

    def count(query: str) -> int:
        return int(client.get(f"{BASE}/rebalancing/runs?{query}").json()["count"])

    day = client.get(f"{BASE}/rebalancing/runs/{facts['run']}").json()["created_at"][:10]
    assert count("state=AWAITING_APPROVAL") == 1 and count("state=COMPLETED") == 0
    assert count("dry_run=false&planner=rules") == 1 and count("dry_run=true") == 0
    assert count(f"since={day}&until={day}") == 1 and count("until=2001-01-01") == 0
    assert count(f"account={facts['account']}") == 1 and count("account=9999999") == 0
