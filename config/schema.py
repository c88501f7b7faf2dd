"""What every operation of the API has in common, added to the schema in one place."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

__all__ = ["TokenScheme", "tell_problems"]

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
WORDS = {
    "400": "not understood; `errors` by field or `violations`",
    "401": "not signed in, or a token that is unknown or has ended",
    "403": "not your role, or a code is asked for (in the header `X-One-Time-Code`)",
    "404": "no such thing, or not yours",
    "409": "the state has moved on, or the key was used for another request",
    "422": "a rule refuses; every violation is listed",
    "429": "too many changes; `Retry-After` says when again",
    "503": "the broker or the configuration does not answer",
}
EVERYWHERE = ("400", "401", "403", "404")
CHANGES = ("409", "422", "429", "503")
SHAPE = {
    "type": "object",
    "description": "RFC 9457. Beside these it carries the facts of its code, `violations` or `errors`.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "code", "detail"],
    "additionalProperties": {},
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a program signs in; registered by being imported with the authentication that it describes."""

    target_class = "config.token_auth.TokenAuthentication"
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token …` or `Bearer …`, made on the page /accounts/tokens/",
        }


KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,64}$"},
    "description": "the same request again within seven days gets the same answer and does nothing",
}
REPLAYED = {
    "Idempotency-Replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "the answer was given before, nothing was done",
    }
}


def _tell_key(operation: dict[str, Any]) -> None:
    given = operation.setdefault("parameters", [])
    if any(each["name"] == KEY["name"] for each in given):
        operation["responses"]["200"]["headers"] = REPLAYED
        return  # a run asks for its key in words of its own, and its first answer is another status
    given.append(KEY)
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer["headers"] = REPLAYED


def tell_problems(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """A post-processing hook of drf-spectacular: the problem documents that an operation may answer with."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = SHAPE
    for verbs in result["paths"].values():
        for method, operation in verbs.items():
            if method != "get":
                _tell_key(operation)
            statuses = EVERYWHERE if method == "get" else EVERYWHERE + CHANGES
            for status in statuses:
                operation["responses"].setdefault(
                    status, {"description": WORDS[status], "content": PROBLEM}
                )
    return result
