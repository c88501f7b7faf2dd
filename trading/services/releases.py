"""Trading goes on again after a stop: at once where one person may, else when a second one agrees."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from trading.domain.errors import InputError, Reason, StateConflict
from trading.domain.proof import Proof
from trading.models import ReleaseRequest, Switch
from trading.selectors.independence import asker_grounds, plain_name, second_person_grounds
from trading.selectors.policies import policy_shown
from trading.services.audit import audit
from trading.services.switches import accounts_under, release, require_engaged

__all__ = [
    "agree_release",
    "ask_release",
    "newest_switch",
    "open_requests",
    "release_policy",
    "withdraw_release",
]

LIFE = timedelta(minutes=30)


def release_policy(scope: str) -> str:
    """The strictest policy in force among the accounts that the scope's switch rules, those that are switched
    off among them: one person could switch them off, release, and on again."""
    kinds = {policy_shown(account).kind for account in accounts_under(scope, everyone=True)}
    return next((kind for kind in ("four_eyes", "owner") if kind in kinds), "owner_practice")


def ask_release(
    scope: str, by: str, reason: str, proof: Proof | None = None, *, seen: int | None = None
) -> Switch | ReleaseRequest:
    """Release `scope`, or under four eyes file the request that a second person agrees to.

    `seen` is the row of the switch that the page showed: one that was stopped again since is not released.
    Raises InputError with every reason against it; StateConflict when nothing is engaged, another stop came
    or a request is open already.
    """
    if seen is not None and seen != newest_switch(scope):
        raise StateConflict("stopped_again", scope=scope)
    policy = release_policy(scope)
    if policy != "four_eyes":
        return release(scope, by, "", reason, policy, proof)
    if not reason.strip():
        raise InputError(Reason("reason_required"))
    if _asker_grounds(scope, by):
        raise InputError(Reason("release_needs_an_admin", {"who": plain_name(by)}))
    with transaction.atomic():
        _expire_old()
        require_engaged(scope)
        if ReleaseRequest.objects.select_for_update().filter(scope=scope, outcome="").exists():
            raise StateConflict("release_already_asked", scope=scope)
        now = timezone.now()
        asked = ReleaseRequest.objects.create(
            scope=scope,
            by=by,
            reason=reason[:300],
            at=now,
            expires_at=now + LIFE,
            switch_id=newest_switch(scope),
        )
        audit(by, "release_asked", f"switch:{scope}", {"request": asked.pk, "reason": reason})
    return asked


def agree_release(request_id: int, by: str) -> Switch:
    """The second person agrees and trading goes on.

    Raises StateConflict when the request is no longer open or trading was stopped again since;
    InputError with every reason when `by` is who
    asked, or may be acting for them.
    """
    with transaction.atomic():
        _expire_old()
    with transaction.atomic():
        asked = _open(request_id)
        reasons = second_person_grounds(by, asked.by)
        if plain_name(asked.by) == plain_name(by):
            reasons.append(Reason("second_person_required"))
        reasons += _asker_grounds(asked.scope, asked.by)
        if reasons:
            raise InputError(reasons)
        if asked.switch_id != newest_switch(asked.scope):
            raise StateConflict("stopped_again", scope=asked.scope)
        _close(asked, ReleaseRequest.Outcome.AGREED, second=by)
        return release(asked.scope, asked.by, by, asked.reason, "four_eyes")


def _asker_grounds(scope: str, by: str) -> list[Reason]:
    """A request is a person's, so that this person is not the second one as well: a shell's, too."""
    return asker_grounds(by, accounts_under(scope, everyone=True))


def newest_switch(scope: str) -> int | None:
    """Which row of `scope` is in force."""
    return Switch.objects.filter(scope=scope).order_by("-pk").values_list("pk", flat=True).first()


def withdraw_release(request_id: int, by: str) -> None:
    """Take an open request back; anybody who may stop may do this."""
    with transaction.atomic():
        asked = _open(request_id)
        _close(asked, ReleaseRequest.Outcome.WITHDRAWN)
        audit(by, "release_withdrawn", f"switch:{asked.scope}", {"request": asked.pk})


def open_requests(scopes: list[str]) -> list[ReleaseRequest]:
    """Requests that still wait for a second person, newest first."""
    return list(
        ReleaseRequest.objects.filter(scope__in=scopes, outcome="", expires_at__gt=timezone.now())
    )


def _open(request_id: int) -> ReleaseRequest:
    asked = ReleaseRequest.objects.select_for_update().filter(pk=request_id, outcome="").first()
    if asked is None:
        raise StateConflict("release_not_open", request=request_id)
    return asked


def _close(asked: ReleaseRequest, outcome: ReleaseRequest.Outcome, second: str = "") -> None:
    asked.outcome, asked.second, asked.closed_at = outcome, second, timezone.now()
    asked.save(update_fields=["outcome", "second", "closed_at"])


def _expire_old() -> None:
    now = timezone.now()
    ReleaseRequest.objects.filter(outcome="", expires_at__lte=now).update(
        outcome=ReleaseRequest.Outcome.EXPIRED, closed_at=now
    )
