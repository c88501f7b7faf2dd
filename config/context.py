"""What every desk page shows around its own content."""

from typing import Any

from django.http import HttpRequest

__all__ = ["desk"]


def desk(request: HttpRequest) -> dict[str, Any]:
    return {}
