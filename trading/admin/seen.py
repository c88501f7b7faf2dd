"""Forms that know what they showed: what somebody else changed meanwhile is neither undone nor overwritten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

__all__ = ["SeenForm", "lock_row"]


_HALF_TOLD = gettext_lazy(
    "이 화면이 보여 준 값이 모두 오지 않았습니다. 이 화면을 다시 열어 확인하세요."
)


class SeenForm(forms.BaseForm):
    """Mixed into an admin's form of a row that several people may change.

    The page carries each field's value as it was shown. What the person left as it was keeps whatever it is by
    now; what they changed is refused when somebody else has changed the same meanwhile. A form that carries no
    such values, from a program, is taken as it is; one that carries only some of them is refused.
    """

    unseen: frozenset[str] = frozenset()
    """Fields whose value is never shown, or has a rule of its own."""
    as_one: frozenset[str] = frozenset()
    """Fields that only make sense together: a change of one is a change of all."""
    seen_on_add = False
    """Whether also a form that adds a row starts from what rules now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watched: list[str] = []
        self._missing: list[str] = []
        row = getattr(self, "instance", None)
        if self.seen_on_add or (row is not None and not row._state.adding):
            self.watch(name for name, field in self.fields.items() if not field.disabled)

    def watch(self, names: Iterable[str]) -> None:
        """From now on the page carries what it shows of these fields."""
        for name in names:
            if name in self.unseen or name in self._watched:
                continue
            if self._carries(name):
                self.fields[name].show_hidden_initial = True
                self._watched.append(name)
            elif self.carries_seen:
                self._missing.append(name)

    def _carries(self, name: str) -> bool:
        """Whether what was posted says what the page showed of this field; a page about to be shown will."""
        if not self.is_bound or self[name].html_initial_name in self.data:
            return True
        several = issubclass(self.fields[name].hidden_widget, forms.MultipleHiddenInput)
        return several and self.carries_seen  # of an empty choice nothing is sent

    @property
    def carries_seen(self) -> bool:
        prefix = self.add_initial_prefix("")
        return any(key.startswith(prefix) for key in self.data)

    def changed_by_others(self) -> frozenset[str]:
        """Fields whose value is no longer what the page showed."""
        found = {name for name in self._watched if self._moved(name)}
        return frozenset(found | self.as_one if found & self.as_one else found)

    def changed_here(self) -> frozenset[str]:
        """Fields whose value is not what the page showed: what this person changed."""
        found = {name for name in self._watched if self[name]._has_changed()}  # type: ignore[attr-defined]
        return frozenset(found | self.as_one if found & self.as_one else found)

    def _shown(self, name: str) -> Any:
        field, bound = self.fields[name], self[name]
        widget = field.hidden_widget()
        return widget.value_from_datadict(self.data, self.files, bound.html_initial_name)

    def _moved(self, name: str) -> bool:
        """Whether the row's value differs from the one that travelled with the page."""
        field = self.fields[name]
        now = self.get_initial_for_field(field, name)
        return bool(field.has_changed(now, self._shown(name)))

    def _clean_form(self) -> None:
        """Before the form's own checks: they judge what will be written."""
        moved, mine = self.changed_by_others(), self.changed_here()
        for name in moved & mine:
            self._refuse(name)
        for name in moved - mine:
            self._keep(name)
        if any(name in self.fields for name in self._missing):
            self.add_error(None, forms.ValidationError(_HALF_TOLD, code="half_told"))  # type: ignore[attr-defined]
        super()._clean_form()  # type: ignore[misc]

    def _refuse(self, name: str) -> None:
        if name in self.as_one:
            said = _("그 사이 다른 사람이 바꾸었습니다. 이 화면을 다시 열어 확인하세요.")
            if not self.has_error(None, "changed_meanwhile"):
                self.add_error(None, forms.ValidationError(said, code="changed_meanwhile"))
            return
        said = _(
            "그 사이 다른 사람이 ‘%(now)s’(으)로 바꾸었습니다. 이 화면을 다시 열어 확인하세요."
        )
        now = self._told(name)
        self.add_error(name, forms.ValidationError(said % {"now": now}, code="changed_meanwhile"))

    def _told(self, name: str) -> str:
        """The value as it is now, as people read it."""
        field = self.fields[name]
        now = self.get_initial_for_field(field, name)
        choices = {str(value): str(label) for value, label in getattr(field, "choices", ())}
        values = now if isinstance(now, list | tuple | set) else [now]
        keys = [str(getattr(value, "pk", value)) for value in values]
        return ", ".join(choices.get(key, key) for key in keys) or "–"

    def _keep(self, name: str) -> None:
        """Left as it was shown: it stays as it is now."""
        field = self.fields[name]
        now = field.prepare_value(self.get_initial_for_field(field, name))
        self.errors.pop(name, None)
        try:
            self.cleaned_data[name] = field.clean(now)
        except forms.ValidationError as error:
            self.add_error(name, error)


def lock_row(row: Model) -> None:
    """Nobody else changes `row` until this transaction ends."""
    list(type(row)._default_manager.select_for_update().filter(pk=row.pk).order_by().values("pk"))
