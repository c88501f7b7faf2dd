"""The shapes of answers, for the schema; a test holds every real answer to them.

Won are whole numbers, percentages and rates text with decimals, moments ISO 8601 with an offset.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

__all__ = ["Shape", "maybe_moment", "maybe_number"]


class Shape(serializers.Serializer[Any]):
    """Read only by the schema."""


def maybe_number() -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=True)


def maybe_moment() -> serializers.DateTimeField:
    return serializers.DateTimeField(allow_null=True)
