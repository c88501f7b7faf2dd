"""The stop that ended a run: whose it was and why, as the switch's own row says it."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from rebalancing.domain.states import RunState
from rebalancing.models import Run
from rebalancing.selectors.timeline import stopped_by, transitions_of
from rebalancing.selectors.told import Told
from trading.models import Account
from trading.selectors.said import actor_said, reason_said
from trading.selectors.scopes import GLOBAL
from trading.selectors.stops import stop_before

__all__ = ["stop_of"]


def stop_of(run: Run) -> list[Told]:
    """Nothing where no stop ended the run, or where no row says whose it was: a file alone stops, too."""
    moves = transitions_of(run)
    if stopped_by(run, moves) != "switch":
        return []
    halted = [move for move in moves if move.to_state in (RunState.HALTED, RunState.CANCELED)]
    if not halted:
        return []
    met = halted[0]
    row = stop_before(run.account, met.at, _wall(run.account, met.recorded_at) or met.at)
    if row is None:
        return []
    facts = {"who": actor_said(row.by), "why": reason_said(row.reason)}
    text = (
        _("%(who)s: 모든 계좌를 정지해서 멈췄습니다 (%(why)s)")
        if row.scope == GLOBAL
        else _("%(who)s: 이 계좌를 정지해서 멈췄습니다 (%(why)s)")
    )
    return [Told(text % facts, row, row.at)]


def _wall(account: Account, recorded: datetime | None) -> datetime | None:
    """A stop of everything is written by the wall's clock as soon as one account is no simulated one."""
    sim = Account.Environment.SIM
    mixed = Account.objects.filter(is_active=True).exclude(environment=sim).exists()
    return recorded if account.environment == sim and mixed else None
