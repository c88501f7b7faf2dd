"""Runs and their legs, to read; a plan that waits is decided here as on the desk."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from portfolio.selectors.targets import weight_lines
from rebalancing.admin.deciding import (
    confirm_many_page,
    decide_many_page,
    decide_one,
    said,
    waiting_page,
)
from rebalancing.domain.states import TERMINAL, RunState
from rebalancing.models import RebalancingHistory, Run
from rebalancing.selectors.difference import advice_by_run, difference_of
from rebalancing.selectors.fill_lines import fill_lines
from rebalancing.selectors.gaps import drift_lines
from rebalancing.selectors.run_detail import check_groups, legs_of, money_of, names_in
from rebalancing.selectors.words import STATE_NAMES, WORDS, end_said
from rebalancing.services.approvals import code_age
from rebalancing.templatetags.run_words import state_name
from trading.admin.links import link_to_list, link_to_row
from trading.admin.lists import known_values, of_account, period
from trading.admin.read_only import ReadOnlyAdmin, in_lines
from trading.admin.tables import record_table
from trading.domain.errors import InputError, StateConflict
from trading.models import Approval
from trading.selectors.moments import moment_said
from trading.selectors.people import Role, has_role
from trading.selectors.policies import policy_shown
from trading.selectors.said import actor_said, policy_said
from trading.templatetags.jeoul import shares, won
from trading.views.moments import market_now
from trading.views.proof import needs_code, take_code

__all__ = ["RunAdmin"]


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = ("__str__", "created_at", "shown_state", "account", "requester", "why_ended")
    past_as = "run"
    state_words = STATE_NAMES
    list_filter = (
        of_account(),
        period("created_at"),
        known_values("state", _("상태"), STATE_NAMES),
        "requester_kind",
        "dry_run",
    )
    search_fields = ("^requester", "=id")
    search_help_text = _("요청한 사람의 앞부분이나 번호로 찾습니다.")
    list_select_related = ("account",)
    actions_detail = ("decide", "open_desk")
    fieldsets = (
        (None, {"fields": ("state_in_words", "account", "requester", "requester_kind", "dry_run")}),
        (_("언제"), {"fields": ("created_at", "terminal_at", "deadline_at", "plan_expires_at")}),
        (_("끝"), {"fields": ("why_ended", "cash_confirmed")}),
        (_("계획"), {"fields": ("generation", "planner", "approval_policy", "plan_hash")}),
        (_("결정"), {"fields": ("decided",)}),
        (_("매매"), {"fields": ("trades",)}),
        (_("함께 보기"), {"fields": ("records",)}),
    )
    readonly_fields = ("decided", "trades", "records")

    def get_urls(self) -> list[Any]:
        """The pages about the plans that wait stand before the pages of single runs."""
        inside = self.admin_site.admin_view
        return [
            path("waiting/", inside(self.waiting), name="rebalancing_run_waiting"),
            path(
                "waiting/confirm/", inside(self.confirm_many), name="rebalancing_run_confirm_many"
            ),
            path("waiting/decide/", inside(self.decide_many), name="rebalancing_run_decide_many"),
            *super().get_urls(),
        ]

    def waiting(self, request: HttpRequest) -> HttpResponse:
        self._only_viewers(request)
        return waiting_page(request, self.admin_site)

    def confirm_many(self, request: HttpRequest) -> HttpResponse:
        self._only_viewers(request)
        return confirm_many_page(request, self.admin_site)

    def decide_many(self, request: HttpRequest) -> HttpResponse:
        self._only_viewers(request)
        return decide_many_page(request, self.admin_site)

    def _only_viewers(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    @admin.display(description=_("상태"))
    def state_in_words(self, run: Run) -> str:
        return state_name(run.state, run.end_reason)

    @admin.display(description=_("누가 결정했나"))
    def decided(self, run: Run) -> str:
        """Everybody's word on this run's plans, newest first."""
        rows = Approval.objects.filter(subject=run.subject).order_by("-id")
        return in_lines(
            " · ".join(
                filter(
                    None,
                    (
                        row.get_verdict_display(),
                        actor_said(row.approver),
                        moment_said(row.decided_at),
                        policy_said(row.policy),
                        row.reason,
                    ),
                )
            )
            for row in rows
        )

    @admin.display(description=_("계획한 매매와 결과"))
    def trades(self, run: Run) -> str:
        """Every leg of every plan, the newest plan first; each leads to its own record."""
        legs = run.legs.select_related("instrument").order_by("-generation", "number")
        heads = (
            gettext("종목"),
            gettext("계획"),
            gettext("매매 구분"),
            gettext("수량"),
            gettext("조정한 수량"),
            gettext("지정가"),
            gettext("체결"),
            gettext("체결 금액"),
            gettext("결과"),
        )
        rows = [
            (
                link_to_row(leg, leg.instrument.name),
                gettext("%(n)s번째") % {"n": leg.generation},
                str(leg.get_side_display()),
                shares(leg.quantity),
                "" if leg.resized_quantity is None else shares(leg.resized_quantity),
                "" if leg.limit_price is None else won(leg.limit_price),
                shares(leg.filled_quantity),
                won(leg.filled_amount),
                WORDS.say(leg.outcome) if leg.outcome else "",
            )
            for leg in legs
        ]
        return record_table(heads, rows, numbers=range(3, 8))

    @admin.display(description=_("이 리밸런싱의 기록"))
    def records(self, run: Run) -> str:
        begins = {"q": f"run:{run.pk}:"}
        links = (
            link_to_list("trading_rulecheck", gettext("주문 직전 점검"), **begins),
            link_to_list("trading_intent", gettext("주문 의도"), **begins),
            link_to_list("trading_attempt", gettext("전송 시도"), **begins),
            link_to_list("rebalancing_leg", gettext("리밸런싱 매매"), run__id__exact=run.pk),
        )
        return format_html_join(" · ", "{}", ((one,) for one in links))

    @admin.display(description=_("끝난 이유"))
    def why_ended(self, run: Run) -> str:
        return end_said(run.end_reason, run.end_facts) or "–"

    @display(description=_("상태"), label={True: "success", False: "warning"}, ordering="state")
    def shown_state(self, run: Run) -> tuple[bool, str]:
        return run.state in TERMINAL, state_name(run.state, run.end_reason)

    @action(description=_("데스크에서 보기"), url_path="desk")
    def open_desk(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return redirect(reverse("rebalancing:run", args=[object_id]))

    @action(description=_("계획 결정"), url_path="decide")
    def decide(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The plan, its checks and two buttons; a link alone decides nothing."""
        run = self.get_object(request, str(object_id))
        if run is None:
            raise Http404
        problems: list[str] = []
        if request.method == "POST":
            problems = _decided(request, run)
            if not problems:
                return redirect(reverse("admin:rebalancing_run_change", args=[object_id]))
            run.refresh_from_db()
        legs = legs_of(run)
        context = self.admin_site.each_context(request) | {
            "title": _("계획 결정"),
            "run": run,
            "account": run.account,
            "legs": legs,
            "names": names_in(run, legs),
            "money": money_of(run, legs),
            "checks": check_groups(run),
            "open": run.state == RunState.AWAITING_APPROVAL,
            "state": STATE_NAMES.get(run.state, run.state),
            "difference": difference_of(run, legs, advice_by_run([run]).get(run.pk)),
            "now": market_now(run.account),
            "needs_code": needs_code(request, run.account, code_age(policy_shown(run.account))),
            "may_decide": has_role(request.user, Role.APPROVER),
            "problems": problems,
        }
        status = 409 if problems else 200
        return TemplateResponse(
            request, "admin/rebalancing/run/decide.html", context, status=status
        )


def _decided(request: HttpRequest, run: Run) -> list[str]:
    """Approve or reject exactly the plan whose hash the form carries; why not, when it was not done."""
    verdict = request.POST.get("verdict", "")
    if verdict not in Approval.Verdict.values:
        return [gettext("승인인지 거절인지 읽을 수 없습니다.")]
    plan_hash, reason = request.POST.get("plan_hash", ""), request.POST.get("reason", "").strip()
    try:
        take_code(request)
    except (InputError, StateConflict) as error:
        return said(error)
    problems = decide_one(request, run.pk, plan_hash, verdict, reason)
    if not problems:
        messages.success(
            request,
            _("승인했습니다. 주문을 시작합니다.")
            if verdict == Approval.Verdict.APPROVE
            else _("거절했습니다. 주문은 나가지 않습니다."),
        )
    return problems


@admin.register(RebalancingHistory)
class HistoryAdmin(ReadOnlyAdmin):
    account_path = "account"
    list_display = (
        "run",
        "created_at",
        "state_in_words",
        "equity_before",
        "equity_after",
        "expected_cost",
        "real_cost",
    )
    list_filter = (
        of_account(),
        period("created_at"),
        known_values("state", _("상태"), STATE_NAMES),
    )
    search_fields = ("=run__id", "^run__requester")
    search_help_text = _("리밸런싱 번호나 요청한 사람의 앞부분으로 찾습니다.")
    list_select_related = ("run",)
    actions_detail: Any = ()
    fields = (
        "run",
        "account",
        "state_in_words",
        "equity_before",
        "equity_after",
        "target_then",
        "drift_first",
        "drift_last",
        "expected_cost",
        "real_cost",
        "fills_then",
        "created_at",
    )
    readonly_fields = ("state_in_words", "target_then", "drift_first", "drift_last", "fills_then")

    @admin.display(description=_("상태"), ordering="state")
    def state_in_words(self, row: RebalancingHistory) -> str:
        return str(STATE_NAMES.get(row.state, row.state))

    @admin.display(description=_("목표"))
    def target_then(self, row: RebalancingHistory) -> str:
        return in_lines(weight_lines(row.target))

    @admin.display(description=_("편차 (전)"))
    def drift_first(self, row: RebalancingHistory) -> str:
        return in_lines(drift_lines(row.drift_before))

    @admin.display(description=_("편차 (후)"))
    def drift_last(self, row: RebalancingHistory) -> str:
        return in_lines(drift_lines(row.drift_after))

    @admin.display(description=_("체결"))
    def fills_then(self, row: RebalancingHistory) -> str:
        return in_lines(fill_lines(row.fills))
