"""Two names are two people unless one may be acting as the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from trading.domain.independence import HOLD, CredentialSet, dependence_of, independent_of

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def changed(who: str, by: str, hours: float = 1) -> CredentialSet:
    return CredentialSet(who, by, NOW - hours * HOUR)


@pytest.mark.parametrize(
    ("changes", "two"),
    [
        ([], True),
        ([changed("lee", "kim")], False),
        ([changed("kim", "lee")], False),
        ([changed("lee", "park")], True),
        ([changed("lee", "park"), changed("kim", "park")], False),
        ([changed("lee", "park"), changed("kim", "park", 25)], True),
        ([changed("lee", "park"), changed("kim", "choi")], True),
        ([changed("lee", "park"), changed("kim", "choi"), changed("choi", "park")], False),
        ([changed("lee", "park"), changed("park", "kim")], False),
        ([changed("lee", "park"), changed("park", "kim", 25)], True),
        ([changed("lee", "lee")], True),
        ([changed("lee", "kim", 2), changed("lee", "lee", 1)], False),
        ([changed("lee", "kim", 23.9)], False),
        ([changed("lee", "kim", 24)], True),
        ([changed("park", "choi"), changed("choi", "park")], True),
    ],
    ids=[
        "nothing happened",
        "kim set what proves lee",
        "lee set what proves kim",
        "a third person did",
        "a third person did for both",
        "a third person did for both, but for one a day ago",
        "two others did, each for one",
        "two others did, one of them as the other",
        "kim did it as park",
        "kim could not be park any more",
        "lee did it themselves",
        "lee's own change lifts nothing",
        "just within a day",
        "a day later",
        "others among themselves",
    ],
)
def test_who_may_be_the_second_person(changes: list[CredentialSet], two: bool) -> None:
    assert independent_of("lee", "kim", changes, NOW) is two


def test_who_may_be_acting_as_both_is_named_until_the_first_of_the_two_ends() -> None:
    found = dependence_of("lee", "kim", [changed("lee", "park", 1), changed("kim", "park", 3)], NOW)
    assert found is not None
    assert (found.who, found.by, found.until) == ("lee", "park", NOW - 3 * HOUR + HOLD)


def test_the_longest_way_decides_until_when() -> None:
    through = [changed("lee", "park", 1), changed("park", "kim", 3)]
    straight = changed("lee", "kim", 5)
    found = dependence_of("lee", "kim", [straight, *through], NOW)
    assert found is not None
    assert (found.who, found.by, found.until) == ("lee", "kim", NOW - 3 * HOUR + HOLD)
    assert independent_of("lee", "kim", [straight, *through], found.until)
