"""The words of a file of weights: headings and asset classes in a reader's language, read back in every one."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from portfolio.models import AssetClass
from trading.selectors.words import CLASS_NAMES, Sentence

__all__ = ["csv_headings", "csv_labels", "csv_meanings"]

_HEADINGS: dict[str, Sentence] = {
    "asset_class": _("자산군"),
    "ticker": _("종목코드"),
    "percent": _("비중 %"),
    "name": _("종목명"),
}


def csv_headings() -> list[str]:
    """In the order of the file's columns, in the language of the reader."""
    return [str(heading) for heading in _HEADINGS.values()]


def csv_labels() -> dict[str, str]:
    """Asset class → what the reader calls it."""
    return {code: str(CLASS_NAMES.get(code, code)) for code in AssetClass.values}


def csv_meanings() -> dict[str, str]:
    """What is written in a file, in small letters → the column or the class, in every language there is."""
    found = {code.lower(): code for code in AssetClass.values}
    for language, _name in settings.LANGUAGES:
        with override(language):
            found |= {str(heading).lower(): name for name, heading in _HEADINGS.items()}
            found[str(_HEADINGS["percent"]).lower().removesuffix("%").strip()] = "percent"
            found |= {label.lower(): code for code, label in csv_labels().items()}
    return found
