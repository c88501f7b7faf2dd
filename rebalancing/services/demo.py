"""The demo world: people, instruments, presets and an account whose portfolio has drifted.

Nothing here is special to the engine; it writes the rows a person would enter. Passwords and keys are
made at first use and kept in `var/`.
"""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext_noop

from portfolio.models import ModelPortfolio, SubPortfolio
from portfolio.services import create_model_version, create_sub_version
from rebalancing.models import RunSchedule
from rebalancing.services.targets import current_config, decide_targets
from trading.models import Account, AccountMember, ApprovalPolicy, Instrument
from trading.selectors.people import Role
from trading.services.ledger import sleeve_of
from trading.services.roles import ensure_roles

__all__ = ["DEMO_USER", "DemoFiles", "load_demo"]

DEMO_USER = "demo"
FIRST_TARGETS = gettext_noop("데모 기본 목표")
"""Kept as it stands here and said in the language of whoever reads it."""
_PEOPLE = {
    DEMO_USER: (Role.TRADER, Role.APPROVER, Role.ADMIN),
    "viewer": (Role.VIEWER,),
    "trader": (Role.TRADER,),
    "trader2": (Role.TRADER,),
    "approver": (Role.APPROVER,),
    "approver2": (Role.APPROVER,),
    "admin": (Role.ADMIN,),
    "admin2": (Role.ADMIN,),
}
_INSTRUMENTS = (
    ("069500", "KODEX 200", "etf"),
    ("102110", "TIGER 200", "etf"),
    ("360750", "TIGER 미국S&P500", "etf"),
    ("133690", "TIGER 미국나스닥100", "etf"),
    ("114260", "KODEX 국고채3년", "etf"),
    ("148070", "KOSEF 국고채10년", "etf"),
    ("153130", "KODEX 단기채권", "etf"),
    ("130730", "KOSEF 단기자금", "etf"),
    ("411060", "ACE KRX금현물", "etf"),
    ("132030", "KODEX 골드선물(H)", "etf"),
    ("091160", "KODEX 반도체", "etf"),
    ("005930", "삼성전자", "kospi"),
    ("000660", "SK하이닉스", "kospi"),
    ("035420", "NAVER", "kospi"),
    ("035720", "카카오", "kospi"),
    ("051910", "LG화학", "kospi"),
    ("005380", "현대차", "kospi"),
    ("068270", "셀트리온", "kospi"),
    ("247540", "에코프로비엠", "kosdaq"),
)
_MODELS = {
    "MP-1": ("안정 Conservative", {"STOCK": 20, "BOND": 55, "ALTERNATIVE": 10, "CASH": 15}),
    "MP-2": ("안정 성장 Moderate", {"STOCK": 35, "BOND": 45, "ALTERNATIVE": 10, "CASH": 10}),
    "MP-3": ("균형 Balanced", {"STOCK": 50, "BOND": 30, "ALTERNATIVE": 10, "CASH": 10}),
    "MP-4": ("성장 Growth", {"STOCK": 65, "BOND": 20, "ALTERNATIVE": 10, "CASH": 5}),
    "MP-5": ("공격 Aggressive", {"STOCK": 80, "BOND": 8, "ALTERNATIVE": 8, "CASH": 4}),
}
_SUBS = {
    "Eq-A": ("국내외 균형 Korea and US", "STOCK", {"069500": 40, "360750": 40, "005930": 20}),
    "Eq-N": ("미국 중심 US", "STOCK", {"360750": 60, "133690": 40}),
    "Bnd-L": ("장단기 국고채 Treasuries", "BOND", {"114260": 50, "148070": 50}),
    "Bnd-S": ("단기채 Short bonds", "BOND", {"153130": 70, "130730": 30}),
    "Alt-C": ("금 Gold", "ALTERNATIVE", {"411060": 100}),
}
_HOLDINGS = {"069500": 610, "360750": 590, "005930": 85, "114260": 205, "148070": 78, "411060": 470}
_CASH = 8_400_000


@dataclass(frozen=True)
class DemoFiles:
    """Where the demo keeps what it made: the login and the simulator's accounts."""

    folder: Path

    @property
    def login(self) -> Path:
        return self.folder / "login.json"

    @property
    def accounts(self) -> Path:
        return self.folder / "accounts.json"


def demo_files() -> DemoFiles:
    folder = settings.VAR / "demo"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return DemoFiles(folder)


def _write(path: Path, value: Any) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
    os.replace(temporary, path)


def _token(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def load_demo(*, wire: str = "real") -> dict[str, str]:
    """Make whatever of the demo world is missing; returns {"user", "password", "account"}.

    Safe to repeat: rows that exist, and what people changed in them, stay.
    """
    files = demo_files()
    login = _login(files)
    with transaction.atomic():
        people = _people(login["password"])
        instruments = [
            Instrument(ticker=ticker, name=name, kind=kind) for ticker, name, kind in _INSTRUMENTS
        ]
        Instrument.objects.bulk_create(instruments, ignore_conflicts=True)
        _presets()
        account = _account(files, wire)
        for user in people:
            AccountMember.objects.get_or_create(account=account, user=user)
        current_config()
    return login | {"account": str(account.pk)}


def _login(files: DemoFiles) -> dict[str, str]:
    if not files.login.exists():
        password = settings.DEMO_PASSWORD or f"{_token(4)}-{_token(4)}-{_token(4)}"
        _write(files.login, {"user": DEMO_USER, "password": password})
    found: dict[str, str] = json.loads(files.login.read_text(encoding="utf-8"))
    return found


def _people(password: str) -> list[Any]:
    users = get_user_model()
    groups = ensure_roles()
    found = []
    for name, roles in _PEOPLE.items():
        user, made = users.objects.get_or_create(username=name, defaults={"is_staff": True})
        if made:
            user.set_password(password)
            user.save()
            user.groups.set([groups[role] for role in roles])
        found.append(user)
    return found


def _presets() -> None:
    for code, (name, weights) in _MODELS.items():
        portfolio, made = ModelPortfolio.objects.get_or_create(code=code, defaults={"name": name})
        if made:
            create_model_version(portfolio, _percent(weights), by="demo")
    for code, (name, asset_class, tickers) in _SUBS.items():
        sub, made = SubPortfolio.objects.get_or_create(
            code=code, defaults={"name": name, "asset_class": asset_class}
        )
        if made:
            create_sub_version(sub, _percent(tickers), by="demo")


def _percent(weights: dict[str, int]) -> dict[str, Decimal]:
    return {name: Decimal(weight).quantize(Decimal("0.01")) for name, weight in weights.items()}


def _account(files: DemoFiles, wire: str) -> Account:
    if files.accounts.exists():
        (row,) = json.loads(files.accounts.read_text(encoding="utf-8"))
    else:
        row = {
            "appkey": _token(36),
            "appsecret": _token(180),
            "account": f"{secrets.randbelow(90_000_000) + 10_000_000}-01",
            "cash": _CASH,
            "holdings": _HOLDINGS,
        }
        _write(files.accounts, [row])
    found = Account.objects.filter(name="데모 계좌", environment=Account.Environment.SIM).first()
    if found is not None:
        return found
    account = Account.objects.create(
        name="데모 계좌",
        environment=Account.Environment.SIM,
        wire=wire,
        account_no=row["account"],
        app_key=row["appkey"],
        app_secret=row["appsecret"],
    )
    sleeve_of(account)
    ApprovalPolicy.objects.create(
        account=account,
        kind=ApprovalPolicy.Kind.OWNER_PRACTICE,
        automatic=True,
        created_by="demo",
    )
    RunSchedule.objects.create(account=account, at=time(9, 40), enabled=False)
    decide_targets(
        account,
        ModelPortfolio.objects.get(code="MP-3").versions.get(number=1),
        [
            SubPortfolio.objects.get(code=code).versions.get(number=1)
            for code in ("Eq-A", "Bnd-L", "Alt-C")
        ],
        by="demo",
        reason=FIRST_TARGETS,
    )
    return account
