"""The history of a row in the admin: the whole past, and not only what the admin's forms did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from trading.admin.columns import ShownColumns
from trading.admin.titles import Titled
from trading.selectors.moments import moment_said, wall_moment_said
from trading.selectors.past import PastAct, past_of
from trading.selectors.people import Role, has_role
from trading.services.clock import has_two_clocks

__all__ = ["WithPast", "told_of"]


def told_of(subject: str, name: str, key: int) -> Q:
    """The rows of the chain about `subject` whose payload names `key`: "5" and not "50"."""
    said = f'"{name}": {key}'
    return Q(object=subject) & (Q(payload__contains=said + ",") | Q(payload__contains=said + "}"))


def _shown(act: PastAct) -> dict[str, Any]:
    say = wall_moment_said if act.wall else moment_said
    return {"act": act, "said": say(act.at)}


class WithPast(ShownColumns, Titled):
    """For a model's admin. `past_as` is how the audit chain calls such a row, `state_words` what its states
    are called."""

    past_as = ""
    state_words: Mapping[str, Any] = {}

    def about(self, row: Any) -> Q | None:
        """Which rows of the chain tell of this one, where its own name does not say it."""
        return None

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row: Model | None = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):  # type: ignore[attr-defined]
            raise PermissionDenied
        parts = past_of(
            row,
            kind=self.past_as,
            about=self.about(row),
            states=self.state_words,
            chain=has_role(request.user, Role.APPROVER, Role.ADMIN),
            reader=request.user,
            two_clocks=has_two_clocks(),
        )
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        context = self.admin_site.each_context(request) | {  # type: ignore[attr-defined]
            "title": gettext("히스토리"),
            "row": row,
            "kind": "" if str(row._meta.verbose_name) in str(row) else row._meta.verbose_name,
            "parts": [(part.title, [_shown(act) for act in part.acts]) for part in parts],
            "back": reverse(name, args=[object_id]),
        }
        return TemplateResponse(request, "admin/past.html", context | (extra_context or {}))
