"""Who may see an account, and who ever might."""

from __future__ import annotations

import json

from trading.models import Account, AccountMember, AuditEntry

__all__ = ["had_other_members", "member_names"]


def member_names(account: Account) -> set[str]:
    rows = AccountMember.objects.filter(account=account)
    return set(rows.values_list("user__username", flat=True))


def had_other_members(account: Account, name: str) -> bool:
    """True when anybody but `name` is a member, or is on record as having come or gone.

    Who was let in by the shell and is still there counts; who came and went without a record does not.
    """
    if member_names(account) - {name}:
        return True
    rows = AuditEntry.objects.filter(action="account_members", object=f"account:{account.pk}")
    for payload in rows.values_list("payload", flat=True):
        told = json.loads(payload)
        if {*told.get("added", ()), *told.get("removed", ())} - {name}:
            return True
    return False
