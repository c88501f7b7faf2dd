"""Titles of the admin's pages: a list is called what it lists, a record what it is."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

__all__ = ["Titled", "record_title"]


def record_title(row: Model) -> str:
    """Its kind and its name; the kind is not said twice where the name says it."""
    kind, name = str(row._meta.verbose_name), str(row)
    return capfirst(name if kind in name else f"{kind} {name}")


class Titled:
    """For a model's admin. Django's own titles tell what to do with a list and decline its name."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))  # type: ignore[attr-defined]
        given = {"title": title} | (extra_context or {})
        return super().changelist_view(request, given)  # type: ignore[misc,no-any-return]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            context |= {"title": record_title(row), "subtitle": None}
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc,no-any-return]
