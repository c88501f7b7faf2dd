"""An account that waits for a person: no run starts and nothing is bought until somebody has looked."""

from __future__ import annotations

from django.db import transaction

from trading.domain.errors import StateConflict
from trading.models import Account
from trading.services.audit import audit

__all__ = ["lift_pause", "pause_account"]


def pause_account(account: Account, reason: str, by: str) -> bool:
    """Pause `account`; what paused it first stays the reason. True when it was not paused before."""
    with transaction.atomic():
        paused = Account.objects.filter(pk=account.pk, paused_reason="").update(
            paused_reason=reason
        )
        if paused:
            audit(by, "account_paused", f"account:{account.pk}", {"reason": reason})
    return bool(paused)


def lift_pause(account: Account, by: str, reason: str = Account.EXTERNAL_ORDER) -> None:
    """A person has looked: what was paused for `reason` goes on.

    Raises StateConflict when the account is not paused for that reason.
    """
    with transaction.atomic():
        lifted = Account.objects.filter(pk=account.pk, paused_reason=reason).update(
            paused_reason=""
        )
        if not lifted:
            raise StateConflict("account_not_paused", account=account.pk)
        audit(by, "account_resumed", f"account:{account.pk}", {"reason": reason})
