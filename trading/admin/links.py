"""Ways from one record to another, only to what the reader may open."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import site
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html

__all__ = ["link_to_kind", "link_to_list", "link_to_row", "model_admin_of"]


def link_to_row(row: Model | None, text: str = "") -> str:
    """The record's own page under its name; a dash where there is none."""
    if row is None:
        return "–"
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a class="jeoul-link" href="{}">{}</a>', address, text or str(row))


def link_to_list(model: str, text: str, **query: Any) -> str:
    """A list, `model` as "trading_rulecheck", narrowed by `query`."""
    address = reverse(f"admin:{model}_changelist")
    asked = f"?{urlencode(query)}" if query else ""
    return format_html('<a class="jeoul-link" href="{}{}">{}</a>', address, asked, text)


def model_admin_of(kind: str) -> Any | None:
    """The admin of what the audit chain calls `kind`, whichever floor it stands on."""
    found = (one for one in site._registry.values() if getattr(one, "past_as", "") == kind)
    return next(found, None)


def link_to_kind(kind: str, key: Any, text: str) -> str:
    """The page of row `key` of what the chain calls `kind`; the text alone where there is none."""
    one = model_admin_of(kind)
    if one is None:
        return text
    name = f"admin:{one.opts.app_label}_{one.opts.model_name}_change"
    address = reverse(name, args=[key])
    return format_html('<a class="jeoul-link" href="{}">{}</a>', address, text)
