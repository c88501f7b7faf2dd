"""Columns of the admin are called by words, in both languages."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.utils.translation import override

from config.field_names import FIELD_NAMES, OURS

PLAIN = {"MP", "Sub-MP"}


def headings() -> dict[str, str]:
    found = {}
    for model, one in admin.site._registry.items():
        if model._meta.app_label not in OURS:
            continue
        columns = [f.name for f in model._meta.fields if f.name != "id"]
        for name in {*one.list_display, *columns}:
            found[f"{model.__name__}.{name}"] = str(label_for_field(name, model, one))
    return found


def test_every_column_has_a_korean_word() -> None:
    with override("ko"):
        named = headings()
    assert len(named) > 150
    strange = {k: v for k, v in named.items() if not re.search("[가-힣]", v) and v not in PLAIN}
    assert strange == {}


def test_every_column_has_an_english_word() -> None:
    with override("en"):
        named = headings()
    assert {k: v for k, v in named.items() if re.search("[가-힣]", v)} == {}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_name_is_the_codes_own(language: str) -> None:
    with override(language):
        assert [n for n, word in FIELD_NAMES.items() if "_" in str(word)] == []
