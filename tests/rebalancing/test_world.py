"""The test world itself: what it changes is gone with it."""

from __future__ import annotations

import pytest
from django.conf import settings as lazy
from django.test import override_settings

from tests.support.world import world_of

NAMES = ("KIS_HOSTS", "KIS_TOKEN_INTERVAL_SECONDS", "KIS_RATE_PER_SECOND", "SIM_CLOCK_URL")


@pytest.mark.django_db(transaction=True)
def test_a_world_leaves_no_setting_behind_even_under_a_tests_own() -> None:
    before = {name: getattr(lazy, name) for name in NAMES}
    own = override_settings(SPOOL_DIR=lazy.VAR / "elsewhere")
    with world_of():
        own.enable()
        assert lazy.KIS_TOKEN_INTERVAL_SECONDS == 0
    own.disable()
    assert {name: getattr(lazy, name) for name in NAMES} == before
