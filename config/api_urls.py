"""The API's addresses: each path is served by the app that owns the answer."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import schema as schema_extensions
from config.errors import unknown
from config.limits_api import LimitsView

__all__ = ["schema_extensions", "urlpatterns"]

urlpatterns = [
    path("macro-trading/", include("rebalancing.api.urls")),
    path("macro-trading/", include("trading.api.urls")),
    path("macro-trading/limits", LimitsView.as_view(), name="limits"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("<path:rest>", unknown),
]
