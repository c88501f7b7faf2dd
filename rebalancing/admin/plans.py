"""What plans are made of, to read: legs, advice, campaigns."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from rebalancing.models import Advice, Campaign, Leg
from rebalancing.selectors.advice_view import ADVICE_NAMES
from rebalancing.selectors.words import WORDS, price_rule
from trading.admin.lists import known_values, of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.templatetags.jeoul import shares

__all__ = ["LegAdmin"]


@admin.register(Leg)
class LegAdmin(ReadOnlyAdmin):
    """Every planned trade of every plan, with what came of it."""

    account_path = "run__account"
    told = {
        "outcome": "came_of_it",
        "price_strategy": "priced_by",
        "reason": "why",
        "slices": "parts",
    }
    list_display = (
        "run",
        "generation",
        "number",
        "instrument",
        "side",
        "quantity",
        "limit_price",
        "filled_quantity",
        "came_of_it",
    )
    list_filter = (of_account("run__account"), period("run__created_at"), "side", "order_type")
    search_fields = ("=run__id", "^instrument__ticker", "instrument__name")
    search_help_text = _("리밸런싱 번호나 종목으로 찾습니다.")
    list_select_related = ("run__account", "instrument")
    ordering = ("-id",)

    @admin.display(description=_("가격 규칙"), ordering="price_strategy")
    def priced_by(self, row: Leg) -> str:
        return price_rule(row.price_strategy)

    @admin.display(description=_("가격의 까닭"))
    def why(self, row: Leg) -> str:
        return WORDS.say(row.reason) if row.reason else "–"

    @admin.display(description=_("나눈 수량"))
    def parts(self, row: Leg) -> str:
        return " + ".join(shares(one) for one in row.slices) or "–"

    @admin.display(description=_("결과"), ordering="outcome")
    def came_of_it(self, row: Leg) -> str:
        return WORDS.say(row.outcome) if row.outcome else "–"


@admin.register(Advice)
class AdviceAdmin(ReadOnlyAdmin):
    """What was asked of the model and what it said, beside what the rules would have done."""

    account_path = "run__account"
    told = {"state": "state_in_words"}
    state_words = {str(state): name for state, name in ADVICE_NAMES.items()}
    list_display = ("run", "generation", "state_in_words", "model", "asked_at", "latency_ms")
    list_filter = (
        of_account("run__account"),
        period("created_at"),
        known_values("state", _("상태"), state_words),
    )
    search_fields = ("=run__id", "^model")
    search_help_text = _("리밸런싱 번호나 모델의 앞부분으로 찾습니다.")
    list_select_related = ("run__account",)
    ordering = ("-id",)

    @admin.display(description=_("상태"), ordering="state")
    def state_in_words(self, row: Advice) -> str:
        return str(self.state_words.get(row.state, row.state))


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    """Runs that belong together, over several days."""

    account_path = "account"
    list_display = ("__str__", "account", "target", "state", "days_left")
    list_filter = (of_account(), "state")
    search_fields = ("=id", "account__name")
    search_help_text = _("번호나 계좌 이름으로 찾습니다.")
    list_select_related = ("account", "target")
    ordering = ("-id",)
