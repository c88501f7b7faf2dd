"""Targets by file in the admin: choose a file, see what would change, confirm; and the way out again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from portfolio.domain.weights_csv import (
    COLUMNS,
    MOST_BYTES,
    Weights,
    read_weights,
    write_weights,
)
from portfolio.models import AssetClass
from portfolio.selectors.csv_words import csv_headings, csv_labels, csv_meanings
from rebalancing.selectors.words import WORDS
from rebalancing.services.imports import PlanLine, import_plan, import_targets
from rebalancing.services.targets import current_target
from trading.domain.errors import InputError, Reason, StateConflict
from trading.models import Account, Instrument, Proposal
from trading.selectors.people import Role, accounts_of, has_role
from trading.selectors.words import CLASS_NAMES
from trading.services.proposals import takes_two
from trading.views.proof import asked_first

__all__ = ["export_targets", "import_page"]

SALT = "targets by file"
FROM_FILE = gettext_noop("CSV 파일에서 가져옴")
"""Kept as it stands here and said in the language of whoever reads it."""
LIFE_SECONDS = 15 * 60
_SHORT = re.compile(r"[0-9]{1,5}", re.ASCII)
"""A code of six digits that a spreadsheet kept as a number."""


def import_page(request: HttpRequest, site: Any) -> HttpResponse:
    """GET: the form. POST with a file: what would change. POST with what was seen: done."""
    if not has_role(request.user, Role.ADMIN):
        raise PermissionDenied
    if asked := asked_first(request):
        return asked
    context: dict[str, Any] = {"accounts": list(accounts_of(request.user)), "problems": []}
    status = 200
    if request.method == "POST":
        try:
            if "seen" in request.POST:
                return _confirmed(request)
            account, weights = _account(request), _uploaded(request)
            plan = import_plan(account, weights)
            context |= {"account": account, "preview": _preview(account, weights)}
            context |= _what_becomes(plan)
            if any(line.changes for line in plan):
                _try(account, weights, request)
                seen = _sign(request, account, weights)
                context |= {"seen": seen, "two_needed": takes_two(account)}
        except InputError as error:
            context.pop("preview", None)
            context["problems"] = [_said(reason) for reason in error.reasons]
            status = 400
    context |= site.each_context(request) | {"title": _("목표를 CSV로 가져오기")}
    return TemplateResponse(request, "admin/rebalancing/import.html", context, status=status)


def _said(reason: Reason) -> str:
    """Columns by the names that the reader's own files have, and a code that a spreadsheet took for a number
    with the one that was meant."""
    if reason.code == "csv_columns":
        return WORDS.say(reason.code, {"expected": csv_headings()[: len(COLUMNS)]})
    name = str(reason.facts.get("name", ""))
    if reason.code != "csv_row_ticker" or not _SHORT.fullmatch(name):
        return WORDS.say(reason.code, reason.facts)
    meant = name.zfill(6)
    facts = {"row": reason.facts["row"], "name": name, "meant": meant}
    text = _("%(row)s번째 줄: 종목 코드 앞의 0이 사라졌습니다 (%(name)s). 열을 글자로 바꾸세요.")
    if Instrument.objects.filter(ticker=meant).exists():
        text = _(
            "%(row)s번째 줄: 종목 코드 앞의 0이 사라졌습니다 (%(name)s)."
            " 열을 글자로 바꾸고 %(meant)s로 적으세요."
        )
    return text % facts


def _account(request: HttpRequest) -> Account:
    wanted = request.POST.get("account", "")
    found = next((a for a in accounts_of(request.user) if str(a.pk) == wanted), None)
    if found is None:
        raise Http404
    return found


def _uploaded(request: HttpRequest) -> Weights:
    given = request.FILES.get("file")
    data = given.read(MOST_BYTES + 1) if given is not None else b""
    return read_weights(data, AssetClass.values, csv_meanings())


def _try(account: Account, weights: Weights, request: HttpRequest) -> None:
    """What the service would refuse is refused before anybody is asked to confirm it."""
    with transaction.atomic():
        import_targets(
            account, weights, by=request.user.get_username(), reason="", seen=_ruling(account)
        )
        transaction.set_rollback(True)


def _ruling(account: Account) -> int | None:
    current = current_target(account)
    return current.pk if current else None


def _sign(request: HttpRequest, account: Account, weights: Weights) -> str:
    """What was shown to whom, and beside what, travels with the form: exactly that is made, once."""
    sub = {name: {t: str(p) for t, p in tickers.items()} for name, tickers in weights.sub.items()}
    mp = {name: str(percent) for name, percent in weights.mp.items()}
    told = {"user": request.user.pk, "account": account.pk, "ruling": _ruling(account)}
    return signing.dumps(told | {"mp": mp, "sub": sub}, salt=SALT, compress=True)


def _confirmed(request: HttpRequest) -> HttpResponse:
    try:
        seen = signing.loads(request.POST["seen"], salt=SALT, max_age=LIFE_SECONDS)
    except signing.BadSignature:
        messages.error(request, _("미리보기가 오래되었습니다. 파일을 다시 고르세요."))
        return redirect("admin:portfolio_targetdecision_import_csv")
    account = accounts_of(request.user).filter(pk=seen["account"]).first()
    if account is None or seen["user"] != request.user.pk:
        raise Http404
    weights = Weights(_decimals(seen["mp"]), {n: _decimals(t) for n, t in seen["sub"].items()})
    try:
        made = import_targets(
            account,
            weights,
            by=request.user.get_username(),
            reason=FROM_FILE,
            seen=seen["ruling"],
        )
    except StateConflict as conflict:
        messages.error(request, WORDS.say(conflict.code, conflict.facts))
        return redirect("admin:portfolio_targetdecision_import_csv")
    if isinstance(made, Proposal):
        messages.success(request, _("제안했습니다. 다른 승인자가 동의하면 적용됩니다."))
        return redirect("rebalancing:proposals")
    messages.success(request, _("목표를 바꿨습니다. 다음 리밸런싱부터 따릅니다."))
    return redirect(reverse("admin:portfolio_targetdecision_change", args=[made.pk]))


def _decimals(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}


def _preview(account: Account, weights: Weights) -> list[dict[str, Any]]:
    """Every class and name with what it is now and what it would be."""
    current = current_target(account)
    now = _weights_of(current.snapshot) if current else Weights()
    tickers = {t for side in (now, weights) for inside in side.sub.values() for t in inside}
    names = dict(Instrument.objects.filter(ticker__in=tickers).values_list("ticker", "name"))
    rows = []
    for asset_class in dict.fromkeys([*now.mp, *weights.mp]):
        label = AssetClass(asset_class).label
        old, new = now.mp.get(asset_class), weights.mp.get(asset_class)
        rows.append(_row(str(label), old, new, "MP"))
        before, after = now.sub.get(asset_class, {}), weights.sub.get(asset_class, {})
        for ticker in dict.fromkeys([*before, *after]):
            old, new = before.get(ticker), after.get(ticker)
            name = f"{names.get(ticker, '?')} {ticker}"
            rows.append(_row(name, old, new, ""))
    return rows


def _row(name: str, old: Decimal | None, new: Decimal | None, level: str) -> dict[str, Any]:
    moved = (new or Decimal(0)) - (old or Decimal(0))
    return {"name": name, "old": old, "new": new, "level": level, "moved": moved}


def _what_becomes(plan: Sequence[PlanLine]) -> dict[str, list[str]]:
    """Which portfolios get a new version and which stay as they are, by name."""
    new, kept = [], []
    for line in plan:
        label = CLASS_NAMES.get(line.asset_class, "") if line.asset_class else "MP"
        if line.kept is not None:
            kept.append(f"{label} {line.kept}")
        elif line.portfolio is not None:
            newest = line.portfolio.versions.first()
            number = newest.number + 1 if newest else 1
            new.append(f"{label} {line.portfolio.code} v{number}")
        else:
            new.append(_("%(kind)s (새로 만듦)") % {"kind": label})
    return {"new": new, "kept": kept}


def _weights_of(snapshot: Mapping[str, Any]) -> Weights:
    sub = {name: _decimals(tickers) for name, tickers in snapshot["sub"].items()}
    return Weights(_decimals(snapshot["mp"]), sub)


def export_targets(request: HttpRequest) -> HttpResponse:
    """The targets in force of `?account=`, else of the person's first account, as a file to change."""
    accounts = list(accounts_of(request.user))
    wanted = request.GET.get("account", "")
    account = next((a for a in accounts if str(a.pk) == wanted), None) if wanted else None
    account = account or (accounts[0] if accounts and not wanted else None)
    current = current_target(account) if account else None
    if account is None or current is None:
        raise Http404
    weights = _weights_of(current.snapshot)
    tickers = {ticker for inside in weights.sub.values() for ticker in inside}
    names = dict(Instrument.objects.filter(ticker__in=tickers).values_list("ticker", "name"))
    text = write_weights(weights, names, csv_headings(), csv_labels())
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="targets-{account.pk}.csv"'
    return answer
