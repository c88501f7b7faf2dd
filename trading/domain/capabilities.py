"""What a broker's environment lets a person do, and why not where it does not."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Ability"]


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing that Jeoul can ask of the broker. `missing` are the calls and channels that its
    environment does not offer; it is there when none is missing."""

    code: str
    missing: tuple[str, ...]

    @property
    def offered(self) -> bool:
        return not self.missing
