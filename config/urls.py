"""Every address, mounted once: the desk, the admin, the API."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from config.admin_home import home_part_view, limits
from config.api_tokens import api_tokens
from config.dashboard import overview
from config.guide import guide
from config.health import health, health_part_view, health_switch_view
from config.login import DeskLogin, to_login
from config.preferences import set_looks
from config.second_factor import confirm_code, enter_code, second_factor

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("", overview, name="overview"),
    path("accounts/login/", DeskLogin.as_view(), name="login"),
    path("accounts/code/", enter_code, name="enter-code"),
    path("accounts/confirm/", confirm_code, name="confirm-code"),
    path("accounts/second-factor/", second_factor, name="second-factor"),
    path("accounts/tokens/", api_tokens, name="api-tokens"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("looks/", set_looks, name="looks"),
    path("rebalancing/", include("rebalancing.urls")),
    path("portfolio/", include("portfolio.urls")),
    path("trading/", include("trading.urls")),
    path("guide/", guide, name="guide"),
    path("health/", health, name="health"),
    path("health/part/", health_part_view, name="health-part"),
    path("health/switch/", health_switch_view, name="health-switch"),
    path("admin/login/", to_login),
    path("admin/home/", home_part_view, name="admin-home"),
    path("admin/limits/", admin.site.admin_view(limits), name="admin-limits"),
    path("admin/", admin.site.urls),
    path("api/", include("config.api_urls")),
]
