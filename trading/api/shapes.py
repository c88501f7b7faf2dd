"""The shapes of answers, for the schema; a test holds every real answer to them.

Won are whole numbers, percentages and rates text with decimals, moments ISO 8601 with an offset, each by
one of two clocks.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

__all__ = ["MARKET", "REAL", "Shape", "market_moment", "maybe_number", "real_moment"]


class Shape(serializers.Serializer[Any]):
    """Read only by the schema."""


MARKET = "by the market's clock: the simulator's for a simulated account, else the real one"
REAL = "by the real clock, whatever time the simulator shows"


def market_moment(*, maybe: bool = False) -> serializers.DateTimeField:
    return serializers.DateTimeField(allow_null=maybe, help_text=MARKET)


def real_moment(*, maybe: bool = False) -> serializers.DateTimeField:
    return serializers.DateTimeField(allow_null=maybe, help_text=REAL)


def maybe_number() -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=True)
