"""What struck a world, and what a person was called for."""

from __future__ import annotations

from tests.support.world import World
from trading.models import Alert

__all__ = ["fired", "paged"]


def fired(world: World) -> list[str]:
    """The faults that struck, in their order."""
    return [row["fault"] for row in world.journal("fault_fired")]


def paged(code: str) -> bool:
    return Alert.objects.filter(code=code, severity="page").exists()
