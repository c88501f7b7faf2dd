"""A small world for engine tests: a stepped simulator over real sockets, one account, one target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from portfolio.models import ModelPortfolio, SubPortfolio
from portfolio.services import create_model_version, create_sub_version
from rebalancing.models import Run
from rebalancing.services.advance import run_advance
from rebalancing.services.approvals import decide_run
from rebalancing.services.runs import run_open
from rebalancing.services.targets import decide_targets
from trading.domain.sessions import SEOUL
from trading.models import Account, AccountMember, ApprovalPolicy, Instrument
from trading.services.clock import market_clock, simulated_clock
from trading.services.ledger import sleeve_of
from trading.simulator import Simulator

__all__ = ["HOLDINGS", "START", "World", "make_user", "world_of"]

APP_KEY = "CANARYKEY" + "k" * 27
APP_SECRET = "CANARYSEC" + "s" * 171
ACCOUNT_NO = "99887766-01"
START = datetime(2026, 11, 20, 9, 35, tzinfo=SEOUL)
"""A Friday like any other: what a test finds does not depend on the day it runs on."""
KINDS = {"005930": "kospi"}
NAMES = {
    "069500": "KODEX 200",
    "360750": "TIGER 미국S&P500",
    "005930": "삼성전자",
    "114260": "KODEX 국고채3년",
    "148070": "KOSEF 국고채10년",
    "411060": "ACE KRX금현물",
    "130730": "KOSEF 단기자금",
}
HOLDINGS = {"069500": 610, "360750": 590, "005930": 85, "114260": 205, "148070": 78, "411060": 470}
MP = {"STOCK": 50, "BOND": 30, "ALTERNATIVE": 10, "CASH": 10}
SUB = {
    "STOCK": {"069500": 40, "360750": 40, "005930": 20},
    "BOND": {"114260": 50, "148070": 50},
    "ALTERNATIVE": {"411060": 100},
}


def make_user(name: str, *roles: str) -> Any:
    user = get_user_model().objects.create_user(name, password="correct horse battery")
    for role in roles:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def _percent(weights: Mapping[str, int]) -> dict[str, Decimal]:
    return {name: Decimal(weight).quantize(Decimal("0.01")) for name, weight in weights.items()}


@dataclass
class World:
    """The simulator, the account on it, and verbs that read as sentences."""

    sim: Simulator
    account: Account
    owner: Any

    @property
    def now(self) -> datetime:
        return market_clock(self.account).now()

    def open(self, **options: Any) -> Run:
        return run_open(self.account, requester=self.owner.get_username(), **options)

    def drive(
        self,
        run: Run,
        *,
        until: Callable[[Run], bool] | str | None = None,
        approve: bool = True,
        steps: int = 400,
    ) -> Run:
        """Step `run`, moving the clock to whatever is due next, until it ends or `until` holds."""
        wanted = (lambda r: r.state == until) if isinstance(until, str) else until
        for _ in range(steps):
            run = Run.objects.get(pk=run.pk)
            if run.is_terminal or (wanted is not None and wanted(run)):
                return run
            if run.state == "AWAITING_APPROVAL":
                if not approve:
                    return run
                decide_run(run.pk, run.plan_hash, self.owner, "APPROVE")
                continue
            if run.due_at is not None and run.due_at > self.now:
                self.sim.advance((run.due_at - self.now).total_seconds())
            run_advance(run.pk)
        raise AssertionError(f"the run did not end: {run.state} {run.outcome.get('resume', '')}")

    def truth(self) -> dict[str, Any]:
        return self.sim.truth()

    def journal(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in self.sim.journal() if row["kind"] == kind]

    def accepted(self) -> list[dict[str, Any]]:
        """Orders the exchange took, cancels left out."""
        return [row for row in self.journal("accepted") if not row.get("orgn_odno")]

    def settle(self, seconds: float = 30) -> None:
        """Let whatever is still invisible become visible."""
        self.sim.advance(seconds)


@contextmanager
def world_of(
    *,
    holdings: Mapping[str, int] | None = None,
    cash: int = 8_400_000,
    mp: Mapping[str, int] | None = None,
    sub: Mapping[str, Mapping[str, int]] | None = None,
    wire: str = "real",
    policy: str = "owner_practice",
    broker: Callable[..., Any] = Simulator,
    **simulator: Any,
) -> Iterator[World]:
    """A world that is torn down with everything it started. `broker` makes its simulator."""
    holdings = HOLDINGS if holdings is None else holdings
    row = {
        "appkey": APP_KEY,
        "appsecret": APP_SECRET,
        "account": ACCOUNT_NO,
        "cash": cash,
        "holdings": dict(holdings),
    }
    options = {"seed": 11, "tame": True, "throttled": False, "start": START} | simulator
    names = (
        "KIS_HOSTS",
        "SIM_CLOCK_URL",
        "KIS_TOKEN_INTERVAL_SECONDS",
        "KIS_RATE_PER_SECOND",
        "KIS_LEDGER_RATE_PER_SECOND",
    )
    before = {name: getattr(settings, name) for name in names}
    with broker(profile=wire, accounts=[row], **options) as sim, _restored(before):
        settings.KIS_HOSTS = settings.KIS_HOSTS | {wire: sim.base_url}
        settings.SIM_CLOCK_URL = f"{sim.control_url}/__sim/health"
        settings.KIS_TOKEN_INTERVAL_SECONDS = 0  # the tame simulator has no minute rule either
        settings.KIS_RATE_PER_SECOND = {"real": 500, "mock": 500}
        settings.KIS_LEDGER_RATE_PER_SECOND = {"real": 500, "mock": 500}
        simulated_clock.cache_clear()
        yield World(sim, _account(wire, policy, mp or MP, sub or SUB), _owner())


@contextmanager
def _restored(before: Mapping[str, Any]) -> Iterator[None]:
    """The settings that a world changes are the next test's own again.

    They are put back where they were changed: a test that overrode others meanwhile has laid a layer on
    top, and what is written there is gone with it.
    """
    layer = settings._wrapped
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(layer, name, value)
            settings.__dict__.pop(name, None)


def _owner() -> Any:
    return get_user_model().objects.get(username="owner")


def _account(
    wire: str, policy: str, mp: Mapping[str, int], sub: Mapping[str, Mapping[str, int]]
) -> Account:
    for ticker, name in NAMES.items():
        Instrument.objects.create(ticker=ticker, name=name, kind=KINDS.get(ticker, "etf"))
    owner = make_user("owner", "trader", "approver", "admin")
    account = Account.objects.create(
        name="시험 계좌",
        environment="sim",
        wire=wire,
        account_no=ACCOUNT_NO,
        app_key=APP_KEY,
        app_secret=APP_SECRET,
    )
    AccountMember.objects.create(account=account, user=owner)
    ApprovalPolicy.objects.create(account=account, kind=policy, created_by="test")
    sleeve_of(account)
    model = ModelPortfolio.objects.create(code="MP-T", name="시험")
    versions = [
        create_sub_version(
            SubPortfolio.objects.create(code=f"S-{name[:3]}", name=name, asset_class=name),
            _percent(tickers),
            by="test",
        )
        for name, tickers in sub.items()
    ]
    decide_targets(
        account, create_model_version(model, _percent(mp), by="test"), versions, by="test"
    )
    return account
