"""What the audit chain, switches and approvals are about, by name and with the way to it.

The rows keep "user:5" or "switch:global". A page's codes are named together, with one question for each kind
of row; the way is shown to those who may open it, the name to whoever may read the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trading.admin.links import link_to_list, model_admin_of

__all__ = ["MOST_NAMED", "codes_named_like", "names_of", "said_scope"]

MOST_NAMED = 20
"""People or accounts that one word of a search may mean."""


def names_of(codes: Iterable[str], request: HttpRequest) -> dict[str, str]:
    """code → how it is called, as a link where the reader may open it."""
    asked = {code: _parts(code) for code in set(codes)}
    wanted: dict[str, set[str]] = {}
    for kind, key in asked.values():
        wanted.setdefault(kind, set()).add(key)
    found = {kind: _rows(kind, keys, request) for kind, keys in wanted.items()}
    return {code: _name(code, *asked[code], found[asked[code][0]]) for code in asked}


def said_scope(code: str) -> str:
    """A switch's scope where it names no row."""
    if code == "global":
        return _("모든 계좌")
    kind, _colon, name = code.partition(":")
    return _("전략 %(name)s") % {"name": name} if kind == "strategy" else code


def codes_named_like(word: str, request: HttpRequest) -> list[str]:
    """The codes of people and accounts whose name begins with or holds `word`, as the chain calls them."""
    found = []
    for kind, way in (("user", "username__istartswith"), ("account", "name__icontains")):
        one = model_admin_of(kind)
        if one is not None:
            rows = one.model._default_manager.filter(**{way: word}).order_by("pk")
            if kind == "account":
                rows = rows.filter(pk__in=one.get_queryset(request).values("pk"))
            found += [f"{kind}:{pk}" for pk in rows.values_list("pk", flat=True)[:MOST_NAMED]]
    return found


_OF: Mapping[str, tuple[str, Promise]] = {
    "targets": ("account", gettext_lazy("목표")),
    "limits": ("account", gettext_lazy("주문 한도")),
    "approver": ("user", gettext_lazy("승인자 역할")),
}
"""What proposals are about that is somebody's or some account's."""


def _parts(code: str) -> tuple[str, str]:
    """A switch's scope is named as what it stops; what is an account's or a person's as theirs."""
    kind, _colon, key = code.partition(":")
    if kind in _OF:
        return _OF[kind][0], key
    return ("switch", key) if kind == "switch" else (kind, key)


def _rows(kind: str, keys: Iterable[str], request: HttpRequest) -> dict[str, tuple[str, str]]:
    """key → (name, address); the address is empty where the reader may not open the row."""
    if kind == "switch":
        accounts = {key.partition(":")[2] for key in keys if key.startswith("account:")}
        return {f"account:{key}": one for key, one in _rows("account", accounts, request).items()}
    one = model_admin_of(kind)
    numbers = [int(key) for key in keys if key.isascii() and key.isdigit() and len(key) <= 18]
    if one is None or not numbers:
        return {}
    seen: QuerySet[Any] = one.get_queryset(request)
    may = one.has_view_permission(request)
    open_to = set(seen.filter(pk__in=numbers).values_list("pk", flat=True)) if may else set()
    rows = one.model._default_manager.filter(pk__in=numbers)
    if isinstance(one.list_select_related, tuple | list):
        rows = rows.select_related(*one.list_select_related)
    name = f"admin:{one.opts.app_label}_{one.opts.model_name}_change"
    found = {}
    for row in rows:
        address = reverse(name, args=[row.pk]) if row.pk in open_to else ""
        kind_word, text = str(one.opts.verbose_name), str(row)
        found[str(row.pk)] = (text if kind_word in text else f"{kind_word} {text}", address)
    return found


def _name(code: str, kind: str, key: str, rows: dict[str, tuple[str, str]]) -> str:
    if kind == "switch":
        scope, _address = rows.get(key, (said_scope(key), ""))
        text = _("거래 스위치 · %(scope)s") % {"scope": scope}
        return link_to_list("trading_switch", text)
    if kind == "day":
        return _("개장일 %(day)s") % {"day": key}
    if kind == "config" and not key and (all_of_it := model_admin_of(kind)) is not None:
        meta = all_of_it.opts
        return link_to_list(f"{meta.app_label}_{meta.model_name}", str(meta.verbose_name))
    if key in rows:
        text, address = rows[key]
        if (of := code.partition(":")[0]) in _OF:
            text = f"{_OF[of][1]} · {text}"
        return (
            format_html('<a class="jeoul-link" href="{}">{}</a>', address, text)
            if address
            else text
        )
    one = model_admin_of(kind)
    return f"{one.opts.verbose_name} #{key}" if one is not None else code
