"""An account with its people and records, written straight into the database: pages only read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from config.i18n import compile_messages
from portfolio.models import ModelPortfolio, SubPortfolio
from portfolio.services import create_model_version, create_sub_version
from rebalancing.domain.states import TERMINAL
from rebalancing.models import Leg, RebalancingConfig, RebalancingHistory, Run
from rebalancing.services.targets import decide_targets
from tests.support.authenticator import enrolled
from tests.support.past import made_late
from tests.support.world import make_user
from trading.models import (
    Account,
    AccountMember,
    ApprovalPolicy,
    BrokerOrder,
    Instrument,
    Position,
    Snapshot,
)
from trading.services.roles import ensure_roles

ROOT = Path(__file__).resolve().parents[2]
HASH = "ab" * 32
PASSWORD = "correct horse battery"


@pytest.fixture(scope="session", autouse=True)
def _messages() -> None:
    compile_messages(ROOT / "locale")


@dataclass
class DeskWorld:
    """One account, five people, and verbs that add records to it."""

    account: Account
    people: dict[str, Any]
    names: int = 3
    runs: int = 0
    extras: dict[str, Any] = field(default_factory=dict)

    def client(self, name: str, **options: Any) -> Client:
        """A browser of somebody signed in; who they are is read afresh, as a log-in does."""
        client = Client(**options)
        client.force_login(get_user_model().objects.get(username=name))
        return client

    def proved(self, name: str) -> Client:
        """A browser of somebody with a second factor who has just shown a code."""
        enrolled(self.people[name])
        client = self.client(name)
        session = client.session
        session["proof"] = [timezone.now().isoformat(), "totp"]
        session.save()
        return client

    def policy(self, kind: str) -> None:
        ApprovalPolicy.objects.create(account=self.account, kind=kind, created_by="test")

    def snapshot(self, age: timedelta = timedelta(seconds=20), held: int = 10) -> Snapshot:
        at = timezone.now() - age
        tickers = list(Instrument.objects.values_list("ticker", flat=True))
        quotes = {
            ticker: {
                "last": 10_000,
                "reference": 9_900,
                "upper": 13_000,
                "lower": 7_000,
                "tick": 5,
                "halted": False,
                "vi": False,
                "warning": "",
                "at": at.isoformat(),
            }
            for ticker in tickers
        }
        holdings = {
            t: {"quantity": held + n, "sellable": held, "name": t} for n, t in enumerate(tickers)
        }
        equity = 1_000_000 + sum(row["quantity"] * 10_000 for row in holdings.values())
        for ticker, row in holdings.items():
            Position.objects.update_or_create(
                account=self.account,
                instrument_id=ticker,
                defaults={"quantity": row["quantity"], "cost": 95_000, "updated_at": at},
            )
        Instrument.objects.update(last_price=10_000, priced_at=at)
        return Snapshot.objects.create(
            account=self.account,
            taken_at=at,
            ended_at=at,
            equity=equity,
            cash=1_000_000,
            holdings=holdings,
            quotes=quotes,
            raw="{}",
            raw_hash="0" * 64,
        )

    def run(self, state: str = "AWAITING_APPROVAL", **values: Any) -> Run:
        self.runs += 1
        now = values.pop("now", timezone.now())
        ended = state in {str(s) for s in TERMINAL}
        with made_late("rebalancing_run"):
            run = Run.objects.create(
                account=values.pop("account", self.account),
                slot=f"test:{self.runs}:{now:%H%M%S%f}",
                state=state,
                state_since=now,
                requester=values.pop("requester", "trader"),
                requester_kind="person",
                approval_policy="owner_practice",
                plan_hash=HASH,
                plan_expires_at=now + timedelta(minutes=10),
                created_at=now,
                deadline_at=now + timedelta(hours=2),
                terminal_at=now if ended else None,
                **values,
            )
        ticker = Instrument.objects.order_by("ticker").values_list("ticker", flat=True)[0]
        Leg.objects.create(
            run=run,
            generation=1,
            number=0,
            instrument_id=ticker,
            side="SELL",
            quantity=50,
            reference_price=10_000,
            order_type="LIMIT",
            price_strategy="MINUS_TICKS_1",
            limit_price=9_995,
            slices=[50],
            reason="BID_MINUS_TICK",
            expected_cost=1_500,
        )
        return run

    def order(self, at: datetime, **values: Any) -> BrokerOrder:
        """One share that somebody else ordered, as the broker lists it."""
        usual: dict[str, Any] = {
            "account": self.account,
            "trade_date": at.date(),
            "org_no": "1",
            "order_no": "0000000001",
            "source": "EXTERNAL",
            "instrument": Instrument.objects.first(),
            "side": "BUY",
            "quantity": 1,
            "remaining_quantity": 1,
            "first_seen_at": at,
            "last_seen_at": at,
        }
        return BrokerOrder.objects.create(**usual | values)

    def history(self, run: Run, **values: Any) -> RebalancingHistory:
        usual: dict[str, Any] = {
            "account": run.account,
            "state": run.state,
            "equity_before": 10_000_000,
            "equity_after": 10_001_000,
            "target": {},
            "drift_before": {},
            "drift_after": {},
            "expected_cost": 1_000,
            "real_cost": 1_200,
            "fills": [],
            "created_at": run.created_at,
        }
        return RebalancingHistory.objects.create(run=run, **(usual | values))


@pytest.fixture
def desk(db: None, settings: Any) -> DeskWorld:
    """A simulated account on the wall's clock, with its people, and nothing recorded yet."""
    settings.SIM_CLOCK_URL = ""
    people = {
        "viewer": make_user("viewer", "viewer"),
        "trader": make_user("trader", "trader"),
        "approver": make_user("approver", "approver"),
        "admin": make_user("admin", "admin"),
        "owner": make_user("owner", "trader", "approver", "admin"),
        "stranger": make_user("stranger", "trader", "approver", "admin"),
        "nobody": make_user("nobody"),
    }
    account = Account.objects.create(
        name="Main",
        environment="sim",
        wire="real",
        account_no="99887766-01",
        app_key="CANARYKEY" + "k" * 27,
        app_secret="CANARYSEC" + "s" * 171,
    )
    for name, user in people.items():
        if name not in ("stranger", "nobody"):
            AccountMember.objects.create(account=account, user=user)
    return DeskWorld(account, people)


@pytest.fixture
def instruments(desk: DeskWorld) -> Callable[[int], list[str]]:
    def make(count: int) -> list[str]:
        tickers = [f"{number:06d}" for number in range(100_000, 100_000 + count)]
        Instrument.objects.bulk_create(
            Instrument(ticker=t, name=f"Fund {t}", kind="etf") for t in tickers
        )
        return tickers

    return make


@pytest.fixture
def targeted(desk: DeskWorld, instruments: Callable[[int], list[str]]) -> DeskWorld:
    return bind(desk, instruments(4))


@pytest.fixture
def staff(targeted: DeskWorld) -> Client:
    """The admin's browser, and staff rights for the viewer and the stranger."""
    Group.objects.get(name="admin").permissions.set(Permission.objects.all())
    Group.objects.get(name="viewer").permissions.set(
        Permission.objects.filter(codename__startswith="view_")
    )
    for name in ("admin", "viewer", "stranger"):
        targeted.people[name].is_staff = True
        targeted.people[name].save()
    return targeted.client("admin")


def bind(desk: DeskWorld, tickers: list[str]) -> DeskWorld:
    """Give the account a target over `tickers`: half stocks, half bonds, ten per cent cash."""
    RebalancingConfig.objects.create(updated_by="test")
    mp = ModelPortfolio.objects.create(code="MP-T", name="Test")
    version = create_model_version(
        mp,
        {"STOCK": Decimal("60.00"), "BOND": Decimal("30.00"), "CASH": Decimal("10.00")},
        by="test",
    )
    half = len(tickers) // 2
    subs = []
    for code, asset_class, names in (
        ("S-T", "STOCK", tickers[:half]),
        ("B-T", "BOND", tickers[half:]),
    ):
        sub = SubPortfolio.objects.create(code=code, name=code, asset_class=asset_class)
        even = (Decimal(100) / len(names)).quantize(Decimal("0.01"))
        weights = dict.fromkeys(names, even)
        weights[names[0]] += Decimal(100) - sum(weights.values())
        subs.append(create_sub_version(sub, weights, by="test"))
    desk.extras["decision"] = decide_targets(desk.account, version, subs, by="test")
    return desk


def at_noon() -> datetime:
    return timezone.now().replace(hour=3, minute=0)


@pytest.fixture
def four(staff: Client, targeted: DeskWorld) -> DeskWorld:
    """The account is under four eyes, and everybody may enter the admin."""
    ensure_roles()
    targeted.policy("four_eyes")
    for person in targeted.people.values():
        person.is_staff = True
        person.save()
    return targeted
