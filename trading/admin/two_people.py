"""What a form says beforehand where saving it only proposes."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

from trading.models import Account
from trading.selectors.policies import under_four_eyes
from trading.services.proposals import takes_two

__all__ = ["note_for_accounts", "note_for_everything"]


def note_for_everything() -> str:
    """For what concerns every account; empty where one person may."""
    if not takes_two(None):
        return ""
    return gettext(
        "네 눈 원칙인 계좌가 있어, 저장하면 제안이 됩니다. 다른 승인자가 동의해야 적용됩니다."
    )


def note_for_accounts(accounts: Iterable[Account]) -> str:
    """For a form that names one of `accounts`: those where saving proposes; empty where it never does."""
    names = [str(account) for account in accounts if under_four_eyes(account)]
    if not names:
        return ""
    return gettext(
        "네 눈 원칙인 계좌는 저장하면 제안이 되고, 다른 승인자가 동의해야 적용됩니다: %(names)s"
    ) % {"names": ", ".join(names)}
