"""Pages of fifty, up to two hundred on request."""

from django.utils.translation import gettext_lazy as _
from rest_framework.pagination import PageNumberPagination

__all__ = ["Pages"]


class Pages(PageNumberPagination):
    page_size_query_param = "page_size"
    max_page_size = 200
    invalid_page_message = _("그런 쪽이 없습니다.")  # type: ignore[assignment]
