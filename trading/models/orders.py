"""What we wished, what we sent, what the broker has: Intent, Attempt, BrokerOrder and around them.

The laws that a database can hold are held here: one open attempt per intent, one open attempt per
lane, one owner per broker order, monotone ledger steps, states from the known set.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from trading.domain.orders import AttemptState, IntentState
from trading.models.account import Account, Sleeve
from trading.models.fields import EncryptedTextField
from trading.models.market import Instrument
from trading.models.row import Row

__all__ = [
    "Approval",
    "Attempt",
    "BrokerOrder",
    "Decision",
    "Enumeration",
    "Intent",
    "Lane",
    "OrderAction",
    "Reservation",
    "RuleCheck",
    "Side",
]

OPEN_ATTEMPTS = ["SENDING", "UNKNOWN", "ACKED"]


class Side(models.TextChoices):
    SELL = "SELL", _("매도")
    BUY = "BUY", _("매수")


class OrderType(models.TextChoices):
    LIMIT = "LIMIT", _("지정가")
    MARKET = "MARKET", _("시장가")


class OrderAction(models.TextChoices):
    """A cancel is an intent of its own, under the same sending discipline."""

    ORDER = "order", _("주문")
    CANCEL = "cancel", _("취소")


class Approval(Row):
    """One decision on one plan: who asked, who decided, under which policy, until when."""

    class Verdict(models.TextChoices):
        APPROVE = "APPROVE", _("승인")
        DENY = "DENY", _("거절")

    subject = models.CharField(max_length=40)
    plan_hash = models.CharField(max_length=64)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    requester = models.CharField(max_length=150)
    approver = models.CharField(max_length=150)
    approver_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    policy = models.CharField(max_length=16)
    policy_version = models.CharField(max_length=40)
    auth_level = models.CharField(max_length=16)
    verdict = models.CharField(max_length=8, choices=Verdict)
    reason = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("승인")
        verbose_name_plural = _("승인")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["subject", "plan_hash"], name="one_decision_per_plan"),
            models.CheckConstraint(
                condition=Q(verdict__in=["APPROVE", "DENY"]), name="approval_verdict_known"
            ),
            models.CheckConstraint(
                condition=~Q(policy="four_eyes") | ~Q(requester=models.F("approver")),
                name="four_eyes_are_two_people",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__lte=models.F("expires_at")),
                name="approval_decided_in_time",
            ),
        ]


class Lane(Row):
    """(account, ticker, side): locked before a send, so that at most one of our orders has no number."""

    account = models.ForeignKey(Account, models.CASCADE)
    instrument = models.ForeignKey(Instrument, models.PROTECT)
    side = models.CharField(max_length=4, choices=Side)
    late_watch_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "instrument", "side"], name="lane_once")
        ]


class Intent(models.Model):
    """An immutable wish. What it says never changes after AUTHORIZED; a change is a new intent."""

    class Origin(models.TextChoices):
        RUN = "run", _("리밸런싱")
        MANUAL = "manual", _("수동")
        BOT = "bot", _("봇")

    key = models.CharField(max_length=120, unique=True)
    action = models.CharField(max_length=8, choices=OrderAction, default=OrderAction.ORDER)
    origin = models.CharField(max_length=8, choices=Origin)
    origin_id = models.BigIntegerField(null=True)
    leg_id = models.BigIntegerField(null=True)
    slice_no = models.PositiveSmallIntegerField(default=0)
    generation = models.PositiveSmallIntegerField(default=0)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="intents")
    sleeve = models.ForeignKey(Sleeve, models.PROTECT, related_name="+")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    side = models.CharField(max_length=4, choices=Side)
    quantity = models.BigIntegerField()
    order_type = models.CharField(max_length=8, choices=OrderType)
    limit_price = models.BigIntegerField(null=True)
    reference_price = models.BigIntegerField()
    target_order = models.ForeignKey(
        "BrokerOrder", models.PROTECT, null=True, related_name="cancel_intents"
    )
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="superseded_by"
    )
    plan_hash = models.CharField(max_length=64, blank=True)
    approval = models.ForeignKey(Approval, models.PROTECT, null=True, related_name="intents")
    deadline_at = models.DateTimeField()
    state = models.CharField(max_length=20, default="DRAFT")
    state_since = models.DateTimeField()
    state_reason = models.CharField(max_length=300, blank=True)
    filled_quantity = models.BigIntegerField(default=0)
    filled_amount = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("주문 의도")
        verbose_name_plural = _("주문 의도")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["origin", "origin_id"]),
            models.Index(fields=["account", "state"]),
            models.Index(fields=["state"], name="intent_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in IntentState]), name="intent_state_known"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="intent_quantity_positive"),
            models.CheckConstraint(
                condition=Q(order_type="MARKET", limit_price__isnull=True)
                | Q(order_type="LIMIT", limit_price__gt=0),
                name="intent_price_fits_type",
            ),
            models.CheckConstraint(
                condition=Q(action="order", target_order__isnull=True)
                | Q(action="cancel", target_order__isnull=False),
                name="intent_cancel_has_target",
            ),
            models.CheckConstraint(
                condition=Q(filled_quantity__gte=0)
                & Q(filled_quantity__lte=models.F("quantity"))
                & Q(filled_amount__gte=0),
                name="intent_fills_within_quantity",
            ),
            models.CheckConstraint(
                condition=~Q(origin="run")
                | Q(action="cancel")
                | Q(approval__isnull=False)
                | Q(
                    state__in=[
                        "DRAFT",
                        "CHECKED",
                        "VETOED",
                        "AWAITING_APPROVAL",
                        "DENIED",
                        "REVOKED",
                    ]
                ),
                name="run_order_has_approval",
            ),
        ]

    def __str__(self) -> str:
        """As people name an order; its key is for programs."""
        shares = _("%(count)s주") % {"count": f"{self.quantity:,}"}
        return f"{self.asked_by} · {self.instrument.name} {self.doing} {shares}"

    @property
    def doing(self) -> str:
        """Which side, and that it takes an order back where it does."""
        side = self.get_side_display()
        return f"{side} {self.get_action_display()}" if self.action == "cancel" else side

    @property
    def asked_by(self) -> str:
        """What wished it: a run by its number, a person, a bot."""
        origin = self.get_origin_display()
        return f"{origin} #{self.origin_id}" if self.origin_id is not None else origin


class Attempt(Row):
    """One planned HTTP POST, written before it happens."""

    intent = models.ForeignKey(Intent, models.PROTECT, related_name="attempts")
    lane = models.ForeignKey(Lane, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    action = models.CharField(max_length=8, choices=OrderAction)
    nonce = models.CharField(max_length=32, unique=True)
    state = models.CharField(max_length=10, default="SENDING")
    body = EncryptedTextField()
    body_hash = models.CharField(max_length=64)
    baseline = models.JSONField()
    baseline_hash = models.CharField(max_length=64)
    baseline_enumeration = models.ForeignKey("Enumeration", models.PROTECT, related_name="+")
    committed_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    wall_deadline_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    msg_cd = models.CharField(max_length=16, blank=True)
    message = models.CharField(max_length=300, blank=True)
    reply_body = EncryptedTextField(blank=True)
    broker_order = models.OneToOneField(
        "BrokerOrder", models.PROTECT, null=True, related_name="attempt"
    )
    soft = models.BooleanField(default=False)
    absence_checks = models.PositiveSmallIntegerField(default=0)
    last_checked_at = models.DateTimeField(null=True)
    absent_presumed = models.BooleanField(default=False)
    build_id = models.CharField(max_length=40)
    epoch = models.ForeignKey("ProcessEpoch", models.PROTECT, related_name="+")
    whitelist_version = models.CharField(max_length=20)

    class Meta:
        verbose_name = _("전송 시도")
        verbose_name_plural = _("전송 시도")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["committed_at"], name="attempt_committed"),
            # beside the partial one of the constraint: SQLite uses that for no value that is bound
            models.Index(fields=["lane", "state"], name="attempt_lane_state"),
            models.Index(fields=["state"], name="attempt_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in AttemptState]), name="attempt_state_known"
            ),
            models.UniqueConstraint(
                fields=["intent"],
                condition=Q(state__in=OPEN_ATTEMPTS),
                name="one_open_attempt_per_intent",
            ),
            models.UniqueConstraint(
                fields=["lane"],
                condition=Q(state__in=["SENDING", "UNKNOWN"]),
                name="one_unanswered_attempt_per_lane",
            ),
            models.UniqueConstraint(fields=["intent", "number"], name="attempt_number_once"),
        ]


class Enumeration(Row):
    """One pass over the broker's order list: only a complete one allows a conclusion."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="enumerations")
    trade_date = models.DateField()
    scope = models.CharField(max_length=8)
    pages = models.PositiveIntegerField()
    complete = models.BooleanField()
    problem = models.CharField(max_length=200, blank=True)
    rows = models.PositiveIntegerField()
    rows_hash = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    epoch = models.ForeignKey("ProcessEpoch", models.PROTECT, related_name="+")
    unclaimed = models.JSONField(null=True)
    """Rows on lanes that wait for an answer, which nobody owns yet; null where there was none."""

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["account", "-id"])]


class BrokerOrder(models.Model):
    """An order as the broker shows it. `source` says how we learned of it."""

    class Source(models.TextChoices):
        ACK = "ACK", _("접수 응답")
        ADOPTED = "ADOPTED", _("조회로 확인")
        EXTERNAL = "EXTERNAL", _("외부 주문")

    account = models.ForeignKey(Account, models.PROTECT, related_name="broker_orders")
    trade_date = models.DateField()
    org_no = models.CharField(max_length=10)
    order_no = models.CharField(max_length=10)
    original_order_no = models.CharField(max_length=10, blank=True)
    owner = models.OneToOneField(Intent, models.PROTECT, null=True, related_name="broker_order")
    source = models.CharField(max_length=8, choices=Source)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    side = models.CharField(max_length=4, choices=Side)
    quantity = models.BigIntegerField()
    price = models.BigIntegerField(null=True)
    filled_quantity = models.BigIntegerField(default=0)
    filled_amount = models.BigIntegerField(default=0)
    cancelled_quantity = models.BigIntegerField(default=0)
    remaining_quantity = models.BigIntegerField()
    rejected_quantity = models.BigIntegerField(default=0)
    is_final = models.BooleanField(default=False)
    flag = models.CharField(max_length=60, blank=True)
    order_time = models.CharField(max_length=6, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    listed = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("증권사 주문")
        verbose_name_plural = _("증권사 주문")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["account", "trade_date"]),
            models.Index(fields=["order_no"], name="broker_order_no"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "trade_date", "order_no"],
                name="broker_order_once",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0)
                & Q(filled_quantity__gte=0)
                & Q(cancelled_quantity__gte=0)
                & Q(remaining_quantity__gte=0)
                & Q(filled_quantity__lte=models.F("quantity")),
                name="broker_order_numbers_sane",
            ),
            models.CheckConstraint(
                condition=Q(source="EXTERNAL", owner__isnull=True)
                | (~Q(source="EXTERNAL") & Q(owner__isnull=False)),
                name="broker_order_owned_or_external",
            ),
        ]

    def __str__(self) -> str:
        """As people name it: what is traded, and the number without the zeros before it."""
        shares = _("%(count)s주") % {"count": f"{self.quantity:,}"}
        number = self.order_no.lstrip("0") or self.order_no
        return f"{self.instrument.name} {self.get_side_display()} {shares} · {number}"

    @property
    def identity(self) -> str:
        """As the record names it, the same in every language: day, branch and number."""
        return f"{self.trade_date:%Y%m%d}/{self.org_no}/{self.order_no}"

    @property
    def is_change(self) -> bool:
        """A cancel or revise row: it carries no exposure of its own."""
        return bool(self.original_order_no)


class RuleCheck(Row):
    """The whole rule set evaluated once on stored inputs; replaying it gives the same verdict."""

    intent = models.ForeignKey(Intent, models.PROTECT, related_name="rule_checks")
    attempt = models.ForeignKey(Attempt, models.PROTECT, null=True, related_name="rule_checks")
    rule_set_version = models.CharField(max_length=20)
    inputs = models.JSONField()
    inputs_hash = models.CharField(max_length=64)
    verdict = models.CharField(max_length=4)
    results = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["PASS", "VETO"]), name="rulecheck_verdict_known"
            )
        ]


class Reservation(Row):
    """Won (buys) or shares (sells) promised to an order that is not final yet."""

    intent = models.OneToOneField(Intent, models.PROTECT, related_name="reservation")
    won = models.BigIntegerField(default=0)
    shares = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["intent"], condition=Q(closed_at=None), name="reservation_open")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(won__gte=0) & Q(shares__gte=0), name="reservation_not_negative"
            )
        ]


class Decision(Row):
    """What a person decided about an UNKNOWN attempt, with the evidence shown at that moment."""

    class Verdict(models.TextChoices):
        ADOPT = "adopt", _("이 주문이 맞음")
        ABSENT = "absent", _("접수되지 않음")
        LEAVE = "leave", _("그대로 둠")

    intent = models.ForeignKey(Intent, models.PROTECT, related_name="decisions")
    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=8, choices=Verdict)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    order_no = models.CharField(max_length=10, blank=True)
    evidence = models.JSONField(default=dict)
