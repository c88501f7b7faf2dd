"""The admin's name, colours and sidebar, in the same order and words as the desk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

__all__ = ["GROUPS", "UNFOLD", "navigation"]


ROLES = ("viewer", "trader", "approver", "admin")


def _desk(title: Any, icon: str, url: str) -> dict[str, Any]:
    """A way back to the desk: never the current place while in the admin."""
    return {
        "title": title,
        "icon": icon,
        "url": url,
        "active": lambda request: False,
    }


def _item(title: Any, icon: str, url: str, *roles: str) -> dict[str, Any]:
    item: dict[str, Any] = {"title": title, "icon": icon, "url": url}
    if roles:

        def allowed(request: HttpRequest) -> bool:
            from trading.selectors.people import role_names

            if roles == ("admin",) and getattr(request.user, "is_superuser", False):
                return True  # the place where a superuser gives others their roles
            return bool(role_names(request.user) & set(roles))

        item["permission"] = allowed
    return item


def _inside(path: str, *without: str) -> Callable[[HttpRequest], bool]:
    """Marks an entry as the current place below `path`, save where another entry lies deeper."""
    return lambda request: request.path.startswith(path) and not request.path.startswith(without)


@cache
def _address(url: str) -> str:
    """Asked for once: the theme reads each address several times a page, and there are half a hundred."""
    return reverse(url)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar, with the number of plans that wait for this person's accounts."""
    from rebalancing.selectors.waiting import waiting_count

    waiting = waiting_count(request.user)
    return [
        group | {"items": [_counted(item, waiting) for item in group["items"]]} for group in GROUPS
    ]


def _counted(item: dict[str, Any], waiting: int) -> dict[str, Any]:
    item = item | {"link": _address(item["url"])}
    if not item.get("counts_waiting") or not waiting:
        return item
    return item | {"badge": waiting, "badge_variant": "warning"}


def _tab(title: Any, url: str) -> dict[str, Any]:
    """An address that is asked for late: as a text equal to the sidebar's, the theme would mark every
    entry of the tabs as the current place."""
    return {"title": title, "link": lambda request: reverse(url)}


_TABS = (
    (_("MP"), "portfolio.modelportfolio"),
    (_("Sub-MP"), "portfolio.subportfolio"),
    (_("목표 결정"), "portfolio.targetdecision"),
    (_("리밸런싱 설정"), "rebalancing.rebalancingconfig"),
)
"""리밸런싱 관리: what rules a rebalancing, side by side above each of its lists."""

GROUPS: list[dict[str, Any]] = [
    {
        "title": _("데스크"),
        "items": [
            _desk(_("개요"), "home", "overview"),
            _desk(_("리밸런싱"), "sync_alt", "rebalancing:status"),
            _desk(_("포트폴리오"), "donut_small", "portfolio:portfolio"),
            _desk(_("상태"), "vital_signs", "health"),
        ],
    },
    {
        "title": _("리밸런싱 관리"),
        "separator": True,
        "items": [
            _item(_("MP"), "pie_chart", "admin:portfolio_modelportfolio_changelist"),
            _item(_("Sub-MP"), "donut_large", "admin:portfolio_subportfolio_changelist"),
            _item(_("목표 결정"), "flag", "admin:portfolio_targetdecision_changelist"),
            _item(_("리밸런싱 설정"), "tune", "admin:rebalancing_rebalancingconfig_changelist"),
            _item(_("예약"), "schedule", "admin:rebalancing_runschedule_changelist"),
            _item(_("예약 기록"), "event_available", "admin:trading_schedulefire_changelist"),
            _item(
                _("깨우기"),
                "alarm",
                "admin:django_celery_beat_periodictask_changelist",
                "admin",
            ),
            _item(_("승인 대기"), "approval", "admin:rebalancing_run_waiting", *ROLES)
            | {"counts_waiting": True},
            _item(_("리밸런싱 실행"), "list_alt", "admin:rebalancing_run_changelist")
            | {"active": _inside("/admin/rebalancing/run/", "/admin/rebalancing/run/waiting/")},
            _item(
                _("리밸런싱 이력"),
                "history",
                "admin:rebalancing_rebalancinghistory_changelist",
            ),
        ],
    },
    {
        "title": _("계좌와 종목"),
        "separator": True,
        "items": [
            _item(_("계좌"), "account_balance_wallet", "admin:trading_account_changelist"),
            _item(_("승인 정책"), "verified_user", "admin:trading_approvalpolicy_changelist"),
            _item(_("한도"), "speed", "admin-limits", *ROLES),
            _item(_("주문 한도"), "price_check", "admin:trading_tradinglimits_changelist"),
            _item(_("종목"), "sell", "admin:trading_instrument_changelist"),
            _item(_("보유"), "inventory_2", "admin:trading_position_changelist"),
            _item(_("개장일"), "calendar_month", "admin:trading_marketday_changelist"),
        ],
    },
    {
        "title": _("기록"),
        "separator": True,
        "collapsible": True,
        "items": [
            _item(_("주문 의도"), "edit_note", "admin:trading_intent_changelist"),
            _item(_("전송 시도"), "send", "admin:trading_attempt_changelist"),
            _item(_("증권사 주문"), "receipt_long", "admin:trading_brokerorder_changelist"),
            _item(_("체결 원장"), "menu_book", "admin:trading_ledger_changelist"),
            _item(_("로트"), "layers", "admin:trading_lot_changelist"),
            _item(_("승인"), "how_to_reg", "admin:trading_approval_changelist"),
            _item(_("잔고 스냅샷"), "photo_camera", "admin:trading_snapshot_changelist"),
            _item(_("알림"), "notifications", "admin:trading_alert_changelist"),
            _item(
                _("거래 스위치"),
                "emergency_home",
                "admin:trading_switch_changelist",
                "trader",
                "approver",
                "admin",
            ),
            _item(
                _("상태 변화"),
                "swap_horiz",
                "admin:trading_transition_changelist",
                "approver",
                "admin",
            ),
            _item(
                _("감사 기록"),
                "shield",
                "admin:trading_auditentry_changelist",
                "approver",
                "admin",
            ),
        ],
    },
    {
        "title": _("자세한 기록"),
        "separator": True,
        "collapsible": True,
        "items": [
            _item(_("리밸런싱 매매"), "swap_vert", "admin:rebalancing_leg_changelist"),
            _item(_("AI 조언"), "psychology", "admin:rebalancing_advice_changelist"),
            _item(_("묶음"), "folder_copy", "admin:rebalancing_campaign_changelist"),
            _item(_("주문 직전 점검"), "fact_check", "admin:trading_rulecheck_changelist"),
            _item(_("모르는 주문의 결정"), "gavel", "admin:trading_decision_changelist"),
            _item(_("주문 목록 조회"), "checklist", "admin:trading_enumeration_changelist"),
            _item(_("레인"), "conveyor_belt", "admin:trading_lane_changelist"),
            _item(_("로트 기록"), "call_split", "admin:trading_lotposting_changelist"),
            _item(_("묶어 둔 돈과 주식"), "lock_clock", "admin:trading_reservation_changelist"),
            _item(_("슬리브"), "category", "admin:trading_sleeve_changelist"),
            _item(
                _("해제 요청"),
                "lock_open",
                "admin:trading_releaserequest_changelist",
                "trader",
                "approver",
                "admin",
            ),
            _item(_("변경 제안"), "rule", "admin:trading_proposal_changelist"),
            _item(_("증권사 접속 토큰"), "vpn_key", "admin:trading_kistoken_changelist", "admin"),
            _item(_("프로세스"), "memory", "admin:trading_processepoch_changelist", "admin"),
        ],
    },
    {
        "title": _("사람"),
        "separator": True,
        "items": [
            _item(_("사용자와 역할"), "group", "admin:auth_user_changelist", "admin"),
            _item(_("API 토큰"), "key", "admin:trading_apitoken_changelist", "admin"),
            _item(
                _("인증 변경"),
                "passkey",
                "admin:trading_credentialchange_changelist",
                "approver",
                "admin",
            ),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("저울 관리"),
    "SITE_HEADER": _("저울"),
    "SITE_SUBHEADER": _("리밸런싱 관리"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "balance",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("jeoul.svg")}
    ],
    "STYLES": [lambda request: static("jeoul-admin.css")],
    "DASHBOARD_CALLBACK": "config.admin_home.with_cards",
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_HISTORY": True,
    "COLORS": {
        "base": {
            "50": "oklch(97.6% .002 248)",
            "100": "oklch(95.3% .004 248)",
            "200": "oklch(92.6% .005 248)",
            "300": "oklch(86.5% .008 248)",
            "400": "oklch(70.6% .02 248)",
            "500": "oklch(53% .023 248)",
            "600": "oklch(42.4% .023 248)",
            "700": "oklch(38.3% .014 248)",
            "800": "oklch(30.5% .011 248)",
            "900": "oklch(19.5% .006 230)",
            "950": "oklch(17% .006 230)",
        },
        "primary": {
            "50": "oklch(97% .014 184)",
            "100": "oklch(93% .03 184)",
            "200": "oklch(87% .05 184)",
            "300": "oklch(79% .075 184)",
            "400": "oklch(70% .09 184)",
            "500": "oklch(58% .09 184)",
            "600": "oklch(49% .08 184)",
            "700": "oklch(42% .07 184)",
            "800": "oklch(36% .06 184)",
            "900": "oklch(31% .05 184)",
            "950": "oklch(22% .04 184)",
        },
    },
    "TABS": [
        {
            "models": [name for _title, name in _TABS],
            "items": [
                _tab(title, f"admin:{name.replace('.', '_')}_changelist") for title, name in _TABS
            ],
        }
    ],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": navigation,
    },
}
