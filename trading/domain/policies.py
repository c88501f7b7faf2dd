"""Which approval policies one person may put in force alone."""

from __future__ import annotations

__all__ = ["needs_second_person"]


def needs_second_person(*, real: bool, kind: str, automatic: bool) -> bool:
    """True when somebody else must agree before the policy rules.

    On a real account everything looser than plain four eyes would let one person decide what until now
    took two. Practice accounts and the strictest policy need nobody.
    """
    return real and (kind != "four_eyes" or automatic)
