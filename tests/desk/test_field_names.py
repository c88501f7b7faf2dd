"""Columns of the admin are called by words, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.utils.translation import override

from config.field_names import FIELD_NAMES, MODEL_NAMES, OURS

PLAIN = {"MP", "Sub-MP"}
HANGUL = re.compile("[가-힣]")
LANGUAGES = ("ko", "en")


def columns() -> dict[str, str]:
    """Every column of every record, whether a page of the admin shows it or none does yet."""
    return {
        f"{model.__name__}.{field.name}": str(field.verbose_name)
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for field in (*model._meta.fields, *model._meta.many_to_many)
        if field.name != "id"
    }


def kinds() -> dict[str, str]:
    found = {}
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            found[model.__name__] = str(model._meta.verbose_name)
            found[f"{model.__name__}s"] = str(model._meta.verbose_name_plural)
    return found


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


@pytest.mark.parametrize("told", [columns, kinds])
def test_every_record_and_its_columns_have_words_in_both_languages(
    told: Callable[[], dict[str, str]],
) -> None:
    with override("ko"):
        korean = told()
    with override("en"):
        english = told()
    assert len(korean) > 60
    strange = {k: v for k, v in korean.items() if not HANGUL.search(v) and v not in PLAIN}
    assert strange == {}
    assert {k: v for k, v in english.items() if HANGUL.search(v)} == {}
    code = {k.rpartition(".")[2].replace("_", " ") for k in english if "_" in k}
    assert {k: v for k, v in english.items() if v in code} == {}, "the code's own words"


def test_a_name_of_one_models_column_is_nobody_elses() -> None:
    with override("en"):
        named = columns()
    assert named["ProcessEpoch.ended_at"] == "Ended"
    assert named["Snapshot.ended_at"] != named["ProcessEpoch.ended_at"]
    assert named["CredentialChange.by"] == "Changed by"
    models = {model._meta.model_name for model in apps.get_models()}
    assert {name.split(".")[0] for name in FIELD_NAMES if "." in name} <= models
    assert set(MODEL_NAMES) <= models


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_is_the_codes_own(language: str) -> None:
    with override(language):
        assert [n for n, word in FIELD_NAMES.items() if "_" in str(word)] == []
