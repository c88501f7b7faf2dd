"""What ends a session: rest, age, a new password, a changed role; and what does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from config.guesses import Guesses
from config.sessions import reason_to_end
from tests.desk.conftest import PASSWORD, DeskWorld
from trading.models import Alert

pytestmark = [pytest.mark.once, pytest.mark.django_db]
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def kept(began: timedelta, seen: timedelta, stamp: str = "s") -> dict[str, str]:
    return {
        "stamp": stamp,
        "began": (NOON - began).isoformat(),
        "seen": (NOON - seen).isoformat(),
    }


MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("session", "why"),
    [
        (kept(1 * HOURS, 30 * MINUTES), ""),
        (kept(1 * HOURS, 31 * MINUTES), "idle"),
        (kept(12 * HOURS, 1 * MINUTES), ""),
        (kept(12.1 * HOURS, 1 * MINUTES), "too_old"),
        (kept(1 * HOURS, 1 * MINUTES, "other"), "changed"),
        ({}, "changed"),
    ],
)
def test_a_session_ends_by_rest_by_age_and_by_change(session: dict[str, str], why: str) -> None:
    assert reason_to_end(session, "s", NOON) == why


def at(minutes: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True)


def test_who_works_stays_and_who_rests_is_told_why_they_have_to_come_again(desk: DeskWorld) -> None:
    client = desk.client("viewer")
    with at(20):
        assert client.get("/").status_code == 200
    with at(45):
        assert client.get("/health/").status_code == 200
    with at(80):
        assert client.get("/").status_code == 302
        assert "30분 동안 쓰지 않아" in client.get("/accounts/login/").content.decode()


def test_a_page_that_refreshes_itself_is_nobody_at_work(desk: DeskWorld) -> None:
    client = desk.client("viewer")
    for minutes in (10, 20, 29):
        with at(minutes):
            part = client.get("/health/part/", headers={"HX-Request": "true"})
            assert part.status_code == 200
    with at(31):
        part = client.get("/health/part/", headers={"HX-Request": "true"})
        assert part["HX-Redirect"].startswith("/accounts/login/")


def test_the_key_of_a_session_changes_at_log_in(desk: DeskWorld) -> None:
    client = Client()
    planted = client.session
    planted["known"] = "to somebody else"
    planted.save()
    before = planted.session_key
    client.post("/accounts/login/", {"username": "viewer", "password": PASSWORD})
    assert client.session.session_key != before


def test_a_role_taken_away_ends_the_sessions_of_its_holder_and_nobody_elses(
    desk: DeskWorld,
) -> None:
    theirs, others = desk.client("approver"), desk.client("viewer")
    desk.people["approver"].groups.remove(Group.objects.get(name="approver"))
    assert theirs.get("/").status_code == 302
    assert others.get("/").status_code == 200


def test_a_person_switched_off_or_with_a_new_password_is_out(desk: DeskWorld) -> None:
    off, changed = desk.client("viewer"), desk.client("trader")
    desk.people["viewer"].is_active = False
    desk.people["viewer"].save()
    desk.people["trader"].set_password("another long phrase")
    desk.people["trader"].save()
    assert off.get("/").status_code == 302
    assert changed.get("/").status_code == 302


# --- guessing ----------------------------------------------------------------------------------


@pytest.fixture
def guessing(desk: DeskWorld) -> Iterator[DeskWorld]:
    cache.clear()
    yield desk
    cache.clear()


def tries(name: str, password: str, address: str) -> int:
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/accounts/login/", form).status_code


def test_five_guesses_from_five_places_slow_everybody_down_and_page_somebody(
    guessing: DeskWorld,
) -> None:
    """HX-36: the owner waits a minute at most, and is not locked out."""
    assert [tries("viewer", "wrong", f"10.0.0.{n}") for n in range(5)] == [200] * 5
    assert tries("viewer", "wrong", "10.0.0.9") == 429
    assert tries("viewer", PASSWORD, "10.0.0.10") == 429
    assert Alert.objects.filter(code="password_guessed").count() == 1
    cache.delete(Guesses("viewer", "10.0.0.10")._pause)  # the minute has passed
    assert tries("viewer", PASSWORD, "10.0.0.10") == 302


def test_a_browser_that_let_its_owner_in_before_does_not_wait_for_strangers(
    guessing: DeskWorld,
) -> None:
    own, form = Client(REMOTE_ADDR="10.0.0.50"), {"username": "viewer", "password": PASSWORD}
    assert own.post("/accounts/login/", form).status_code == 302
    own.post("/accounts/logout/")
    for n in range(5):
        tries("viewer", "wrong", f"10.0.0.{n}")
    assert tries("viewer", PASSWORD, "10.0.0.60") == 429
    assert own.post("/accounts/login/", form).status_code == 302
    own.post("/accounts/logout/")
    # whoever shares its address with strangers has a count of its own
    same = Client(REMOTE_ADDR="10.0.0.50")
    for _ in range(6):
        same.post("/accounts/login/", form | {"password": "wrong"})
    assert same.post("/accounts/login/", form).status_code == 429
    assert own.post("/accounts/login/", form).status_code == 302
    own.post("/accounts/logout/")
    # a browser of one person is no pass for another
    for n in range(5):
        tries("trader", "wrong", f"10.0.1.{n}")
    assert own.post("/accounts/login/", form | {"username": "trader"}).status_code == 429


def test_one_password_for_many_names_closes_the_address(guessing: DeskWorld) -> None:
    """HX-37."""
    told = [tries(f"name{n}", "Summer2026!", "10.0.0.1") for n in range(32)]
    assert told[:30] == [200] * 30 and told[30:] == [429, 429]
    assert tries("viewer", PASSWORD, "10.0.0.1") == 429
    assert tries("viewer", PASSWORD, "10.0.0.2") == 302


def test_a_forged_forwarding_header_is_no_other_address(guessing: DeskWorld) -> None:
    """HX-25."""
    form = {"username": "viewer", "password": "wrong"}
    for n in range(6):
        headers = {"X-Forwarded-For": f"10.9.9.{n}"}
        told = Client(REMOTE_ADDR="10.0.0.1").post("/accounts/login/", form, headers=headers)
    assert told.status_code == 429


def test_names_that_exist_and_names_that_do_not_are_answered_alike(guessing: DeskWorld) -> None:
    """HX-39."""
    answers = [
        Client().post("/accounts/login/", {"username": name, "password": "wrong"}).content.decode()
        for name in ("viewer", "nobody-here")
    ]
    first, second = (text.replace("viewer", "").replace("nobody-here", "") for text in answers)
    strip = re.compile(r'csrfmiddlewaretoken" value="[^"]+"|nonce="[^"]+"|요청 번호.*?</code>')
    assert strip.sub("", first) == strip.sub("", second)


def test_an_alert_about_no_account_is_the_admins_to_read(desk: DeskWorld) -> None:
    found = Alert.objects.create(
        code="password_guessed",
        subject="password_guessed",
        facts={"tries": 5},
        severity="warning",
        created_at=timezone.now(),
    )
    card, path = "/rebalancing/cards/attention/", f"/rebalancing/alerts/{found.pk}/acknowledge/"
    text = "비밀번호가 5번 잇따라 틀렸습니다"
    assert text in desk.client("admin").get(card).content.decode()
    assert text not in desk.client("trader").get(card).content.decode()
    assert desk.client("trader").post(path).status_code == 404
    assert desk.client("admin").post(path).status_code == 303
    assert text not in desk.client("admin").get(card).content.decode()


def test_a_part_of_a_page_that_was_late_signs_nobody_out(desk: DeskWorld) -> None:
    """A shown code gives the session a new key while a part is under way with the old one."""
    browser, late = desk.client("approver"), Client()
    old = browser.cookies["sessionid"].value
    session = browser.session
    session.cycle_key()
    session.save()
    new = session.session_key
    late.cookies["sessionid"] = old
    answer = late.get("/health/part/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/accounts/login/")
    assert "sessionid" not in answer.cookies, "the browser keeps the new one"
    browser.cookies["sessionid"] = new
    back = browser.get(answer["HX-Redirect"])
    assert (back.status_code, back.url) == (302, "/"), "and is sent back to where it was"
    whole = late.get("/health/")
    assert whole.cookies["sessionid"].value == "", "a whole page with a dead session ends it"
