"""A file is chosen in the admin in a real browser: nothing breaks, and its preview comes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.desk.conftest import DeskWorld, desk, instruments, staff, targeted
from tests.e2e.phone import phone_of

__all__ = ["desk", "instruments", "staff", "targeted"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
WIDGET = """<div><label><input type="text" disabled value="none"></label>
<div><div><input type="file" id="theirs"></div></div></div>"""
"""The markup that the theme's own widget has around a file."""


def test_choosing_a_file_logs_no_error_and_its_preview_comes(
    live_server: Any, targeted: DeskWorld, staff: Client
) -> None:
    rows = "asset_class,ticker,percent\nSTOCK,,50\nSTOCK,100000,100\nBOND,,40\nBOND,100002,100\nCASH,,10\n"
    with phone_of(staff, live_server) as (tab, noise):
        tab.goto("/admin/portfolio/targetdecision/import-csv/")
        chosen = {"name": "weights.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        tab.get_by_label("CSV 파일").set_input_files(chosen)
        assert tab.evaluate("document.getElementById('file').files[0].name") == "weights.csv"
        assert noise == []
        tab.get_by_role("button", name="미리보기").click()
        tab.get_by_role("button", name="이 목표로 바꾸기").wait_for()
        tab.get_by_label("CSV 파일").set_input_files(chosen)
        assert noise == []


def test_the_themes_own_widget_still_shows_the_name(
    live_server: Any, targeted: DeskWorld, staff: Client
) -> None:
    with phone_of(staff, live_server) as (tab, noise):
        tab.goto("/admin/portfolio/targetdecision/import-csv/")
        tab.evaluate(
            "html => document.querySelector('main, #main').insertAdjacentHTML('beforeend', html)",
            WIDGET,
        )
        tab.locator("#theirs").set_input_files(
            {"name": "other.csv", "mimeType": "text/csv", "buffer": b"x"}
        )
        assert tab.locator("label > input[disabled]").get_attribute("value") == "other.csv"
        assert noise == []
