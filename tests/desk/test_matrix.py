"""Every address × every role, from the address book itself: who may see it, and that refusals change nothing.

The tables here are the design's, written by hand; the routes come from the running site, so that a new page
that nobody put into a table fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import URLResolver, get_resolver

from rebalancing.domain.states import RunState
from rebalancing.models import Leg
from tests.support.world import World, make_user
from trading.models import AccountMember, Alert, Attempt
from trading.services.roles import ensure_roles

pytestmark = [pytest.mark.money, pytest.mark.once, pytest.mark.django_db(transaction=True)]

ROLES = ("viewer", "trader", "approver", "admin")
PEOPLE = (*ROLES, "stranger", "superuser", "nobody", "anonymous")
EVERYBODY = frozenset(ROLES)
DECIDERS, ADMINS = frozenset({"approver", "admin"}), frozenset({"admin"})

SEEN: dict[str, frozenset[str]] = {
    "trading.switch": frozenset({"trader", "approver", "admin"}),
    "trading.transition": DECIDERS,
    "trading.auditentry": DECIDERS,
    "trading.releaserequest": frozenset({"trader", "approver", "admin"}),
    "trading.kistoken": ADMINS,
    "trading.credentialchange": DECIDERS,
    "trading.processepoch": ADMINS,
    "trading.apitoken": ADMINS,
    "django_celery_beat.periodictask": ADMINS,
    "django_celery_beat.intervalschedule": ADMINS,
    "django_celery_beat.crontabschedule": ADMINS,
    "auth.user": frozenset({"admin", "superuser"}),
}
"""Who may open the list of a record; four roles where it is not named."""
ADDED: dict[str, frozenset[str]] = {
    "trading.account": ADMINS,
    "trading.approvalpolicy": ADMINS,
    "trading.marketday": ADMINS,
    "trading.tradinglimits": ADMINS,
    "trading.instrument": ADMINS,
    "portfolio.modelportfolio": ADMINS,
    "portfolio.subportfolio": ADMINS,
    "portfolio.targetdecision": ADMINS,
    "rebalancing.runschedule": ADMINS,
    "rebalancing.rebalancingconfig": ADMINS,
    "django_celery_beat.intervalschedule": ADMINS,
    "django_celery_beat.crontabschedule": ADMINS,
    "auth.user": frozenset({"admin", "superuser"}),
}
"""Who may open the form that adds one; nobody where it is not named: those are made by what happens."""
MONEY = {
    "trading.intent",
    "trading.attempt",
    "trading.brokerorder",
    "trading.ledger",
    "trading.lot",
    "trading.lotposting",
    "trading.reservation",
    "trading.rulecheck",
    "trading.decision",
    "trading.enumeration",
    "trading.lane",
    "rebalancing.leg",
    "trading.position",
    "trading.approval",
    "trading.snapshot",
    "trading.auditentry",
    "trading.transition",
    "rebalancing.run",
    "rebalancing.rebalancinghistory",
}


@dataclass
class Site:
    """A run that went all the way, everybody who could look at it, and the address book."""

    world: World
    people: dict[str, Any]
    run: int
    waiting: int

    def client(self, name: str) -> Client:
        client = Client()
        if name != "anonymous":
            client.force_login(self.people[name])
        return client


@pytest.fixture
def site(world: World) -> Site:
    run = world.drive(world.open())
    assert run.state == RunState.COMPLETED
    waiting = world.drive(world.open(dry_run=False), approve=False)
    Alert.objects.create(
        severity="warning", code="code_locked", subject="test", created_at=run.created_at,
        account=world.account,
    )  # fmt: skip
    people = {name: make_user(name, name) for name in ROLES}
    people["stranger"] = make_user("stranger", *ROLES)
    people["nobody"] = make_user("nobody")
    people["superuser"] = make_user("superuser")
    ensure_roles()
    for name, person in people.items():
        person.is_staff = name != "nobody"
        person.is_superuser = name == "superuser"
        person.save()
        if name in ROLES:
            AccountMember.objects.create(account=world.account, user=person)
    return Site(world, people, run.pk, waiting.pk)


def routes(prefix: str) -> list[str]:
    return [route for route in _walk(get_resolver().url_patterns) if route.startswith(prefix)]


def _walk(patterns: list[Any], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route


def filled(site: Site, route: str) -> str:
    """An address of the route: ids of rows that exist."""
    leg = Leg.objects.filter(run_id=site.run).values_list("pk", flat=True).first()
    known = {
        "run_id": site.run,
        "pk": site.run,
        "leg_id": leg,
        "attempt_id": Attempt.objects.values_list("pk", flat=True).first(),
        "account_id": site.world.account.pk,
        "alert_id": Alert.objects.values_list("pk", flat=True).first(),
        "rest": "nothing",
    }
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(known.get(m[1], 1)), route)
    return path.replace("\\Z", "").replace("$", "").replace("^", "")


def digest() -> dict[str, int]:
    """All that the database holds but sessions, as one number a table."""
    return {
        model._meta.label: hash(tuple(model._default_manager.order_by("pk").values_list()))
        if not _unhashable(model)
        else hash(str(list(model._default_manager.order_by("pk").values_list())))
        for model in apps.get_models()
        if model._meta.label not in ("sessions.Session", "admin.LogEntry")
    }


def _unhashable(model: Any) -> bool:
    return any(field.get_internal_type() == "JSONField" for field in model._meta.fields)


def test_lists_and_forms_of_the_admin_open_for_those_the_table_names(site: Site) -> None:
    clients = {name: site.client(name) for name in PEOPLE}
    wrong = []
    for model in admin.site._registry:
        label = model._meta.label_lower
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for name, client in clients.items():
            members = SEEN.get(label, EVERYBODY | {"stranger"})
            may_see = name in members or (name == "stranger" and bool(members & EVERYBODY))
            adders = ADDED.get(label, frozenset())
            may_add = name in adders or (name == "stranger" and bool(adders & EVERYBODY))
            for path, may in ((base, may_see), (f"{base}add/", may_add)):
                status = client.get(path).status_code
                if (status == 200) != may or status >= 500:
                    wrong.append((name, path, status, "may" if may else "may not"))
    assert wrong == []


def test_nobody_deletes_anything_and_money_is_only_read(site: Site) -> None:
    clients = {name: site.client(name) for name in (*ROLES, "superuser")}
    before, wrong, tried = digest(), [], 0
    for model in admin.site._registry:
        label, row = model._meta.label_lower, model._default_manager.order_by("pk").last()
        if row is None:
            continue
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/"
        for name, client in clients.items():
            tried += 1
            for answer in (
                client.get(f"{base}delete/"),
                client.post(f"{base}delete/", {"post": "yes"}),
            ):
                if answer.status_code not in (302, 403, 404):
                    wrong.append((name, f"{base}delete/", answer.status_code))
            gives_roles = name == "superuser" and label == "auth.user"
            if label in MONEY or not (name == "admin" or gives_roles):
                answer = client.post(f"{base}change/", {"state": "FILLED", "quantity": "1"})
                if answer.status_code not in (302, 403, 404, 405):
                    wrong.append((name, f"{base}change/", answer.status_code))
    assert wrong == [] and tried > 60
    assert changed(before) == []


def changed(before: dict[str, int]) -> list[str]:
    after = digest()
    return [label for label in before if before[label] != after[label]]


@pytest.mark.parametrize("name", ["viewer", "nobody", "anonymous"])
def test_whoever_only_looks_changes_nothing_at_any_address(site: Site, name: str) -> None:
    client = site.client(name)
    before, wrong, tried = digest(), [], 0
    for route in routes(""):
        path = filled(site, route)
        if re.match(r"/(accounts|i18n|looks|admin/search)/|/admin/$", path):
            continue  # one's own log-in, factor, tokens and looks; a search that is a POST
        for method in ("post", "put", "patch", "delete"):
            if path.startswith("/admin/") and method != "post":
                continue
            answer = getattr(client, method)(path, b"{}", content_type="application/json")
            tried += 1
            if answer.status_code not in (302, 400, 401, 403, 404, 405):
                wrong.append((method, path, answer.status_code))
    assert wrong == [] and tried > 250
    assert changed(before) == []


@pytest.mark.parametrize("name", ["viewer", "admin", "stranger", "anonymous"])
def test_reading_every_address_twice_changes_nothing_and_breaks_nothing(
    site: Site, name: str
) -> None:
    client = site.client(name)
    before, wrong, seen = digest(), [], 0
    for route in routes(""):
        path = filled(site, route)
        if path.startswith("/admin/") and name == "stranger":
            continue  # the tables above have been there
        for _twice in range(1 if path.startswith("/admin/") else 2):
            status = client.get(path).status_code
            seen += status == 200
            if status >= 500 or status == 400:
                wrong.append((path, status))
    assert wrong == []
    assert changed(before) == []
    if name in ROLES:
        assert seen > 30


def test_what_is_somebody_elses_does_not_exist_for_a_stranger(site: Site) -> None:
    client = site.client("stranger")
    paths = [
        filled(site, route)
        for route in routes("")
        if re.search(r"<int:(run_id|pk|attempt_id|account_id|alert_id)>", route)
    ]
    assert len(paths) > 15
    for path in paths:
        assert client.get(path).status_code in (404, 405), path
        status = client.post(path, b"{}", content_type="application/json").status_code
        assert status in (403, 404, 405), path
