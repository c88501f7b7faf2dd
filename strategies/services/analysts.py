"""Which model answers for which role, as the settings say."""

from __future__ import annotations

from django.conf import settings

from strategies.analysts.gemini import Analyst

__all__ = ["analyst_for", "has_analyst"]


def has_analyst() -> bool:
    """Whether a key is configured at all."""
    return bool(settings.GEMINI_API_KEY)


def analyst_for(role: str) -> Analyst | None:
    """The analyst for `role`; None without a key. A role without a model of its own has the common one."""
    if not has_analyst():
        return None
    model = settings.GEMINI_MODELS.get(role) or settings.GEMINI_MODELS[""]
    return Analyst(settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL, model)
