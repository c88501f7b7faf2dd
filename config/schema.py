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
    "409": "the state has moved on",
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


def tell_problems(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """A post-processing hook of drf-spectacular: the problem documents that an operation may answer with."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = SHAPE
    for verbs in result["paths"].values():
        for method, operation in verbs.items():
            statuses = EVERYWHERE if method == "get" else EVERYWHERE + CHANGES
            for status in statuses:
                operation["responses"].setdefault(
                    status, {"description": WORDS[status], "content": PROBLEM}
                )
    return result
