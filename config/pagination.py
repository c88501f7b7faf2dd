"""Pages of fifty, up to two hundred on request."""

from rest_framework.pagination import PageNumberPagination

__all__ = ["Pages"]


class Pages(PageNumberPagination):
    page_size_query_param = "page_size"
    max_page_size = 200
