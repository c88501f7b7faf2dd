"""The check before a send, to read: what was asked of which order, what each rule said and what it saw."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from trading.admin.columns import folded
from trading.admin.links import link_to_kind, link_to_list, link_to_row
from trading.admin.lists import known_values, of_account, period
from trading.admin.read_only import ReadOnlyAdmin
from trading.admin.tables import record_table
from trading.models import Intent, RuleCheck
from trading.selectors.gate_words import facts_said, rule_name, rule_numbers
from trading.selectors.words import WORDS
from trading.templatetags.jeoul import shares

__all__ = ["RuleCheckAdmin"]

_VERDICTS = {"PASS": _("통과"), "VETO": _("막힘")}


@admin.register(RuleCheck)
class RuleCheckAdmin(ReadOnlyAdmin):
    """The gate before a send: every rule's verdict, and what it was decided on."""

    account_path = "intent__account"
    list_display = ("at", "instrument", "side", "quantity", "origin", "verdict_in_words", "refused")
    list_filter = (
        of_account("intent__account"),
        period("at"),
        known_values("verdict", _("결정"), _VERDICTS),
    )
    search_fields = ("^intent__key", "^intent__instrument__ticker", "intent__instrument__name")
    search_help_text = _(
        "종목이나 주문 의도의 앞부분으로 찾습니다. run:1: 은 리밸런싱 #1의 모든 점검입니다."
    )
    list_select_related = ("intent__instrument",)
    readonly_fields = ("order", "others", "verdict_in_words", "rules", "seen", "stored")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "order",
                    "verdict_in_words",
                    "at",
                    "attempt",
                    "rule_set_version",
                    "others",
                )
            },
        ),
        (_("규칙"), {"fields": ("rules",)}),
        (_("그때 본 사실"), {"fields": ("seen",)}),
        (_("저장된 것"), {"fields": ("stored", "inputs_hash")}),
    )

    @admin.display(description=_("종목"), ordering="intent__instrument__name")
    def instrument(self, row: RuleCheck) -> str:
        return row.intent.instrument.name

    @admin.display(description=_("매매 구분"), ordering="intent__side")
    def side(self, row: RuleCheck) -> str:
        return row.intent.doing

    @admin.display(description=_("수량"), ordering="intent__quantity")
    def quantity(self, row: RuleCheck) -> str:
        said = shares(row.intent.quantity)
        return format_html('<span class="jeoul-amount num">{}</span>', said)

    @admin.display(description=_("출처"))
    def origin(self, row: RuleCheck) -> str:
        return row.intent.asked_by

    @admin.display(description=_("판정"), ordering="verdict")
    def verdict_in_words(self, row: RuleCheck) -> str:
        return str(_VERDICTS.get(row.verdict, row.verdict))

    @admin.display(description=_("막은 규칙"))
    def refused(self, row: RuleCheck) -> str:
        return " · ".join(_refused(row)) or "–"

    @admin.display(description=pgettext_lazy("one", "주문 의도"))
    def order(self, row: RuleCheck) -> str:
        return link_to_row(row.intent)

    @admin.display(description=_("함께 보기"))
    def others(self, row: RuleCheck) -> str:
        return checks_of(row.intent)

    @admin.display(description=_("규칙마다"))
    def rules(self, row: RuleCheck) -> str:
        rows = [
            (
                rule_name(one["rule"]),
                gettext("통과") if one["passed"] else gettext("막힘"),
                rule_numbers(one["rule"], one.get("numbers") or {}),
            )
            for one in row.results
        ]
        return record_table(
            (gettext("물은 규칙"), gettext("판정"), gettext("근거")), rows, lines=True
        )

    @admin.display(description=_("사실마다"))
    def seen(self, row: RuleCheck) -> str:
        rows = [(name, "" if value == "–" else value) for name, value in facts_said(row.inputs)]
        return record_table((gettext("본 것"), gettext("값")), rows, lines=True)

    @admin.display(description=_("점검에 쓴 값"))
    def stored(self, row: RuleCheck) -> str:
        return folded(row.inputs)


def checks_of(intent: Intent) -> str:
    """The ways from an order to its run, its own checks and those of the whole run."""
    found = [link_to_list("trading_rulecheck", gettext("이 주문의 점검"), q=intent.key)]
    if intent.origin == Intent.Origin.RUN:
        found.insert(0, link_to_kind("run", intent.origin_id, intent.asked_by))
        told = gettext("이 리밸런싱의 점검")
        found.append(link_to_list("trading_rulecheck", told, q=f"run:{intent.origin_id}:"))
    return format_html_join(" · ", "{}", ((one,) for one in found))


def _refused(row: RuleCheck) -> list[str]:
    """Each rule that vetoed, in a sentence with its numbers."""
    return [
        WORDS.say(str(one["rule"]), one.get("numbers") or {})
        for one in row.results
        if not one["passed"]
    ]
