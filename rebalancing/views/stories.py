"""Why-cards: the story of a run or of one order, each sentence with the row it comes from."""

from __future__ import annotations

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from rebalancing.models import Leg
from rebalancing.selectors.why_card import Told, story_of_leg, story_of_run
from rebalancing.views.run_parts import seen_run
from trading.views.access import desk_view

__all__ = ["leg_story", "run_story"]


@desk_view()
def run_story(request: HttpRequest, run_id: int) -> HttpResponse:
    run = seen_run(request, run_id)
    context = {"run": run, "account": run.account, "story": _linked(request, story_of_run(run))}
    return render(request, "rebalancing/story.html", context)


@desk_view()
def leg_story(request: HttpRequest, run_id: int, leg_id: int) -> HttpResponse:
    run = seen_run(request, run_id)
    leg = Leg.objects.filter(run=run, pk=leg_id).select_related("instrument").first()
    if leg is None:
        raise Http404
    context = {
        "run": run,
        "account": run.account,
        "leg": leg,
        "story": _linked(request, story_of_leg(run, leg)),
    }
    return render(request, "rebalancing/story.html", context)


def _linked(request: HttpRequest, story: list[Told]) -> list[dict[str, object]]:
    return [
        {
            "text": told.text,
            "at": told.at,
            "url": _url(request, told.row),
            "label": f"{told.row._meta.verbose_name} #{told.row.pk}",
        }
        for told in story
    ]


def _url(request: HttpRequest, row: Model) -> str:
    """Where the row is read; empty for somebody who may not enter the admin."""
    meta = row._meta
    wanted, number = f"{meta.app_label}_{meta.model_name}", row.pk
    if isinstance(row, Leg):  # legs are read on their run's page
        wanted, number = "rebalancing_run", row.run_id
    if not getattr(request.user, "is_staff", False):
        return ""
    try:
        return reverse(f"admin:{wanted}_change", args=[number])
    except NoReverseMatch:
        return ""
