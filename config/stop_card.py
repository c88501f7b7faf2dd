"""The health page's card about the switch: what is stopped, who may do what about it, and why not."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from trading.domain.errors import Reason
from trading.models import Account, AccountMember, Switch
from trading.selectors.independence import plain_name, second_person_grounds
from trading.selectors.people import Role, has_role
from trading.services.policies import waiting_policy
from trading.services.releases import newest_switch, open_requests, release_policy
from trading.services.switches import GLOBAL, account_scope, file_state, stops_of, switch_state
from trading.views.parts import Part
from trading.views.switches import kept_reason

__all__ = ["stop_card", "waiting_policy_of"]

SHOWN = 8


def stop_card(request: HttpRequest, account: Account) -> Part:
    """Keeps itself fresh: a card that says "may trade" under a header that says "stopped" would lie."""
    scopes = [GLOBAL, account_scope(account)]
    everything, alone = stops_of(account)
    rows = list(Switch.objects.filter(scope__in=scopes)[:SHOWN])
    may_stop = has_role(request.user, Role.TRADER, Role.APPROVER, Role.ADMIN)
    context = {
        "account": account,
        "switch": switch_state(account),
        "everything": everything,
        "alone": alone,
        "kill_file": file_state() == "HALTED",
        "global_scope": GLOBAL,
        "release_requests": _requests(request, scopes),
        "switch_rows": rows,
        "may_stop": may_stop,
        # what a stop of everything covers already is not offered to be stopped once more
        "stop_alone": may_stop and "HALTED" not in (everything, alone),
        "stop_all": may_stop and everything != "HALTED",
        "may_release": has_role(request.user, Role.ADMIN),
        "releases_all": _is_member_of_all(request) if everything != "ACTIVE" else False,
        "two_for_alone": release_policy(scopes[1]) == "four_eyes" if alone != "ACTIVE" else False,
        "two_for_all": release_policy(GLOBAL) == "four_eyes" if everything != "ACTIVE" else False,
        "typed_reason": kept_reason(request),
        "switch_all": newest_switch(GLOBAL),
        "switch_alone": newest_switch(scopes[1]),
    }
    url = f"{reverse('health-switch')}?account={account.pk}"
    return Part("switch-card", url, "config/_switch.html", context)


def _is_member_of_all(request: HttpRequest) -> bool:
    own = AccountMember.objects.filter(user=request.user.pk).values("account")
    return not Account.objects.exclude(pk__in=own).exists()


def waiting_policy_of(request: HttpRequest, account: Account) -> dict[str, Any] | None:
    """The policy that waits for a second person, with what stands against this one, None where they decide
    about nothing."""
    found = waiting_policy(account)
    if found is None:
        return None
    return {"row": found} | _agreement(request, found.created_by, "policy_needs_another_person")


def _requests(request: HttpRequest, scopes: list[str]) -> list[dict[str, Any]]:
    """Open requests, each with what stands against this person being the second one. Who asked reads in
    the request itself that another person is needed."""
    found: list[dict[str, Any]] = []
    for asked in open_requests(scopes):
        told = _agreement(request, asked.by, "second_person_required")
        own = [ground for ground in told["grounds"] if ground.code != "second_person_required"]
        found.append({"asked": asked} | told | {"grounds": own})
    return found


def _agreement(request: HttpRequest, first: str, same: str) -> dict[str, Any]:
    me = request.user.get_username()
    decides = has_role(request.user, Role.APPROVER, Role.ADMIN)
    is_approver = has_role(request.user, Role.APPROVER)
    grounds = (
        [Reason(same)] if plain_name(first) == plain_name(me) else second_person_grounds(me, first)
    )
    if not is_approver:
        grounds = [*grounds, Reason("approver_role_required")]
    return {
        "may_withdraw": decides,
        "may_agree": decides and not grounds,
        "grounds": grounds if decides else [],
    }
