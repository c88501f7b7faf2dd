"""Two admins have the same page open: neither undoes what the other did, and both may do what is theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from portfolio.models import ModelPortfolio, SubPortfolio, TargetDecision
from portfolio.services import create_model_version, create_sub_version
from rebalancing.models import RebalancingConfig, RunSchedule
from rebalancing.services.targets import decide_targets
from rebalancing.services.wakeups import make_wakeups
from tests.desk.conftest import DeskWorld
from tests.support.forms import form_of
from trading.models import Account, AuditEntry, Instrument, MarketDay

MEANWHILE = re.compile("그 사이 (다른 사람이|이 계좌의)")
Data = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A page of a row; what the other admin does while it is open; a change of the same, and one of another."""

    name: str
    path: Callable[[DeskWorld], str]
    form: str
    other: Callable[[DeskWorld], None]
    same: Data
    apart: Data
    kept: Callable[[DeskWorld], Any]
    """What the other admin did, to read afterwards."""
    done: Callable[[DeskWorld], Any]
    """What `apart` is to have done."""


def _person(desk: DeskWorld) -> Any:
    return type(desk.people["viewer"]).objects.get(username="viewer")


def _roles(desk: DeskWorld) -> list[str]:
    return sorted(_person(desk).groups.values_list("name", flat=True))


def _schedule(desk: DeskWorld) -> RunSchedule:
    return RunSchedule.objects.get_or_create(account=desk.account, at=time(9, 40))[0]


def _later(desk: DeskWorld) -> None:
    RunSchedule.objects.update(at=time(10, 30))


def _account(desk: DeskWorld) -> Account:
    return Account.objects.get(pk=desk.account.pk)


def _day(desk: DeskWorld) -> MarketDay:
    return MarketDay.objects.get_or_create(day=date(2026, 12, 30))[0]


def _group(name: str) -> int:
    return Group.objects.get_or_create(name=name)[0].pk


def _sweep(desk: DeskWorld) -> PeriodicTask:
    make_wakeups()
    found = PeriodicTask.objects.filter(task__contains="sweep").first()
    assert found is not None
    return found


def _other_rhythm(desk: DeskWorld) -> None:
    faster = IntervalSchedule.objects.get_or_create(every=7, period="seconds")[0]
    PeriodicTask.objects.filter(pk=_sweep(desk).pk).update(interval=faster)


def _model(desk: DeskWorld) -> ModelPortfolio:
    return ModelPortfolio.objects.get(code="MP-T")


def _weights(portfolio: ModelPortfolio) -> dict[str, Decimal]:
    version = portfolio.versions.first()
    assert version is not None
    return version.weights_by_class()


def _other_weights(desk: DeskWorld) -> None:
    weights = {"STOCK": Decimal("40.00"), "BOND": Decimal("50.00"), "CASH": Decimal("10.00")}
    create_model_version(_model(desk), weights, by="other")


def _sub(desk: DeskWorld) -> SubPortfolio:
    return SubPortfolio.objects.get(code="S-T")


def _other_sub(desk: DeskWorld) -> None:
    new = Instrument.objects.create(ticker="123456", name="New", kind="etf")
    first = next(iter(_sub(desk).versions.first().weights_by_ticker()))
    weights = {first: Decimal("30.00"), new.pk: Decimal("70.00")}
    create_sub_version(_sub(desk), weights, by="other")


CASES = [
    Case(
        "a person's roles",
        lambda desk: f"/admin/auth/user/{_person(desk).pk}/change/",
        "user_form",
        lambda desk: _person(desk).groups.set([_group("viewer"), _group("trader")]),
        {"groups": lambda: [_group("approver")]},
        {"first_name": "Kim"},
        _roles,
        lambda desk: _person(desk).first_name == "Kim",
    ),
    Case(
        "a person who was switched off",
        lambda desk: f"/admin/auth/user/{_person(desk).pk}/change/",
        "user_form",
        lambda desk: (
            type(_person(desk)).objects.filter(username="viewer").update(is_active=False) and None
        ),
        {},
        {"first_name": "Lee"},
        lambda desk: _person(desk).is_active,
        lambda desk: _person(desk).first_name == "Lee",
    ),
    Case(
        "a schedule",
        lambda desk: f"/admin/rebalancing/runschedule/{_schedule(desk).pk}/change/",
        "runschedule_form",
        _later,
        {"at": "11:00"},
        {"catch_up": "on"},
        lambda desk: RunSchedule.objects.get().at,
        lambda desk: RunSchedule.objects.get().catch_up,
    ),
    Case(
        "an account's commission",
        lambda desk: f"/admin/trading/account/{desk.account.pk}/change/",
        "account_form",
        lambda desk: Account.objects.update(commission_fund=Decimal("0.00002")) and None,
        {"commission_fund": "0.00009"},
        {"name": "Other name"},
        lambda desk: _account(desk).commission_fund,
        lambda desk: _account(desk).name == "Other name",
    ),
    Case(
        "an account that was switched off",
        lambda desk: f"/admin/trading/account/{desk.account.pk}/change/",
        "account_form",
        lambda desk: Account.objects.update(is_active=False) and None,
        {},
        {"name": "Other name"},
        lambda desk: _account(desk).is_active,
        lambda desk: _account(desk).name == "Other name",
    ),
    Case(
        "a day of the calendar",
        lambda desk: f"/admin/trading/marketday/{_day(desk).pk}/change/",
        "marketday_form",
        lambda desk: (
            MarketDay.objects.filter(day=_day(desk).day).update(
                override="closed", reason="임시 휴장"
            )
            and None
        ),
        {"override": "normal", "reason": "열림"},
        {},
        lambda desk: (_day(desk).override, _day(desk).reason),
        lambda desk: True,
    ),
    Case(
        "a wake-up",
        lambda desk: f"/admin/django_celery_beat/periodictask/{_sweep(desk).pk}/change/",
        "periodictask_form",
        _other_rhythm,
        {
            "interval": lambda: (
                IntervalSchedule.objects.get_or_create(every=9, period="seconds")[0].pk
            )
        },
        {},
        lambda desk: _sweep(desk).interval.every,
        lambda desk: True,
    ),
    Case(
        "an MP's weights",
        lambda desk: f"/admin/portfolio/modelportfolio/{_model(desk).pk}/change/",
        "modelportfolio_form",
        _other_weights,
        {"weight_STOCK": "70.00", "weight_BOND": "20.00"},
        {"description": "for the long run"},
        lambda desk: _weights(_model(desk)),
        lambda desk: _model(desk).description == "for the long run",
    ),
    Case(
        "a Sub-MP's instruments",
        lambda desk: f"/admin/portfolio/subportfolio/{_sub(desk).pk}/change/",
        "subportfolio_form",
        _other_sub,
        {"weight_1": "60.00", "weight_2": "40.00"},
        {"name": "Renamed"},
        lambda desk: _sub(desk).versions.first().weights_by_ticker(),
        lambda desk: _sub(desk).name == "Renamed",
    ),
    Case(
        "an instrument",
        lambda desk: "/admin/trading/instrument/100000/change/",
        "instrument_form",
        lambda desk: Instrument.objects.filter(pk="100000").update(tradable=False) and None,
        {},
        {"name": "Fund of funds"},
        lambda desk: Instrument.objects.get(pk="100000").tradable,
        lambda desk: Instrument.objects.get(pk="100000").name == "Fund of funds",
    ),
]


def filled(data: Data, changes: Data) -> Data:
    return data | {key: value() if callable(value) else value for key, value in changes.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_another_admin_did_survives_and_what_is_mine_is_done(
    case: Case, staff: Client, targeted: DeskWorld
) -> None:
    path = case.path(targeted)
    page = form_of(staff.get(path), case.form)
    case.other(targeted)
    kept = case.kept(targeted)
    answer = staff.post(path, filled(page, case.apart))
    assert answer.status_code in (200, 302), answer.content.decode()[:2000]
    if case.apart:
        assert answer.status_code == 302, MEANWHILE.findall(answer.content.decode())
    assert case.kept(targeted) == kept
    assert case.done(targeted)


@pytest.mark.parametrize("case", [c for c in CASES if c.same], ids=lambda case: case.name)
def test_the_same_thing_changed_by_both_is_refused_and_said(
    case: Case, staff: Client, targeted: DeskWorld
) -> None:
    path = case.path(targeted)
    page = form_of(staff.get(path), case.form)
    case.other(targeted)
    kept, told = case.kept(targeted), AuditEntry.objects.count()
    answer = staff.post(path, filled(page, case.same))
    assert answer.status_code == 200
    assert MEANWHILE.search(answer.content.decode())
    assert case.kept(targeted) == kept and AuditEntry.objects.count() == told


@pytest.mark.parametrize("case", [c for c in CASES if c.same], ids=lambda case: case.name)
def test_whoever_looks_again_may_change_it(case: Case, staff: Client, targeted: DeskWorld) -> None:
    path = case.path(targeted)
    case.other(targeted)
    before = case.kept(targeted)
    page = form_of(staff.get(path), case.form)
    answer = staff.post(path, filled(page, case.same))
    assert answer.status_code == 302, answer.content.decode()
    assert case.kept(targeted) != before


def thresholds() -> tuple[Decimal, Decimal]:
    newest = RebalancingConfig.objects.order_by("-pk").first()
    assert newest is not None
    return newest.mp_threshold_percent, newest.sub_mp_threshold_percent


CONFIG = "/admin/rebalancing/rebalancingconfig/add/"


@pytest.mark.parametrize(
    ("typed", "status", "rules"),
    [
        ({"sub_mp_threshold_percent": "7.0"}, 302, (Decimal("4.0"), Decimal("7.0"))),
        ({"mp_threshold_percent": "9.0"}, 200, (Decimal("4.0"), Decimal("5.0"))),
        ({}, 200, (Decimal("4.0"), Decimal("5.0"))),
    ],
    ids=["another", "the same", "nothing"],
)
def test_thresholds_changed_meanwhile(
    staff: Client, targeted: DeskWorld, typed: Data, status: int, rules: tuple[Decimal, Decimal]
) -> None:
    page = form_of(staff.get(CONFIG), "rebalancingconfig_form")
    RebalancingConfig.objects.create(mp_threshold_percent=Decimal("4.0"), updated_by="other")
    assert staff.post(CONFIG, page | typed).status_code == status
    assert thresholds() == rules


@pytest.mark.parametrize("meanwhile", [True, False])
def test_targets_decided_meanwhile_are_not_decided_over(
    staff: Client, targeted: DeskWorld, meanwhile: bool
) -> None:
    path = "/admin/portfolio/targetdecision/add/"
    page = form_of(staff.get(path), "targetdecision_form")
    old = targeted.extras["decision"]
    if meanwhile:
        decide_targets(
            targeted.account, old.model_version, list(old.sub_versions.all()), by="other"
        )
    count = TargetDecision.objects.count()
    answer = staff.post(path, page | {"reason": "mine"})
    assert answer.status_code == (200 if meanwhile else 302)
    assert bool(MEANWHILE.search(answer.content.decode())) == meanwhile
    assert TargetDecision.objects.count() == count + (not meanwhile)
