"""What a form says beforehand where saving it only proposes."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

from trading.models import Account
from trading.selectors.moments import moment_said
from trading.selectors.policies import under_four_eyes
from trading.services.proposals import takes_two, waiting_about

__all__ = ["note_for_accounts", "note_for_everything"]


def note_for_everything(subject: str = "") -> str:
    """For what concerns every account; empty where one person may. `subject` is what a proposal would be about,
    where the form knows it: one that waits already is named, because the new one takes its place."""
    if not takes_two(None):
        return ""
    said = gettext(
        "네 눈 원칙인 계좌가 있어, 저장하면 제안이 됩니다. 다른 승인자가 동의해야 적용됩니다."
    )
    return "\n".join([said, *_waiting([(subject, "")])])


def note_for_accounts(accounts: Iterable[Account], kind: str) -> str:
    """For a form that names one of `accounts`: those where saving proposes; empty where it never does. Those of
    this `kind` of proposal that wait already are named."""
    strict = [account for account in accounts if under_four_eyes(account)]
    if not strict:
        return ""
    said = gettext(
        "네 눈 원칙인 계좌는 저장하면 제안이 되고, 다른 승인자가 동의해야 적용됩니다: %(names)s"
    ) % {"names": ", ".join(str(account) for account in strict)}
    return "\n".join([said, *_waiting((f"{kind}:{one.pk}", str(one)) for one in strict)])


def _waiting(subjects: Iterable[tuple[str, str]]) -> list[str]:
    """What already waits about each subject, with the name of its account."""
    found = ((waiting_about(subject), name) for subject, name in subjects)
    return [
        gettext("기다리는 제안이 이미 있습니다: %(what)s. 새 제안이 그것을 대신합니다.")
        % {"what": " · ".join(filter(None, [name, row.by, moment_said(row.at)]))}
        for row, name in found
        if row is not None
    ]
