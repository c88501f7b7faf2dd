"""The door of every list and of one row of it: pages, declared filters, and only rows of one's own accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from trading.api.filters import PAGES, DeclaredFilters, Filter
from trading.selectors.people import accounts_of
from trading.selectors.scopes import of_accounts

__all__ = ["Door", "ListDoor", "OneDoor"]

Told = Mapping[str, Any]


class Door(GenericAPIView[Any]):
    """What both have in common.

    `queryset` is every row, newest first. `account_path` is how a row names its account; an empty one means
    that the row concerns nobody in particular and anybody with a role reads it. `told` makes a row's answer,
    whose shape `serializer_class` describes.
    """

    account_path: ClassVar[str] = "account"
    narrowing: ClassVar[Sequence[Filter]] = ()
    told: Callable[[Any], Told]
    filter_backends = (DeclaredFilters,)

    @property
    def filters(self) -> Sequence[Filter]:
        return self.narrowing

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        if not self.account_path:
            return rows
        own = list(accounts_of(self.request.user).values_list("pk", flat=True))
        return rows.filter(of_accounts(rows.model, self.account_path, own))

    def told_all(self, rows: Sequence[Any]) -> list[Told]:
        """A page at once, for what is asked once a page and not once a row."""
        return [self.told(row) for row in rows]


class ListDoor(Door, ListAPIView[Any]):
    """`{"count", "next", "previous", "results"}`; a filter that is unknown or cannot be read is a 400."""

    @property
    def filters(self) -> Sequence[Filter]:
        return (*self.narrowing, *PAGES)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.told_all(page or []))


class OneDoor(Door, RetrieveAPIView[Any]):
    """One row; 404 for a row of somebody else's account as for one that is not there."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.told_all([self.get_object()])[0])
